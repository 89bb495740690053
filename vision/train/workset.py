"""The merged training set in a work folder: linked pictures, label files, lists, a data card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from ...datasets.card import write_card
from ...datasets.likeness import data_hash
from ...datasets.split import Split
from ...datasets.table import Table, merge, relabel
from ...datasets.yolo import file_stem, write_yolo


@dataclass(frozen=True, slots=True)
class WorkSet:
    """Where a merged set lies.

    Attributes:
        yaml: Ultralytics' description of it.
        split_file: names of the pictures of each part.
        data_hash: of the training part (pictures and labels, without the repeats).
    """

    folder: Path
    yaml: Path
    split_file: Path
    data_hash: str


def write_workset(folder: Path, split: Split, repeats: Mapping[str, int]) -> WorkSet:
    """Write a split under `folder`.

    `repeats` says how often a source's pictures are listed per epoch: 1 when not named, 0 leaves
    the source out of training.
    """
    for part, table in parts(split).items():
        write_yolo(table, folder / part)
    _write_list(folder, "train", split.train, repeats)
    _write_list(folder, "val", split.val, {})
    description = folder / "data.yaml"
    content = {
        "path": str(folder.resolve()),
        "train": "train.txt",
        "val": "val.txt",
        "names": dict(enumerate(split.train.names)),
    }
    description.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    split_file = folder / "split.json"
    names = {
        part: sorted(file_stem(p) for p in table.pictures)
        for part, table in (("val", split.val), ("held", split.held))
    }
    split_file.write_text(json.dumps(names, indent=1) + "\n", encoding="utf-8")
    write_card(folder / "CARD.md", "Merged training set of the detector", split)
    return WorkSet(folder, description, split_file, data_hash(split.train.pictures))


def parts(split: Split) -> dict[str, Table]:
    """The split's tables by name."""
    return {"train": split.train, "val": split.val, "held": split.held}


def join_splits(splits: list[Split]) -> Split:
    """Several splits as one, part by part."""
    return Split(
        train=merge(s.train for s in splits),
        val=merge(s.val for s in splits),
        held=merge(s.held for s in splits),
    )


def restricted(split: Split, labels: Sequence[str]) -> Split:
    """The split under other labels: classes of both lists are kept, other boxes are dropped."""
    names = tuple(labels)
    return Split(
        **{
            part: relabel(table, {n: n for n in table.names if n in names}, names)
            for part, table in parts(split).items()
        }
    )


def _write_list(folder: Path, part: str, table: Table, repeats: Mapping[str, int]) -> None:
    root = folder.resolve() / part / "images"
    lines = [
        str(root / f"{file_stem(p)}{p.path.suffix.lower()}")
        for p in table.pictures
        for _ in range(repeats.get(p.source, 1))
    ]
    (folder / f"{part}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
