"""COCO's own measure (pycocotools `COCOeval`) over boxes that lie in memory."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from .detector_match import true_boxes
from .detector_run import Found

SIZES = ("small", "medium", "large")
"""COCO's classes of area: up to 32², up to 96² and more pixels."""
_ALL_SIZES, _MAX_DETECTIONS = 0, -1

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CocoFigures:
    """What COCO prints, NaN where there are no true boxes.

    Attributes:
        ap, ap50, ap75: mean over the classes that have true boxes; `ap` also over IoU 0.50–0.95.
        ap_by_class, ap50_by_class: (C,).
        ap_by_size, ap50_by_size: (3,) for small, medium, large true boxes.
        precision: (C, 101) interpolated precision at IoU 0.5 and recall 0, 0.01, …, 1.
    """

    ap: float
    ap50: float
    ap75: float
    ap_by_class: Floats
    ap50_by_class: Floats
    ap_by_size: Floats
    ap50_by_size: Floats
    precision: Floats


def coco_figures(found: Sequence[Found], names: tuple[str, ...]) -> CocoFigures:
    """Average precision of the judged classes.

    Args:
        found: pictures with labels (classes index `names`) and boxes of any score.
        names: the judged classes; boxes of other classes are left out.
    """
    with contextlib.redirect_stdout(io.StringIO()):
        truth = _coco(found, names, _true_rows(found))
        claimed = _coco(found, names, _found_rows(found, names))
        run = COCOeval(truth, claimed, "bbox")
        run.evaluate()
        run.accumulate()
    precision = np.where(run.eval["precision"] < 0, np.nan, run.eval["precision"])
    whole = precision[:, :, :, _ALL_SIZES, _MAX_DETECTIONS]
    by_size = precision[:, :, :, 1:, _MAX_DETECTIONS]
    return CocoFigures(
        ap=_mean(whole),
        ap50=_mean(whole[0]),
        ap75=_mean(whole[5]),
        ap_by_class=np.array([_mean(whole[:, :, k]) for k in range(len(names))]),
        ap50_by_class=np.array([_mean(whole[0, :, k]) for k in range(len(names))]),
        ap_by_size=np.array([_mean(by_size[..., s]) for s in range(len(SIZES))]),
        ap50_by_size=np.array([_mean(by_size[0, ..., s]) for s in range(len(SIZES))]),
        precision=whole[0].T,
    )


def size_of(boxes: NDArray[np.floating]) -> NDArray[np.int64]:
    """Index into `SIZES` of each box (N, 4) x1 y1 x2 y2 in pixels."""
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    return np.asarray(np.digitize(area, [32.0**2, 96.0**2], right=True), dtype=np.int64)


def _mean(values: Floats) -> float:
    """Mean of what is known, NaN when nothing is."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")


def _true_rows(found: Sequence[Found]) -> list[tuple[int, int, list[float], float]]:
    return [
        (i, int(c), box, 1.0)
        for i, item in enumerate(found)
        for c, box in zip(item.picture.classes, true_boxes(item).tolist(), strict=True)
    ]


def _found_rows(
    found: Sequence[Found], names: tuple[str, ...]
) -> list[tuple[int, int, list[float], float]]:
    return [
        (i, names.index(name), box, score)
        for i, item in enumerate(found)
        for name, box, score in zip(
            item.everything.names(),
            item.everything.xyxy.astype(np.float64).tolist(),
            item.everything.score.tolist(),
            strict=True,
        )
        if name in names
    ]


def _coco(
    found: Sequence[Found],
    names: tuple[str, ...],
    rows: list[tuple[int, int, list[float], float]],
) -> Any:
    annotations = [
        {
            "id": number,
            "image_id": picture,
            "category_id": class_id,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": (x2 - x1) * (y2 - y1),
            "iscrowd": 0,
            "score": score,
        }
        for number, (picture, class_id, (x1, y1, x2, y2), score) in enumerate(rows, 1)
    ]
    coco = COCO()
    coco.dataset = {
        "images": [{"id": i} for i in range(len(found))],
        "categories": [{"id": k, "name": name} for k, name in enumerate(names)],
        "annotations": annotations,
    }
    coco.createIndex()
    return coco
