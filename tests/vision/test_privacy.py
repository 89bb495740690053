"""Mosaics over heads and plates."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from xiaozheng.vision.detections import Detections
from xiaozheng.vision.privacy import blur_private

LABELS = ("person", "bicycle", "motorcycle", "car", "bin")
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


def test_boxes_at_and_beyond_the_edge_do_no_harm() -> None:
    image = noise()
    assert detail(blur_private(image, found("person", (-20, -40, 90, 90)))[0:20, 0:60]) < 15
    assert (blur_private(image, found("car", (500, 400, 600, 500))) == image).all()
    assert (blur_private(image, found("bin", (10, 10, 60, 60))) == image).all()
