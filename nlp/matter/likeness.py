"""How alike two calls are: numbers for the score, strings for the reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .grams import Floats, Keys, gram_keys
from .index import Weighed
from .profile import Place

RARE = 5.0
"""ln of one in 150 texts; a run at least this rare may be a name."""
MAX_NAMES = 3
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Likeness:
    """What two calls share.

    `words` and `titles` are tf-idf cosines (0–1), `same_text` is the Jaccard share of common
    three-character runs, `names` the rarest runs both hold with `name_weight`, the summed rarity
    of the shared four-character runs over that of the shorter call's (0–1); `place` is as
    `places_agree` says; `meaning` is a cosine of embeddings.
    """

    words: float
    titles: float
    same_text: float
    name_weight: float
    names: tuple[str, ...]
    place: int
    shared_place: str
    days_apart: float
    same_department: bool
    meaning: float | None


def compare(a: Weighed, b: Weighed) -> Likeness:
    """Compare two calls of one index."""
    agreement, shared_place = places_agree(a.call.place, b.call.place)
    at_a, at_b = _shared(a.profile.keys, b.profile.keys)
    three = int((a.orders[at_a] == 3).sum())
    named = at_a[(a.orders[at_a] == 4) & (a.rarity[at_a] >= RARE)]
    meaning = None
    if a.profile.embedding is not None and b.profile.embedding is not None:
        meaning = float(np.dot(a.profile.embedding, b.profile.embedding))
    title_a, title_b = _shared(a.profile.title_keys, b.profile.title_keys)
    whole = int((a.orders == 3).sum() + (b.orders == 3).sum()) - three
    shorter = min(int((a.orders == 4).sum()), int((b.orders == 4).sum()))
    return Likeness(
        words=float(a.weights[at_a] @ b.weights[at_b]),
        titles=float(a.title_weights[title_a] @ b.title_weights[title_b]),
        same_text=three / max(whole, 1),
        name_weight=float(a.rarity[named].sum()) / max(shorter, 1),
        names=_shared_runs(a.profile.read, a.profile.keys[named], a.rarity[named]),
        place=agreement,
        shared_place=shared_place,
        days_apart=abs((a.call.at - b.call.at).total_seconds()) / DAY_S,
        same_department=bool(a.call.department) and a.call.department == b.call.department,
        meaning=meaning,
    )


def places_agree(a: Place, b: Place) -> tuple[int, str]:
    """1 with what agrees, −2 where two known districts differ, −1 where both have names and share
    none, 0 where nobody can tell.

    A name agrees with one that contains it: 丽发新城 and 丽发新城小区 are one estate.
    """
    if not (a.known and b.known):
        return 0, ""
    if a.district and b.district and a.district != b.district:
        return -2, ""
    for name in sorted(a.names, key=len, reverse=True):
        for other in b.names:
            shorter, longer = sorted((name, other), key=len)
            if len(shorter) >= 2 and shorter in longer:
                return 1, shorter
    if a.grid and a.grid == b.grid:
        return 1, a.grid
    return (-1 if a.names and b.names else 0), ""


def _shared(a: Keys, b: Keys) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the common keys in two sorted arrays."""
    if not (len(a) and len(b)):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    at = np.minimum(np.searchsorted(b, a), len(b) - 1)
    in_a = np.flatnonzero(b[at] == a)
    return in_a, at[in_a]


def _shared_runs(read: str, keys: Keys, rarity: Floats) -> tuple[str, ...]:
    """The shared n-grams joined to whole strings as they stand in `read`, rarest first."""
    if not len(keys):
        return ()
    starts, found = gram_keys(read, 4)
    at = np.minimum(np.searchsorted(keys, found), len(keys) - 1)
    hit = keys[at] == found
    runs: dict[str, float] = {}
    begin = end = -1
    worth = 0.0
    for start, weight in zip(starts[hit].tolist(), rarity[at[hit]].tolist(), strict=True):
        if begin >= 0 and start > end - 3:
            runs.setdefault(read[begin:end], worth)
            begin, worth = start, 0.0
        elif begin < 0:
            begin = start
        end, worth = start + 4, max(worth, weight)
    runs.setdefault(read[begin:end], worth)
    ranked = sorted(runs, key=lambda run: (-runs[run], -len(run)))
    return tuple(ranked[:MAX_NAMES])
