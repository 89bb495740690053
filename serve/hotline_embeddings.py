"""Embeddings of stored calls: half precision, one a call, each with the model that made it.
Blocking; call it from threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine, and_, select
from sqlalchemy.orm import Session

from ..nlp.transcript import Transcript
from .hotline_intake import shown
from .tables_hotline import CallRow, DecisionRow, EmbeddingRow

CHUNK = 500

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PastCall:
    """A stored call as similar cases show it. `department` is where it is now, and `confirmed`
    whether a person said so; `usable` is false where nobody knows where it belongs: it was
    returned, or the router itself asked for a human and none has spoken yet."""

    id: str
    recorded_at: datetime
    department: str
    confirmed: bool
    usable: bool
    line: str
    vector: Floats


def packed(vector: Floats) -> bytes:
    """An embedding (D,) as little-endian float16."""
    return vector.astype("<f2").tobytes()


def unpacked(data: bytes) -> Floats:
    """What `packed` made."""
    return np.frombuffer(data, "<f2").astype(np.float32)


class EmbeddingStore:
    """Reads the embeddings of one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest(self, model: str, most: int) -> Iterator[PastCall]:
        """The newest calls that `model` has read, the oldest of them first."""
        newest = (
            select(CallRow.transcript_id)
            .join(EmbeddingRow)
            .where(EmbeddingRow.model == model)
            .order_by(CallRow.recorded_at.desc(), CallRow.transcript_id)
            .limit(most)
        )
        with Session(self._engine) as session:
            ids = list(session.scalars(newest))[::-1]
        for start in range(0, len(ids), CHUNK):
            yield from self.of(model, ids[start : start + CHUNK])

    def of(self, model: str, ids: Sequence[str]) -> list[PastCall]:
        """These calls, as far as they are stored and `model` has read them; in this order."""
        statement = (
            select(CallRow, EmbeddingRow.vector)
            .join(EmbeddingRow)
            .where(CallRow.transcript_id.in_(ids), EmbeddingRow.model == model)
        )
        with Session(self._engine) as session:
            steps = session.scalars(
                select(DecisionRow)
                .where(DecisionRow.transcript_id.in_(ids))
                .order_by(DecisionRow.seq)
            )
            last = {step.transcript_id: step for step in steps}
            found = {
                row.transcript_id: _past_call(row, vector, last.get(row.transcript_id))
                for row, vector in session.execute(statement)
            }
        return [found[id] for id in ids if id in found]

    def vector(self, model: str, transcript_id: str) -> Floats | None:
        """One call's embedding; None where `model` has not read it."""
        with Session(self._engine) as session:
            row = session.get(EmbeddingRow, transcript_id)
            return unpacked(row.vector) if row is not None and row.model == model else None

    def unread(self, model: str, most: int, limit: int) -> list[Transcript]:
        """Of the newest `most` calls up to `limit` that `model` has not read, newest first, masked
        as they are kept."""
        newest = (
            select(CallRow.transcript_id)
            .order_by(CallRow.recorded_at.desc(), CallRow.transcript_id)
            .limit(most)
        ).subquery()
        read = and_(
            EmbeddingRow.transcript_id == CallRow.transcript_id, EmbeddingRow.model == model
        )
        statement = (
            select(CallRow.transcript_id, CallRow.title, CallRow.text)
            .join(newest, newest.c.transcript_id == CallRow.transcript_id)
            .outerjoin(EmbeddingRow, read)
            .where(EmbeddingRow.transcript_id.is_(None))
            .order_by(CallRow.recorded_at.desc(), CallRow.transcript_id)
            .limit(limit)
        )
        with Session(self._engine) as session:
            return [
                Transcript(id, text, title) for id, title, text in session.execute(statement).all()
            ]


def _past_call(row: CallRow, vector: bytes, last: DecisionRow | None) -> PastCall:
    returned = last is not None and (
        last.action == "return" and last.department_to == last.department_from
    )
    confirmed = last is not None and not returned
    return PastCall(
        id=row.transcript_id,
        recorded_at=row.recorded_at,
        department=row.assigned,
        confirmed=confirmed,
        usable=confirmed or (not returned and row.decision != "human"),
        line=shown(row.title, row.text),
        vector=unpacked(vector),
    )
