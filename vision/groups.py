"""Things that make an event only together: all of one family at rest in one zone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .cameras import Zone
from .families import TWO_WHEELER, family_of
from .kinds import Kind
from .scene import Stay, Vote, ground_point
from .zones import contains

# A bicycle with somebody on or at it for this share of the time is being ridden, or waited on.
RIDDEN_SHARE = 0.5
COMPLETE_WITHIN_S = 12.0


@dataclass(slots=True)
class Group(Stay):
    """Several stays seen as one: `since` is when the decisive one came to rest, `last_seen` when
    enough of them were last seen, `anchor` the place of the first."""

    members: int = 1


def gather(stays: Iterable[Stay], zone: Zone, kind: Kind, t: float) -> Group | None:
    """The two-wheelers left in a zone as one group, or None when they are too few."""
    families = {family_of(label) for label in kind.labels}
    resting = [
        stay
        for stay in stays
        if stay.family in families
        and not stay.departed
        and stay.absent_s(t) < kind.end_after_s
        and (stay.family != TWO_WHEELER or stay.attended.share < RIDDEN_SHARE)
        and contains(zone.polygon, ground_point(stay.anchor))
    ]
    if len(resting) < kind.min_count:
        return None
    by_arrival = sorted(resting, key=lambda stay: (stay.since, stay.id))
    by_sight = sorted((stay.last_seen for stay in resting), reverse=True)
    decisive, first = by_arrival[kind.min_count - 1], by_arrival[0]
    boxes = [stay.box for stay in resting]
    box = tuple(
        pick(side)
        for pick, side in zip((min, min, max, max), zip(*boxes, strict=True), strict=True)
    )
    # Enough of them must have been seen lately, else what one is seen for counts for nobody.
    complete = t - by_sight[kind.min_count - 1] <= COMPLETE_WITHIN_S
    seen = [stay for stay in resting if stay.seen_now and complete]
    return Group(
        id=0,
        family=first.family,
        anchor=first.anchor,
        home=first.home,
        box=(box[0], box[1], box[2], box[3]),
        since=decisive.since,
        last_seen=by_sight[kind.min_count - 1],
        seen_s=round(t - decisive.since, 3),
        hits=sum(stay.hits for stay in resting),
        score=max(stay.score for stay in resting),
        votes={first.label: Vote(total_s=first.seen_s)},
        attended=Vote(),
        hit_s=1.0,
        seen_now=bool(seen),
        credit_s=max((stay.credit_s for stay in seen), default=0.0),
        strong_s=t,
        members=len(resting),
    )
