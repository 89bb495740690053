"""Where a situation began, from kept evidence: the most probable change point of flickering labels.

A detector calls a full bin empty now and then, and an empty one full. That a bin is full is known
some sightings later; since when, is estimated from what was kept: *spells*, each the time of its
first sighting for the situation, the gap before that, and how much was said for it and then
against it. Amounts are those of `Evidence`: sightings in quick succession count in proportion to
the time they stand for, so that the estimate does not depend on the frame rate.
"""

from __future__ import annotations

import math

# Begins at, seconds nobody saw it before, for, against.
Spell = tuple[float, float, float, float]
MOST_SPELLS = 20
# So much against in a row is no flicker: what was said before is over.
OVER_AFTER = 5.0
# What lies before is remembered by its share only, as if so many sightings.
PAST_SIGHTINGS = 30.0
# Shares of sightings for, before and after the change: prior sightings for and against each.
BEFORE_FOR, BEFORE_AGAINST, BEFORE_MOST = 0.4, 4.0, 0.45
AFTER_FOR, AFTER_AGAINST, AFTER_LEAST = 4.0, 1.0, 0.6


def heard(spells: list[Spell], holds: bool, t: float, gap_s: float, news: float) -> None:
    """Keep one sighting at media time `t`, `gap_s` after the last; `news` is 0–1.

    The first spell is the past: it may have nothing for it, and is no candidate.
    """
    if not spells:
        spells.append((t, gap_s, 0.0, 0.0))
    since, before_s, pro, contra = spells[-1]
    if not holds:
        spells[-1] = (since, before_s, pro, round(contra + news, 4))
        if contra + news >= OVER_AFTER:
            _bury(spells)
    elif contra > 0 or len(spells) == 1:
        spells.append((t, round(gap_s, 3), round(news, 4), 0.0))
        if len(spells) > MOST_SPELLS:
            _shorten(spells)
    else:
        spells[-1] = (since, before_s, round(pro + news, 4), contra)


def began(spells: list[Spell]) -> float | None:
    """Media time of the first sighting after the most probable change; None without any.

    Maximises the likelihood of the sightings before and after, each with a share of its own
    (Bernoulli), times the prior that a change falls into the gap before its first sighting: long
    gaps are where changes go unseen.
    """
    before_for, before_against = spells[0][2:] if spells else (0.0, 0.0)
    after_for = sum(spell[2] for spell in spells[1:])
    after_against = sum(spell[3] for spell in spells[1:])
    best, found = -math.inf, None
    for since, gap_s, pro, contra in spells[1:]:
        likely = (
            _before(before_for, before_against)
            + _after(after_for, after_against)
            + math.log(max(gap_s, 1.0))
        )
        if likely > best:
            best, found = likely, since
        before_for, before_against = before_for + pro, before_against + contra
        after_for, after_against = after_for - pro, after_against - contra
    return found


def _before(pro: float, contra: float) -> float:
    share = (pro + BEFORE_FOR) / (pro + contra + BEFORE_FOR + BEFORE_AGAINST)
    share = min(share, BEFORE_MOST)
    return pro * math.log(share) + contra * math.log(1.0 - share)


def _after(pro: float, contra: float) -> float:
    share = (pro + AFTER_FOR) / (pro + contra + AFTER_FOR + AFTER_AGAINST)
    share = max(share, AFTER_LEAST)
    return pro * math.log(share) + contra * math.log(1.0 - share)


def _bury(spells: list[Spell]) -> None:
    """What was said becomes the past, unless it was a situation of its own, now over."""
    pro = contra = 0.0
    for spell in spells:
        pro, contra = pro + spell[2], contra + spell[3]
        if pro > contra:
            pro = contra = 0.0
    scale = min(1.0, PAST_SIGHTINGS / max(pro + contra, 1e-9))
    since, gap_s, _, _ = spells[0]
    spells[:] = [(since, gap_s, round(pro * scale, 4), round(contra * scale, 4))]


def _shorten(spells: list[Spell]) -> None:
    """Join the two neighbours that the least evidence keeps apart."""
    k = min(range(1, len(spells) - 1), key=lambda k: spells[k][3])
    (since, gap_s, pro, contra), (_, _, more, against) = spells[k : k + 2]
    joined = (since, gap_s, round(pro + more, 4), round(contra + against, 4))
    spells[k : k + 2] = [joined]
