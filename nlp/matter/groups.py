"""Groups of calls about one matter: pairs joined from the strongest down, by their mean score."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import product

from .index import CallIndex, Weighed
from .score import pair_score

JOIN = 0.4
"""Mean score over all pairs between two groups from which they become one."""
SAMPLED = 64
"""Pairs looked at between two groups; large groups are sampled evenly."""

Pair = tuple[str, str]
Progress = Callable[[int, int], None]


def pair_of(a: str, b: str) -> Pair:
    """Two ids in one order."""
    return (a, b) if a <= b else (b, a)


def group(
    calls: Sequence[Weighed],
    index: CallIndex,
    *,
    join: float = JOIN,
    together: Collection[Pair] = (),
    apart: Collection[Pair] = (),
    progress: Progress | None = None,
) -> list[list[Weighed]]:
    """Every call in exactly one group, largest group first, oldest call first within one.

    Args:
        index: holds at least these calls.
        together, apart: pairs (by `pair_of`) that staff have accepted or rejected; an accepted
            pair is one group whatever its score, a rejected pair keeps its groups apart.
    """
    members: dict[str, list[Weighed]] = {call.call.id: [call] for call in calls}
    head = {call.call.id: call.call.id for call in calls}
    scores = _pairs(calls, index, progress)
    ranked = sorted(scores, key=lambda pair: (-scores[pair], pair))
    for pair in [*sorted(together), *(p for p in ranked if scores[p] >= join)]:
        if pair[0] not in head or pair[1] not in head:
            continue
        left, right = head[pair[0]], head[pair[1]]
        if left == right:
            continue
        if pair not in together and (
            _forbidden(members[left], members[right], apart)
            or _mean(members[left], members[right], scores) < join
        ):
            continue
        if len(members[left]) < len(members[right]):
            left, right = right, left
        for moved in members.pop(right):
            members[left].append(moved)
            head[moved.call.id] = left
    found = [sorted(group_, key=lambda w: (w.call.at, w.call.id)) for group_ in members.values()]
    return sorted(found, key=lambda group_: (-len(group_), group_[0].call.at, group_[0].call.id))


def _pairs(
    calls: Sequence[Weighed], index: CallIndex, progress: Progress | None
) -> dict[Pair, float]:
    wanted = {call.call.id for call in calls}
    scores: dict[Pair, float] = {}
    for done, call in enumerate(calls, start=1):
        for other in index.candidates(call):
            pair = pair_of(call.call.id, other.call.id)
            if other.call.id in wanted and pair not in scores:
                scores[pair] = pair_score(call, other)
        if progress is not None:
            progress(done, len(calls))
    return scores


def _forbidden(left: list[Weighed], right: list[Weighed], apart: Collection[Pair]) -> bool:
    return bool(apart) and any(
        pair_of(a.call.id, b.call.id) in apart for a, b in product(left, right)
    )


def _mean(left: list[Weighed], right: list[Weighed], scores: dict[Pair, float]) -> float:
    every = len(left) * len(right)
    step = max(every // SAMPLED, 1)
    total = count = 0.0
    for number in range(0, every, step):
        a, b = left[number // len(right)], right[number % len(right)]
        pair = pair_of(a.call.id, b.call.id)
        if pair not in scores:
            scores[pair] = pair_score(a, b)
        total += scores[pair]
        count += 1
    return total / count
