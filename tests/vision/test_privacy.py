"""Mosaics over heads and plates."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from xiaozheng.vision.detections import Detections
from xiaozheng.vision.privacy import blur_private

LABELS = ("person", "bicycle", "motorcycle", "car", "bin", "garbage", "stall")
Box = tuple[float, float, float, float]


def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 255, (300, 400, 3)).astype(np.uint8)


def found(label: str, box: Box, score: float = 0.9) -> Detections:
    return Detections.of([box], [score], [label], LABELS, (400, 300))


def detail(image: NDArray[np.uint8]) -> float:
    """Mean step between neighbouring pixels: about 85 for noise."""
    return float(np.abs(np.diff(image.astype(int), axis=1)).mean())


@pytest.mark.parametrize(
    ("label", "box", "hidden", "kept"),
    [
        ("person", (100, 50, 160, 250), (50, 110), (130, 250)),
        ("person", (100, 50, 260, 250), (50, 165), (195, 250)),
        ("car", (100, 100, 300, 250), (165, 250), (100, 140)),
        ("motorcycle", (100, 100, 180, 200), (135, 200), (100, 118)),
    ],
)
def test_what_could_be_private_is_coarse_and_the_rest_is_as_it_was(
    label: str, box: Box, hidden: tuple[int, int], kept: tuple[int, int]
) -> None:
    image = noise()
    out = blur_private(image, found(label, box, score=0.1))
    left, right = int(box[0]), int(box[2])
    assert detail(out[slice(*hidden), left:right]) < 15
    assert (out[slice(*kept), left:right] == image[slice(*kept), left:right]).all()
    assert (image == noise()).all(), "the original is left alone"


@pytest.mark.parametrize(
    ("faint", "sure", "rows", "hidden"),
    [
        ("person", "garbage", (50, 100), False),
        ("person", "stall", (50, 100), True),
        ("motorcycle", "stall", (90, 160), False),
        ("motorcycle", "stall", (200, 250), True),
        ("motorcycle", "garbage", (130, 160), True),
    ],
)
def test_what_is_surely_something_else_in_its_place_is_not_hidden_for_a_faint_guess(
    faint: str, sure: str, rows: tuple[int, int], hidden: bool
) -> None:
    boxes: list[Box] = [(100, 50, 250, 250), (104, 54, 252, 250)]
    both = Detections.of(boxes, [0.12, 0.8], [faint, sure], LABELS, (400, 300))
    part = slice(*rows), slice(110, 240)
    out = blur_private(noise(), both)[part]
    assert (detail(out) < 15) == hidden
    assert hidden or (out == noise()[part]).all()
    # As sure of the one as of the other: hidden.
    doubted = Detections.of(boxes, [0.6, 0.8], [faint, sure], LABELS, (400, 300))
    low = slice(70, 100) if faint == "person" else slice(200, 250)
    assert detail(blur_private(noise(), doubted)[low, part[1]]) < 15


def test_boxes_at_and_beyond_the_edge_do_no_harm() -> None:
    image = noise()
    assert detail(blur_private(image, found("person", (-20, -40, 90, 90)))[0:20, 0:60]) < 15
    assert (blur_private(image, found("car", (500, 400, 600, 500))) == image).all()
    assert (blur_private(image, found("bin", (10, 10, 60, 60))) == image).all()
