"""Boxes against labelled boxes: who belongs to whom. Pure functions over arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..vision.detections import Detections
from ..vision.geometry import iou
from .detector_run import Found

MIN_IOU = 0.5
NOBODY = -1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Judged:
    """One picture's boxes of the judged classes beside its labelled ones.

    Attributes:
        found: the picture.
        boxes, scores, classes: detections, float64 (N, 4) in pixels, (N,), (N,) index into the
            judged names; best score first.
        truth, truth_classes: labelled boxes, float64 (M, 4) in pixels, (M,).
        partner: (N,) index of the labelled box of the same class that each detection hit, or -1.
    """

    found: Found
    boxes: Floats
    scores: Floats
    classes: Ints
    truth: Floats
    truth_classes: Ints
    partner: Ints

    @property
    def missed(self) -> Bools:
        """(M,) labelled boxes that nothing hit."""
        hit = np.zeros(len(self.truth), dtype=np.bool_)
        hit[self.partner[self.partner != NOBODY]] = True
        return ~hit


def judge(found: Found, detections: Detections, names: tuple[str, ...]) -> Judged:
    """Match detections to labels of the same class: best score first, best free overlap ≥ 0.5.

    Args:
        found: the picture with its labels.
        detections: either of its two lists.
        names: the judged classes; boxes of other classes are left out.
    """
    ids = np.array([names.index(n) if n in names else NOBODY for n in detections.labels])
    classes = ids[detections.class_id] if len(detections) else np.zeros(0, dtype=np.int64)
    order = np.argsort(-detections.score, kind="stable")
    order = order[classes[order] != NOBODY]
    boxes = detections.xyxy[order].astype(np.float64)
    classes = classes[order].astype(np.int64)
    truth = true_boxes(found)
    overlap = iou(boxes, truth)
    overlap[classes[:, None] != found.picture.classes[None, :]] = -1.0
    return Judged(
        found=found,
        boxes=boxes,
        scores=detections.score[order].astype(np.float64),
        classes=classes,
        truth=truth,
        truth_classes=found.picture.classes,
        partner=greedy(overlap),
    )


def true_boxes(found: Found) -> Floats:
    """Labelled boxes as x1, y1, x2, y2 in pixels, (M, 4)."""
    centre, half = found.picture.boxes[:, :2], found.picture.boxes[:, 2:] / 2
    unit = np.array([found.firm.width, found.firm.height] * 2, dtype=np.float64)
    return np.asarray(np.hstack([centre - half, centre + half]) * unit)


def greedy(overlap: NDArray[np.floating], min_iou: float = MIN_IOU) -> Ints:
    """Each row in turn takes its best free column of at least `min_iou`, else -1; (N,).

    Of equal overlaps the later column wins, as in pycocotools.
    """
    partner = np.full(len(overlap), NOBODY, dtype=np.int64)
    free = np.ones(overlap.shape[1], dtype=np.bool_)
    if not free.size:
        return partner
    for row, values in enumerate(overlap):
        open_values = np.where(free, values, -1.0)
        best = len(open_values) - 1 - int(np.argmax(open_values[::-1]))
        if open_values[best] >= min_iou:
            partner[row] = best
            free[best] = False
    return partner


def confusion(judged: list[Judged], class_count: int) -> Ints:
    """Counts (C + 1, C + 1): rows true classes, columns found ones, the last is "nothing".

    Boxes of the right class are paired first; what stays over is paired by place whatever its
    class.
    """
    counts = np.zeros((class_count + 1, class_count + 1), dtype=np.int64)
    for item in judged:
        hit = item.partner != NOBODY
        for truth in item.truth_classes[item.partner[hit]]:
            counts[truth, truth] += 1
        spare, missed = np.flatnonzero(~hit), np.flatnonzero(item.missed)
        other = greedy(iou(item.boxes[spare], item.truth[missed]))
        for row, column in zip(spare, other, strict=True):
            truth = class_count if column == NOBODY else item.truth_classes[missed[column]]
            counts[truth, item.classes[row]] += 1
        for column in set(range(len(missed))) - set(other.tolist()):
            counts[item.truth_classes[missed[column]], class_count] += 1
    return counts


def place_states(judged: list[Judged], states: tuple[int, int]) -> Ints:
    """Counts (3, 3) of two states of one kind of thing: rows true, columns found, last "nothing".

    A box and a label are paired by place alone, best score first: what counts is which state wins.
    """
    counts = np.zeros((3, 3), dtype=np.int64)
    for item in judged:
        mine = np.flatnonzero(np.isin(item.classes, states))
        theirs = np.flatnonzero(np.isin(item.truth_classes, states))
        partner = greedy(iou(item.boxes[mine], item.truth[theirs]))
        for row, column in zip(mine, partner, strict=True):
            truth = 2 if column == NOBODY else states.index(item.truth_classes[theirs[column]])
            counts[truth, states.index(item.classes[row])] += 1
        for column in set(range(len(theirs))) - set(partner.tolist()):
            counts[states.index(item.truth_classes[theirs[column]]), 2] += 1
    return counts
