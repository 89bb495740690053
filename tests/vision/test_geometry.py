"""Overlap, suppression, letterbox and box scores in numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vision_support import detections

from xiaozheng.vision.families import FAMILIES, family_of
from xiaozheng.vision.geometry import intersections, iou, suppress
from xiaozheng.vision.letterbox import PAD_VALUE, Letterbox, to_tensor
from xiaozheng.vision.scene import box_iou, ground_point, same_place
from xiaozheng.vision.scoring import Score, score_picture

A = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [20, 20, 30, 30]], dtype=np.float32)


def test_overlap_of_known_boxes() -> None:
    assert intersections(A, A)[0].tolist() == [100, 50, 0]
    assert iou(A, A)[0].tolist() == pytest.approx([1, 1 / 3, 0])
    assert iou(A, A[:0]).shape == (3, 0)


def test_suppression_keeps_the_better_of_a_group() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [50, 0, 60, 10]], np.float32)
    scores = np.array([0.6, 0.9, 0.8, 0.3], np.float32)
    same, apart = np.array([0, 0, 0, 0]), np.array([0, 0, 1, 0])
    assert suppress(boxes, scores, same, 0.5).tolist() == [1, 3]
    assert suppress(boxes, scores, apart, 0.5).tolist() == [1, 2, 3]
    assert suppress(boxes, scores, same, 0.99).tolist() == [1, 2, 3]
    assert suppress(boxes[:0], scores[:0], same[:0], 0.5).tolist() == []


def test_suppression_is_greedy() -> None:
    """A box suppressed by a better one does not suppress a third."""
    chain = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]], np.float32)
    kept = suppress(chain, np.array([0.9, 0.8, 0.7], np.float32), np.zeros(3, int), 0.4)
    assert kept.tolist() == [0, 2]


def test_labels_of_one_object_are_one_family() -> None:
    assert {family_of(name) for name in ("car", "bus", "truck")} == {"vehicle"}
    assert family_of("bin") == family_of("overflowing_bin")
    assert family_of("umbrella") == "umbrella"
    labels = [label for family in FAMILIES.values() for label in family]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((640, 360), (640, 360, 0, 12, 640, 384)),
        ((1920, 1080), (640, 360, 0, 12, 640, 384)),
        ((640, 640), (640, 640, 0, 0, 640, 640)),
        ((320, 240), (640, 480, 0, 0, 640, 480)),
        ((100, 1000), (64, 640, 0, 0, 64, 640)),
        ((20_000, 16), (640, 1, 0, 15, 640, 32)),
    ],
)
def test_letterbox(size: tuple[int, int], expected: tuple[int, ...]) -> None:
    box = Letterbox.fit(*size, side=640, stride=32)
    given_back = (box.width, box.height, box.left, box.top, box.input_width, box.input_height)
    assert given_back == expected


def test_letterbox_pads_and_keeps_pixels() -> None:
    image = np.full((360, 640, 3), 7, np.uint8)
    padded = Letterbox.fit(640, 360, 640, 32).apply(image)
    assert padded.shape == (384, 640, 3)
    assert (padded[:12] == PAD_VALUE).all()
    assert (padded[12:372] == 7).all()
    assert (padded[372:] == PAD_VALUE).all()


@given(
    width=st.integers(16, 4000),
    height=st.integers(16, 4000),
    corners=st.tuples(*[st.floats(0, 1)] * 4),
)
def test_letterbox_and_back(width: int, height: int, corners: tuple[float, ...]) -> None:
    box = Letterbox.fit(width, height, 640, 32)
    assert box.input_width % 32 == box.input_height % 32 == 0
    assert max(box.width, box.height) == 640
    there = np.array(
        [[c * s for c, s in zip(corners, [width, height] * 2, strict=True)]], np.float32
    )
    scale = np.array([box.width / width, box.height / height] * 2)
    moved = there * scale + [box.left, box.top, box.left, box.top]
    back = box.undo(moved.astype(np.float32), width, height)
    assert back == pytest.approx(there, abs=0.02 * max(width, height) / 640 + 0.01)


def test_undo_clips_to_the_picture() -> None:
    box = Letterbox.fit(640, 360, 640, 32)
    back = box.undo(np.array([[-50, -50, 900, 900]], np.float32), 640, 360)
    assert back.tolist() == [[0, 0, 640, 360]]


def test_tensor_is_rgb_in_0_to_1() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[:, :, 0] = 255
    tensor = to_tensor([image, image])
    assert tensor.shape == (2, 3, 32, 32)
    assert tensor[:, 2].min() == 1.0
    assert tensor[:, :2].max() == 0.0


def test_places() -> None:
    car = (0.4, 0.4, 0.5, 0.5)
    assert box_iou(car, car) == pytest.approx(1)
    assert same_place(car, (0.41, 0.4, 0.51, 0.5))
    assert same_place(car, (0.3, 0.3, 0.5, 0.5)), "nested, same foot: one object boxed twice"
    assert not same_place((0.42, 0.32, 0.48, 0.42), (0.4, 0.35, 0.5, 0.55)), "one behind the other"
    assert not same_place(car, (0.6, 0.4, 0.7, 0.5))
    assert not same_place(car, (0.45, 0.45, 0.45, 0.45))
    assert ground_point(car) == pytest.approx((0.45, 0.495))


def test_boxes_are_scored_one_to_one() -> None:
    found = detections(
        [
            ((0, 0, 100, 100), 0.9, "bin"),
            ((5, 0, 105, 100), 0.8, "bin"),
            ((500, 0, 600, 100), 0.7, "bin"),
            ((0, 0, 100, 100), 0.9, "car"),
        ]
    )
    truth = np.array([[0, 0, 100, 100], [300, 0, 400, 100], [500, 0, 600, 100]], np.float64)
    scores = score_picture(found, truth, ["bin", "bin", "garbage"], ("bin", "garbage"))
    assert scores["bin"] == Score(hits=1, false_alarms=2, misses=1)
    assert scores["garbage"] == Score(hits=0, false_alarms=0, misses=1)
    assert scores["bin"].precision == pytest.approx(1 / 3)
    assert scores["bin"].recall == 0.5
    assert scores["garbage"].precision is None
    total = scores["bin"] + scores["garbage"]
    assert (total.hits, total.misses) == (1, 2)
