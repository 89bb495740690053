"""Tables of what was told to whom."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from ..tables import Base


class CursorRow(Base):
    """How far a receiver is: every event up to `after` was told, or stands in `deliveries`."""

    __tablename__ = "delivery_cursors"

    sink: Mapped[str] = mapped_column(String(64), primary_key=True)
    after: Mapped[int] = mapped_column(BigInteger)
    changed_at: Mapped[datetime]


class DeliveryRow(Base):
    """An event that a receiver has not taken: `waiting` for another try, or `dead`.

    It holds the event itself, which the outbox may have forgotten by then.
    """

    __tablename__ = "deliveries"

    sink: Mapped[str] = mapped_column(String(64), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(8))
    subject: Mapped[str] = mapped_column(String(128))
    event: Mapped[dict[str, Any]]
    tries: Mapped[int]
    next_at: Mapped[datetime]
    first_failed_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(512))

    __table_args__ = (
        Index("deliveries_by_state", "sink", "state", "next_at"),
        Index("deliveries_by_subject", "sink", "state", "subject", "seq"),
    )
