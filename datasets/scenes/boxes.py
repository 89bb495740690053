"""Visible boxes from an object-index picture, and YOLO lines from boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..labels import DETECTOR_LABELS

MIN_FILL = 0.06  # less of a box than this, seen through leaves or a fence, is no view of an object


@dataclass(frozen=True, slots=True)
class Box:
    """One visible object: label, pixel corners (x1, y1 exclusive), visible pixel count, and the
    number it has in the object index."""

    label: str
    x0: int
    y0: int
    x1: int
    y1: int
    pixels: int
    index: int = 0


def visible_boxes(
    index: NDArray[np.int32], labels: Sequence[str | None], min_pixels: int = 60, min_side: int = 7
) -> list[Box]:
    """Boxes of the visible pixels of object k + 1 with `labels[k]`; slivers are left out.

    Rows and columns count only with two pixels or more, so that a speck between leaves does not
    stretch a box.
    """
    found = []
    for k, label in enumerate(labels):
        if label is None:
            continue
        mask = index == k + 1
        pixels = int(mask.sum())
        if pixels < min_pixels:
            continue
        columns = np.flatnonzero(mask.sum(axis=0) >= 2)
        rows = np.flatnonzero(mask.sum(axis=1) >= 2)
        if len(columns) < min_side or len(rows) < min_side:
            continue
        area = (int(columns[-1]) + 1 - int(columns[0])) * (int(rows[-1]) + 1 - int(rows[0]))
        if pixels < MIN_FILL * area:
            continue
        found.append(
            Box(
                label,
                int(columns[0]),
                int(rows[0]),
                int(columns[-1]) + 1,
                int(rows[-1]) + 1,
                pixels,
                k + 1,
            )
        )
    return found


def yolo_lines(boxes: Sequence[Box], width: int, height: int) -> str:
    """YOLO label text: class, centre and size as shares of the picture."""
    lines = []
    for box in boxes:
        cx, cy = (box.x0 + box.x1) / 2 / width, (box.y0 + box.y1) / 2 / height
        wide, high = (box.x1 - box.x0) / width, (box.y1 - box.y0) / height
        lines.append(
            f"{DETECTOR_LABELS.index(box.label)} {cx:.6f} {cy:.6f} {wide:.6f} {high:.6f}\n"
        )
    return "".join(lines)


def instance_mask(index: NDArray[np.int32], boxes: Sequence[Box]) -> NDArray[np.uint8]:
    """Instance mask (h, w): n where the n-th of `boxes` is seen, 0 elsewhere; at most 255."""
    if len(boxes) > 255:
        raise ValueError(f"{len(boxes)} objects do not fit an 8-bit mask")
    mask = np.zeros(index.shape, np.uint8)
    for number, box in enumerate(boxes, 1):
        mask[index == box.index] = number
    return mask
