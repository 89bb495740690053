"""Is a data-set folder fit to train on? Every doubt named by file, line and kind."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

import numpy as np

from .folder import LIST_FILE, PARTS, Dataset, scan_dataset
from .likeness import LikenessRule, fingerprints, like_pairs
from .pictures import check_pictures
from .problems import Problem
from .scan import Watch, ticker, unwatched
from .table import Picture

SAME_PLACE_IOU = 0.95
"""Boxes that overlap more are one thing labelled twice."""
MAX_IMBALANCE = 20.0
"""How many times more boxes the largest class may have than any other."""

WARNINGS = frozenset(
    {"imbalance", "part_without_class", "same_place", "exact_duplicate", "unlisted_picture"}
)
"""Worth a look, yet the set can be trained on."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What validation found; `dataset` holds the pictures that could be read."""

    dataset: Dataset
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Problems that must be mended before training."""
        return tuple(p for p in self.problems if p.code not in WARNINGS)

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Problems to look at."""
        return tuple(p for p in self.problems if p.code in WARNINGS)


def validate(folder: Path, rule: LikenessRule | None = None, watch: Watch = unwatched) -> Verdict:
    """Look at every label row, every picture to its last pixel, and all pairs of pictures.

    Raises:
        DatasetError: there is no data set at this place.
        ConfigError: `dataset.yaml` is missing or wrong.
    """
    dataset, found = scan_dataset(folder)
    sound, broken = check_pictures(dataset.table, ticker(watch, "检查图片", len(dataset.table)))
    kept = [i for i, good in enumerate(sound) if good]
    table = dataset.table.select(dataset.table.pictures[i] for i in kept)
    parts = tuple(dataset.parts[i] for i in kept)
    usable = Dataset(folder, dataset.about, table, parts)
    problems = [*found, *broken]
    for item in table.pictures:
        problems += _same_places(usable, item)
    problems += _twins(usable)
    problems += _near_twins(usable, rule or LikenessRule(), watch)
    problems += _parted_groups(usable)
    problems += class_balance(usable)
    return Verdict(usable, tuple(problems))


def class_balance(dataset: Dataset) -> list[Problem]:
    """Classes with far fewer boxes than the largest, and parts that lack a class."""
    place = dataset.folder / LIST_FILE
    counts = {name: n for name, n in dataset.table.counts().items() if n}
    most = max(counts.values(), default=0)
    problems = [
        Problem(place, 0, f"{name}: {n} boxes, the largest class has {most}", "imbalance")
        for name, n in counts.items()
        if n * MAX_IMBALANCE < most
    ]
    for part in sorted({p for p in dataset.parts if p}):
        inside = dataset.part(part).counts()
        missing = [name for name in counts if not inside[name]]
        if missing:
            reason = f"{part} has no box of {', '.join(missing)}"
            problems.append(Problem(place, 0, reason, "part_without_class"))
    return problems


def overlaps(item: Picture) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Intersection over union of all pairs of boxes of one picture."""
    half = item.boxes[:, 2:] / 2
    low, high = item.boxes[:, :2] - half, item.boxes[:, :2] + half
    sides = np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None])
    both = np.prod(np.clip(sides, 0, None), axis=2)
    area = np.prod(item.boxes[:, 2:], axis=1)
    return np.asarray(both / (area[:, None] + area[None] - both))


def _same_places(dataset: Dataset, item: Picture) -> list[Problem]:
    if len(item) < 2:
        return []
    label = dataset.folder / "labels" / f"{item.path.stem}.txt"
    problems: list[Problem] = []
    for i, j in np.argwhere(np.triu(overlaps(item) > SAME_PLACE_IOU, 1)).tolist():
        one, two = (dataset.table.names[int(item.classes[k])] for k in (i, j))
        code = "duplicate_box" if one == two else "same_place"
        told = f"{one} twice" if one == two else f"{one} and {two}"
        # Line j + 1 in files we wrote; blank lines of hand-made ones shift it.
        problems.append(Problem(label, j + 1, f"{told} in nearly the same place", code))
    return problems


def _twins(dataset: Dataset) -> list[Problem]:
    """Files of one part that are the same byte for byte (across parts they are near twins too)."""
    by_size: defaultdict[tuple[int, str], list[Path]] = defaultdict(list)
    for item, part in zip(dataset.table.pictures, dataset.parts, strict=True):
        by_size[item.path.stat().st_size, part].append(item.path)
    problems: list[Problem] = []
    for paths in by_size.values():
        first_of: dict[bytes, Path] = {}
        for path in paths if len(paths) > 1 else ():
            with path.open("rb") as stream:
                first = first_of.setdefault(file_digest(stream, "sha256").digest(), path)
            if first != path:
                problems.append(
                    Problem(path, 0, f"the same picture as {first.name}", "exact_duplicate")
                )
    return problems


def _near_twins(dataset: Dataset, rule: LikenessRule, watch: Watch) -> list[Problem]:
    placed = [i for i, part in enumerate(dataset.parts) if part]
    parts = [dataset.parts[i] for i in placed]
    if len(set(parts)) < 2:
        return []
    table = dataset.table.select(dataset.table.pictures[i] for i in placed)
    bits, colours = fingerprints(table, ticker(watch, "比对图片", len(table)))
    apart = np.array([PARTS.index(p) for p in parts], dtype=np.int64)
    numbers = np.full(len(table), -1, dtype=np.int64)
    problems: list[Problem] = []
    for i, j in like_pairs(bits, colours, numbers, rule, apart):
        told = f"({parts[j]}) looks like {table.pictures[i].path.name} ({parts[i]})"
        problems.append(Problem(table.pictures[j].path, 0, told, "near_duplicate"))
    return problems


def _parted_groups(dataset: Dataset) -> list[Problem]:
    parts: defaultdict[str, set[str]] = defaultdict(set)
    for item, part in zip(dataset.table.pictures, dataset.parts, strict=True):
        if item.group:
            parts[item.group].add(part or "no part")
    place = dataset.folder / LIST_FILE
    return [
        Problem(place, 0, f"scene {group!r} is in {' and '.join(sorted(p))}", "parted_scene")
        for group, p in sorted(parts.items())
        if len(p) > 1
    ]
