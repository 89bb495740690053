"""Which line of a department's duties a call falls under."""

from __future__ import annotations

from collections.abc import Sequence

from .departments import Department


def duty_line(department: Department, evidence: Sequence[str]) -> str:
    """The duty that shares most with the evidence words, the first duty when none shares any.

    Two-character runs are compared; earlier (stronger) evidence counts more, and runs that many
    duties of the department hold count less.
    """
    duties = [_pairs(duty) for duty in department.duties]
    scores = []
    for pairs in duties:
        score = 0.0
        for rank, words in enumerate(evidence):
            for pair in _pairs(words) & pairs:
                score += 1.0 / (1 + rank) / sum(pair in other for other in duties)
        scores.append(score)
    best = max(range(len(scores)), key=lambda at: scores[at])
    return department.duties[best]


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1) if text[at : at + 2].isalnum()}
