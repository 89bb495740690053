"""Which line of a department's duties a call falls under."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from .departments import Department

# What the caller says besides the evidence still tells duties apart, but weighs little.
WHOLE_TEXT_WEIGHT = 0.1


def duty_line(department: Department, evidence: Sequence[str], text: str) -> str:
    """The duty that shares most with the evidence words, then with the whole text; "" for none.

    Two-character runs are compared; earlier (stronger) evidence counts more, and runs that many
    duties of the department hold count less.
    """
    duties = _duty_pairs(department.duties)
    said = [(_pairs(words), 1.0 / (1 + rank)) for rank, words in enumerate(evidence)]
    said.append((_pairs(text), WHOLE_TEXT_WEIGHT))
    scores = [
        sum(
            weight / sum(pair in other for other in duties)
            for words, weight in said
            for pair in words & pairs
        )
        for pairs in duties
    ]
    best = max(range(len(scores)), key=lambda at: scores[at])
    return department.duties[best] if scores[best] > 0 else ""


@lru_cache(maxsize=1024)
def _duty_pairs(duties: tuple[str, ...]) -> tuple[set[str], ...]:
    return tuple(_pairs(duty) for duty in duties)


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1) if text[at : at + 2].isalnum()}
