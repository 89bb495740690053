"""What the store answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..vision.incident import Incident, IncidentState
from ..vision.observation import Observation
from .changes import StoredEvidence

REPORTED = (IncidentState.OPEN, IncidentState.ENDED)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a camera's engine stood after its last stored frame."""

    camera_id: str
    frame_at: datetime
    frame_seq: int
    snapshot: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One step of an incident's life."""

    state: IncidentState
    media_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class LinkedIncident:
    """Another incident that is the same real event, and why that is thought."""

    incident: Incident
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """An incident with its pictures; journal, observations and links are filled when one incident
    is asked for."""

    incident: Incident
    evidence: tuple[StoredEvidence, ...]
    journal: tuple[JournalEntry, ...] = ()
    observations: tuple[Observation, ...] = ()
    links: tuple[LinkedIncident, ...] = ()


@dataclass(frozen=True, slots=True)
class IncidentQuery:
    """Filters of a listing, newest onset first; `after` is the last (onset, id) already seen."""

    kind: str | None = None
    camera_id: str | None = None
    zone_id: str | None = None
    states: tuple[IncidentState, ...] = REPORTED
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row of the outbox: a CloudEvents 1.0 event with its place in the order of writing."""

    seq: int
    id: str
    type: str
    source: str
    subject: str
    time: datetime
    data: dict[str, Any]
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events after a place, oldest first; `first` and `last` are the ends of what is kept, both 0
    while the outbox has never held an event."""

    events: tuple[StoredEvent, ...]
    first: int
    last: int
