"""Splits that never part a scene, the same on every machine."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from ..config.errors import DatasetError
from .table import Picture, Table

MAX_HELD_GROUP = 24
"""A larger group is kept in training: held out, one scene would rule the figures."""


@dataclass(frozen=True, slots=True)
class Split:
    """One table in parts; `held` is in neither training nor validation."""

    train: Table
    val: Table
    held: Table


def split_scenes(
    table: Table, val_part: float, held_count: int = 0, max_group: int = MAX_HELD_GROUP
) -> Split:
    """Part a table by scene.

    Scenes are ordered by the hash of their name; the first fill `held` until it has at least
    `held_count` pictures, the next fill `val` to `val_part` of the table, the rest train. A
    picture without group is a scene of its own.
    """
    scenes = _scenes(table)
    order = sorted(scenes, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    wanted_val = round(len(table) * val_part)
    parts: dict[str, list[Picture]] = {"held": [], "val": [], "train": []}
    for name in order:
        part = "train"
        if len(scenes[name]) <= max_group:
            if len(parts["held"]) < held_count:
                part = "held"
            elif len(parts["val"]) < wanted_val:
                part = "val"
        parts[part] += scenes[name]
    return Split(**{k: table.select(sorted(v, key=_by_path)) for k, v in parts.items()})


def split_parts(table: Table, val_part: float, held_part: float = 0.0) -> tuple[str, ...]:
    """The part (train, val, held) of every picture; scenes stay whole, whatever their size.

    Scenes are ordered by the hash of their name. Each goes to `held`, else to `val`, if that
    brings the part nearer to its size, else to `train`. Where all scenes are large (clips), a
    part that stayed empty gets the smallest one of `train`, as long as `train` keeps one.

    Raises:
        DatasetError: parts of no sense, or too few scenes for a validation part.
    """
    if not (0 <= val_part < 1 and 0 <= held_part < 1 and val_part + held_part < 1):
        raise DatasetError(
            f"parts {val_part:g} and {held_part:g} leave nothing to train on",
            message_zh=f"验证 {val_part:g} 与留出 {held_part:g} 之和须小于 1",
        )
    scenes = _scenes(table)
    order = sorted(scenes, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    wanted = {"val": len(table) * val_part, "held": len(table) * held_part}
    filled = {"val": 0, "held": 0}
    part_of: dict[str, str] = {}
    for name in order:
        size = len(scenes[name])
        fits = [p for p in ("held", "val") if wanted[p] - filled[p] >= size / 2]
        part_of[name] = fits[0] if fits else "train"
        if fits:
            filled[fits[0]] += size
    for part in ("val", "held"):
        training = [name for name in order if part_of[name] == "train"]
        if wanted[part] and not filled[part] and len(training) > 1:
            part_of[min(training, key=lambda name: len(scenes[name]))] = part
            filled[part] = 1
    if wanted["val"] and "val" not in part_of.values():
        raise DatasetError(
            f"{len(table)} pictures show only {len(scenes)} scenes; none can be spared to validate",
            message_zh=f"{len(table)} 张图片只有 {len(scenes)} 个场景，无法另分验证集："
            "请用 import --add 再加入别的片段，或 --val 0 全部用于训练",
        )
    return tuple(part_of[_scene_name(item)] for item in table.pictures)


def leaks(split: Split) -> list[str]:
    """Scenes that stand in more than one part; empty when the split is sound."""
    seen: Mapping[str, set[str]] = defaultdict(set)
    for part, table in (("train", split.train), ("val", split.val), ("held", split.held)):
        for item in table.pictures:
            seen[_scene_name(item)].add(part)
    return sorted(name for name, parts in seen.items() if len(parts) > 1)


def _scenes(table: Table) -> dict[str, list[Picture]]:
    scenes: dict[str, list[Picture]] = defaultdict(list)
    for item in table.pictures:
        scenes[_scene_name(item)].append(item)
    return scenes


def _scene_name(item: Picture) -> str:
    return item.group or f"{item.source}/{item.path.stem}"


def _by_path(item: Picture) -> str:
    return str(item.path)
