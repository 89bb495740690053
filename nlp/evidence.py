"""Which of the caller's own words speak for the suggestion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .prepare import PreparedText
from .suggestion import Evidence

MAX_SPANS = 6
MIN_SPANS = 3
MAX_SPAN_CHARS = 10
# A span is grown over characters that carry at least this share of the strongest one.
KEEP_SHARE = 0.22
# Further spans count while they carry at least this share of the first.
TAIL_SHARE = 0.18

Floats = NDArray[np.floating]


def evidence_words(text: PreparedText, support: Floats) -> tuple[Evidence, ...]:
    """Three to six stretches of the masked text, strongest first.

    Args:
        support: for each character of the feature text (T,), what it adds to the first
            department's margin over the others'.

    Fewer than three come back when fewer speak for the department at all.
    """
    body = text.features.origin >= 0
    per_char = np.zeros(len(text.reading.text))
    per_char[text.features.origin[body]] = support[body]
    total = float(np.maximum(support, 0).sum())
    if total <= 0:
        return ()
    spans = _strong_runs(text.reading.text, per_char)
    spans.sort(key=lambda span: -span[2])
    kept = [
        span
        for rank, span in enumerate(spans[:MAX_SPANS])
        if rank < MIN_SPANS or span[2] >= TAIL_SHARE * spans[0][2]
    ]
    return tuple(_evidence(text, start, end, weight / total) for start, end, weight in kept)


def _evidence(text: PreparedText, start: int, end: int, weight: float) -> Evidence:
    source_start, source_end = text.reading.source_span(start, end)
    return Evidence(
        text=text.masked_text[source_start:source_end],
        weight=round(weight, 4),
        start=source_start,
        end=source_end,
    )


def _strong_runs(text: str, per_char: Floats) -> list[tuple[int, int, float]]:
    """Runs of well-supported letters (start, end, weight), at least two characters each."""
    floor = KEEP_SHARE * float(per_char.max(initial=0.0))
    strong = (per_char > max(floor, 1e-9)) & np.array([char.isalnum() for char in text], bool)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], strong.astype(np.int8), [0]])))
    runs: list[tuple[int, int, float]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        for begin, stop in _cut(start, end):
            if stop - begin >= 2:
                runs.append((begin, stop, float(per_char[begin:stop].sum())))
    return runs


def _cut(start: int, end: int) -> list[tuple[int, int]]:
    """Long runs in pieces of readable length."""
    pieces = -(-(end - start) // MAX_SPAN_CHARS)
    step = -(-(end - start) // pieces)
    return [(at, min(at + step, end)) for at in range(start, end, step)]
