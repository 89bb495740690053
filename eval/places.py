"""Address elements: strict span figures, and the recall of named places in real messages."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ..datasets.conll import read_conll
from ..datasets.texts import read_rows
from ..nlp.place.finder import PlaceFinder
from ..nlp.place.score import score_spans
from ..nlp.place.tagger import PlaceTagger

SHOWN_MISSES = 40
# The rows say 无 where no river is meant.
NO_PLACE = "无"


class NamedPlaceRow(BaseModel):
    """A message and the place it is about, as the clerk noted it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str
    river: str


def address_figures(path: Path, tagger: PlaceTagger) -> dict[str, Any]:
    """Strict micro figures of a CoNLL file, per kind, and texts a second of processor time.

    Raises:
        DatasetError: a file that is not tagged CoNLL.
    """
    texts = read_conll(path)
    started = time.process_time()
    found = tagger.tag([text.text for text in texts])
    seconds = time.process_time() - started
    elements = [tagged.elements for tagged in found]
    score = score_spans([t.text for t in texts], [t.tags for t in texts], elements)
    return {**score.to_dict(), "texts_per_s": round(len(texts) / max(seconds, 1e-9), 1)}


def named_place_figures(path: Path, finder: PlaceFinder) -> dict[str, Any]:
    """How often the noted place, where the text names it, is found.

    `covered`: some mention lies wholly inside elements; `exact`: an element is the very name.
    Each message counts once.

    Raises:
        DatasetError: a file that is not JSONL with `text` and `river`.
    """
    rows = [
        row
        for row in read_rows(path, NamedPlaceRow)
        if row.river and row.river != NO_PLACE and row.river in row.text
    ]
    started = time.process_time()
    found = finder.elements([row.text for row in rows])
    seconds = time.process_time() - started
    covered = exact = 0
    misses: list[str] = []
    for row, elements in zip(rows, found, strict=True):
        exact += any(element.text == row.river for element in elements)
        inside = {at for e in elements for at in range(e.start, e.end)}
        if any(inside.issuperset(range(a, a + len(row.river))) for a in _mentions(row)):
            covered += 1
        else:
            misses.append(f"{row.river} | {row.text[:60]}")
    n = len(rows)
    return {
        "n": n,
        "covered": round(covered / max(n, 1), 4),
        "exact": round(exact / max(n, 1), 4),
        "texts_per_s": round(n / max(seconds, 1e-9), 1),
        "chars_per_text": round(sum(len(row.text) for row in rows) / max(n, 1), 1),
        "misses": misses[:SHOWN_MISSES],
    }


def _mentions(row: NamedPlaceRow) -> Sequence[int]:
    last = len(row.text) - len(row.river) + 1
    return [at for at in range(last) if row.text.startswith(row.river, at)]
