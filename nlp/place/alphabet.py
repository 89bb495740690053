"""Characters as the place model reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..spans import compatibility_folded

PAD_ID, UNKNOWN_ID, FIRST_ID = 0, 1, 2
_ONE_DIGIT = str.maketrans("123456789", "000000000")


def read_as(text: str) -> str:
    """Half-width, lower case, every digit a 0: which number it is does not matter here.

    Exactly one character for each of the text's.
    """
    folded = compatibility_folded(text)
    if len(folded.text) == len(text):
        return _lower(folded.text)
    # ㎡ and its like stand for several characters: keep the first of each.
    chars = list(text)
    for char, start in zip(reversed(folded.text), reversed(folded.starts), strict=True):
        chars[start] = char
    return _lower("".join(chars))


def _lower(text: str) -> str:
    return "".join(low if len(low := char.lower()) == 1 else char for char in text).translate(
        _ONE_DIGIT
    )


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The characters that have a vector of their own; ids from 2 in the order of `chars`."""

    chars: str
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = {char: at for at, char in enumerate(self.chars, start=FIRST_ID)}
        object.__setattr__(self, "_ids", ids)

    def __len__(self) -> int:
        return FIRST_ID + len(self.chars)

    def encode(self, text: str) -> list[int]:
        """One id a character of `text`."""
        return [self._ids.get(char, UNKNOWN_ID) for char in read_as(text)]


def padded(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Ids (N, L) filled up with `PAD_ID`; L a multiple of 8, so that few shapes occur."""
    length = -(-max(map(len, rows)) // 8) * 8
    ids = np.full((len(rows), length), PAD_ID, np.int64)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
    return ids
