"""CARD.md of a place tagger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...models.manifest import Manifest
from ..place.elements import KINDS_ZH

_TEXT = """# Places {version}: address elements in calls

{layers} transformer layers over single characters (started from the lowest layers of
multilingual-e5-small, MIT), a mix of neighbouring characters, one score a BIOES tag; the best
well-formed row of tags is found by Viterbi's algorithm outside the model. 8-bit weights,
{size_mb:.1f} MB. Digits are read as 0. Made by
`xiaozheng train places --data DIR --base DIR --out DIR --seed {seed}`;
`run.json` holds all options.

## Data

{texts} labelled addresses of the CCKS 2021 address task (competition data; none of it is part of
the artefact). They are bare addresses, mostly of Zhejiang. Each epoch also shows them inside
carrier phrases of this project and clauses of {messages} public messages (only clauses that hold
no word of a place), with numbers said aloud, parts left out, parts swapped, and cities masked
(A市, K6县); and rivers of invented names.

## Figures

Strict spans (kind and both ends) on the 1,970 addresses of the task's development part, through
the shipped file: precision {precision:.4f}, recall {recall:.4f}, **F1 {f1:.4f}**; {whole:.1%} of
the addresses wholly right. One run was made; none of its settings was chosen by these figures.
Command: `xiaozheng eval places --data dev.conll --json OUT`.

| element | F1 | precision | recall | n |
|---|---|---|---|---|
{rows}

## Limits

- Running speech was not labelled by hand: its figures in `docs/places.md` are recalls of named
  rivers and readings of samples, not F1.
- Shops and companies (`poi`) are where most mistakes are; labels of `subpoi`, `community` and
  `devzone` overlap in the data itself.
"""


def write_places_card(folder: Path, manifest: Manifest, run: dict[str, Any]) -> Path:
    """Write the card beside the manifest."""
    score = run["metrics"]["address_ner_dev"]
    names = [manifest.model.name, *(entry.name for entry in manifest.files)]
    rows = [
        f"| {kind} {KINDS_ZH[kind]} | {figures['f1']:.3f} | {figures['precision']:.3f}"
        f" | {figures['recall']:.3f} | {figures['n']} |"
        for kind, figures in score["per_kind"].items()
    ]
    text = _TEXT.format(
        version=manifest.version,
        layers=run["options"]["fit"]["layers"],
        seed=run["options"]["fit"]["seed"],
        size_mb=sum((folder / name).stat().st_size for name in names) / 1e6,
        texts=run["texts"],
        messages=run["messages"],
        precision=score["precision"],
        recall=score["recall"],
        f1=score["f1"],
        whole=score["texts_right"],
        rows="\n".join(rows),
    )
    path = folder / "CARD.md"
    path.write_text(text, encoding="utf-8")
    return path
