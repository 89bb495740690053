"""From stays to incidents: `suspected → open → ended`, or `suspected → discarded`.

A *claim* is one kind that holds at one stay. It is created once, when the situation has lasted a
little; it opens when its credited time reaches the zone's dwell; it is over when the object was
seen leaving, its place was seen empty for `end_after_s`, or the rule let go for as long. Within
`cooldown_s` of that the same claim goes on if the object turns out to be there still: its incident
goes back to `open` under its old id rather than being reported anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from .association import SETTINGS
from .cameras import Camera, Zone
from .families import GARBAGE, PERSON, STALL, family_of
from .incident import Box, Incident, IncidentState, Transition
from .kinds import Kind, Kinds
from .rules import RULES, Observation
from .rules.rule import BEGINS_AT, HOLDS_AT
from .scene import Scene, Stay, box_iou, box_shared, ground_point, same_place
from .zones import zone_of

SUSPECT_AFTER_S = 10.0
SUSPECT_SHARE = 0.25
FORGET_AFTER_S = 30.0
MAX_PATIENCE_S = 120.0
PLACE_CELLS = 32
MIN_PRESENCE = 0.33
# What lies within this share of its own size beside another thing is part of the same event: the
# bags of one heap; a vendor's tricycle, which overlaps the umbrella stall it served.
SPREAD_GAPS = {GARBAGE: 0.2, STALL: 0.0}
ACTIVE = (IncidentState.SUSPECTED, IncidentState.OPEN)


@dataclass(slots=True)
class Claim:
    """One kind at one stay, with its clock. Times are media seconds since the epoch.

    Attributes:
        credit_s: seconds that count towards the dwell.
        last: when it was last seen to hold.
        opposed_since: since when the rule has not held; None while it holds.
        closed_at: when it was decided that it is over (later than `ended_at`).
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


class Lifecycle:
    """The claims of one camera."""

    def __init__(self, camera: Camera, kinds: Kinds, model_ref: str) -> None:
        self.camera = camera
        self.model_ref = model_ref
        self.kinds = {kind.id: kind for kind in kinds.kinds}
        self.zones = {zone.id: zone for zone in camera.zones}
        self.claims: list[Claim] = []
        self.active_since: dict[str, float] = {}
        wanted = {kind_id for zone in camera.zones for kind_id in zone.forbids}
        self._kinds_of: dict[str, list[Kind]] = {}
        for kind in kinds.kinds:
            if kind.id in wanted:
                for family in sorted({family_of(label) for label in kind.labels} - {PERSON}):
                    self._kinds_of.setdefault(family, []).append(kind)

    def step(self, scene: Scene, t: float) -> tuple[Transition, ...]:
        """Judge every stay at media time `t`; returns what changed or went on."""
        open_zones = self._open_zones(t)
        stays = {stay.id: stay for stay in scene.stays}
        touched: dict[str, tuple[Claim, bool]] = {}
        for claim in self.claims:
            changed = self._carry_on(claim, stays, open_zones, t)
            if changed is not None:
                touched[claim.id] = (claim, changed)
        for claim in self._new_claims(scene.stays, open_zones, t):
            self.claims.append(claim)
            touched[claim.id] = (claim, True)
        self._forget(scene, t)
        ordered = sorted(touched.values(), key=lambda pair: (pair[0].onset, pair[0].id))
        return tuple(Transition(self.incident(claim), changed) for claim, changed in ordered)

    def active(self) -> list[Incident]:
        """Suspected and open incidents, in order of onset."""
        living = [claim for claim in self.claims if claim.state in ACTIVE]
        return [self.incident(c) for c in sorted(living, key=lambda c: (c.onset, c.id))]

    def incident(self, claim: Claim) -> Incident:
        """The claim as the world sees it."""
        return Incident(
            id=claim.id,
            kind=claim.kind_id,
            camera_id=self.camera.id,
            zone_id=claim.zone_id,
            state=claim.state,
            onset_at=_utc(claim.onset),
            opened_at=None if claim.opened_at is None else _utc(claim.opened_at),
            last_seen_at=_utc(claim.last),
            ended_at=None if claim.ended_at is None else _utc(claim.ended_at),
            box=claim.box,
            label=claim.label,
            score=claim.score,
            reasons=claim.reasons,
            model=self.model_ref,
            rule=RULES[self.kinds[claim.kind_id].rule].ref,
        )

    # --- one claim ---------------------------------------------------------------------------

    def _carry_on(
        self, claim: Claim, stays: dict[int, Stay], open_zones: dict[str, Zone], t: float
    ) -> bool | None:
        """True: its state changed; False: it was seen to go on; None: nothing to tell."""
        kind = self.kinds[claim.kind_id]
        stay = stays.get(claim.stay_id)
        counts = claim.zone_id in open_zones
        if claim.state not in ACTIVE:
            return self._reopen(claim, kind, stay, counts)
        if stay is None or _is_gone(stay, kind, t):
            heir = self._heir(claim, stays.values(), left=stay is None or stay.departed)
            if heir is None:
                return _close(claim, claim.last, t)
            claim.stay_id, stay = heir.id, heir
        if not counts:
            return _close(claim, claim.last, t)
        if not stay.seen_now:
            return None
        seen = self._observe(kind, stay, claim.state is IncidentState.OPEN)
        if seen.strength < HOLDS_AT:
            if claim.opposed_since is None:
                claim.opposed_since = t
            over = t - claim.opposed_since >= kind.end_after_s
            return _close(claim, claim.last, t) if over else None
        return self._support(claim, kind, stay, seen, t)

    def _support(self, claim: Claim, kind: Kind, stay: Stay, seen: Observation, t: float) -> bool:
        claim.credit_s = round(claim.credit_s + stay.credit_s, 3)
        claim.opposed_since = None
        claim.last, claim.box = seen.last, stay.box
        claim.label, claim.score = stay.label, stay.score
        if seen.strength >= BEGINS_AT:
            # What is fading away is no reason to show: the last firm ones stay.
            claim.reasons = seen.reasons
        dwell_s = self.zones[claim.zone_id].dwell_for(kind.id, kind.dwell_s)
        ripe = claim.credit_s >= dwell_s and stay.presence >= MIN_PRESENCE
        if claim.state is IncidentState.SUSPECTED and ripe:
            claim.state, claim.opened_at = IncidentState.OPEN, t
            return True
        return False

    def _reopen(self, claim: Claim, kind: Kind, stay: Stay | None, counts: bool) -> bool | None:
        """What was thought over goes on: the object is at its place after all."""
        if stay is None or stay.departed or not stay.seen_now or not counts:
            return None
        seen = self._observe(kind, stay, claim.opened_at is not None)
        if seen.strength < BEGINS_AT:
            return None
        claim.state = IncidentState.SUSPECTED if claim.opened_at is None else IncidentState.OPEN
        claim.ended_at = claim.closed_at = claim.opposed_since = None
        claim.credit_s = round(claim.credit_s + stay.credit_s, 3)
        claim.last, claim.box, claim.reasons = seen.last, stay.box, seen.reasons
        return True

    def _heir(self, claim: Claim, stays: Iterable[Stay], *, left: bool) -> Stay | None:
        """Another stay in view that is the claim's object, boxed differently, or, where an event
        may consist of several things, one that stands on when the first was taken away (`left`)."""
        family = family_of(claim.label)
        spreads = family in SPREAD_GAPS
        if left and not spreads:
            return None
        for stay in stays:
            if stay.id == claim.stay_id or stay.family != family or not stay.seen_now:
                continue
            free = all((c.stay_id, c.kind_id) != (stay.id, claim.kind_id) for c in self.claims)
            near = spreads and _one_event(family, stay.anchor, claim.box)
            if free and (near or box_iou(stay.anchor, claim.box) >= 0.3):
                return stay
        return None

    # --- new claims --------------------------------------------------------------------------

    def _new_claims(
        self, stays: Iterable[Stay], open_zones: dict[str, Zone], t: float
    ) -> Iterable[Claim]:
        claimed = {(claim.stay_id, claim.kind_id) for claim in self.claims}
        for stay in stays:
            if not stay.seen_now or stay.departed:
                continue
            for kind in self._kinds_of.get(stay.family, ()):
                if (stay.id, kind.id) in claimed:
                    continue
                point = ground_point(stay.anchor)
                zone = zone_of(open_zones.values(), kind.id, point)
                if zone is None:
                    continue
                claim = self._claim(stay, kind, zone, t)
                if claim is not None and not self._known(claim, stay):
                    yield claim

    def _claim(self, stay: Stay, kind: Kind, zone: Zone, t: float) -> Claim | None:
        seen = self._observe(kind, stay, False)
        if seen.strength < BEGINS_AT or stay.presence < MIN_PRESENCE:
            return None
        onset = max(seen.since, self.active_since.get(zone.id, seen.since))
        credit_s = round(min(stay.seen_s, t - onset), 3)
        dwell_s = zone.dwell_for(kind.id, kind.dwell_s)
        if credit_s < min(SUSPECT_AFTER_S, SUSPECT_SHARE * dwell_s):
            return None
        is_open = credit_s >= dwell_s
        return Claim(
            id=_incident_id(self.camera.id, kind.id, zone.id, ground_point(stay.anchor), onset),
            kind_id=kind.id,
            zone_id=zone.id,
            stay_id=stay.id,
            state=IncidentState.OPEN if is_open else IncidentState.SUSPECTED,
            onset=onset,
            credit_s=credit_s,
            last=seen.last,
            box=stay.box,
            label=stay.label,
            score=stay.score,
            reasons=seen.reasons,
            opened_at=t if is_open else None,
        )

    def _known(self, claim: Claim, stay: Stay) -> bool:
        """Whether another claim already speaks for the same object."""
        return any(
            other.kind_id == claim.kind_id
            and other.state in ACTIVE
            and _one_event(stay.family, other.box, claim.box)
            for other in self.claims
        )

    def _observe(self, kind: Kind, stay: Stay, standing: bool) -> Observation:
        return RULES[kind.rule].observe(stay, kind, standing)

    # --- zones and memory --------------------------------------------------------------------

    def _open_zones(self, t: float) -> dict[str, Zone]:
        """Zones that count at this time; remembers since when those with hours do."""
        counting: dict[str, Zone] = {}
        for zone in self.camera.zones:
            if not zone.active:
                counting[zone.id] = zone
            elif zone.is_active(_utc(t).astimezone(self.camera.tzinfo)):
                counting[zone.id] = zone
                self.active_since.setdefault(zone.id, t)
            else:
                self.active_since.pop(zone.id, None)
        return counting

    def _forget(self, scene: Scene, t: float) -> None:
        """Drop claims past their cooldown, and places nobody asks for."""
        self.claims = [
            claim
            for claim in self.claims
            if claim.closed_at is None
            or t - claim.closed_at <= self.kinds[claim.kind_id].cooldown_s
        ]
        needed = {claim.stay_id for claim in self.claims}
        scene.stays = [
            stay
            for stay in scene.stays
            if stay.id in needed
            or not (
                stay.departed
                or stay.absent_s(t) >= FORGET_AFTER_S
                or stay.covered_s(t) >= SETTINGS.max_covered_s
            )
        ]


def _is_gone(stay: Stay, kind: Kind, t: float) -> bool:
    """A place the detector has missed before for long gets more patience."""
    patience_s = max(kind.end_after_s, min(3 * stay.longest_gap_s, MAX_PATIENCE_S))
    return (
        stay.departed
        or stay.absent_s(t) >= patience_s
        or stay.covered_s(t) >= SETTINGS.max_covered_s
    )


def _close(claim: Claim, ended_at: float, t: float) -> bool:
    opened = claim.opened_at is not None
    claim.state = IncidentState.ENDED if opened else IncidentState.DISCARDED
    claim.ended_at, claim.closed_at = ended_at, t
    return True


def _incident_id(
    camera_id: str, kind_id: str, zone_id: str, point: tuple[float, float], onset: float
) -> str:
    cell = "/".join(str(int(value * PLACE_CELLS)) for value in point)
    text = "|".join((camera_id, kind_id, zone_id, cell, str(round(onset * 1000))))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _utc(t: float) -> datetime:
    return datetime.fromtimestamp(t, tz=UTC)


def _one_event(family: str, a: Box, b: Box) -> bool:
    """Whether a person would call two things of one family, boxed so, one event."""
    if family not in SPREAD_GAPS:
        return same_place(a, b)
    gap = SPREAD_GAPS[family]
    return box_shared(_grown(a, gap), _grown(b, gap)) > 0


def _grown(box: Box, gap: float) -> Box:
    x1, y1, x2, y2 = box
    dx, dy = gap * (x2 - x1), gap * (y2 - y1)
    return x1 - dx, y1 - dy, x2 + dx, y2 + dy
