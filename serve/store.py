"""Incidents, journal, evidence, checkpoints and suggestions in a database.

All of one camera's changes, its engine's snapshot among them, are written in one transaction, so
that a process killed at any moment resumes exactly where its database stands. Any SQLAlchemy URL
works; what only SQLite needs is in `_tune_sqlite`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Engine, and_, create_engine, event, func, or_, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session

from ..config.errors import InputError
from ..vision.incident import Incident, IncidentState, Transition
from .errors import UnavailableError
from .tables import Base, CheckpointRow, EvidenceRow, IncidentRow, SuggestionRow, TransitionRow

REPORTED = (IncidentState.OPEN, IncidentState.ENDED)


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """A picture on disk; `path` is relative to the evidence folder."""

    incident_id: str
    moment: str
    ts: datetime
    sha256: str
    size_bytes: int
    path: str


@dataclass(frozen=True, slots=True)
class CameraChange:
    """What frames of one camera changed, with the engine's state after the last of them."""

    camera_id: str
    frame_at: datetime
    frame_seq: int
    snapshot: dict[str, Any]
    transitions: tuple[Transition, ...]
    evidence: tuple[StoredEvidence, ...]


@dataclass(frozen=True, slots=True)
class SuggestionChange:
    """What was suggested for one call; `suggestion` holds masked text only."""

    transcript_id: str
    channel: str
    received_at: datetime | None
    decision: str
    department: str
    model: str
    suggestion: dict[str, Any]


@dataclass(frozen=True, slots=True)
class IncidentChange:
    """Steps of incidents that no frame led to, such as the removal of their zone."""

    transitions: tuple[Transition, ...]


Change = CameraChange | IncidentChange | SuggestionChange


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
class IncidentRecord:
    """An incident with its pictures; `journal` is filled when one incident is asked for."""

    incident: Incident
    evidence: tuple[StoredEvidence, ...]
    journal: tuple[JournalEntry, ...] = ()


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


class Store:
    """Blocking; call it from threads. Writers take turns, readers do not wait for them."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    @classmethod
    def open(cls, url: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Store:
        """Connect and create missing tables.

        Raises:
            InputError: not a database URL, or its driver is not installed.
            UnavailableError: the database cannot be opened.
        """
        try:
            parsed = make_url(url)
            engine = create_engine(parsed, pool_pre_ping=True)
        except (ArgumentError, ModuleNotFoundError) as error:
            raise InputError(
                f"database URL cannot be used: {error}",
                message_zh=f"数据库地址无效：{error}",
                code="bad_settings",
            ) from None
        try:
            if engine.dialect.name == "sqlite":
                _tune_sqlite(engine, parsed.database)
            Base.metadata.create_all(engine)
        except (OSError, SQLAlchemyError) as error:
            raise UnavailableError(
                f"database {parsed.render_as_string(hide_password=True)}: {error}",
                message_zh="数据库无法打开",
            ) from error
        return cls(engine, now)

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
                if isinstance(change, CameraChange):
                    _write_camera(session, change, recorded_at)
                elif isinstance(change, IncidentChange):
                    _write_transitions(session, change.transitions, recorded_at)
                else:
                    _write_suggestion(session, change, recorded_at)

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
            pictures = _evidence_of(session, [row.id for row in rows])
            return [IncidentRecord(_incident(row), pictures.get(row.id, ())) for row in rows]

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
            pictures = _evidence_of(session, [incident_id])
            return IncidentRecord(_incident(row), pictures.get(incident_id, ()), journal)

    def active(self) -> list[Incident]:
        """All suspected and open incidents."""
        states = (IncidentState.SUSPECTED, IncidentState.OPEN)
        with Session(self._engine) as session:
            rows = session.scalars(select(IncidentRow).where(IncidentRow.state.in_(states)))
            return [_incident(row) for row in rows]

    def evidence(self, incident_id: str, moment: str) -> StoredEvidence | None:
        """One picture's entry."""
        with Session(self._engine) as session:
            row = session.get(EvidenceRow, (incident_id, moment))
            return None if row is None else _evidence(row)

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


def _tune_sqlite(engine: Engine, path: str | None) -> None:
    """WAL lets readers go on while a writer commits. FULL makes a commit survive a power cut: a
    gateway does not send again what was acknowledged, and commits are few since concurrent
    requests share one."""
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def _write_transitions(
    session: Session, transitions: Sequence[Transition], recorded_at: datetime
) -> None:
    latest = {step.incident.id: step.incident for step in transitions}
    for incident in latest.values():
        session.merge(_row(incident))
    session.flush()
    for step in transitions:
        if step.changed:
            incident = step.incident
            session.add(
                TransitionRow(
                    incident_id=incident.id,
                    state=incident.state.value,
                    media_at=_step_time(incident),
                    recorded_at=recorded_at,
                )
            )
    session.flush()


def _write_camera(session: Session, change: CameraChange, recorded_at: datetime) -> None:
    _write_transitions(session, change.transitions, recorded_at)
    for picture in change.evidence:
        session.merge(
            EvidenceRow(
                incident_id=picture.incident_id,
                moment=picture.moment,
                media_at=picture.ts,
                sha256=picture.sha256,
                size_bytes=picture.size_bytes,
                path=picture.path,
            )
        )
    session.merge(
        CheckpointRow(
            camera_id=change.camera_id,
            frame_at=change.frame_at,
            frame_seq=change.frame_seq,
            snapshot=change.snapshot,
            recorded_at=recorded_at,
        )
    )
    session.flush()


def _write_suggestion(session: Session, change: SuggestionChange, recorded_at: datetime) -> None:
    session.merge(
        SuggestionRow(
            transcript_id=change.transcript_id,
            channel=change.channel,
            received_at=change.received_at,
            recorded_at=recorded_at,
            decision=change.decision,
            department=change.department,
            model=change.model,
            suggestion=change.suggestion,
        )
    )
    session.flush()


def _step_time(incident: Incident) -> datetime:
    """The media time of the step that led to the incident's present state."""
    times = {
        IncidentState.SUSPECTED: incident.onset_at,
        IncidentState.OPEN: incident.opened_at,
        IncidentState.ENDED: incident.ended_at,
        IncidentState.DISCARDED: incident.ended_at,
    }
    return times[incident.state] or incident.last_seen_at


def _row(incident: Incident) -> IncidentRow:
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


def _incident(row: IncidentRow) -> Incident:
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


def _evidence_of(session: Session, ids: list[str]) -> dict[str, tuple[StoredEvidence, ...]]:
    found: dict[str, list[StoredEvidence]] = {}
    for row in session.scalars(
        select(EvidenceRow).where(EvidenceRow.incident_id.in_(ids)).order_by(EvidenceRow.media_at)
    ):
        found.setdefault(row.incident_id, []).append(_evidence(row))
    return {incident_id: tuple(pictures) for incident_id, pictures in found.items()}


def _evidence(row: EvidenceRow) -> StoredEvidence:
    return StoredEvidence(
        row.incident_id, row.moment, row.media_at, row.sha256, row.size_bytes, row.path
    )
