"""Incidents that are one real event: seen by two rules of one camera, or by two cameras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from .cameras import Camera
from .incident import Incident, IncidentState
from .scene import same_place

# Two cameras rarely see a thing come to rest at the same moment, but soon after each other.
MAX_ONSET_GAP_S = 60.0
TWO_RULES_ZH = "同一摄像机、同一位置、不同类型"
TWO_CAMERAS_ZH = "不同摄像机拍摄的同一地点、同一类型"


@dataclass(frozen=True, slots=True)
class Link:
    """Incidents that belong together.

    Attributes:
        ids: in order of onset; the first one speaks for all.
        reasons: why, in Chinese.
    """

    ids: tuple[str, ...]
    reasons: tuple[str, ...]


def links(incidents: Iterable[Incident], cameras: Mapping[str, Camera]) -> tuple[Link, ...]:
    """Groups of two or more incidents that are one real event.

    Two kinds at one camera are linked when their boxes can only be one thing on the ground and
    both lasted at the same time. Incidents of one kind at two cameras are linked when their zones
    name the same `place`, they lasted at the same time and began within 60 s of each other; of
    several at one place each finds the one nearest in onset, one to one. Discarded ones are not
    looked at. The order of `incidents` does not matter.

    Args:
        incidents: of any cameras.
        cameras: by id; incidents of others are linked by their boxes only.
    """
    told = sorted(
        (i for i in incidents if i.state is not IncidentState.DISCARDED),
        key=lambda i: (i.onset_at, i.id),
    )
    pairs = [(a, b, TWO_RULES_ZH) for a, b in combinations(told, 2) if _two_rules(a, b)]
    pairs += [(a, b, TWO_CAMERAS_ZH) for a, b in _two_cameras(told, cameras)]
    group_of = {incident.id: [incident.id] for incident in told}
    reasons_of: dict[str, set[str]] = {incident.id: set() for incident in told}
    for a, b, why in pairs:
        mine, other = group_of[a.id], group_of[b.id]
        if mine is not other:
            mine += other
            for incident_id in other:
                group_of[incident_id] = mine
        reasons_of[a.id].add(why)
    order = {incident.id: k for k, incident in enumerate(told)}
    groups = {id(group): sorted(group, key=order.__getitem__) for group in group_of.values()}
    return tuple(
        Link(tuple(group), tuple(sorted(set().union(*(reasons_of[i] for i in group)))))
        for group in sorted(groups.values(), key=lambda group: order[group[0]])
        if len(group) > 1
    )


def _two_rules(a: Incident, b: Incident) -> bool:
    same_camera = a.camera_id == b.camera_id and a.kind != b.kind
    return same_camera and _overlap(a, b) and same_place(a.box, b.box)


def _two_cameras(
    told: list[Incident], cameras: Mapping[str, Camera]
) -> list[tuple[Incident, Incident]]:
    """Per pair of cameras one to one, nearest onsets first."""
    candidates: list[tuple[float, Incident, Incident]] = []
    for a, b in combinations(told, 2):
        if a.camera_id == b.camera_id or a.kind != b.kind or not _overlap(a, b):
            continue
        place = _place(a, cameras)
        gap_s = abs((a.onset_at - b.onset_at).total_seconds())
        if place is not None and place == _place(b, cameras) and gap_s <= MAX_ONSET_GAP_S:
            candidates.append((gap_s, a, b))
    taken: set[tuple[str, str]] = set()
    chosen: list[tuple[Incident, Incident]] = []
    for _, a, b in sorted(candidates, key=lambda c: (c[0], c[1].id, c[2].id)):
        ends = {(a.id, b.camera_id), (b.id, a.camera_id)}
        if not ends & taken:
            taken |= ends
            chosen.append((a, b))
    return chosen


def _overlap(a: Incident, b: Incident) -> bool:
    return a.onset_at <= _end(b) and b.onset_at <= _end(a)


def _end(incident: Incident) -> datetime:
    return incident.ended_at or incident.last_seen_at


def _place(incident: Incident, cameras: Mapping[str, Camera]) -> str | None:
    camera = cameras.get(incident.camera_id)
    zones = camera.zones if camera is not None else ()
    return next((zone.place for zone in zones if zone.id == incident.zone_id), None)
