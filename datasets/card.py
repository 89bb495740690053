"""Data-set cards: what is in a table, in Markdown."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from .likeness import data_hash
from .split import Split
from .table import Table


def card_text(title: str, split: Split, notes: tuple[str, ...] = ()) -> str:
    """A card with sizes, boxes per class and part, scenes and the data hash of each part."""
    parts = {"train": split.train, "val": split.val, "held out": split.held}
    lines = [f"# {title}", ""]
    lines += [f"- {note}" for note in notes] + ([""] if notes else [])
    lines += ["| part | pictures | scenes | data hash |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {len(t)} | {_scene_count(t)} | `{data_hash(t.pictures)[:16]}` |"
        for name, t in parts.items()
    ]
    lines += ["", "| class | " + " | ".join(parts) + " |", "|---|" + "---|" * len(parts)]
    counts = {name: t.counts() for name, t in parts.items()}
    lines += [
        f"| {label} | " + " | ".join(str(counts[p][label]) for p in parts) + " |"
        for label in split.train.names
    ]
    sources = Counter(p.source for t in parts.values() for p in t.pictures)
    lines += ["", "Sources: " + ", ".join(f"{k} {v}" for k, v in sorted(sources.items())) + "."]
    return "\n".join(lines) + "\n"


def write_card(path: Path, title: str, split: Split, notes: tuple[str, ...] = ()) -> None:
    """Write `card_text` to a file."""
    path.write_text(card_text(title, split, notes), encoding="utf-8")


def _scene_count(table: Table) -> int:
    return len({p.group or p.path.stem for p in table.pictures})
