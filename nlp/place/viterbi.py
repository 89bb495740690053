"""The best well-formed row of tags under scores and steps (Viterbi 1967)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .elements import TAGS

NEVER = -1e4
Floats = NDArray[np.float32]


def allowed_steps() -> tuple[Floats, Floats, Floats]:
    """Scores of steps (K, K), starts (K,) and ends (K,): 0 where BIOES allows it, else `NEVER`."""
    steps = np.full((len(TAGS), len(TAGS)), NEVER, np.float32)
    for a, before in enumerate(TAGS):
        for b, after in enumerate(TAGS):
            inside = after[0] in "IE"
            open_before = before[0] in "BI"
            if inside == open_before and (not inside or before[2:] == after[2:]):
                steps[a, b] = 0.0
    starts = np.array([NEVER if tag[0] in "IE" else 0.0 for tag in TAGS], np.float32)
    ends = np.array([NEVER if tag[0] in "BI" else 0.0 for tag in TAGS], np.float32)
    return steps, starts, ends


def best_rows(
    scores: Floats, lengths: NDArray[np.int64], steps: Floats, starts: Floats, ends: Floats
) -> list[list[int]]:
    """The best tag ids of each text.

    Args:
        scores: (N, L, K); what lies behind a text's length is not read.
        lengths: (N,), each at least 1.
    """
    n, width, k = scores.shape
    best = scores[:, 0] + starts
    back = np.zeros((width, n, k), np.int16)
    last = np.where((lengths == 1)[:, None], best, 0.0)
    for at in range(1, width):
        paths = best[:, :, None] + steps
        back[at] = paths.argmax(axis=1)
        best = paths.max(axis=1) + scores[:, at]
        last = np.where((lengths == at + 1)[:, None], best, last)
    tag = (last + ends).argmax(axis=1)
    rows: list[list[int]] = []
    for row in range(n):
        at, chain = int(tag[row]), []
        for position in range(int(lengths[row]) - 1, -1, -1):
            chain.append(at)
            at = int(back[position, row, at])
        rows.append(chain[::-1])
    return rows
