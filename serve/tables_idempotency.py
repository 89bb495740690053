"""The table of answers that are given again to requests with the same Idempotency-Key."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from .tables import Base, Sequence


class AnswerRow(Base):
    """One answer. `body` is compressed (zlib); `size_bytes` is what it counts for a client."""

    __tablename__ = "idempotent_answers"

    seq: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    client: Mapped[str] = mapped_column(String(80))
    key: Mapped[str] = mapped_column(String(128))
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    headers: Mapped[dict[str, Any]]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    size_bytes: Mapped[int]
    recorded_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (UniqueConstraint("client", "key", name="idempotent_answers_by_key"),)
