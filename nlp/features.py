"""Character and sound n-grams as sparse, length-normalised tf-idf rows.

A feature is a run of one to four characters, or of two to three syllable classes (characters
that sound alike share a class, so that a homophone error of the speech recogniser keeps the
feature). Each is packed exactly into a 64-bit key, so nothing is hashed and nothing collides:
16 bits a character, and the marker 0xFFFF in front of sound features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ..config.errors import ModelError

CHAR_ORDERS = (1, 2, 3, 4)
SOUND_ORDERS = (2, 3)
SOUND_MARK = np.uint64(0xFFFF) << np.uint64(48)
TITLE_WEIGHT = 3.0
# People say what they want early; what comes later counts less and less, but is never cut off.
FULL_WEIGHT_CHARS = 200
HALVING_CHARS = 400

Keys: TypeAlias = NDArray[np.uint64]
Floats: TypeAlias = NDArray[np.float32]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class FeatureText:
    """What the model reads of one text: letters, digits and ideographs only, lower case.

    `chars` holds one BMP code point a position, 0 where two parts meet (no feature crosses it);
    `weights` says how much an occurrence counts (title most, the end of a long call least);
    `origin` is the position in the normalised text, −1 for characters of the title.
    """

    chars: NDArray[np.uint16]
    weights: Floats
    origin: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Every n-gram of a batch: its key, text, first position, length and weight (all (M,))."""

    keys: Keys
    doc: NDArray[np.int32]
    pos: NDArray[np.int32]
    size: NDArray[np.int8]
    weight: Floats


@dataclass(frozen=True, slots=True)
class FeatureRows:
    """Sparse rows in CSR form: `ids[indptr[i]:indptr[i+1]]` with `values`, unit L2 length."""

    indptr: Ints
    ids: Ints
    values: Floats

    def __len__(self) -> int:
        return len(self.indptr) - 1


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Known features: sorted keys (V,), idf (V,), and the syllable class of each BMP code point
    (65536,), 0 where a character has none and stands for itself."""

    keys: Keys
    idf: Floats
    sounds: NDArray[np.uint16]

    def lookup(self, keys: Keys) -> Ints:
        """Row of each key, −1 where unknown."""
        if not len(self.keys):
            return np.full(len(keys), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, at, -1)

    def save(self, path: Path) -> None:
        """Write as `.npz`, uncompressed arrays only, nothing pickled."""
        np.savez_compressed(path, keys=self.keys, idf=self.idf, sounds=self.sounds)

    @staticmethod
    def load(path: Path) -> Vocabulary:
        """Read what `save` wrote.

        Raises:
            ModelError: unreadable, or arrays that do not fit together.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                found = Vocabulary(
                    keys=arrays["keys"].astype(np.uint64),
                    idf=arrays["idf"].astype(np.float32),
                    sounds=arrays["sounds"].astype(np.uint16),
                )
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise ModelError(f"{path}: not a vocabulary: {error}") from None
        if found.keys.shape != found.idf.shape or found.sounds.shape != (65536,):
            raise ModelError(f"{path}: arrays of the vocabulary do not fit together")
        return found


def feature_text(body: str, title: str = "") -> FeatureText:
    """Reduce a normalised text (and headline) to what counts."""
    title_chars, _ = _useful_chars(title)
    body_chars, body_origin = _useful_chars(body)
    gap = 1 if len(title_chars) else 0
    chars = np.concatenate([title_chars, np.zeros(gap, np.uint16), body_chars])
    weights = np.full(len(chars), TITLE_WEIGHT, np.float32)
    late = np.maximum(np.arange(len(body_chars)) - FULL_WEIGHT_CHARS, 0)
    weights[len(title_chars) + gap :] = HALVING_CHARS / (HALVING_CHARS + late)
    origin = np.concatenate(
        [np.full(len(title_chars) + gap, -1, np.int32), body_origin.astype(np.int32)]
    )
    return FeatureText(chars, weights, origin)


def _useful_chars(text: str) -> tuple[NDArray[np.uint16], Ints]:
    """Lower-case letters, ideographs, and runs of digits as at most two zeros."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    table = _char_table()
    folded = table[np.minimum(codes, 0xFFFF)]
    folded = np.where(codes > 0xFFFF, 0, folded).astype(np.uint16)
    keep = folded != 0
    digit = folded == ord("0")
    # A third digit in a row says nothing more than "a number".
    keep[2:] &= ~(digit[2:] & digit[1:-1] & digit[:-2])
    return folded[keep], np.flatnonzero(keep)


@lru_cache(maxsize=1)
def _char_table() -> NDArray[np.uint16]:
    table = np.zeros(0x10000, np.uint16)
    for code in range(0x10000):
        char = chr(code)
        if char.isdecimal():
            table[code] = ord("0")
        elif char.isalpha():
            lower = char.lower()
            table[code] = ord(lower) if len(lower) == 1 else code
    return table


def occurrences(texts: Sequence[FeatureText], sounds: NDArray[np.uint16]) -> Occurrences:
    """All n-grams of all texts, vectorised over the batch."""
    chars = np.concatenate([part for t in texts for part in (t.chars, _BREAK)])
    weights = np.concatenate([part for t in texts for part in (t.weights, _BREAK_WEIGHT)])
    lengths = np.array([len(t.chars) + 1 for t in texts], np.int64)
    doc = np.repeat(np.arange(len(texts), dtype=np.int32), lengths)
    first = np.repeat(np.cumsum(lengths) - lengths, lengths)
    pos = (np.arange(len(chars)) - first).astype(np.int32)
    heard = np.where(sounds[chars] == 0, chars, sounds[chars])
    found = [_grams(chars, order, np.uint64(0)) for order in CHAR_ORDERS]
    found += [_grams(heard, order, SOUND_MARK) for order in SOUND_ORDERS]
    orders = (*CHAR_ORDERS, *SOUND_ORDERS)
    at = np.concatenate([starts for starts, _ in found])
    size = np.concatenate(
        [np.full(len(starts), n, np.int8) for n, (starts, _) in zip(orders, found, strict=True)]
    )
    keys = np.concatenate([packed for _, packed in found])
    return Occurrences(keys, doc[at], pos[at], size, weights[at])


_BREAK = np.zeros(1, np.uint16)
_BREAK_WEIGHT = np.zeros(1, np.float32)


def _grams(chars: NDArray[np.uint16], order: int, mark: np.uint64) -> tuple[Ints, Keys]:
    """Start positions and packed keys of the n-grams that cross no break."""
    count = len(chars) - order + 1
    if count <= 0:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    keys = np.zeros(count, np.uint64)
    whole = np.ones(count, bool)
    for offset in range(order):
        part = chars[offset : offset + count]
        keys = (keys << np.uint64(16)) | part.astype(np.uint64)
        whole &= part != 0
    starts = np.flatnonzero(whole)
    return starts, keys[starts] | mark


def encode(found: Occurrences, ids: Ints, n_docs: int, vocabulary: Vocabulary) -> FeatureRows:
    """Rows log(1 + tf)·idf of unit length; `ids` is `vocabulary.lookup(found.keys)`."""
    known = ids >= 0
    width = len(vocabulary.keys)
    cell = found.doc[known].astype(np.int64) * width + ids[known]
    cells, where = np.unique(cell, return_inverse=True)
    count = np.bincount(where, weights=found.weight[known], minlength=len(cells))
    row, column = np.divmod(cells, max(width, 1))
    weighted = np.log1p(count) * vocabulary.idf[column]
    norm = np.sqrt(np.bincount(row, weights=weighted**2, minlength=n_docs))
    values = weighted / np.maximum(norm, 1e-12)[row]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n_docs))])
    return FeatureRows(indptr.astype(np.int64), column, values.astype(np.float32))
