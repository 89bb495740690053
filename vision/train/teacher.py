"""Labels for what nobody labelled: the base detector marks people and vehicles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ultralytics import YOLO

from ...datasets.labels import TRAFFIC_LABELS
from ...datasets.table import Picture, Table


@dataclass(frozen=True, slots=True)
class TeacherRule:
    """What the teacher may say.

    Attributes:
        min_score: below it a box is not a label. Ultralytics has no "ignore" label, so a doubtful
            object becomes background; 0.35 errs towards labelling.
        max_overlap: a teacher box that covers a hand-made box to this IoU is dropped: skips and
            bin shelters look like trucks and buses.
        image_size: longer side in pixels.
    """

    min_score: float = 0.35
    max_overlap: float = 0.6
    image_size: int = 640


def add_teacher_labels(
    table: Table, checkpoint: Path, rule: TeacherRule, batch: int = 16
) -> Table:
    """The table with the teacher's people and vehicles added to its own boxes."""
    teacher: Any = YOLO(str(checkpoint))
    wanted = {i: table.names.index(n) for i, n in teacher.names.items() if n in TRAFFIC_LABELS}
    pictures: list[Picture] = []
    for start in range(0, len(table), batch):
        part = table.pictures[start : start + batch]
        results = teacher.predict(
            [str(p.path) for p in part],
            conf=rule.min_score,
            imgsz=rule.image_size,
            classes=list(wanted),
            verbose=False,
        )
        for item, result in zip(part, results, strict=True):
            boxes = result.boxes.xywhn.cpu().numpy().astype(np.float64)
            classes = np.array([wanted[int(c)] for c in result.boxes.cls], dtype=np.int64)
            pictures.append(with_boxes(item, boxes, classes, rule.max_overlap))
    return table.select(pictures)


def with_boxes(
    item: Picture, boxes: NDArray[np.float64], classes: NDArray[np.int64], max_overlap: float
) -> Picture:
    """The picture plus those new boxes that do not cover one of its own."""
    if len(item) and len(boxes):
        free = iou_matrix(boxes, item.boxes).max(axis=1) < max_overlap
        boxes, classes = boxes[free], classes[free]
    return replace(
        item,
        boxes=np.concatenate([item.boxes, boxes.reshape(-1, 4)]),
        classes=np.concatenate([item.classes, classes]),
    )


def iou_matrix(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of centre boxes (N, 4) and (M, 4) → (N, M)."""
    a_low, a_high = a[:, None, :2] - a[:, None, 2:] / 2, a[:, None, :2] + a[:, None, 2:] / 2
    b_low, b_high = b[None, :, :2] - b[None, :, 2:] / 2, b[None, :, :2] + b[None, :, 2:] / 2
    side = np.clip(np.minimum(a_high, b_high) - np.maximum(a_low, b_low), 0, None)
    inter = side.prod(axis=2)
    union = a[:, None, 2:].prod(axis=2) + b[None, :, 2:].prod(axis=2) - inter
    return np.asarray(inter / np.maximum(union, 1e-12))
