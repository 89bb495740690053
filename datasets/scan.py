"""What every reader has in common: shapes in pixels, found pictures, one table in the end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path, PurePosixPath

from .pictures import picture_size
from .problems import Fault, Problem
from .table import Picture, Row, Table, box_fault, picture
from .yolo import IMAGE_SUFFIXES

ASPECT_SLACK = 0.02
"""Labelled size and picture may differ in aspect by this part: tools round when they scale."""

Watch = Callable[[str, int, int], None]
"""Told how far a long job is: title, done, total."""


def unwatched(title: str, done: int, total: int) -> None:
    """For callers that show no progress."""


def ticker(watch: Watch, title: str, total: int) -> Callable[[], None]:
    """A function to be called after every step of a job of known length."""
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        watch(title, done, total)

    return tick


@dataclass(frozen=True, slots=True)
class Scan:
    """What a reader got out of a source.

    Attributes:
        problems: what could not be read; a picture with a broken row is left out as a whole,
            since half its labels would teach that the rest is background.
        notes: what was left out on purpose, in Chinese, for the user.
        parts: part of every picture where the source was split already, else empty.
        labelled: classes that each source looked for; one that is left out, all of the table's.
    """

    table: Table
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    labelled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def looked_for(self) -> dict[str, tuple[str, ...]]:
        """`labelled`, with every source of the pictures in it."""
        sources = dict.fromkeys(p.source for p in self.table.pictures)
        return {s: self.labelled.get(s, self.table.names) for s in sources}


@dataclass(frozen=True, slots=True)
class Shape:
    """One labelled box: corners in pixels of the labelled size, and where it is written."""

    label: str
    corners: tuple[float, float, float, float]
    line: int = 0
    place: str = ""


@dataclass(slots=True)
class Labelled:
    """One picture as its label file tells it.

    Attributes:
        file, line: of the label file, for complaints.
        size: labelled width and height in pixels; None: those of the picture.
    """

    path: Path
    file: Path
    line: int = 0
    size: tuple[float, float] | None = None
    shapes: list[Shape] = field(default_factory=list)
    group: str = ""


def assemble(
    items: Iterable[Labelled],
    names: Sequence[str],
    source: str,
    problems: Sequence[Problem] = (),
    notes: Sequence[str] = (),
) -> Scan:
    """One table out of labelled pictures; names met only in shapes are added behind `names`."""
    found: list[Picture] = []
    wrong = list(problems)
    known = {name: i for i, name in enumerate(dict.fromkeys(names))}
    taken: set[Path] = set()
    for item in items:
        if item.path in taken:
            wrong.append(Problem(item.file, item.line, f"{item.path.name} is labelled twice"))
            continue
        taken.add(item.path)
        size = picture_size(item.path)
        if isinstance(size, Fault):
            wrong.append(Problem(item.path, 0, size.reason, size.code))
            continue
        rows, faults = _rows(item, size, known)
        wrong += faults
        if not faults:
            found.append(picture(item.path, rows, source, item.group))
    return Scan(Table(tuple(known), tuple(found)), tuple(wrong), tuple(notes))


def _rows(
    item: Labelled, actual: tuple[int, int], known: dict[str, int]
) -> tuple[list[Row], list[Problem]]:
    width, height = item.size or actual
    if not (width > 0 and height > 0):
        reason = f"labelled size {width:g}×{height:g} is none"
        return [], [Problem(item.file, item.line, reason)]
    if abs(width * actual[1] / (height * actual[0]) - 1) > ASPECT_SLACK:
        reason = (
            f"labelled at {width:g}×{height:g}, but {item.path.name} is {actual[0]}×{actual[1]}"
            " (turned by its EXIF orientation?)"
        )
        return [], [Problem(item.file, item.line, reason)]
    rows: dict[Row, None] = {}
    problems: list[Problem] = []
    for shape in item.shapes:
        row = _row(shape, width, height, known)
        if not isinstance(row, Fault) and row in rows:
            row = Fault("duplicate_box", "the same box twice")
        if isinstance(row, Fault):
            where = f"{shape.place}: " if shape.place else ""
            problems.append(Problem(item.file, shape.line, where + row.reason, row.code))
        else:
            rows[row] = None
    return list(rows), problems


def _row(shape: Shape, width: float, height: float, known: dict[str, int]) -> Row | Fault:
    if not shape.label.strip():
        return Fault("unknown_class", "box without a class name")
    if not all(isfinite(v) for v in shape.corners):
        return Fault("bad_row", "not a finite number")
    x1, y1, x2, y2 = shape.corners
    box = (x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height
    x, y, w, h = (round(v, 6) for v in box)
    if fault := box_fault(x, y, w, h):
        return fault
    return known.setdefault(shape.label.strip(), len(known)), x, y, w, h


class PictureFinder:
    """Pictures under some folders, found by the path a label file gives.

    Label files carry paths of the machine they were made on, so the ending of the path decides;
    nothing outside the folders is ever found.
    """

    def __init__(self, *roots: Path) -> None:
        self._by_name: defaultdict[str, list[Path]] = defaultdict(list)
        for path in sorted({p for root in roots for p in pictures_under(root)}):
            self._by_name[path.name].append(path)

    def find(self, told: str) -> Path | Fault:
        """The one picture whose path ends most like `told`."""
        parts = PurePosixPath(told.replace("\\", "/")).parts
        candidates = self._by_name.get(parts[-1], []) if parts else []
        if not candidates:
            return Fault("missing_picture", f"no picture {told!r}")
        ranked = sorted((_common_ending(p.parts, parts), p) for p in candidates)
        if len(ranked) > 1 and ranked[-1][0] == ranked[-2][0]:
            return Fault("missing_picture", f"several pictures are called {told!r}")
        return ranked[-1][1]

    def __iter__(self) -> Iterator[Path]:
        return (p for paths in self._by_name.values() for p in paths)


def pictures_under(root: Path) -> Iterator[Path]:
    """Every picture in a folder and its sub-folders."""
    return (p for p in root.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)


def unlabelled_note(finder: PictureFinder, labelled: Iterable[Path]) -> list[str]:
    """How many pictures the label files do not speak of."""
    left = set(finder) - set(labelled)
    return [f"{len(left)} 张图片没有标注，未导入"] if left else []


def _common_ending(one: Sequence[str], other: Sequence[str]) -> int:
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
