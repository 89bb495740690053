"""What was told to whom, in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, delete, func, select, update
from sqlalchemy.orm import Session

from .parcel import DeliveryChange, Parcel
from .tables import CursorRow, DeliveryRow

WAITING, DEAD = "waiting", "dead"
MAX_ERROR_CHARS = 512
MAX_LANE = 32


@dataclass(frozen=True, slots=True)
class SinkState:
    """Where a receiver stands."""

    sink: str
    after: int
    waiting: int
    dead: int


class Ledger:
    """Reads are done here; writes go with the store's other changes through its one writer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def cursor(self, sink: str) -> int | None:
        """The number up to which events are settled; None for a receiver never seen."""
        with Session(self._engine) as session:
            return session.scalar(select(CursorRow.after).where(CursorRow.sink == sink))

    def waiting_among(self, sink: str, subjects: Collection[str]) -> set[str]:
        """Those of the subjects of which something waits."""
        statement = (
            _rows(sink, WAITING, DeliveryRow.subject)
            .where(DeliveryRow.subject.in_(subjects))
            .distinct()
        )
        with Session(self._engine) as session:
            return set(session.scalars(statement))

    def due(self, sink: str, now: datetime, limit: int) -> list[list[Parcel]]:
        """Lanes of one subject each, oldest first in each, whose first parcel is due."""
        heads = self._heads(sink).subquery()
        first = (
            select(DeliveryRow.subject)
            .join(heads, (DeliveryRow.seq == heads.c.seq) & (DeliveryRow.sink == sink))
            .where(DeliveryRow.next_at <= now)
            .order_by(DeliveryRow.next_at, DeliveryRow.seq)
            .limit(limit)
        )
        with Session(self._engine) as session:
            return [
                [
                    _parcel(row)
                    for row in session.scalars(
                        _rows(sink, WAITING, DeliveryRow)
                        .where(DeliveryRow.subject == subject)
                        .order_by(DeliveryRow.seq)
                        .limit(MAX_LANE)
                    )
                ]
                for subject in session.scalars(first).all()
            ]

    def next_due(self, sink: str) -> datetime | None:
        """When the next lane is due; None when nothing waits."""
        heads = self._heads(sink).subquery()
        statement = (
            select(DeliveryRow.next_at)
            .join(heads, (DeliveryRow.seq == heads.c.seq) & (DeliveryRow.sink == sink))
            .order_by(DeliveryRow.next_at)
            .limit(1)
        )
        with Session(self._engine) as session:
            return session.scalar(statement)

    def states(self) -> list[SinkState]:
        """Every receiver ever seen, by name."""
        counts = select(DeliveryRow.sink, DeliveryRow.state, func.count()).group_by(
            DeliveryRow.sink, DeliveryRow.state
        )
        with Session(self._engine) as session:
            found = {(sink, state): count for sink, state, count in session.execute(counts)}
            return [
                SinkState(
                    row.sink,
                    row.after,
                    found.get((row.sink, WAITING), 0),
                    found.get((row.sink, DEAD), 0),
                )
                for row in session.scalars(select(CursorRow).order_by(CursorRow.sink))
            ]

    def dead(self, sink: str | None = None, limit: int = 1_000) -> list[tuple[str, Parcel]]:
        """Dead parcels with their receivers, oldest first."""
        statement = select(DeliveryRow).where(DeliveryRow.state == DEAD)
        if sink is not None:
            statement = statement.where(DeliveryRow.sink == sink)
        with Session(self._engine) as session:
            rows = session.scalars(
                statement.order_by(DeliveryRow.sink, DeliveryRow.seq).limit(limit)
            )
            return [(row.sink, _parcel(row)) for row in rows]

    def replay(self, sink: str, seqs: Sequence[int] | None, now: datetime) -> int:
        """Make dead parcels wait again, as if never tried; None means all. Returns how many.

        A running service finds them at its next look.
        """
        statement = update(DeliveryRow).where(DeliveryRow.sink == sink, DeliveryRow.state == DEAD)
        if seqs is not None:
            statement = statement.where(DeliveryRow.seq.in_(seqs))
        fresh = {"state": WAITING, "tries": 0, "first_failed_at": None, "next_at": now}
        with Session(self._engine) as session, session.begin():
            done: Any = session.execute(statement.values(**fresh))
            return int(done.rowcount)

    def _heads(self, sink: str) -> Select[tuple[int]]:
        """The oldest waiting parcel of each subject."""
        return _rows(sink, WAITING, func.min(DeliveryRow.seq).label("seq")).group_by(
            DeliveryRow.subject
        )


def write_delivery(session: Session, change: DeliveryChange, now: datetime) -> None:
    """Add a receiver's turn to the session's transaction."""
    if change.after is not None:
        session.merge(CursorRow(sink=change.sink, after=change.after, changed_at=now))
    if change.done:
        session.execute(
            delete(DeliveryRow).where(
                DeliveryRow.sink == change.sink, DeliveryRow.seq.in_(change.done)
            )
        )
    for state, parcels in ((WAITING, change.waiting), (DEAD, change.dead)):
        for parcel in parcels:
            session.merge(
                DeliveryRow(
                    sink=change.sink,
                    seq=parcel.seq,
                    state=state,
                    subject=parcel.subject,
                    event=parcel.event,
                    tries=parcel.tries,
                    next_at=parcel.next_at or now,
                    first_failed_at=parcel.first_failed_at,
                    error=parcel.error[:MAX_ERROR_CHARS],
                )
            )
    session.flush()
    if change.hasten:
        session.execute(
            update(DeliveryRow)
            .where(DeliveryRow.sink == change.sink, DeliveryRow.state == WAITING)
            .values(next_at=now)
        )


def _rows(sink: str, state: str, *columns: Any) -> Select[Any]:
    return select(*columns).where(DeliveryRow.sink == sink, DeliveryRow.state == state)


def _parcel(row: DeliveryRow) -> Parcel:
    return Parcel(
        row.seq, row.subject, row.event, row.tries, row.first_failed_at, row.next_at, row.error
    )
