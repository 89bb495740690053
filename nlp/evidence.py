"""Which of the caller's own words speak for the suggestion.

The model knows n-grams, people read words. So the text round the strongest characters is cut into
words, and what the n-grams contribute is added up by word.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .prepare import PreparedText
from .suggestion import Evidence
from .words import cut_words

MAX_SPANS = 6
MIN_SPANS = 3
# Characters that carry at least this share of the strongest one are looked at, with neighbours.
STRONG_SHARE = 0.15
NEIGHBOURS = 3
# Neighbouring words are shown as one where they speak about equally loud and stay this short.
MAX_JOINED_CHARS = 6
ABOUT_EQUAL = 0.4
LOUD_SINGLE = 0.4
# Beyond the third, words count while they carry at least this share of the first.
TAIL_SHARE = 0.18
# The first three need this much; below it a word is noise.
FAINT_SHARE = 0.03
# Spoken text is longer than what was read of it, but not more than so many times.
MOST_STRETCHED = 3
# Characters that begin or end no word a clerk would point at.
_EDGE = frozenset(
    "的了着过是在有就也都和与及我你他她它们这那个把被给到去来又还很太要会能不没让说想上下里吗跟对从向"
)

# Courtesies of a call: an encoder leans on them, no clerk would.
_COURTESY = re.compile(
    "喂*[你您]好|喂+|谢谢|麻烦|请问|同志|我?[想要]?(?:问|咨询|反映|说)一下|是这样的?|尊敬的?|领导|书记|市长"
)

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class _Word:
    start: int
    end: int
    weight: float


def evidence_words(text: PreparedText, support: Floats, rarity: Floats) -> tuple[Evidence, ...]:
    """Three to six words of the masked text, strongest first.

    Args:
        support: for each character of the feature text (T,), what it adds to the first
            department's margin over the others'.
        rarity: how rare each run of 1 to 4 characters is, (4, T); see `scorer.Scored`.

    Fewer than three come back when fewer speak for the department at all.
    """
    if not len(support):
        return ()
    support = _without_courtesies(text, support)
    total = float(np.maximum(support, 0).sum())
    words = _distinct(text, _words(text, support, rarity))[:MAX_SPANS]
    return tuple(
        _evidence(text, word, total)
        for rank, word in enumerate(words)
        if word.weight >= (FAINT_SHARE if rank < MIN_SPANS else TAIL_SHARE) * words[0].weight
    )


def _without_courtesies(text: PreparedText, support: Floats) -> Floats:
    silent = np.zeros(len(text.reading.text) + 1, bool)
    for found in _COURTESY.finditer(text.reading.text):
        silent[found.start() : found.end()] = True
    # Characters of the title have the origin −1: the last cell, never silent.
    return np.where(silent[text.features.origin], 0.0, support)


def _words(text: PreparedText, support: Floats, rarity: Floats) -> list[_Word]:
    """Words of the caller's text that speak for the department, as ranges of feature positions."""
    origin = text.features.origin
    found: list[_Word] = []
    singles: list[_Word] = []
    for begin, stop in _stretches(origin, support):
        words = [
            _Word(start, end, float(support[start:end].sum()))
            for start, end in (_trimmed(text, *cut) for cut in cut_words(rarity, begin, stop))
            if end > start
        ]
        for word in _joined([word for word in words if word.weight > 0]):
            single = word.end - word.start == 1
            found.append(replace(word, start=max(begin, word.start - 1)) if single else word)
            singles += [found[-1]] if single else []
    # A loud single character is shown with the one before it (被骗, 不热), a faint one not at all.
    loud = LOUD_SINGLE * max((word.weight for word in found), default=0.0)
    return [
        word
        for word in found
        if _says_something(text, word) and (word not in singles or word.weight >= loud)
    ]


def _says_something(text: PreparedText, word: _Word) -> bool:
    chars = text.features.chars[word.start : word.end]
    return len(chars) >= 2 and bool((chars != ord("0")).any())


def _joined(words: Sequence[_Word]) -> list[_Word]:
    joined: list[_Word] = []
    for word in words:
        last = joined[-1] if joined else None
        if (
            last
            and last.end == word.start
            and word.end - last.start <= MAX_JOINED_CHARS
            and min(last.weight, word.weight) >= ABOUT_EQUAL * max(last.weight, word.weight)
        ):
            joined[-1] = _Word(last.start, word.end, last.weight + word.weight)
        else:
            joined.append(word)
    return joined


def _stretches(origin: NDArray[np.int32], support: Floats) -> list[tuple[int, int]]:
    """Strong characters of the caller's text with their neighbours, never across punctuation."""
    inside = origin >= 0
    strong = inside & (support > max(STRONG_SHARE * float(support.max(initial=0.0)), 1e-9))
    near = np.convolve(strong, np.ones(2 * NEIGHBOURS + 1), mode="same") > 0
    near = near[: len(origin)] & inside
    joined = np.concatenate([[False], near[1:] & near[:-1] & (np.diff(origin) == 1)])
    starts = np.flatnonzero(near & ~joined).tolist()
    return [(at, at + _run(joined, at + 1)) for at in starts]


def _run(joined: NDArray[np.bool_], at: int) -> int:
    length = 1
    while at < len(joined) and joined[at]:
        length, at = length + 1, at + 1
    return length


def _trimmed(text: PreparedText, start: int, end: int) -> tuple[int, int]:
    chars = text.features.chars
    while start < end and chr(chars[start]) in _EDGE:
        start += 1
    while end > start and chr(chars[end - 1]) in _EDGE:
        end -= 1
    return start, end


def _distinct(text: PreparedText, words: Sequence[_Word]) -> list[_Word]:
    """Strongest first; a word said again, alone or inside another, is shown once, with the weight
    of all its mentions."""
    best: dict[str, _Word] = {}
    for word in sorted(words, key=lambda word: -word.weight):
        spelt = "".join(map(chr, text.features.chars[word.start : word.end]))
        shown = next((known for known in best if spelt in known or known in spelt), spelt)
        first = best.get(shown, _Word(word.start, word.end, 0.0))
        best[shown] = _Word(first.start, first.end, first.weight + word.weight)
    return sorted(best.values(), key=lambda word: -word.weight)


def _evidence(text: PreparedText, word: _Word, total: float) -> Evidence:
    origin = text.features.origin
    start, end = text.reading.source_span(int(origin[word.start]), int(origin[word.end - 1]) + 1)
    # A word that was said ten times over was read once; the first time is shown.
    size = int(origin[word.end - 1]) + 1 - int(origin[word.start])
    end = min(end, start + MOST_STRETCHED * size)
    return Evidence(
        text=text.masked_text[start:end],
        weight=round(word.weight / total, 4),
        start=start,
        end=end,
    )
