"""Are the evidence words what the router decided by? Deleting them must hurt more than chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..nlp.router import Router
from ..nlp.suggestion import Suggestion
from ..nlp.transcript import Transcript

BATCH = 64
# Draws of random words to delete, for each call.
DRAWS = 3

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Faithfulness:
    """Mean fall of the first department's probability over `n` calls.

    `evidence` when the evidence words are deleted, `chance` when as many other runs of the same
    lengths are, drawn three times; `stronger` is the share of calls whose evidence fell further.
    """

    n: int
    evidence: float
    chance: float
    stronger: float


def faithfulness(
    router: Router,
    calls: Sequence[Transcript],
    *,
    seed: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Faithfulness:
    """Route each call with and without its evidence, titles left out: they are never evidence.

    Calls too short to draw other words from, and those without evidence, are left out.
    """
    rng = random.Random(seed)
    by_evidence: list[float] = []
    by_chance: list[float] = []
    for start in range(0, len(calls), BATCH):
        batch = [replace(call, title="") for call in calls[start : start + BATCH]]
        plans = [
            (answer, own, others)
            for answer in router.route(batch)
            for own in [[(item.start, item.end) for item in answer.evidence]]
            for others in [_other_runs(answer.masked_text, own, rng)]
            if own and others
        ]
        holes = [[own, *others] for _, own, others in plans]
        texts = [
            Transcript(str(at), _without(answer.masked_text, spans))
            for at, ((answer, _, _), deletions) in enumerate(zip(plans, holes, strict=True))
            for spans in deletions
        ]
        after = router.route(texts)
        for at, (answer, _, others) in enumerate(plans):
            group = after[at * (DRAWS + 1) : (at + 1) * (DRAWS + 1)]
            falls = [_fall(answer, other) for other in group]
            by_evidence.append(falls[0])
            by_chance.append(sum(falls[1:]) / len(others))
        progress(min(start + BATCH, len(calls)), len(calls))
    n = len(by_evidence)
    pairs = zip(by_evidence, by_chance, strict=True)
    return Faithfulness(
        n=n,
        evidence=sum(by_evidence) / max(n, 1),
        chance=sum(by_chance) / max(n, 1),
        stronger=sum(a > b for a, b in pairs) / max(n, 1),
    )


def _other_runs(text: str, taken: Sequence[Span], rng: random.Random) -> list[list[Span]]:
    """`DRAWS` times runs of letters of the same lengths that meet no taken one; [] for no room."""
    draws = []
    for _ in range(DRAWS):
        chosen: list[Span] = []
        for start, end in taken:
            size = end - start
            free = [
                at
                for at in range(len(text) - size + 1)
                if text[at : at + size].isalnum()
                and all(at + size <= a or b <= at for a, b in (*taken, *chosen))
            ]
            if not free:
                return []
            at = rng.choice(free)
            chosen.append((at, at + size))
        draws.append(chosen)
    return draws


def _without(text: str, spans: Sequence[Span]) -> str:
    return "".join(c for at, c in enumerate(text) if not any(a <= at < b for a, b in spans))


def _fall(before: Suggestion, after: Suggestion) -> float:
    first = before.departments[0]
    now = next(d.probability for d in after.departments if d.code == first.code)
    return first.probability - now
