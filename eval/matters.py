"""How well calls of one matter are found, against teams that disagree among themselves.

A team lists only some matters, so only pairs that touch a message it lists are judged by it: a pair
of a listed and an unlisted message counts as told apart. The majority judges a pair that at least
two teams cover in this sense; it says "one matter" when more than half of those do. Teams judge
each other in the same way; that is the ceiling of what agreement with them can mean.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import mean, median
from typing import Any

from ..nlp.matter.groups import JOIN, Pair, group, pair_of
from ..nlp.matter.index import CallIndex, Weighed
from ..nlp.matter.profile import profile
from ..nlp.matter.score import PROPOSE, propose
from ..nlp.matter.title import title_of
from .matters_data import Judged

EVERY = 24
"""Proposals looked at per call; the service shows the best three."""
SHOWN_GROUPS = 20

Tick = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Pairs said, pairs that are so, and both."""

    said: int
    true: int
    both: int

    def figures(self) -> dict[str, float | int]:
        precision = self.both / self.said if self.said else 0.0
        recall = self.both / self.true if self.true else 0.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        return {
            "precision": precision,
            "recall": recall,
            "f1": f1,
            "said": self.said,
            "true": self.true,
        }


def measure(judged: Judged, *, join: float = JOIN, tick: Tick = lambda *_: None) -> dict[str, Any]:
    """All figures of one data set; `tick` is told (stage, done, total)."""
    began = time.perf_counter()
    index = CallIndex()
    weighed: list[Weighed] = []
    ordered = sorted(judged.calls, key=lambda call: (call.at, call.id))
    for done, call in enumerate(ordered, start=1):
        weighed.append(index.weigh(profile(call)))
        index.add(weighed[-1])
        tick("read", done, len(ordered))
    read_s = time.perf_counter() - began
    proposed, first_three = _proposals(weighed, index, tick)
    propose_s = time.perf_counter() - began - read_s
    groups = group(
        weighed, index, join=join, progress=lambda done, total: tick("group", done, total)
    )
    pairs = _within([member.call.id for member in members] for members in groups)
    larger = [members for members in groups if len(members) > 1]
    return {
        "n": len(ordered),
        "teams": {name: _team(clusters) for name, clusters in judged.teams.items()},
        "groups": _against(pairs, judged.teams),
        "proposals": _against(proposed, judged.teams),
        "proposals_best_three": _against(first_three, judged.teams),
        "agreement": _agreement(judged.teams),
        "propose_threshold": PROPOSE,
        "join_threshold": join,
        "n_groups": len(larger),
        "n_grouped": sum(map(len, larger)),
        "largest": [
            {"title": title_of(members), "size": len(members)} for members in groups[:SHOWN_GROUPS]
        ],
        "read_ms_per_call": 1000 * read_s / len(ordered),
        "propose_ms_per_call": 1000 * propose_s / len(ordered),
    }


def pairs_of(clusters: Mapping[str, str]) -> frozenset[Pair]:
    """Pairs of messages in one cluster."""
    members: dict[str, list[str]] = defaultdict(list)
    for call_id, cluster in clusters.items():
        members[cluster].append(call_id)
    return _within(members.values())


def against_team(said: Iterable[Pair], clusters: Mapping[str, str]) -> Agreement:
    """Pairs against one team's clusters; pairs that touch nothing it lists are left out."""
    true = pairs_of(clusters)
    judged = {pair for pair in said if pair[0] in clusters or pair[1] in clusters}
    return Agreement(len(judged), len(true), len(judged & true))


def against_majority(said: Iterable[Pair], teams: Mapping[str, Mapping[str, str]]) -> Agreement:
    """Pairs against what more than half of the covering teams say, where two or more cover."""
    gold = {name: pairs_of(clusters) for name, clusters in teams.items()}
    votes = Counter(pair for pairs in gold.values() for pair in pairs)

    def covering(pair: Pair) -> int:
        return sum(pair[0] in clusters or pair[1] in clusters for clusters in teams.values())

    true = {
        pair for pair, count in votes.items() if covering(pair) >= 2 and 2 * count > covering(pair)
    }
    judged = {pair for pair in said if covering(pair) >= 2}
    return Agreement(len(judged), len(true), len(judged & true))


def _within(groups: Iterable[Sequence[str]]) -> frozenset[Pair]:
    return frozenset(
        pair_of(a, b) for members in groups for a, b in combinations(sorted(members), 2)
    )


def _proposals(
    weighed: Sequence[Weighed], index: CallIndex, tick: Tick
) -> tuple[frozenset[Pair], frozenset[Pair]]:
    every: set[Pair] = set()
    best: set[Pair] = set()
    for done, call in enumerate(weighed, start=1):
        found = propose(index, call, limit=EVERY)
        every.update(pair_of(pair.call_id, pair.other_id) for pair in found)
        best.update(pair_of(pair.call_id, pair.other_id) for pair in found[:3])
        tick("propose", done, len(weighed))
    return frozenset(every), frozenset(best)


def _against(said: frozenset[Pair], teams: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: against_team(said, clusters).figures() for name, clusters in teams.items()
    }
    return {"majority": against_majority(said, teams).figures(), **found}


def _agreement(teams: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Each team as if it were a program: against each other one, and the majority of the others."""
    between = {
        a: {b: against_team(pairs_of(teams[a]), teams[b]).figures() for b in teams if b != a}
        for a in teams
    }
    others = {
        a: against_majority(
            pairs_of(teams[a]), {b: clusters for b, clusters in teams.items() if b != a}
        ).figures()
        for a in teams
    }
    f1 = [figures["f1"] for row in between.values() for figures in row.values()]
    return {
        "between": between,
        "against_majority_of_others": others,
        "mean_f1": mean(f1) if f1 else 0.0,
        "median_f1": median(f1) if f1 else 0.0,
        "best_f1": max(f1, default=0.0),
    }


def _team(clusters: Mapping[str, str]) -> dict[str, Any]:
    sizes = Counter(clusters.values())
    return {
        "messages": len(clusters),
        "clusters": len(sizes),
        "largest": sizes.most_common(1)[0][1] if sizes else 0,
        "pairs": len(pairs_of(clusters)),
    }
