"""How good a detector is on a labelled table: AP, precision and recall, thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...config.errors import DatasetError
from ...datasets.table import Picture, Table
from ..detector import Detector
from ..geometry import iou

AP_IOUS = tuple(np.round(np.arange(0.5, 1.0, 0.05), 2))
RECALL_POINTS = np.linspace(0, 1, 101)
MIN_SCORE = 0.01
"""Scores below it add nothing to AP but many boxes."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Predicted:
    """One picture's detections: boxes (N, 4) x1 y1 x2 y2 as parts of the picture, score, class."""

    boxes: Floats
    scores: Floats
    classes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ranked:
    """One class over a table: scores from high to low, whether each hit, count of true boxes."""

    scores: Floats
    hits: NDArray[np.bool_]
    positives: int


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """Figures of one class. `ap` is the mean over IoU 0.50–0.95; the rest is at IoU 0.5."""

    positives: int
    ap50: float
    ap: float
    threshold: float
    precision: float
    recall: float
    f1: float
    false_per_picture: float


@dataclass(frozen=True, slots=True)
class Demand:
    """What a class's threshold must give.

    Attributes:
        precision: wanted on the validation set; the best F1 among such thresholds wins.
        low, high: bounds of the threshold.
    """

    precision: float = 0.8
    low: float = 0.25
    high: float = 0.7


def predict(
    detector: Detector, table: Table, batch: int = 8, min_score: float | None = MIN_SCORE
) -> list[Predicted]:
    """Detections of every picture, in the table's class order.

    Classes of the detector that the table does not have are left out. `min_score` None: at the
    detector's own thresholds, which then apply before doubles are suppressed, as in the product.

    Raises:
        DatasetError: a picture cannot be decoded.
    """
    ids = [table.names.index(n) if n in table.names else -1 for n in detector.labels]
    to_table = np.array(ids, dtype=np.int64)
    found: list[Predicted] = []
    for start in range(0, len(table), batch):
        images = [_read(p) for p in table.pictures[start : start + batch]]
        for result in detector.detect(images, min_score=min_score):
            classes = to_table[result.class_id]
            side = np.array([result.width, result.height] * 2, dtype=np.float64)
            kept = classes >= 0
            found.append(
                Predicted(
                    boxes=(result.xyxy / side)[kept],
                    scores=result.score[kept].astype(np.float64),
                    classes=classes[kept],
                )
            )
    return found


def rank(
    table: Table, predictions: Sequence[Predicted], class_id: int, min_iou: float = 0.5
) -> Ranked:
    """Match one class: best score first, each true box once (as COCO does)."""
    scores: list[float] = []
    hits: list[bool] = []
    positives = 0
    for item, predicted in zip(table.pictures, predictions, strict=True):
        truth = corners(item.boxes[item.classes == class_id])
        mine = predicted.classes == class_id
        order = np.argsort(-predicted.scores[mine], kind="stable")
        boxes = predicted.boxes[mine][order]
        positives += len(truth)
        scores += predicted.scores[mine][order].tolist()
        hits += _match(iou(boxes, truth), min_iou)
    order = np.argsort(-np.asarray(scores), kind="stable")
    return Ranked(
        np.asarray(scores, dtype=np.float64)[order],
        np.asarray(hits, dtype=np.bool_)[order],
        positives,
    )


def average_precision(ranked: Ranked) -> float:
    """Interpolated at 101 recall points, as COCO does; NaN without true boxes."""
    if ranked.positives == 0:
        return float("nan")
    precision, recall = curve(ranked)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, RECALL_POINTS, side="left")
    padded = np.append(envelope, 0.0)
    return float(padded[np.minimum(places, len(envelope))].mean())


def curve(ranked: Ranked) -> tuple[Floats, Floats]:
    """Precision and recall after each detection."""
    true = np.cumsum(ranked.hits).astype(np.float64)
    count = np.arange(1, len(ranked.hits) + 1)
    return true / count, true / max(ranked.positives, 1)


def join_ranked(parts: Sequence[Ranked]) -> Ranked:
    """One class over several tables."""
    scores = np.concatenate([p.scores for p in parts])
    order = np.argsort(-scores, kind="stable")
    hits = np.concatenate([p.hits for p in parts])[order]
    return Ranked(scores[order], hits, sum(p.positives for p in parts))


def pick_threshold(ranked: Ranked, demand: Demand) -> float:
    """The threshold of best F1 among those that reach the demanded precision.

    Where none does, the best F0.5 (precision counts twice). Without true boxes: `demand.high`.
    """
    usable = (ranked.scores >= demand.low) & (ranked.scores <= demand.high)
    if ranked.positives == 0 or not usable.any():
        return demand.high
    precision, recall = curve(ranked)
    precise = usable & (precision >= demand.precision)
    quality = f_score(precision, recall, 1.0 if precise.any() else 0.5)
    chosen = int(np.argmax(np.where(precise if precise.any() else usable, quality, -1.0)))
    return float(np.floor(ranked.scores[chosen] * 100) / 100)


def f_score(precision: Floats, recall: Floats, beta: float) -> Floats:
    """F-beta, 0 where both are 0."""
    weight = beta * beta
    return np.asarray(
        (1 + weight) * precision * recall / np.maximum(weight * precision + recall, 1e-12)
    )


def figures(
    table: Table,
    predictions: Sequence[Predicted],
    thresholds: Mapping[str, float],
    selected: Sequence[Predicted] | None = None,
) -> dict[str, ClassFigures]:
    """All figures of every class.

    AP is taken from `predictions` (down to `MIN_SCORE`), precision and recall from `selected`, the
    product's own choice at its thresholds; None: from `predictions` cut at the thresholds.
    """
    result: dict[str, ClassFigures] = {}
    for class_id, name in enumerate(table.names):
        by_iou = [rank(table, predictions, class_id, float(i)) for i in AP_IOUS]
        chosen = by_iou[0] if selected is None else rank(table, selected, class_id)
        result[name] = _class_figures(by_iou, chosen, thresholds[name], len(table))
    return result


def plain(found: Mapping[str, ClassFigures]) -> dict[str, dict[str, float | int | None]]:
    """Figures as rounded JSON values; NaN becomes null."""
    return {
        name: {
            key: (None if value != value else round(value, 4))
            if isinstance(value, float)
            else value
            for key, value in asdict(f).items()
        }
        for name, f in found.items()
    }


def corners(boxes: Floats) -> Floats:
    """Centre boxes (N, 4) as x1 y1 x2 y2."""
    half = boxes[:, 2:] / 2
    return np.concatenate([boxes[:, :2] - half, boxes[:, :2] + half], axis=1)


def _class_figures(
    by_iou: list[Ranked], ranked: Ranked, threshold: float, pictures: int
) -> ClassFigures:
    above = ranked.scores >= threshold
    true, claimed = int(ranked.hits[above].sum()), int(above.sum())
    precision = true / claimed if claimed else float("nan")
    recall = true / ranked.positives if ranked.positives else float("nan")
    return ClassFigures(
        positives=ranked.positives,
        ap50=average_precision(by_iou[0]),
        ap=float(np.mean([average_precision(r) for r in by_iou])),
        threshold=threshold,
        precision=precision,
        recall=recall,
        f1=2 * true / (claimed + ranked.positives) if claimed + ranked.positives else float("nan"),
        false_per_picture=(claimed - true) / max(pictures, 1),
    )


def _match(overlap: NDArray[np.floating], min_iou: float) -> list[bool]:
    """Greedy in the order of rows: each row takes its best free column of at least `min_iou`."""
    free = np.ones(overlap.shape[1], dtype=bool)
    hits: list[bool] = []
    for row in overlap:
        allowed = np.where(free, row, -1.0)
        best = int(np.argmax(allowed)) if len(allowed) else -1
        hit = best >= 0 and bool(allowed[best] >= min_iou)
        hits.append(hit)
        if hit:
            free[best] = False
    return hits


def _read(item: Picture) -> NDArray[np.uint8]:
    image = cv2.imread(str(item.path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise DatasetError(f"{item.path}: not a readable picture")
    return np.asarray(image, dtype=np.uint8)
