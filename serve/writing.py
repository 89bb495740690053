"""Writing changes within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..vision.incident import Incident, IncidentState, Transition
from ..vision.observation import Observation
from .changes import (
    CameraChange,
    Change,
    HealthChange,
    IncidentChange,
    PruneChange,
)
from .delivery.ledger import write_delivery
from .delivery.parcel import DeliveryChange
from .hotline_changes import HotlineChange
from .hotline_writing import write_hotline
from .idempotency_store import IdempotencyChange, write_idempotency
from .outbox import Event, event_of, fault_event, step_time, view_event
from .rows import evidence_row, fault_row, row_of
from .security.key_store import SecurityChange, write_security
from .tables import (
    CheckpointRow,
    HealthRow,
    IncidentRow,
    ObservationRow,
    OutboxRow,
    TransitionRow,
)


def write_change(session: Session, change: Change, recorded_at: datetime) -> None:
    """Add one change to the session's transaction."""
    if isinstance(change, CameraChange):
        _write_camera(session, change, recorded_at)
    elif isinstance(change, HealthChange):
        _write_health(session, change, recorded_at)
    elif isinstance(change, IncidentChange):
        _write_transitions(session, change.transitions, recorded_at)
    elif isinstance(change, HotlineChange):
        write_hotline(session, change, recorded_at)
    elif isinstance(change, DeliveryChange):
        write_delivery(session, change, recorded_at)
    elif isinstance(change, SecurityChange):
        write_security(session, change)
    elif isinstance(change, IdempotencyChange):
        write_idempotency(session, change, recorded_at)
    else:
        _prune(session, change)
    session.flush()


def changed_incidents(changes: Sequence[Change]) -> frozenset[str]:
    """Incidents whose state these changes changed."""
    return frozenset(
        step.incident.id
        for change in changes
        if isinstance(change, CameraChange | IncidentChange)
        for step in change.transitions
        if step.changed
    )


def _write_transitions(
    session: Session, transitions: Sequence[Transition], recorded_at: datetime
) -> None:
    """Incidents, then their journal and the outbox, in the order of the steps."""
    rows = {row.id: row for row in _rows_of(session, transitions)}
    models = {row.id: row.model for row in rows.values()}
    states = {row.id: IncidentState(row.state) for row in rows.values()}
    latest: dict[str, Incident] = {}
    steps: list[tuple[Incident, IncidentState | None]] = []
    for step in transitions:
        # An incident stays that of the model it began with, whichever serves when it ends.
        model = models.setdefault(step.incident.id, step.incident.model)
        incident = replace(step.incident, model=model)
        latest[incident.id] = incident
        if step.changed:
            steps.append((incident, states.get(incident.id)))
            states[incident.id] = incident.state
    for incident in latest.values():
        session.merge(row_of(incident))
    session.flush()
    for incident, before in steps:
        session.add(
            TransitionRow(
                incident_id=incident.id,
                state=incident.state.value,
                media_at=step_time(incident),
                recorded_at=recorded_at,
            )
        )
        event = event_of(incident, before)
        if event is not None:
            _announce(session, event, recorded_at)


def _rows_of(session: Session, transitions: Sequence[Transition]) -> Sequence[IncidentRow]:
    ids = {step.incident.id for step in transitions}
    if not ids:
        return []
    return session.scalars(select(IncidentRow).where(IncidentRow.id.in_(ids))).all()


def _announce(session: Session, event: Event, recorded_at: datetime) -> None:
    """Once: a step that is taken again has the id it had."""
    if session.scalar(select(OutboxRow.seq).where(OutboxRow.id == event.id)) is not None:
        return
    session.add(
        OutboxRow(
            id=event.id,
            type=event.type,
            source=event.source,
            subject=event.subject,
            time=event.time,
            data=event.data,
            recorded_at=recorded_at,
        )
    )
    session.flush()


def _write_camera(session: Session, change: CameraChange, recorded_at: datetime) -> None:
    _write_observations(session, change.observations, recorded_at)
    _write_transitions(session, change.transitions, recorded_at)
    if change.health is not None:
        _write_health(session, change.health, recorded_at)
    for picture in change.evidence:
        session.merge(evidence_row(picture))
    session.merge(
        CheckpointRow(
            camera_id=change.camera_id,
            frame_at=change.frame_at,
            frame_seq=change.frame_seq,
            snapshot=change.snapshot,
            recorded_at=recorded_at,
        )
    )


def _write_health(session: Session, change: HealthChange, recorded_at: datetime) -> None:
    for fault in change.faults:
        session.merge(fault_row(fault))
        _announce(session, fault_event(fault), recorded_at)
    if change.learnt is not None:
        _announce(session, view_event(change.learnt), recorded_at)
    if change.snapshot is not None:
        session.merge(
            HealthRow(
                camera_id=change.camera_id,
                snapshot=dict(change.snapshot),
                recorded_at=recorded_at,
            )
        )


def _write_observations(
    session: Session, observations: Sequence[Observation], recorded_at: datetime
) -> None:
    if not observations:
        return
    session.execute(
        insert(ObservationRow),
        [
            {
                "camera_id": seen.camera_id,
                "zone_id": seen.zone_id,
                "kind": seen.kind,
                "incident_id": seen.incident_id,
                "at": seen.at,
                "strength": seen.strength,
                "holds": seen.holds,
                "reasons": list(seen.reasons),
                "recorded_at": recorded_at,
            }
            for seen in observations
        ],
    )


def _prune(session: Session, change: PruneChange) -> None:
    session.execute(delete(OutboxRow).where(OutboxRow.recorded_at < change.events_before))
    _keep_newest(session, OutboxRow, OutboxRow.seq, change.max_events)
    session.execute(
        delete(ObservationRow).where(ObservationRow.recorded_at < change.observations_before)
    )
    _keep_newest(session, ObservationRow, ObservationRow.seq, change.max_observations)


def _keep_newest(
    session: Session,
    table: type[OutboxRow] | type[ObservationRow],
    seq: InstrumentedAttribute[int],
    count: int,
) -> None:
    newest = session.scalar(select(func.max(seq)))
    if newest is not None:
        session.execute(delete(table).where(seq <= newest - count))
