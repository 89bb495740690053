"""All open calls, searched by the rare runs of characters they share."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .grams import Background, Floats, Keys, order_of, shipped_background
from .profile import Call, Profile

POSTED = 48
"""Rarest n-grams of a call under which it can be found."""
CANDIDATES = 24
CROWD = 400
"""An n-gram that more open calls share than this finds nothing any more."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A profile with what each n-gram is worth.

    `rarity` (K,) is ln of one over the share of texts that hold it, `weights` (K,) and
    `title_weights` (T,) are tf-idf of unit length, `orders` (K,) its number of characters.
    """

    profile: Profile
    rarity: Floats
    weights: Floats
    title_weights: Floats
    orders: NDArray[np.int8]

    @property
    def call(self) -> Call:
        return self.profile.call


class CallIndex:
    """Open calls by id. Not safe for several threads at once."""

    def __init__(self, background: Background | None = None) -> None:
        self._background = background or shipped_background()
        self._slots: list[Weighed | None] = []
        self._slot_of: dict[str, int] = {}
        self._postings: dict[int, array[int]] = {}

    def __len__(self) -> int:
        return len(self._slot_of)

    def __contains__(self, call_id: object) -> bool:
        return call_id in self._slot_of

    def all(self) -> list[Weighed]:
        """All calls, in the order they came."""
        return [found for found in self._slots if found is not None]

    def first(self) -> Weighed | None:
        """The call that came first."""
        slot = next(iter(self._slot_of.values()), None)
        return None if slot is None else self._slots[slot]

    def get(self, call_id: str) -> Weighed | None:
        """One call."""
        slot = self._slot_of.get(call_id)
        return None if slot is None else self._slots[slot]

    def add(self, found: Weighed) -> None:
        """Take a call in; one of the same id is replaced."""
        self.remove(found.call.id)
        slot = len(self._slots)
        self._slots.append(found)
        self._slot_of[found.call.id] = slot
        for key in self._rarest(found).tolist():
            self._postings.setdefault(key, array("i")).append(slot)

    def remove(self, call_id: str) -> None:
        """Forget a call; unknown ids are fine."""
        slot = self._slot_of.pop(call_id, None)
        if slot is None:
            return
        self._slots[slot] = None
        if len(self._slots) > 1_000 and len(self._slot_of) * 2 < len(self._slots):
            self._rebuild()

    def weigh(self, found: Profile) -> Weighed:
        """What a call's n-grams are worth among the past texts and the calls open now."""
        rarity = self._rarity(found.keys)
        at = np.searchsorted(found.keys, found.title_keys)
        return Weighed(
            found,
            rarity,
            _unit(np.log1p(found.counts).astype(np.float32) * rarity),
            _unit(rarity[at]),
            order_of(found.keys),
        )

    def candidates(self, wanted: Weighed, limit: int = CANDIDATES) -> list[Weighed]:
        """The open calls that share most rare n-grams with `wanted`, itself left out."""
        rare = self._rarest(wanted)
        weights = self._rarity(rare)
        found: list[NDArray[np.int32]] = []
        worth: list[Floats] = []
        for key, weight in zip(rare.tolist(), weights.tolist(), strict=True):
            slots = self._postings.get(key)
            if slots is not None and len(slots) <= CROWD:
                found.append(np.array(slots, np.int32))
                worth.append(np.full(len(slots), weight, np.float32))
        if not found:
            return []
        slots_found, where = np.unique(np.concatenate(found), return_inverse=True)
        total = np.bincount(where, weights=np.concatenate(worth))
        best: list[Weighed] = []
        for at in np.argsort(-total, kind="stable"):
            other = self._slots[int(slots_found[at])]
            if other is not None and other.call.id != wanted.call.id:
                best.append(other)
            if len(best) == limit:
                break
        return best

    def _rarity(self, keys: Keys) -> Floats:
        live = [len(self._postings.get(key, ())) for key in keys.tolist()]
        held = self._background.count(keys) + np.array(live, np.int64)
        whole = self._background.n_texts + len(self._slot_of) + 1
        return np.maximum(np.log(whole / (held + 1.0)), 0).astype(np.float32)

    def _rarest(self, found: Weighed) -> Keys:
        """The n-grams of three and four characters that are rarest in the background."""
        keys = found.profile.keys
        long = keys[found.orders > 2]
        held = self._background.count(long)
        return long[np.argsort(held, kind="stable")[:POSTED]]

    def _rebuild(self) -> None:
        kept = self.all()
        self._slots, self._slot_of, self._postings = [], {}, {}
        for found in kept:
            self.add(found)


def _unit(weights: Floats) -> Floats:
    norm = float(np.linalg.norm(weights))
    return weights / np.float32(norm) if norm else weights
