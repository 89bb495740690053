"""Text whose every character remembers where it came from."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class TracedText:
    """`text` plus, for each character, the half-open range of the source it stands for.

    `starts` and `ends` have one entry a character and never decrease, so any slice of `text`
    maps back to one slice of the source.
    """

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """The source range of `text[start:end]` (not empty)."""
        return self.starts[start], self.ends[end - 1]


def traced(source: str) -> TracedText:
    """The untouched source."""
    n = len(source)
    return TracedText(source, tuple(range(n)), tuple(range(1, n + 1)))


def substitute(
    traced_text: TracedText,
    pattern: re.Pattern[str],
    replacement: str | Callable[[re.Match[str]], str],
) -> TracedText:
    """`re.sub` that keeps the map.

    A replacement of the same length as its match maps character to character, any other maps
    every new character to the whole match. Replacements are literal: no group references.
    """
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for match in pattern.finditer(traced_text.text):
        new = replacement if isinstance(replacement, str) else replacement(match)
        begin, stop = match.span()
        if begin == stop:
            continue
        parts += (traced_text.text[at:begin], new)
        starts += traced_text.starts[at:begin]
        ends += traced_text.ends[at:begin]
        if len(new) == stop - begin:
            starts += traced_text.starts[begin:stop]
            ends += traced_text.ends[begin:stop]
        else:
            starts += [traced_text.starts[begin]] * len(new)
            ends += [traced_text.ends[stop - 1]] * len(new)
        at = stop
    if not parts:
        return traced_text
    parts.append(traced_text.text[at:])
    starts += traced_text.starts[at:]
    ends += traced_text.ends[at:]
    return TracedText("".join(parts), tuple(starts), tuple(ends))


def compatibility_folded(source: str) -> TracedText:
    """Unicode NFKC, character by character: full-width becomes half-width, ㎡ becomes m2.

    Composition across characters is left out on purpose, so that the map stays exact; Chinese
    text has nothing to compose.
    """
    single, several = _fold_tables()
    folded = source.translate(single)
    if several.isdisjoint(folded):
        return TracedText(folded, tuple(range(len(source))), tuple(range(1, len(source) + 1)))
    parts: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for at, char in enumerate(folded):
        new = unicodedata.normalize("NFKC", char)
        parts.append(new)
        starts += [at] * len(new)
        ends += [at + 1] * len(new)
    return TracedText("".join(parts), tuple(starts), tuple(ends))


@lru_cache(maxsize=1)
def _fold_tables() -> tuple[dict[int, str], frozenset[str]]:
    """BMP characters that NFKC turns into one other character, and those it makes longer."""
    single: dict[int, str] = {}
    several: set[str] = set()
    for code in range(0x80, 0x10000):
        if 0xD800 <= code <= 0xDFFF:
            continue
        folded = unicodedata.normalize("NFKC", chr(code))
        if len(folded) > 1:
            several.add(chr(code))
        elif folded != chr(code):
            single[code] = folded
    return single, frozenset(several)
