"""Labels for what nobody labelled: a detector marks the classes that a data set leaves out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ultralytics import YOLO

from ...datasets.split import Split
from ...datasets.table import Picture, Table, picture
from ...models.manifest import sha256_file
from ...models.registry import Artifact
from ...models.runtimes import open_session
from ..detector import Detector
from ..geometry import iou
from .measure import corners, predict


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


def complete(
    split: Split, missing: Sequence[str], teacher: Path | Artifact, rule: TeacherRule, kept: Path
) -> Split:
    """The split with boxes of the `missing` classes added to training and validation.

    What the teacher said is kept in the file `kept`, and read from there the next time.

    Args:
        teacher: an Ultralytics checkpoint, or an artefact off the shelf.
    """
    source = teacher if isinstance(teacher, Path) else teacher.model_path
    key = f"{sha256_file(source)} {asdict(rule)} {sorted(missing)}"
    whole = split.train.select((*split.train.pictures, *split.val.pictures))
    labelled = read_teacher(kept, key, whole)
    if labelled is None:
        labelled = add_labels(whole, missing, teacher, rule)
        save_teacher(kept, key, labelled)
    border = len(split.train)
    return replace(
        split,
        train=labelled.select(labelled.pictures[:border]),
        val=labelled.select(labelled.pictures[border:]),
    )


def add_labels(
    table: Table, missing: Sequence[str], teacher: Path | Artifact, rule: TeacherRule
) -> Table:
    """The table with the teacher's boxes of the `missing` classes added to its own."""
    wanted = np.array([name in missing for name in table.names])
    if isinstance(teacher, Path):
        return _by_checkpoint(table, wanted, teacher, rule)
    detector = Detector(teacher, open_session(teacher.model_path))
    pictures = []
    for item, found in zip(table.pictures, predict(detector, table), strict=True):
        sure = (found.scores >= rule.min_score) & wanted[found.classes]
        x1, y1, x2, y2 = found.boxes[sure].T
        boxes = np.stack([(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1], axis=1)
        pictures.append(with_boxes(item, boxes, found.classes[sure], rule.max_overlap))
    return table.select(pictures)


def _by_checkpoint(
    table: Table, wanted: NDArray[np.bool_], checkpoint: Path, rule: TeacherRule, batch: int = 16
) -> Table:
    teacher: Any = YOLO(str(checkpoint))
    rows = {
        i: table.names.index(n)
        for i, n in teacher.names.items()
        if n in table.names and wanted[table.names.index(n)]
    }
    pictures: list[Picture] = []
    for start in range(0, len(table), batch):
        part = table.pictures[start : start + batch]
        results = teacher.predict(
            [str(p.path) for p in part],
            conf=rule.min_score,
            imgsz=rule.image_size,
            classes=list(rows),
            verbose=False,
        )
        for item, result in zip(part, results, strict=True):
            boxes = result.boxes.xywhn.cpu().numpy().astype(np.float64)
            classes = np.array([rows[int(c)] for c in result.boxes.cls], dtype=np.int64)
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
    """Keep a labelled table's boxes; `key` names the teacher, its rule and the classes."""
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
