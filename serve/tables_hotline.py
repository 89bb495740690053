"""Tables of the hotline: calls, what staff did with them, and which may be one matter."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from .tables import Base, Sequence


class CallRow(Base):
    """One routed call. Title and text are masked. `department` is where it first went (a rule's
    word counts before the model's), `assigned` where it is now."""

    __tablename__ = "calls"

    transcript_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    recorded_at: Mapped[datetime] = mapped_column(index=True)
    channel: Mapped[str] = mapped_column(String(128))
    title: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    place: Mapped[dict[str, Any]]
    category: Mapped[str] = mapped_column(String(64))
    department: Mapped[str] = mapped_column(String(64))
    assigned: Mapped[str] = mapped_column(String(64), index=True)
    model_department: Mapped[str] = mapped_column(String(64))
    confidence: Mapped[float]
    decision: Mapped[str] = mapped_column(String(16))
    model: Mapped[str] = mapped_column(String(128))
    rule: Mapped[str | None] = mapped_column(String(64), index=True)
    override: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(8), index=True)
    matter_id: Mapped[str | None] = mapped_column(String(128), index=True)
    urgency: Mapped[str] = mapped_column(String(8), index=True)
    urgent_reasons: Mapped[list[Any]]


class EmbeddingRow(Base):
    """What a call means to one model: float16, little-endian. Another model's takes its place."""

    __tablename__ = "call_embeddings"

    transcript_id: Mapped[str] = mapped_column(ForeignKey("calls.transcript_id"), primary_key=True)
    model: Mapped[str] = mapped_column(String(128))
    vector: Mapped[bytes] = mapped_column(LargeBinary)


class OriginalRow(Base):
    """The unmasked words of a call, sealed; only where the settings ask for it."""

    __tablename__ = "call_originals"

    transcript_id: Mapped[str] = mapped_column(ForeignKey("calls.transcript_id"), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    recorded_at: Mapped[datetime]


class OriginalReadRow(Base):
    """Who asked for an original, when, why, and whether it was given. Only ever added to."""

    __tablename__ = "original_reads"

    seq: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    transcript_id: Mapped[str] = mapped_column(String(128), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(128))
    reason: Mapped[str] = mapped_column(String(512))
    outcome: Mapped[str] = mapped_column(String(32))


class DecisionRow(Base):
    """What staff did with a suggestion. Only ever added to."""

    __tablename__ = "call_decisions"

    seq: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    transcript_id: Mapped[str] = mapped_column(String(128), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    by: Mapped[str] = mapped_column(String(128))
    role: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(16))
    department_from: Mapped[str] = mapped_column(String(64))
    department_to: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(512))
    model: Mapped[str] = mapped_column(String(128))
    model_department: Mapped[str] = mapped_column(String(64))
    confidence: Mapped[float]


class ProposalRow(Base):
    """Two calls that may be one matter; `call_id` came later. What staff said stays."""

    __tablename__ = "matter_proposals"

    id: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    call_id: Mapped[str] = mapped_column(String(128))
    other_id: Mapped[str] = mapped_column(String(128), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    score: Mapped[float]
    reasons: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(String(16), index=True)
    proposed_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(128))
    decision_reason: Mapped[str | None] = mapped_column(String(512))

    __table_args__ = (Index("matter_proposals_by_pair", "call_id", "other_id", unique=True),)
