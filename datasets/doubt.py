"""Labels that a trained model contradicts: likely mistakes first, for a person to look at."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .table import Picture, Table

Floats = NDArray[np.float64]
Corners = tuple[float, float, float, float]

KINDS_ZH = {
    "wrong_class": "类别存疑",
    "unlabelled": "疑似漏标",
    "misplaced": "框位置存疑",
    "unseen": "疑似误标",
}


class Predictions(Protocol):
    """A model's detections in one picture, in the table's class order."""

    @property
    def boxes(self) -> Floats:
        """(N, 4) left, top, right, bottom as parts of the picture."""

    @property
    def scores(self) -> Floats:
        """(N,) 0 to 1."""

    @property
    def classes(self) -> NDArray[np.int64]:
        """(N,) index into the table's names."""


@dataclass(frozen=True, slots=True)
class DoubtRule:
    """When a contradiction is worth a look.

    Attributes:
        sure: score from which the model is believed against a label.
        same_iou: overlap from which two boxes mean the same thing.
        touch_iou: overlap below which they have nothing to do with each other.
        unseen_score: a label is unseen when no detection of its class on it reaches this.
        unseen_weight: strength of such a doubt; a model overlooks more than it invents.
    """

    sure: float = 0.5
    same_iou: float = 0.5
    touch_iou: float = 0.1
    unseen_score: float = 0.05
    unseen_weight: float = 0.4


@dataclass(frozen=True, slots=True)
class Doubt:
    """One label in doubt.

    Attributes:
        picture: index into the table.
        kind: see `KINDS_ZH`.
        strength: 0 to 1; the higher, the surer the model.
        label, box: what is labelled; "" and None where nothing is.
        model, model_box, score: what the model sees; "" and None where it sees nothing.
    """

    picture: int
    kind: str
    strength: float
    label: str = ""
    box: Corners | None = None
    model: str = ""
    model_box: Corners | None = None
    score: float = 0.0


def find_doubts(
    table: Table, predictions: Sequence[Predictions], rule: DoubtRule | None = None
) -> list[Doubt]:
    """All doubts, strongest first.

    A source is only judged by the classes it labels at all: a set of bins says nothing about
    the cars in its pictures.

    Args:
        predictions: one per picture; low scores included, since they speak for a label.
    """
    rule = rule or DoubtRule()
    judged = _labelled_classes(table)
    doubts: list[Doubt] = []
    for index, (item, found) in enumerate(zip(table.pictures, predictions, strict=True)):
        doubts += _in_picture(index, item, found, table.names, judged[item.source], rule)
    return sorted(doubts, key=lambda d: (-d.strength, d.picture, d.kind))


def write_doubts(path: Path, table: Table, doubts: Sequence[Doubt]) -> None:
    """A CSV, one doubt a row, strongest first; boxes as left, top, right, bottom (0–1)."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(
            ("rank", "file", "kind", "strength", "label", "box", "model", "score", "model_box")
        )
        for rank, doubt in enumerate(doubts, 1):
            writer.writerow(
                (
                    rank, table.pictures[doubt.picture].path.name, doubt.kind,
                    f"{doubt.strength:.3f}", doubt.label, _told(doubt.box), doubt.model,
                    f"{doubt.score:.3f}", _told(doubt.model_box),
                )
            )  # fmt: skip


def ious(one: Floats, other: Floats) -> Floats:
    """Intersection over union of corner boxes, (N, M)."""
    low = np.maximum(one[:, None, :2], other[None, :, :2])
    high = np.minimum(one[:, None, 2:], other[None, :, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = np.prod(one[:, 2:] - one[:, :2], axis=1)[:, None]
    areas = areas + np.prod(other[:, 2:] - other[:, :2], axis=1)[None]
    return np.asarray(both / np.maximum(areas - both, 1e-12))


def _in_picture(
    index: int,
    item: Picture,
    found: Predictions,
    names: Sequence[str],
    judged: frozenset[int],
    rule: DoubtRule,
) -> list[Doubt]:
    keep = np.isin(found.classes, sorted(judged))
    boxes, scores, classes = found.boxes[keep], found.scores[keep], found.classes[keep]
    half = item.boxes[:, 2:] / 2
    truth = np.hstack([item.boxes[:, :2] - half, item.boxes[:, :2] + half])
    overlap = ious(truth, boxes)
    doubts = [
        doubt
        for i in range(len(item))
        if (doubt := _of_label(i, overlap[i], scores, classes, int(item.classes[i]), rule))
    ]
    named = [
        Doubt(
            index, kind, strength, names[int(item.classes[i])], _corners(truth[i]),
            names[int(classes[j])] if j >= 0 else "",
            _corners(boxes[j]) if j >= 0 else None,
            float(scores[j]) if j >= 0 else 0.0,
        )
        for kind, strength, i, j in doubts
    ]  # fmt: skip
    nearest = overlap.max(axis=0, initial=0.0)
    for j in np.flatnonzero((scores >= rule.sure) & (nearest < rule.touch_iou)).tolist():
        if not _is_inside(boxes[j], truth):
            told = names[int(classes[j])], _corners(boxes[j]), float(scores[j])
            named.append(Doubt(index, "unlabelled", float(scores[j]), "", None, *told))
    return named


def _of_label(
    i: int,
    overlap: Floats,
    scores: Floats,
    classes: NDArray[np.int64],
    label: int,
    rule: DoubtRule,
) -> tuple[str, float, int, int] | None:
    """Kind, strength, label and detection of the strongest doubt about one label."""
    mine = classes == label
    here = overlap >= rule.same_iou
    support = float(scores[mine & here].max(initial=0.0))
    others = np.where(here & ~mine & (scores >= rule.sure), scores, 0.0)
    if others.any() and float(others.max()) > support:
        j = int(others.argmax())
        return "wrong_class", float(others[j]) - support, i, j
    if support >= rule.unseen_score:
        return None
    near = np.where(mine & ~here & (overlap >= rule.touch_iou) & (scores >= rule.sure), scores, 0)
    if near.any():
        j = int(near.argmax())
        return "misplaced", float(near[j] * (1 - overlap[j])), i, j
    if float(scores[overlap >= rule.touch_iou].max(initial=0.0)) < rule.unseen_score:
        return "unseen", rule.unseen_weight, i, -1
    return None


def _is_inside(box: Floats, truth: Floats) -> bool:
    """A detection within a larger label is a part of it (a bag in a heap), no missing label."""
    if not len(truth):
        return False
    sides = np.minimum(truth[:, 2:], box[2:]) - np.maximum(truth[:, :2], box[:2])
    both = np.prod(np.clip(sides, 0, None), axis=1)
    return bool((both >= 0.8 * np.prod(box[2:] - box[:2])).any())


def _labelled_classes(table: Table) -> Mapping[str, frozenset[int]]:
    classes: dict[str, set[int]] = {}
    for item in table.pictures:
        classes.setdefault(item.source, set()).update(item.classes.tolist())
    return {source: frozenset(found) for source, found in classes.items()}


def _corners(box: Floats) -> Corners:
    x1, y1, x2, y2 = (round(float(v), 4) for v in box)
    return x1, y1, x2, y2


def _told(box: Corners | None) -> str:
    return " ".join(f"{v:.4f}" for v in box) if box else ""
