"""Splits that never part a scene, the same on every machine."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

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
