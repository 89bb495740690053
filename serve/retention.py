"""Clearing what is no longer wanted: pictures of incidents long closed, files that nothing refers
to, and the rows that the service itself forgets.

Runs beside a service or without one. Rows go before their files: a run that is killed in between
leaves files that the next one finds unreferred.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from sqlalchemy import ColumnElement, Engine, delete, func, or_, select, tuple_
from sqlalchemy.orm import Session

from ..vision.incident import IncidentState
from .all_tables import METADATA
from .pruning import all_due, due
from .security.tables import AuditRow
from .settings import Settings
from .store import Store
from .tables import EvidenceRow, IncidentRow, ObservationRow, OutboxRow
from .tables_hotline import CallRow

GRACE: Final = timedelta(hours=1)
"""A file is written before the row that refers to it."""
OVER: Final = (IncidentState.ENDED.value, IncidentState.DISCARDED.value)
ROWS_AT_ONCE: Final = 200

Kind = Literal["pictures", "unreferred", "events", "observations", "calls", "audit"]


@dataclass(frozen=True, slots=True)
class Waste:
    """So many things of one kind may go; `size_bytes` counts files only."""

    kind: Kind
    count: int
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run removes."""

    rows: tuple[tuple[str, str], ...]
    pictures: tuple[Path, ...]
    unreferred: tuple[Path, ...]
    wastes: tuple[Waste, ...]

    @property
    def size_bytes(self) -> int:
        return sum(waste.size_bytes for waste in self.wastes)


def plan(engine: Engine, settings: Settings, now: datetime) -> Plan:
    """Find what may go at `now`; nothing is changed."""
    folder = settings.evidence_folder
    with Session(engine) as session:
        old = _old_pictures(session, now - timedelta(days=settings.keep_pictures_days))
        referred = _referred(session)
        counts = _due_rows(session, settings, now)
    names = {name for row in old for name in (row.path, row.blurred_path) if name}
    pictures = tuple(folder / name for name in sorted(names) if (folder / name).is_file())
    unreferred = tuple(sorted(_unreferred(folder, referred, now)))
    return Plan(
        rows=tuple((row.incident_id, row.moment) for row in old),
        pictures=pictures,
        unreferred=unreferred,
        wastes=(
            Waste("pictures", len(old), _size(pictures)),
            Waste("unreferred", len(unreferred), _size(unreferred)),
            *counts,
        ),
    )


def carry_out(engine: Engine, settings: Settings, wanted: Plan, now: datetime) -> None:
    """Remove what was planned, and the rows that are due.

    Raises:
        SQLAlchemyError: the database refused; its rows and their files stay.
        OSError: a file cannot be removed.
    """
    for start in range(0, len(wanted.rows), ROWS_AT_ONCE):
        keys = wanted.rows[start : start + ROWS_AT_ONCE]
        with Session(engine) as session, session.begin():
            session.execute(
                delete(EvidenceRow)
                .where(tuple_(EvidenceRow.incident_id, EvidenceRow.moment).in_(keys))
                .execution_options(synchronize_session=False)
            )
    for path in (*wanted.pictures, *wanted.unreferred):
        path.unlink(missing_ok=True)
    for parent in {path.parent for path in (*wanted.pictures, *wanted.unreferred)}:
        if parent != settings.evidence_folder:
            with suppress(OSError):  # not empty, or gone
                parent.rmdir()
    Store(engine, lambda: now, {}).write(all_due(settings, now))


def _old_pictures(session: Session, before: datetime) -> Sequence[EvidenceRow]:
    """Rows of incidents that were over before that time."""
    return session.scalars(
        select(EvidenceRow)
        .join(IncidentRow, IncidentRow.id == EvidenceRow.incident_id)
        .where(IncidentRow.state.in_(OVER), IncidentRow.ended_at < before)
        .order_by(EvidenceRow.incident_id, EvidenceRow.moment)
    ).all()


def _referred(session: Session) -> set[str]:
    """Every path that any table of the store names."""
    columns = [
        column
        for table in METADATA.sorted_tables
        for column in table.columns
        if column.name == "path" or column.name.endswith("_path")
    ]
    return {
        name
        for column in columns
        for name in session.scalars(select(column).where(column.is_not(None)))
    }


def _unreferred(folder: Path, referred: set[str], now: datetime) -> Iterator[Path]:
    young_from = (now - GRACE).timestamp()
    for path in folder.rglob("*"):
        if not path.is_file() or path.relative_to(folder).as_posix() in referred:
            continue
        if path.stat().st_mtime < young_from:
            yield path


def _due_rows(session: Session, settings: Settings, now: datetime) -> list[Waste]:
    """Counts of what the service forgets at its next turn, as it runs or not."""
    ages = due(settings, now)
    newest_event = session.scalar(select(func.max(OutboxRow.seq))) or 0
    newest_seen = session.scalar(select(func.max(ObservationRow.seq))) or 0
    calls_before = now - timedelta(days=settings.keep_calls_days)
    audit_before = now - timedelta(seconds=settings.keep_audit_s)
    old_event = or_(
        OutboxRow.recorded_at < ages.events_before,
        OutboxRow.seq <= newest_event - ages.max_events,
    )
    old_seen = or_(
        ObservationRow.recorded_at < ages.observations_before,
        ObservationRow.seq <= newest_seen - ages.max_observations,
    )
    asked: list[tuple[Kind, ColumnElement[bool]]] = [
        ("events", old_event),
        ("observations", old_seen),
        ("calls", CallRow.recorded_at < calls_before),
        ("audit", AuditRow.at < audit_before),
    ]
    return [
        Waste(kind, session.scalar(select(func.count()).where(clause)) or 0)
        for kind, clause in asked
    ]


def _size(paths: Sequence[Path]) -> int:
    return sum(path.stat().st_size for path in paths)
