"""Boxes as arrays: overlap and suppression. Boxes are x1, y1, x2, y2 in any one unit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
EPSILON = 1e-9


def areas(boxes: Floats) -> Floats:
    """Area of each box, (N,)."""
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


def intersections(a: Floats, b: Floats) -> Floats:
    """Area that each box of `a` (N, 4) shares with each of `b` (M, 4), (N, M)."""
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    return np.asarray(np.maximum(width, 0) * np.maximum(height, 0))


def iou(a: Floats, b: Floats) -> Floats:
    """Intersection over union of each pair, (N, M)."""
    shared = intersections(a, b)
    union = areas(a)[:, None] + areas(b)[None, :] - shared
    return np.asarray(shared / np.maximum(union, EPSILON))


def suppress(boxes: Floats, scores: Floats, groups: NDArray[Any], max_iou: float) -> NDArray[Any]:
    """Non-maximum suppression: indices to keep, best score first.

    A box falls when a better one of the same group overlaps it by more than `max_iou`.
    """
    order = np.argsort(-scores, kind="stable")
    overlap = iou(boxes[order], boxes[order]) > max_iou
    overlap &= groups[order][:, None] == groups[order][None, :]
    alive = np.ones(len(order), dtype=bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= ~overlap[i, i + 1 :]
    return np.asarray(order[alive])
