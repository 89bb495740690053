"""Character n-grams of a text, packed into 64-bit keys, and how rare each one is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ...config.errors import ModelError
from ..mask import MASK_PATTERN
from ..normalise import caller_words, normalise

ORDERS = (2, 3, 4)
MAX_CHARS = 600
"""What comes later in a call repeats or digresses; the title and the beginning name the matter."""

Keys = NDArray[np.uint64]
Floats = NDArray[np.float32]

_BREAK = "\x00"


@dataclass(frozen=True, slots=True)
class Background:
    """In how many of `n_texts` earlier texts each n-gram stood: sorted `keys` (V,), `counts` (V,).

    Without it the first calls of a day would look alike for sharing 请相关部门.
    """

    keys: Keys
    counts: NDArray[np.int64]
    n_texts: int

    def count(self, keys: Keys) -> NDArray[np.int64]:
        """Texts that held each key, 0 where none did."""
        at = np.minimum(np.searchsorted(self.keys, keys), max(len(self.keys) - 1, 0))
        if not len(self.keys):
            return np.zeros(len(keys), np.int64)
        return np.where(self.keys[at] == keys, self.counts[at], 0)


@lru_cache(maxsize=1)
def shipped_background() -> Background:
    """The counts that ship with the package (`nlp/train/matter_background.py` made them).

    Raises:
        ModelError: the file is damaged.
    """
    path = files(__package__) / "data" / "background.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            keys = arrays["keys"].astype(np.uint64)
            counts = arrays["counts"].astype(np.int64)
            return Background(keys, counts, int(arrays["n_texts"]))
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise ModelError(f"background.npz: not n-gram counts: {error}") from None


def reading(text: str) -> str:
    """What is compared of a text: the caller's words without fillers, masks, marks and case.

    One NUL stands for whatever was left out, so that no n-gram crosses it.
    """
    spoken = caller_words(normalise(text)).text
    plain = MASK_PATTERN.sub(_BREAK, spoken).lower()
    kept = "".join(char if char.isalnum() else _BREAK for char in plain)
    parts = [part for part in kept.split(_BREAK) if part]
    return _BREAK.join(parts)[:MAX_CHARS]


def gram_keys(read: str, order: int) -> tuple[NDArray[np.int64], Keys]:
    """Positions and packed keys of the n-grams of `reading(text)`; 16 bits a character, so that
    two orders never share a key and nothing collides. Characters beyond the BMP are left out."""
    codes = np.frombuffer(read.encode("utf-32-le"), np.uint32).astype(np.uint64)
    codes = np.where(codes > 0xFFFF, np.uint64(0), codes)
    count = len(codes) - order + 1
    if count <= 0:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    keys = np.zeros(count, np.uint64)
    whole = np.ones(count, bool)
    for offset in range(order):
        part = codes[offset : offset + count]
        keys = (keys << np.uint64(16)) | part
        whole &= part != 0
    starts = np.flatnonzero(whole)
    return starts, keys[starts]


def all_keys(read: str) -> tuple[Keys, NDArray[np.int64]]:
    """Distinct keys of all orders, sorted, and how often each occurs."""
    found = np.concatenate([gram_keys(read, order)[1] for order in ORDERS])
    keys, counts = np.unique(found, return_counts=True)
    return keys, counts.astype(np.int64)


def order_of(keys: Keys) -> NDArray[np.int8]:
    """How many characters each key holds."""
    four = (keys >> np.uint64(48) != 0).astype(np.int8)
    three = (keys >> np.uint64(32) != 0).astype(np.int8)
    return np.asarray(2 + three + four, np.int8)
