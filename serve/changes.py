"""What is written to the store: each change is stored whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..vision.health import HealthIncident
from ..vision.incident import Transition
from ..vision.observation import Observation
from .delivery.parcel import DeliveryChange
from .hotline_changes import HotlineChange
from .idempotency_store import IdempotencyChange
from .security.key_store import SecurityChange


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A file; `path` is relative to the evidence folder."""

    sha256: str
    size_bytes: int
    path: str


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """A picture on disk; `path` is relative to the evidence folder.

    `blurred` is the copy that may leave the store; None for pictures of versions that made none.
    """

    incident_id: str
    moment: str
    ts: datetime
    sha256: str
    size_bytes: int
    path: str
    blurred: StoredPicture | None = None


@dataclass(frozen=True, slots=True)
class ViewLearnt:
    """Somebody said that a camera was turned on purpose; `at` is wall-clock time."""

    camera_id: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class HealthChange:
    """Faults that a camera has got or lost, and the state of its health after that."""

    camera_id: str
    snapshot: Mapping[str, Any] | None
    faults: tuple[HealthIncident, ...]
    learnt: ViewLearnt | None = None


@dataclass(frozen=True, slots=True)
class CameraChange:
    """What frames of one camera changed, with the engine's state after the last of them."""

    camera_id: str
    frame_at: datetime
    frame_seq: int
    snapshot: dict[str, Any]
    transitions: tuple[Transition, ...]
    evidence: tuple[StoredEvidence, ...]
    observations: tuple[Observation, ...] = ()
    health: HealthChange | None = None


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """Steps of incidents that no frame led to, such as the removal of their zone."""

    transitions: tuple[Transition, ...]


@dataclass(frozen=True, slots=True)
class PruneChange:
    """Forget events and observations recorded before these times, and all but the newest
    `max_events` and `max_observations`."""

    events_before: datetime
    max_events: int
    observations_before: datetime
    max_observations: int


Change = (
    CameraChange
    | HealthChange
    | IncidentChange
    | HotlineChange
    | DeliveryChange
    | SecurityChange
    | IdempotencyChange
    | PruneChange
)
