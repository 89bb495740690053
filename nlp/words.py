"""Cutting a stretch of text into readable words without a dictionary."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

# Every word costs this much beside its rarity, so that 公积金 beats 公·积·金.
WORD_COST = 2.0
UNKNOWN_CHAR_COST = 8.0


def cut_words(rarity: NDArray[np.floating], start: int, end: int) -> list[tuple[int, int]]:
    """The cheapest way to read `[start, end)` as words of one to four characters (Viterbi).

    Args:
        rarity: (4, T), cost of the run of 1 to 4 characters that begins at each position;
            infinite where the run is unknown.
    """
    length = end - start
    best = [0.0] + [math.inf] * length
    came_from = [0] * (length + 1)
    costs: list[list[float]] = rarity[:, start:end].tolist()
    for at in range(length):
        for size in range(1, min(len(costs), length - at) + 1):
            cost = costs[size - 1][at]
            if size == 1:
                cost = min(cost, UNKNOWN_CHAR_COST)
            total = best[at] + cost + WORD_COST
            if total < best[at + size]:
                best[at + size], came_from[at + size] = total, at
    words: list[tuple[int, int]] = []
    at = length
    while at > 0:
        words.append((start + came_from[at], start + at))
        at = came_from[at]
    return words[::-1]
