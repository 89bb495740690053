"""Tables of the store. Nothing here is particular to one database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, ForeignKey, Index, Integer, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC; SQLite has no time zones, so they are put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetimes are not stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        aware: datetime = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[Any]: JSON,
    }


# SQLite counts only plain INTEGER keys up.
Sequence = BigInteger().with_variant(Integer, "sqlite")


class VersionRow(Base):
    """One row: which version of these tables the database has."""

    __tablename__ = "store_version"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int]


class IncidentRow(Base):
    """The latest state of each incident; times are media times."""

    __tablename__ = "incidents"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    camera_id: Mapped[str] = mapped_column(String(64))
    zone_id: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    onset_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    box: Mapped[list[Any]]
    label: Mapped[str] = mapped_column(String(64))
    score: Mapped[float]
    reasons: Mapped[list[Any]]
    model: Mapped[str] = mapped_column(String(128))
    rule: Mapped[str] = mapped_column(String(128))

    __table_args__ = (
        Index("incidents_by_onset", "onset_at", "id"),
        Index("incidents_by_camera", "camera_id", "state"),
    )


class TransitionRow(Base):
    """The journal: every step of every incident, in the order it was stored."""

    __tablename__ = "transitions"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    media_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class EvidenceRow(Base):
    """One picture of an incident; paths are relative to the evidence folder. `blurred_*` is the
    copy that may leave the store."""

    __tablename__ = "evidence"

    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    moment: Mapped[str] = mapped_column(String(8), primary_key=True)
    media_at: Mapped[datetime]
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int]
    path: Mapped[str] = mapped_column(String(256))
    blurred_sha256: Mapped[str | None] = mapped_column(String(64))
    blurred_size_bytes: Mapped[int | None]
    blurred_path: Mapped[str | None] = mapped_column(String(256))


class LinkRow(Base):
    """Two incidents that are one real event; each pair stands in both directions."""

    __tablename__ = "incident_links"

    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    other_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), primary_key=True)
    reasons: Mapped[list[Any]]
    recorded_at: Mapped[datetime]


class OutboxRow(Base):
    """Events to be told, in the order they were stored. A number is never given twice, not even
    when the newest rows have been forgotten."""

    __tablename__ = "outbox"

    seq: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    id: Mapped[str] = mapped_column(String(128), unique=True)
    type: Mapped[str] = mapped_column(String(128))
    source: Mapped[str] = mapped_column(String(128))
    subject: Mapped[str] = mapped_column(String(128))
    time: Mapped[datetime]
    data: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = ({"sqlite_autoincrement": True},)


class ObservationRow(Base):
    """What a rule said of one frame."""

    __tablename__ = "observations"

    seq: Mapped[int] = mapped_column(Sequence, primary_key=True, autoincrement=True)
    camera_id: Mapped[str] = mapped_column(String(64))
    zone_id: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(64))
    incident_id: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime]
    strength: Mapped[float]
    holds: Mapped[bool]
    reasons: Mapped[list[Any]]
    recorded_at: Mapped[datetime] = mapped_column(index=True)


class FaultRow(Base):
    """Each fault of each camera; `ended_at` is null while it lasts."""

    __tablename__ = "camera_faults"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    camera_id: Mapped[str] = mapped_column(String(64), index=True)
    kind: Mapped[str] = mapped_column(String(64))
    began_at: Mapped[datetime]
    noticed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(index=True)


class HealthRow(Base):
    """The state from which a camera's health is judged on."""

    __tablename__ = "camera_health"

    camera_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    snapshot: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]


class CheckpointRow(Base):
    """The state of a camera's engine after the last frame that counted."""

    __tablename__ = "checkpoints"

    camera_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    frame_at: Mapped[datetime]
    frame_seq: Mapped[int] = mapped_column(BigInteger)
    snapshot: Mapped[dict[str, Any]]
    recorded_at: Mapped[datetime]


class SuggestionRow(Base):
    """What was suggested for a call. Only masked text is ever stored."""

    __tablename__ = "suggestions"

    transcript_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    channel: Mapped[str] = mapped_column(String(128))
    received_at: Mapped[datetime | None]
    recorded_at: Mapped[datetime]
    decision: Mapped[str] = mapped_column(String(16), index=True)
    department: Mapped[str] = mapped_column(String(64), index=True)
    model: Mapped[str] = mapped_column(String(128))
    suggestion: Mapped[dict[str, Any]]
