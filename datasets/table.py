"""One table for all labelled pictures, whatever format they came in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..config.errors import DatasetError
from .problems import Fault

Boxes = NDArray[np.float64]
Classes = NDArray[np.int64]
Row = tuple[int, float, float, float, float]
"""Class, centre x, centre y, width, height; the last four as parts of the picture."""

MIN_SIDE = 1e-6
"""Six decimals is what label files hold; a smaller side would read back as none."""

EDGE_SLACK = 0.002
"""Labelling tools round: a box may pass the picture's edge by this part of its side."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture and its boxes.

    Attributes:
        path: the picture file.
        boxes: float64 (N, 4), centre x, centre y, width, height as parts of the picture (0–1).
        classes: int64 (N,), index into the table's names.
        source: data set it came from.
        group: scene it shows; pictures of one group never part in a split. Empty: not known.
    """

    path: Path
    boxes: Boxes
    classes: Classes
    source: str = ""
    group: str = ""

    def __len__(self) -> int:
        return len(self.classes)


@dataclass(frozen=True, slots=True)
class Table:
    """Labelled pictures under one list of class names."""

    names: tuple[str, ...]
    pictures: tuple[Picture, ...]

    def __len__(self) -> int:
        return len(self.pictures)

    def counts(self) -> dict[str, int]:
        """Boxes per class name, in the order of `names`."""
        found: Counter[int] = Counter()
        for picture in self.pictures:
            found.update(picture.classes.tolist())
        return {name: found[i] for i, name in enumerate(self.names)}

    def select(self, keep: Iterable[Picture]) -> Table:
        """The same names over other pictures."""
        return replace(self, pictures=tuple(keep))


def picture(
    path: Path,
    rows: Iterable[Row] = (),
    source: str = "",
    group: str = "",
) -> Picture:
    """A picture from (class, x, y, w, h) rows."""
    listed = list(rows)
    return Picture(
        path=path,
        boxes=np.asarray([r[1:] for r in listed], dtype=np.float64).reshape(-1, 4),
        classes=np.asarray([r[0] for r in listed], dtype=np.int64),
        source=source,
        group=group,
    )


def box_fault(x: float, y: float, w: float, h: float) -> Fault | None:
    """Why a box (centre and size as parts of the picture) cannot be a label; None when it can."""
    if w < MIN_SIDE or h < MIN_SIDE:
        return Fault("degenerate", f"box without area (w={w:g}, h={h:g})")
    low = min(x - w / 2, y - h / 2)
    high = max(x + w / 2, y + h / 2)
    if low < -EDGE_SLACK or high > 1 + EDGE_SLACK:
        return Fault("outside", f"box outside the picture (from {low:.4f} to {high:.4f})")
    return None


def relabel(table: Table, mapping: Mapping[str, str], names: tuple[str, ...]) -> Table:
    """Rename classes and drop those the mapping leaves out.

    Raises:
        DatasetError: the mapping names a class that the table or the target does not have.
    """
    strange = [f"{a} → {b}" for a, b in mapping.items() if a not in table.names or b not in names]
    if strange:
        raise DatasetError(
            f"no such class: {', '.join(strange)} (table has {', '.join(table.names)})",
            message_zh=f"类别映射有误：{'、'.join(strange)}",
        )
    target = np.full(len(table.names), -1, dtype=np.int64)
    for old, new in mapping.items():
        target[table.names.index(old)] = names.index(new)
    return Table(names, tuple(_renamed(p, target) for p in table.pictures))


def merge(tables: Iterable[Table]) -> Table:
    """One table out of several that share their names.

    Raises:
        DatasetError: the names differ.
    """
    listed = list(tables)
    names = listed[0].names
    for other in listed[1:]:
        if other.names != names:
            raise DatasetError(
                f"cannot merge classes {other.names} into {names}",
                message_zh=f"类别不一致，无法合并：{'、'.join(other.names)} 与 {'、'.join(names)}",
            )
    return Table(names, tuple(p for t in listed for p in t.pictures))


def _renamed(item: Picture, target: Classes) -> Picture:
    classes = target[item.classes]
    kept = classes >= 0
    return replace(item, boxes=item.boxes[kept], classes=classes[kept])
