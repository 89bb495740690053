"""One real-world event, and the steps of its life."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

Box = tuple[float, float, float, float]


class IncidentState(StrEnum):
    """`suspected → open → ended`, or `suspected → discarded`."""

    SUSPECTED = "suspected"
    OPEN = "open"
    ENDED = "ended"
    DISCARDED = "discarded"


STATE_ZH = {
    IncidentState.SUSPECTED: "疑似",
    IncidentState.OPEN: "进行中",
    IncidentState.ENDED: "已结束",
    IncidentState.DISCARDED: "已排除",
}


@dataclass(frozen=True, slots=True)
class Incident:
    """A snapshot of one incident. All times are media times in UTC.

    Attributes:
        id: deterministic from camera, kind, zone, place and onset: a replay gives the same id.
        onset_at: when the situation began (the car came to rest), not when it was reported.
        opened_at: when it had lasted for the zone's dwell; None while suspected or discarded.
        last_seen_at: last frame that supported it.
        ended_at: when it was over; None until then.
        box: x1, y1, x2, y2 in 0–1 of the frame, where it stands.
        label, score: detector class and best score behind it.
        reasons: what a person can check, in Chinese.
        model, rule: `name@version` of what decided.
    """

    id: str
    kind: str
    camera_id: str
    zone_id: str
    state: IncidentState
    onset_at: datetime
    opened_at: datetime | None
    last_seen_at: datetime
    ended_at: datetime | None
    box: Box
    label: str
    score: float
    reasons: tuple[str, ...]
    model: str
    rule: str

    @property
    def dwell_s(self) -> float:
        """Seconds of media time from onset to the end, or to the last sighting so far."""
        return ((self.ended_at or self.last_seen_at) - self.onset_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Transition:
    """An incident as it is after one step. `changed` is False for mere progress of last_seen."""

    incident: Incident
    changed: bool
