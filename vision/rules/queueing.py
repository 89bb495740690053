"""A queue at a signal: vehicles that came to rest one behind the other within a short time."""

from __future__ import annotations

from ..families import VEHICLE
from ..motion import apart
from ..scene import Scene, Stay

QUEUE_LEAST = 3
JOIN_WITHIN_S = 12.0
QUEUE_GAP = 1.8
# What stood there in the first moments was not seen to join anything.
SEEN_JOINING_S = 5.0


def mark_queues(scene: Scene, t: float) -> None:
    """Note on every vehicle at rest that it stands in a queue now: three or more in a chain, in
    which neighbours are at most 1.8 sizes apart and came to rest within 12 s of each other.

    A row of parked cars fills up more slowly; where it does not, `queue_dwell_s` only postpones.
    """
    first = (scene.started_at or t) + SEEN_JOINING_S
    joined = [
        stay
        for stay in scene.stays
        if stay.family == VEHICLE and not stay.departed and stay.since >= first
    ]
    if len(joined) < QUEUE_LEAST:
        return
    for stay in joined:
        if _chain(stay, joined, JOIN_WITHIN_S + scene.period_s) >= QUEUE_LEAST:
            stay.queued_at = t


def _chain(start: Stay, others: list[Stay], within_s: float) -> int:
    """How many stand in one chain of neighbours with `start`, itself included."""
    chain, left = [start], [stay for stay in others if stay is not start]
    for stay in chain:
        near = [
            other
            for other in left
            if abs(other.since - stay.since) <= within_s
            and apart(other.anchor, stay.anchor) <= QUEUE_GAP
        ]
        chain += near
        left = [other for other in left if other not in near]
    return len(chain)
