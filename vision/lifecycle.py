"""From stays to incidents: `suspected → open → ended`, or `suspected → discarded`.

A *claim* is one kind that holds at one stay. It is created once, when the situation has lasted a
little; it opens when its credited time reaches the zone's dwell; it is over when the object was
seen leaving, its place was seen empty for `end_after_s`, or the rule let go for as long. Within
`cooldown_s` of that the same claim goes on if the object turns out to be there still: its incident
goes back to `open` under its old id rather than being reported anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .association import SETTINGS
from .cameras import Camera, Point, Zone
from .claims import (
    PLACE_CELLS,
    SPREAD_GAPS,
    Claim,
    close,
    incident_id,
    is_gone,
    is_moved_bin,
    is_steady,
    one_event,
    utc,
)
from .families import PERSON, family_of
from .groups import gather
from .incident import Incident, IncidentState, Transition
from .kinds import Kind, Kinds
from .observation import Observation
from .rules import RULES, Finding, View
from .rules.queueing import mark_queues
from .rules.rule import BEGINS_AT, HOLDS_AT
from .scene import Scene, Stay, box_iou, ground_point
from .zones import zone_of

SUSPECT_AFTER_S = 10.0
SUSPECT_SHARE = 0.25
FORGET_AFTER_S = 30.0
OBSERVE_EVERY_S = 10.0
HEIR_IOU, LATER_HEIR_IOU = 0.3, 0.6
GONE = Finding(0.0, 0.0, 0.0, ("原位已无目标",))


class Lifecycle:
    """The claims of one camera."""

    def __init__(self, camera: Camera, kinds: Kinds, model_ref: str) -> None:
        self.camera = camera
        self.model_ref = model_ref
        self.kinds = {kind.id: kind for kind in kinds.kinds}
        self.zones = {zone.id: zone for zone in camera.zones}
        self.claims: list[Claim] = []
        self.active_since: dict[str, float] = {}
        self.watched_since = 0.0
        self._brief_s = 0.0
        self._tuned = {
            (zone.id, kind.id): kind.tuned(zone.tune.get(kind.id))
            for zone in camera.zones
            for kind in kinds.kinds
            if kind.id in zone.forbids
        }
        self._always = {zone.id: zone for zone in camera.zones if not zone.active}
        self._timed = [zone for zone in camera.zones if zone.active]
        self._queues = any(kind.queue_dwell_s > 0 for kind in self._tuned.values())
        # Zone and kind of the rules that judge a zone as a whole.
        self._whole = [
            (self.zones[zone_id], kind)
            for (zone_id, _), kind in self._tuned.items()
            if RULES[kind.rule].scope == "zone"
        ]
        self._kinds_of: dict[str, list[str]] = {}
        for kind_id in sorted({kind_id for _, kind_id in self._tuned}):
            kind = self.kinds[kind_id]
            if RULES[kind.rule].scope == "stay":
                for family in sorted({family_of(label) for label in kind.labels} - {PERSON}):
                    self._kinds_of.setdefault(family, []).append(kind_id)

    def has(self, zone_id: str, kind_id: str) -> bool:
        """Whether the settings still ask for this kind in this zone."""
        return (zone_id, kind_id) in self._tuned

    def step(
        self, scene: Scene, t: float
    ) -> tuple[tuple[Transition, ...], tuple[Observation, ...]]:
        """Judge every stay at media time `t`; returns what changed or went on, and why."""
        self.watched_since = t if scene.started_at is None else scene.started_at
        self._brief_s = max(SETTINGS.brief_s, SETTINGS.brief_periods * scene.period_s)
        if self._queues:
            mark_queues(scene, t)
        open_zones = self._open_zones(t)
        stays = {stay.id: stay for stay in scene.stays}
        groups = {
            (zone.id, kind.id): group
            for zone, kind in self._whole
            if zone.id in open_zones and (group := gather(scene.stays, zone, kind, t)) is not None
        }
        seen: list[Observation] = []
        touched: dict[str, tuple[Claim, bool]] = {}
        for claim in self.claims:
            if claim.stay_id:
                stay = stays.get(claim.stay_id)
            else:
                stay = groups.get((claim.zone_id, claim.kind_id))
            changed = self._carry_on(claim, stay, scene.stays, open_zones, t, seen)
            if changed is not None:
                touched[claim.id] = (claim, changed)
        for claim, finding in self._new_claims(scene.stays, stays, groups, open_zones, t):
            self.claims.append(claim)
            touched[claim.id] = (claim, True)
            self._tell(claim, finding, t, True, seen)
        self._forget(scene, t)
        ordered = sorted(touched.values(), key=lambda pair: (pair[0].onset, pair[0].id))
        steps = tuple(Transition(self.incident(claim), changed) for claim, changed in ordered)
        return steps, tuple(seen)

    def active(self) -> list[Incident]:
        """Suspected and open incidents, in order of onset."""
        living = [claim for claim in self.claims if claim.is_active]
        return [self.incident(c) for c in sorted(living, key=lambda c: (c.onset, c.id))]

    def incident(self, claim: Claim) -> Incident:
        """The claim as the world sees it."""
        return Incident(
            id=claim.id,
            kind=claim.kind_id,
            camera_id=self.camera.id,
            zone_id=claim.zone_id,
            state=claim.state,
            onset_at=utc(claim.onset),
            opened_at=None if claim.opened_at is None else utc(claim.opened_at),
            last_seen_at=utc(claim.last),
            ended_at=None if claim.ended_at is None else utc(claim.ended_at),
            box=claim.box,
            label=claim.label,
            score=claim.score,
            reasons=claim.reasons,
            model=self.model_ref,
            rule=RULES[self.kinds[claim.kind_id].rule].ref,
        )

    # --- one claim ---------------------------------------------------------------------------

    def _carry_on(
        self,
        claim: Claim,
        stay: Stay | None,
        stays: Iterable[Stay],
        open_zones: dict[str, Zone],
        t: float,
        seen: list[Observation],
    ) -> bool | None:
        """True: its state changed; False: it was seen to go on; None: nothing to tell."""
        kind = self._tuned[claim.zone_id, claim.kind_id]
        counts = claim.zone_id in open_zones
        if not claim.is_active:
            return self._reopen(claim, kind, stay, counts, t, seen)
        if stay is None or is_gone(stay, kind, t):
            heir = self._heir(claim, stays, left=stay is None or stay.departed)
            if heir is None:
                self._tell(claim, GONE, t, False, seen)
                return close(claim, claim.last, t)
            claim.stay_id, stay = heir.id, heir
        if not counts:
            return close(claim, claim.last, t)
        if not stay.seen_now:
            return None
        found = self._observe(kind, stay, claim.zone_id, claim.state is IncidentState.OPEN, t)
        holds = found.strength >= HOLDS_AT
        self._tell(claim, found, t, holds, seen)
        if not holds:
            if claim.opposed_since is None:
                claim.opposed_since = t
            if t - claim.opposed_since < kind.end_after_s:
                return None
            close(claim, claim.last, t)
            if claim.opened_at is None:
                # It never was one: should it begin again, then from a clean slate.
                claim.closed_at = 0.0
            return True
        return self._support(claim, kind, stay, found, t)

    def _support(self, claim: Claim, kind: Kind, stay: Stay, seen: Finding, t: float) -> bool:
        claim.credit_s = round(claim.credit_s + stay.credit_s, 3)
        claim.opposed_since = None
        claim.last, claim.box = max(claim.last, seen.last), stay.box
        claim.label, claim.score = stay.label, stay.score
        if seen.strength >= BEGINS_AT:
            # What is fading away is no reason to show: the last firm ones stay.
            claim.reasons = seen.reasons
        if claim.state is not IncidentState.SUSPECTED or not self._is_ripe(
            claim, kind, stay, seen, t
        ):
            return False
        if self._known(claim, stay):
            # Split in two on the way; the other one speaks for both.
            return close(claim, claim.last, t)
        claim.state, claim.opened_at = IncidentState.OPEN, t
        stay.reported = True
        return True

    def _is_ripe(self, claim: Claim, kind: Kind, stay: Stay, seen: Finding, t: float) -> bool:
        """Whether it has lasted long enough to be reported, and is seen to hold in this frame: so
        it never ends before it was reported."""
        dwell_s = self._dwell_s(kind, claim.zone_id, seen)
        if claim.credit_s < dwell_s or not is_steady(stay) or seen.last < t:
            return False
        if seen.revised is not None and stay.since <= seen.revised:
            # More is known than when it was suspected. The id stays.
            onset = max(seen.revised, self.active_since.get(claim.zone_id, seen.revised))
            claim.onset = onset
            claim.credit_s = min(claim.credit_s, round(t - onset, 3))
        return claim.credit_s >= dwell_s

    def _reopen(
        self,
        claim: Claim,
        kind: Kind,
        stay: Stay | None,
        counts: bool,
        t: float,
        seen: list[Observation],
    ) -> bool | None:
        """What was thought over goes on: the object is at its place after all."""
        if stay is None or stay.departed or not stay.seen_now or not counts:
            return None
        found = self._observe(kind, stay, claim.zone_id, claim.opened_at is not None, t)
        if found.strength < BEGINS_AT or self._known(claim, stay):
            return None
        claim.state = IncidentState.SUSPECTED if claim.opened_at is None else IncidentState.OPEN
        claim.ended_at = claim.closed_at = claim.opposed_since = None
        claim.credit_s = round(claim.credit_s + stay.credit_s, 3)
        claim.last, claim.box = max(claim.last, found.last), stay.box
        claim.reasons = found.reasons
        self._tell(claim, found, t, True, seen)
        return True

    def _heir(self, claim: Claim, stays: Iterable[Stay], *, left: bool) -> Stay | None:
        """Another stay in view that is the claim's object, boxed differently, or, where an event
        may consist of several things, one that stands on when the first was taken away (`left`)."""
        family = family_of(claim.label)
        spreads = family in SPREAD_GAPS
        if (left and not spreads) or not claim.stay_id:
            return None
        for stay in stays:
            if stay.id == claim.stay_id or stay.family != family or not stay.seen_now:
                continue
            free = all((c.stay_id, c.kind_id) != (stay.id, claim.kind_id) for c in self.claims)
            near = spreads and one_event(family, stay.anchor, claim.box)
            # What came later is the same only if it stands where the first one stood.
            at_once = stay.since - claim.last <= self._brief_s
            fit = HEIR_IOU if at_once else LATER_HEIR_IOU
            if free and (near or box_iou(stay.anchor, claim.box) >= fit):
                return stay
        return None

    # --- new claims --------------------------------------------------------------------------

    def _new_claims(
        self,
        stays: Iterable[Stay],
        by_id: dict[int, Stay],
        groups: Mapping[tuple[str, str], Stay],
        open_zones: dict[str, Zone],
        t: float,
    ) -> Iterable[tuple[Claim, Finding]]:
        claimed = {(claim.stay_id, claim.kind_id) for claim in self.claims}
        for stay in stays:
            if not stay.seen_now or stay.departed:
                continue
            for kind_id in self._kinds_of.get(stay.family, ()):
                if (stay.id, kind_id) in claimed:
                    continue
                zone = zone_of(open_zones.values(), kind_id, ground_point(stay.anchor))
                new = None if zone is None else self._claim(stay, kind_id, zone, t)
                if new is None or self._take_over(new[0], by_id, stay):
                    continue
                if not self._known(new[0], stay):
                    yield new
        whole = {(claim.zone_id, claim.kind_id) for claim in self.claims if not claim.stay_id}
        for (zone_id, kind_id), group in groups.items():
            if group.seen_now and (zone_id, kind_id) not in whole:
                new = self._claim(group, kind_id, self.zones[zone_id], t)
                if new is not None:
                    yield new

    def _claim(
        self, stay: Stay, kind_id: str, zone: Zone, t: float
    ) -> tuple[Claim, Finding] | None:
        kind = self._tuned[zone.id, kind_id]
        seen = self._observe(kind, stay, zone.id, False, t)
        if seen.strength < BEGINS_AT or not is_steady(stay):
            return None
        onset = max(seen.since, self.active_since.get(zone.id, seen.since))
        if seen.last < onset:
            return None
        credit_s = round(min(stay.seen_s, t - onset), 3)
        dwell_s = zone.dwell_for(kind_id, kind.dwell_s)
        if credit_s < min(SUSPECT_AFTER_S, SUSPECT_SHARE * dwell_s):
            return None
        is_open = credit_s >= self._dwell_s(kind, zone.id, seen) and seen.last >= t
        stay.reported |= is_open
        claim = Claim(
            id=self._free_id(kind_id, zone.id, ground_point(stay.anchor), onset),
            kind_id=kind_id,
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
        return claim, seen

    def _free_id(self, kind_id: str, zone_id: str, point: Point, onset: float) -> str:
        """Two that began at one moment close to each other are told apart by a finer place."""
        taken, cells = {claim.id for claim in self.claims}, PLACE_CELLS
        while (
            found := incident_id(self.camera.id, kind_id, zone_id, point, onset, cells)
        ) in taken:
            cells *= 8
        return found

    def _dwell_s(self, kind: Kind, zone_id: str, seen: Finding) -> float:
        """How long this one must last to be reported."""
        dwell_s = self.zones[zone_id].dwell_for(kind.id, kind.dwell_s)
        return max(dwell_s + seen.forgiven_s, seen.least_dwell_s)

    def _take_over(self, claim: Claim, stays: dict[int, Stay], stay: Stay) -> bool:
        """A moved bin is the same bin: its claim moves with it."""
        for other in self.claims:
            same = other.kind_id == claim.kind_id and other.zone_id == claim.zone_id
            if same and is_moved_bin(other, stays.get(other.stay_id), stay):
                other.stay_id = stay.id
                return True
        return False

    def _known(self, claim: Claim, stay: Stay) -> bool:
        """Whether another claim, one that began no later, speaks for the same object."""
        return any(
            other is not claim
            and other.kind_id == claim.kind_id
            and other.is_active
            and (other.onset, other.id) <= (claim.onset, claim.id)
            and one_event(stay.family, other.box, claim.box)
            for other in self.claims
        )

    # --- findings ----------------------------------------------------------------------------

    def _observe(self, kind: Kind, stay: Stay, zone_id: str, standing: bool, t: float) -> Finding:
        view = View(t, self.watched_since, self.zones[zone_id], self.camera.frontages, standing)
        return RULES[kind.rule].observe(stay, kind, view)

    def _tell(
        self, claim: Claim, found: Finding, t: float, holds: bool, seen: list[Observation]
    ) -> None:
        """Keep a finding if it is the first, a change, or the first for 10 s."""
        due = claim.told_at is None or (holds and t - claim.told_at >= OBSERVE_EVERY_S)
        if not due and holds == claim.holds:
            return
        claim.holds, claim.told_at = holds, t
        seen.append(
            Observation(
                camera_id=self.camera.id,
                kind=claim.kind_id,
                zone_id=claim.zone_id,
                incident_id=claim.id,
                at=utc(t),
                strength=round(found.strength, 4),
                holds=holds,
                reasons=found.reasons,
            )
        )

    # --- zones and memory --------------------------------------------------------------------

    def _open_zones(self, t: float) -> dict[str, Zone]:
        """Zones that count at this time; remembers since when those with hours do."""
        if not self._timed:
            return self._always
        counting = dict(self._always)
        local = utc(t).astimezone(self.camera.tzinfo)
        for zone in self._timed:
            if zone.is_active(local):
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
            or t - claim.closed_at <= self._tuned[claim.zone_id, claim.kind_id].cooldown_s
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
