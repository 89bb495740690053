"""From rows to values and back."""

from __future__ import annotations

from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..vision.health import HealthIncident, HealthKind
from ..vision.incident import Incident, IncidentState
from .changes import StoredEvidence, StoredPicture
from .records import StoredEvent
from .tables import EvidenceRow, FaultRow, IncidentRow, OutboxRow


def row_of(incident: Incident) -> IncidentRow:
    """A row that holds an incident."""
    return IncidentRow(
        id=incident.id,
        kind=incident.kind,
        camera_id=incident.camera_id,
        zone_id=incident.zone_id,
        state=incident.state.value,
        onset_at=incident.onset_at,
        opened_at=incident.opened_at,
        last_seen_at=incident.last_seen_at,
        ended_at=incident.ended_at,
        box=list(incident.box),
        label=incident.label,
        score=incident.score,
        reasons=list(incident.reasons),
        model=incident.model,
        rule=incident.rule,
    )


def incident_of(row: IncidentRow) -> Incident:
    """The incident a row holds."""
    return Incident(
        id=row.id,
        kind=row.kind,
        camera_id=row.camera_id,
        zone_id=row.zone_id,
        state=IncidentState(row.state),
        onset_at=row.onset_at,
        opened_at=row.opened_at,
        last_seen_at=row.last_seen_at,
        ended_at=row.ended_at,
        box=cast("tuple[float, float, float, float]", tuple(row.box)),
        label=row.label,
        score=row.score,
        reasons=tuple(row.reasons),
        model=row.model,
        rule=row.rule,
    )


def evidence_row(picture: StoredEvidence) -> EvidenceRow:
    """A row that holds a picture's entry."""
    blurred = picture.blurred
    return EvidenceRow(
        incident_id=picture.incident_id,
        moment=picture.moment,
        media_at=picture.ts,
        sha256=picture.sha256,
        size_bytes=picture.size_bytes,
        path=picture.path,
        blurred_sha256=blurred.sha256 if blurred else None,
        blurred_size_bytes=blurred.size_bytes if blurred else None,
        blurred_path=blurred.path if blurred else None,
    )


def evidence_of(row: EvidenceRow) -> StoredEvidence:
    """The picture's entry a row holds."""
    blurred = None
    if row.blurred_path and row.blurred_sha256:
        blurred = StoredPicture(row.blurred_sha256, row.blurred_size_bytes or 0, row.blurred_path)
    return StoredEvidence(
        row.incident_id, row.moment, row.media_at, row.sha256, row.size_bytes, row.path, blurred
    )


def evidence_by_incident(session: Session, ids: list[str]) -> dict[str, tuple[StoredEvidence, ...]]:
    """All pictures of these incidents, in the order of media time."""
    found: dict[str, list[StoredEvidence]] = {}
    for row in session.scalars(
        select(EvidenceRow).where(EvidenceRow.incident_id.in_(ids)).order_by(EvidenceRow.media_at)
    ):
        found.setdefault(row.incident_id, []).append(evidence_of(row))
    return {incident_id: tuple(pictures) for incident_id, pictures in found.items()}


def fault_row(fault: HealthIncident) -> FaultRow:
    """A row that holds a camera's fault."""
    return FaultRow(
        id=fault.id,
        camera_id=fault.camera_id,
        kind=fault.kind,
        began_at=fault.began_at,
        noticed_at=fault.noticed_at,
        ended_at=fault.ended_at,
    )


def fault_of(row: FaultRow) -> HealthIncident:
    """The fault a row holds."""
    kind = cast(HealthKind, row.kind)
    return HealthIncident(row.id, row.camera_id, kind, row.began_at, row.noticed_at, row.ended_at)


def event_of_row(row: OutboxRow) -> StoredEvent:
    """The event a row holds."""
    return StoredEvent(
        row.seq, row.id, row.type, row.source, row.subject, row.time, row.data, row.recorded_at
    )
