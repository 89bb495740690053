"""A claim: one kind that holds at one stay, with its clock. Values and pure questions."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from datetime import UTC, datetime

from .association import SETTINGS
from .families import BIN, GARBAGE, STALL
from .incident import Box, IncidentState
from .kinds import Kind
from .motion import apart
from .scene import Stay, box_area, box_shared, same_place

MAX_PATIENCE_S = 120.0
PLACE_CELLS = 32
# A place where something is seen more rarely than this is one that traffic merely passes …
MIN_PRESENCE = 0.33
# … unless what is seen lies as still there as only one object does.
STILL_PRESENCE, STILL_SPREAD = 0.2, 0.06
# Weak boxes carry a thing on, but what hardly ever was more than weak is a trick of the light.
STRONG_SHARE = 0.25
# What lies within this share of its own size beside another thing is part of the same event: the
# bags of one heap; a vendor's tricycle, which overlaps the umbrella stall it served.
SPREAD_GAPS = {GARBAGE: 0.35, STALL: 0.0}
# A bin is pushed some metres and is the same bin.
MOVED_WITHIN_S = 60.0
MOVED_SIZES = 6.0
ACTIVE = (IncidentState.SUSPECTED, IncidentState.OPEN)


@dataclass(slots=True)
class Claim:
    """Times are media seconds since the epoch.

    Attributes:
        stay_id: whose it is; 0 when it is a whole zone's.
        credit_s: seconds that count towards the dwell.
        last: when it was last seen to hold.
        opposed_since: since when the rule has not held; None while it holds.
        closed_at: when it was decided that it is over (later than `ended_at`).
        holds: as last told in an observation, …
        told_at: … and when.
    """

    id: str
    kind_id: str
    zone_id: str
    stay_id: int
    state: IncidentState
    onset: float
    credit_s: float
    last: float
    box: Box
    label: str
    score: float
    reasons: tuple[str, ...]
    opened_at: float | None = None
    ended_at: float | None = None
    opposed_since: float | None = None
    closed_at: float | None = None
    holds: bool = False
    told_at: float | None = None

    @property
    def is_active(self) -> bool:
        return self.state in ACTIVE


def close(claim: Claim, ended_at: float, t: float) -> bool:
    """It is over; True, since its state changed."""
    opened = claim.opened_at is not None
    claim.state = IncidentState.ENDED if opened else IncidentState.DISCARDED
    claim.ended_at = ended_at
    claim.closed_at = t
    return True


def incident_id(
    camera_id: str,
    kind_id: str,
    zone_id: str,
    point: tuple[float, float],
    onset: float,
    cells: int = PLACE_CELLS,
) -> str:
    """16 hex digits from what makes an event this event; `cells` is how finely places differ."""
    cell = "/".join(str(int(value * cells)) for value in point)
    text = "|".join((camera_id, kind_id, zone_id, cell, str(round(onset * 1000))))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def utc(t: float) -> datetime:
    """Media seconds as a time stamp."""
    return datetime.fromtimestamp(t, tz=UTC)


def is_gone(stay: Stay, kind: Kind, t: float) -> bool:
    """A place the detector has missed before for long gets more patience."""
    if stay.departed:
        return True
    if stay.absent_since is None and stay.covered_since is None:
        return False
    gap_s = max(3 * stay.longest_gap_s, 1.5 * stay.brief_s)
    patience_s = max(kind.end_after_s, min(gap_s, MAX_PATIENCE_S))
    return stay.absent_s(t) >= patience_s or stay.covered_s(t) >= SETTINGS.max_covered_s


def is_steady(stay: Stay) -> bool:
    """Whether it is there for enough of the clear views to be one thing at rest."""
    if stay.strong_s < STRONG_SHARE * stay.seen_s:
        return False
    seen = stay.presence
    if seen >= MIN_PRESENCE:
        return True
    # The share less its standard error: few frames may flatter.
    surely = seen - math.sqrt(seen * seen * (1.0 - seen) / stay.hits)
    return stay.spread <= STILL_SPREAD and surely >= STILL_PRESENCE


def one_event(family: str, a: Box, b: Box) -> bool:
    """Whether a person would call two things of one family, boxed so, one event."""
    if family not in SPREAD_GAPS:
        return same_place(a, b)
    gap = SPREAD_GAPS[family]
    return box_shared(_grown(a, gap), _grown(b, gap)) > 0


def is_moved_bin(claim: Claim, old: Stay | None, stay: Stay) -> bool:
    """Whether a bin that has just come to rest is the claim's, which is no longer at its place."""
    if stay.family != BIN or (old is not None and (old.seen_now or old.id == stay.id)):
        return False
    came = -SETTINGS.left_after_s <= stay.since - claim.last <= MOVED_WITHIN_S
    ratio = box_area(stay.anchor) / max(box_area(claim.box), 1e-9)
    return came and 0.4 < ratio < 2.5 and apart(stay.anchor, claim.box) <= MOVED_SIZES


def _grown(box: Box, gap: float) -> Box:
    x1, y1, x2, y2 = box
    dx, dy = gap * (x2 - x1), gap * (y2 - y1)
    return x1 - dx, y1 - dy, x2 + dx, y2 + dy
