"""What is in a data set: pictures, scenes, boxes by class, part and size."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from .folder import PARTS, Dataset
from .pictures import picture_size
from .problems import Fault
from .scan import Watch, ticker, unwatched
from .table import Table

SMALL_PX, LARGE_PX = 32, 96
"""COCO's bounds: a box is small below 32² pixels of area, large from 96²."""


@dataclass(frozen=True, slots=True)
class ClassStats:
    """One class: boxes, pictures that have one, boxes by part and by size."""

    boxes: int
    pictures: int
    by_part: dict[str, int]
    small: int
    medium: int
    large: int


@dataclass(frozen=True, slots=True)
class Stats:
    """Figures of one data set; part "" are pictures that have not been split."""

    pictures: int
    boxes: int
    empty: int
    scenes: int
    by_part: dict[str, int]
    scenes_by_part: dict[str, int]
    by_source: dict[str, int]
    classes: dict[str, ClassStats]


def stats_of(dataset: Dataset, watch: Watch = unwatched) -> Stats:
    """Count everything; picture sizes are read from the headers."""
    table = dataset.table
    parts = [p for p in ("", *PARTS) if p in set(dataset.parts)]
    areas = _pixel_areas(table, watch)
    per_part = {part: dataset.part(part) for part in parts}
    by_class: dict[str, ClassStats] = {}
    flat = np.concatenate([p.classes for p in table.pictures]) if len(table) else np.zeros(0)
    for index, name in enumerate(table.names):
        mine = areas[flat == index]
        by_class[name] = ClassStats(
            boxes=len(mine),
            pictures=sum(bool((p.classes == index).any()) for p in table.pictures),
            by_part={part: t.counts()[name] for part, t in per_part.items()},
            small=int((mine < SMALL_PX**2).sum()),
            medium=int(((mine >= SMALL_PX**2) & (mine < LARGE_PX**2)).sum()),
            large=int((mine >= LARGE_PX**2).sum()),
        )
    return Stats(
        pictures=len(table),
        boxes=len(flat),
        empty=sum(not len(p) for p in table.pictures),
        scenes=_scenes(table),
        by_part={part: len(t) for part, t in per_part.items()},
        scenes_by_part={part: _scenes(t) for part, t in per_part.items()},
        by_source=dict(sorted(Counter(p.source for p in table.pictures).items())),
        classes=by_class,
    )


def _pixel_areas(table: Table, watch: Watch) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    tick = ticker(watch, "统计", len(table))
    areas: list[float] = []
    for item in table.pictures:
        size = picture_size(item.path)
        width, height = (0, 0) if isinstance(size, Fault) else size
        areas += (item.boxes[:, 2] * item.boxes[:, 3] * width * height).tolist()
        tick()
    return np.asarray(areas, dtype=np.float64)


def _scenes(table: Table) -> int:
    return len({p.group or f"{p.source}/{p.path.stem}" for p in table.pictures})
