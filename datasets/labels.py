"""The detector's label set and how foreign names map onto it."""

from __future__ import annotations

DETECTOR_LABELS = (
    "person",
    "bicycle",
    "motorcycle",
    "car",
    "bus",
    "truck",
    "bin",
    "overflowing_bin",
    "garbage",
    "stall",
)

LABELS_ZH = {
    "person": "行人",
    "bicycle": "自行车",
    "motorcycle": "摩托车",
    "car": "小汽车",
    "bus": "公交客车",
    "truck": "货车",
    "bin": "垃圾桶",
    "overflowing_bin": "满溢垃圾桶",
    "garbage": "散落垃圾",
    "stall": "摊位",
}

TRAFFIC_LABELS = DETECTOR_LABELS[:6]
"""The labels that COCO also has; the base model already knows them."""

# fmt: off
COCO_NAMES = (
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat",
    "traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog",
    "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella",
    "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball", "kite",
    "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle",
    "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich",
    "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch",
    "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse", "remote",
    "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book",
    "clock", "vase", "scissors", "teddy bear", "hair drier", "toothbrush",
)
# fmt: on
"""The 80 COCO classes in the usual order of YOLO files."""
