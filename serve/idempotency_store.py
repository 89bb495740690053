"""Answers kept for repeats: their place in the store, and how long they stay."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session

from .tables_idempotency import AnswerRow

KEEP = timedelta(hours=24)
# Of one client, compressed; what is over that goes before its 24 hours are up, oldest first.
MAX_CLIENT_BYTES = 256 * 1024 * 1024
ROW_BYTES = 512


@dataclass(frozen=True, slots=True)
class AnswerChange:
    """An answer to be kept; `fingerprint` is that of the whole request it answers."""

    client: str
    key: str
    fingerprint: str
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class PruneAnswers:
    """Forget answers recorded before this time, and each client's oldest over `max_bytes`."""

    before: datetime
    max_bytes: int = MAX_CLIENT_BYTES


IdempotencyChange = AnswerChange | PruneAnswers


def write_idempotency(session: Session, change: IdempotencyChange, recorded_at: datetime) -> None:
    """Add it to the session's transaction."""
    if isinstance(change, PruneAnswers):
        _prune(session, change)
        return
    packed = zlib.compress(change.body)
    session.execute(
        delete(AnswerRow).where(AnswerRow.client == change.client, AnswerRow.key == change.key)
    )
    session.add(
        AnswerRow(
            client=change.client,
            key=change.key,
            fingerprint=change.fingerprint,
            status=change.status,
            headers=change.headers,
            body=packed,
            size_bytes=len(packed) + ROW_BYTES,
            recorded_at=recorded_at,
        )
    )


def find_answer(engine: Engine, client: str, key: str, now: datetime) -> AnswerChange | None:
    """The answer kept under a client's key, unless its 24 hours are over. Blocking."""
    statement = select(AnswerRow).where(
        AnswerRow.client == client, AnswerRow.key == key, AnswerRow.recorded_at > now - KEEP
    )
    with Session(engine) as session:
        row = session.scalar(statement)
        if row is None:
            return None
        body = zlib.decompress(row.body)
        return AnswerChange(client, key, row.fingerprint, row.status, row.headers, body)


def _prune(session: Session, change: PruneAnswers) -> None:
    session.execute(delete(AnswerRow).where(AnswerRow.recorded_at < change.before))
    held = (
        func.sum(AnswerRow.size_bytes)
        .over(partition_by=AnswerRow.client, order_by=AnswerRow.seq.desc())
        .label("held")
    )
    counted = select(AnswerRow.seq, held).subquery()
    over = select(counted.c.seq).where(counted.c.held > change.max_bytes)
    session.execute(delete(AnswerRow).where(AnswerRow.seq.in_(over)))
