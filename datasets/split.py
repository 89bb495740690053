"""Splits that never part a scene, the same on every machine."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..config.errors import DatasetError
from .table import Picture, Table

MAX_HELD_GROUP = 24
"""A larger group is kept in training: held out, one scene would rule the figures."""

RULING_PART = 0.25
"""A scene that is more than this part of a validation set decides its figures alone."""


@dataclass(frozen=True, slots=True)
class Split:
    """One table in parts; `held` is in neither training nor validation."""

    train: Table
    val: Table
    held: Table


def split_parts(
    table: Table, val_part: float, held_part: float = 0.0, fixed: Sequence[str] = ()
) -> tuple[str, ...]:
    """The part (train, val, held) of every picture; scenes stay whole, whatever their size.

    Scenes are ordered by the hash of their name. Each goes to `held`, else to `val`, if that
    brings the part nearer to its size, else to `train`. A scene that would rule a part (more
    than `RULING_PART` of it) is only taken where smaller ones do not fill it, as with a few
    clips; a part that stayed empty gets the smallest scene of `train`, if `train` keeps one.

    Args:
        fixed: part of every picture so far, "" for none. Scenes with a part keep it, so that
            what was held out stays so; one that stood in several goes to train.

    Raises:
        DatasetError: parts of no sense, or too few scenes for a validation part.
    """
    if not (0 <= val_part < 1 and 0 <= held_part < 1 and val_part + held_part < 1):
        raise DatasetError(
            f"parts {val_part:g} and {held_part:g} leave nothing to train on",
            message_zh=f"验证 {val_part:g} 与留出 {held_part:g} 之和须小于 1",
        )
    sizes = {name: len(pictures) for name, pictures in _scenes(table).items()}
    wanted = {"held": len(table) * held_part, "val": len(table) * val_part}
    part_of = _fixed_parts(table, fixed)
    _fill(part_of, sizes, wanted)
    if wanted["val"] and "val" not in part_of.values():
        raise DatasetError(
            f"{len(table)} pictures show only {len(sizes)} scenes; none can be spared to validate",
            message_zh=f"{len(table)} 张图片只有 {len(sizes)} 个场景，无法另分验证集："
            "请用 import --add 再加入别的片段，或 --val 0 全部用于训练",
        )
    return tuple(part_of[_scene_name(item)] for item in table.pictures)


def _scenes(table: Table) -> dict[str, list[Picture]]:
    scenes: dict[str, list[Picture]] = defaultdict(list)
    for item in table.pictures:
        scenes[_scene_name(item)].append(item)
    return scenes


def _scene_name(item: Picture) -> str:
    return item.group or f"{item.source}/{item.path.stem}"


def _fixed_parts(table: Table, fixed: Sequence[str]) -> dict[str, str]:
    seen: dict[str, set[str]] = defaultdict(set)
    for item, part in zip(table.pictures, fixed, strict=False):
        if part:
            seen[_scene_name(item)].add(part)
    return {name: parts.pop() if len(parts) == 1 else "train" for name, parts in seen.items()}


def _fill(part_of: dict[str, str], sizes: Mapping[str, int], wanted: Mapping[str, float]) -> None:
    """Give every scene that has no part one (see `split_parts`)."""
    filled = {p: sum(sizes[n] for n, part in part_of.items() if part == p) for p in wanted}
    order = sorted(
        (name for name in sizes if name not in part_of),
        key=lambda name: hashlib.sha256(name.encode()).hexdigest(),
    )
    for may_rule in (False, True):
        for name in (n for n in order if n not in part_of):
            for part in wanted:
                small = sizes[name] <= max(MAX_HELD_GROUP, wanted[part] * RULING_PART)
                lacking = wanted[part] - filled[part] >= sizes[name] / 2
                if lacking and (may_rule or small) and _spare(part, part_of, sizes, wanted):
                    part_of[name] = part
                    filled[part] += sizes[name]
                    break
    for name in order:
        part_of.setdefault(name, "train")
    for part in ("val", "held"):
        training = [name for name in order if part_of[name] == "train"]
        if wanted[part] and not filled[part] and len(training) > 1:
            part_of[min(training, key=lambda name: sizes[name])] = part


def _spare(
    part: str, part_of: Mapping[str, str], sizes: Mapping[str, int], wanted: Mapping[str, float]
) -> bool:
    """Whether one more scene can go to a part: training comes first, then validation."""
    needed = {"train"} | ({"val"} if part == "held" and wanted["val"] else set())
    return len(sizes) - len(part_of) > len(needed - set(part_of.values()))
