"""Labels for what nobody labelled: the base detector marks people and vehicles."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ultralytics import YOLO

from ...datasets.labels import TRAFFIC_LABELS
from ...datasets.table import Picture, Table, picture
from ..geometry import iou
from .measure import corners


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


def add_teacher_labels(table: Table, checkpoint: Path, rule: TeacherRule, batch: int = 16) -> Table:
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
        free = iou(corners(boxes), corners(item.boxes)).max(axis=1) < max_overlap
        boxes, classes = boxes[free], classes[free]
    return replace(
        item,
        boxes=np.concatenate([item.boxes, boxes.reshape(-1, 4)]),
        classes=np.concatenate([item.classes, classes]),
    )


def save_teacher(path: Path, key: str, labelled: Table) -> None:
    """Keep a labelled table's boxes; `key` names the teacher and its rule."""
    boxes = {
        p.path.name: [[int(c), *box] for c, box in zip(p.classes, p.boxes.tolist(), strict=True)]
        for p in labelled.pictures
    }
    path.write_text(json.dumps({"key": key, "boxes": boxes}), encoding="utf-8")


def read_teacher(path: Path, key: str, table: Table) -> Table | None:
    """`table` with the kept boxes; None when nothing fitting was kept."""
    if not path.is_file():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    if kept["key"] != key or set(kept["boxes"]) != {p.path.name for p in table.pictures}:
        return None
    return table.select(
        picture(p.path, kept["boxes"][p.path.name], p.source, p.group) for p in table.pictures
    )
