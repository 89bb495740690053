"""Strict agreement of found elements with labelled ones: same kind, same range."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .elements import KINDS_ZH, Element, elements_of


@dataclass(frozen=True, slots=True)
class SpanScore:
    """Counts a kind: right, labelled and found elements; texts that are wholly right."""

    right: Counter[str]
    labelled: Counter[str]
    found: Counter[str]
    texts: int
    texts_right: int

    def to_dict(self) -> dict[str, Any]:
        """Micro figures over all kinds, and each kind's own."""
        return {
            **_figures(self.right.total(), self.labelled.total(), self.found.total()),
            "texts": self.texts,
            "texts_right": round(self.texts_right / max(self.texts, 1), 4),
            "per_kind": {
                kind: _figures(self.right[kind], self.labelled[kind], self.found[kind])
                for kind in KINDS_ZH
                if self.labelled[kind] or self.found[kind]
            },
        }


def score_spans(
    texts: Sequence[str], tags: Sequence[Sequence[str]], found: Sequence[Sequence[Element]]
) -> SpanScore:
    """Compare, text by text, labelled BIOES rows with found elements."""
    right: Counter[str] = Counter()
    labelled: Counter[str] = Counter()
    predicted: Counter[str] = Counter()
    texts_right = 0
    for text, row, elements in zip(texts, tags, found, strict=True):
        wanted, got = set(elements_of(text, row)), set(elements)
        right.update(element.kind for element in wanted & got)
        labelled.update(element.kind for element in wanted)
        predicted.update(element.kind for element in got)
        texts_right += wanted == got
    return SpanScore(right, labelled, predicted, len(texts), texts_right)


def _figures(right: int, labelled: int, found: int) -> dict[str, float]:
    return {
        "precision": round(right / found, 4) if found else 0.0,
        "recall": round(right / labelled, 4) if labelled else 0.0,
        "f1": round(2 * right / (labelled + found), 4) if labelled + found else 0.0,
        "n": labelled,
    }
