"""Incidents, journal, outbox, evidence, checkpoints and suggestions in a database.

All of one camera's changes, its engine's snapshot and the events to be told among them, are
written in one transaction, so that a process killed at any moment resumes exactly where its
database stands. Any SQLAlchemy URL works; what only SQLite needs is in `database.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, and_, func, or_, select
from sqlalchemy.orm import Session

from ..vision.cameras import Camera
from ..vision.health import HealthIncident
from ..vision.incident import Incident, IncidentState
from ..vision.observation import Observation
from .changes import Change, StoredEvidence
from .database import open_database
from .incident_links import read_links, write_links
from .records import (
    Checkpoint,
    EventPage,
    IncidentQuery,
    IncidentRecord,
    JournalEntry,
)
from .rows import event_of_row, evidence_by_incident, evidence_of, fault_of, incident_of
from .tables import (
    CheckpointRow,
    EvidenceRow,
    FaultRow,
    HealthRow,
    IncidentRow,
    ObservationRow,
    OutboxRow,
    SuggestionRow,
    TransitionRow,
)
from .writing import changed_incidents, write_change


class Store:
    """Blocking; call it from threads. Writers take turns, readers do not wait for them."""

    def __init__(
        self, engine: Engine, now: Callable[[], datetime], cameras: Mapping[str, Camera]
    ) -> None:
        self._cameras = cameras
        self._engine = engine
        self._now = now

    @classmethod
    def open(
        cls,
        url: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        cameras: Mapping[str, Camera] | None = None,
    ) -> Store:
        """Connect, and bring the tables up to this version; raises as `open_database` does.

        `cameras`, by id, tell which of them see one place.
        """
        return cls(open_database(url), now, cameras or {})

    @property
    def engine(self) -> Engine:
        """For those who keep their own tables in the same database."""
        return self._engine

    def close(self) -> None:
        self._engine.dispose()

    def ping(self) -> None:
        """Raises SQLAlchemyError when the database does not answer."""
        with self._engine.connect() as connection:
            connection.execute(select(CheckpointRow.camera_id).limit(1))

    def write(self, changes: Sequence[Change]) -> None:
        """Store all changes in one transaction, or none.

        Raises:
            SQLAlchemyError: the database refused; nothing was stored.
        """
        recorded_at = self._now()
        with Session(self._engine) as session, session.begin():
            for change in changes:
                write_change(session, change, recorded_at)
            write_links(session, changed_incidents(changes), self._cameras, recorded_at)

    def checkpoints(self) -> dict[str, Checkpoint]:
        """The last checkpoint of each camera."""
        with Session(self._engine) as session:
            return {
                row.camera_id: Checkpoint(row.camera_id, row.frame_at, row.frame_seq, row.snapshot)
                for row in session.scalars(select(CheckpointRow))
            }

    def incidents(self, query: IncidentQuery) -> list[IncidentRecord]:
        """At most `query.limit` incidents, newest onset first."""
        statement = select(IncidentRow).where(IncidentRow.state.in_(query.states))
        for column, value in (
            (IncidentRow.kind, query.kind),
            (IncidentRow.camera_id, query.camera_id),
            (IncidentRow.zone_id, query.zone_id),
        ):
            if value is not None:
                statement = statement.where(column == value)
        if query.since is not None:
            statement = statement.where(IncidentRow.onset_at >= query.since)
        if query.until is not None:
            statement = statement.where(IncidentRow.onset_at < query.until)
        if query.after is not None:
            onset_at, incident_id = query.after
            statement = statement.where(
                or_(
                    IncidentRow.onset_at < onset_at,
                    and_(IncidentRow.onset_at == onset_at, IncidentRow.id < incident_id),
                )
            )
        statement = statement.order_by(IncidentRow.onset_at.desc(), IncidentRow.id.desc())
        with Session(self._engine) as session:
            rows = session.scalars(statement.limit(query.limit)).all()
            pictures = evidence_by_incident(session, [row.id for row in rows])
            return [IncidentRecord(incident_of(row), pictures.get(row.id, ())) for row in rows]

    def incident(self, incident_id: str) -> IncidentRecord | None:
        """One incident with its pictures and journal."""
        with Session(self._engine) as session:
            row = session.get(IncidentRow, incident_id)
            if row is None:
                return None
            steps = session.scalars(
                select(TransitionRow)
                .where(TransitionRow.incident_id == incident_id)
                .order_by(TransitionRow.seq)
            )
            journal = tuple(
                JournalEntry(IncidentState(step.state), step.media_at, step.recorded_at)
                for step in steps
            )
            pictures = evidence_by_incident(session, [incident_id])
            return IncidentRecord(
                incident_of(row),
                pictures.get(incident_id, ()),
                journal,
                tuple(self.observations(incident_id)),
                read_links(session, incident_id),
            )

    def active(self) -> list[Incident]:
        """All suspected and open incidents."""
        states = (IncidentState.SUSPECTED, IncidentState.OPEN)
        with Session(self._engine) as session:
            rows = session.scalars(select(IncidentRow).where(IncidentRow.state.in_(states)))
            return [incident_of(row) for row in rows]

    def evidence(self, incident_id: str, moment: str) -> StoredEvidence | None:
        """One picture's entry."""
        with Session(self._engine) as session:
            row = session.get(EvidenceRow, (incident_id, moment))
            return None if row is None else evidence_of(row)

    def open_counts(self) -> dict[str, int]:
        """Open incidents by camera."""
        statement = (
            select(IncidentRow.camera_id, func.count())
            .where(IncidentRow.state == IncidentState.OPEN)
            .group_by(IncidentRow.camera_id)
        )
        with Session(self._engine) as session:
            return {camera_id: count for camera_id, count in session.execute(statement)}

    def counts(self) -> dict[tuple[str, str], int]:
        """Incidents by (kind, state)."""
        statement = select(IncidentRow.kind, IncidentRow.state, func.count()).group_by(
            IncidentRow.kind, IncidentRow.state
        )
        with Session(self._engine) as session:
            return {(kind, state): count for kind, state, count in session.execute(statement)}

    def suggestion(self, transcript_id: str) -> dict[str, Any] | None:
        """The last suggestion made for a call."""
        with Session(self._engine) as session:
            row = session.get(SuggestionRow, transcript_id)
            return None if row is None else row.suggestion

    def events(self, after: int, limit: int) -> EventPage:
        """At most `limit` events of the outbox whose number is above `after`, oldest first."""
        statement = select(OutboxRow).where(OutboxRow.seq > after).order_by(OutboxRow.seq)
        with Session(self._engine) as session:
            first, last = session.execute(
                select(func.min(OutboxRow.seq), func.max(OutboxRow.seq))
            ).one()
            rows = session.scalars(statement.limit(limit))
            return EventPage(tuple(map(event_of_row, rows)), first or 0, last or 0)

    def health(self) -> dict[str, dict[str, Any]]:
        """The last state of each camera's health."""
        with Session(self._engine) as session:
            return {row.camera_id: row.snapshot for row in session.scalars(select(HealthRow))}

    def faults(self) -> list[HealthIncident]:
        """Faults of cameras that are not over."""
        statement = select(FaultRow).where(FaultRow.ended_at.is_(None)).order_by(FaultRow.began_at)
        with Session(self._engine) as session:
            return [fault_of(row) for row in session.scalars(statement)]

    def observations(self, incident_id: str, limit: int = 1_000) -> list[Observation]:
        """What was seen for and against an incident, oldest first."""
        statement = (
            select(ObservationRow)
            .where(ObservationRow.incident_id == incident_id)
            .order_by(ObservationRow.seq)
            .limit(limit)
        )
        with Session(self._engine) as session:
            return [
                Observation(
                    camera_id=row.camera_id,
                    kind=row.kind,
                    zone_id=row.zone_id,
                    incident_id=row.incident_id,
                    at=row.at,
                    strength=row.strength,
                    holds=row.holds,
                    reasons=tuple(row.reasons),
                )
                for row in session.scalars(statement)
            ]
