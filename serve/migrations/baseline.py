"""The tables as they were when migrations began (version 2 of the store). Never edited again."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
)

VERSION = 2
BASELINE = MetaData()
MOMENT = DateTime(timezone=True)
SEQUENCE = BigInteger().with_variant(Integer, "sqlite")

Table(
    "camera_faults",
    BASELINE,
    Column("id", String(64), primary_key=True),
    Column("camera_id", String(64), nullable=False, index=True),
    Column("kind", String(64), nullable=False),
    Column("began_at", MOMENT, nullable=False),
    Column("noticed_at", MOMENT, nullable=False),
    Column("ended_at", MOMENT, index=True),
)

Table(
    "camera_health",
    BASELINE,
    Column("camera_id", String(64), primary_key=True),
    Column("snapshot", JSON, nullable=False),
    Column("recorded_at", MOMENT, nullable=False),
)

Table(
    "checkpoints",
    BASELINE,
    Column("camera_id", String(64), primary_key=True),
    Column("frame_at", MOMENT, nullable=False),
    Column("frame_seq", BigInteger, nullable=False),
    Column("snapshot", JSON, nullable=False),
    Column("recorded_at", MOMENT, nullable=False),
)

Table(
    "incidents",
    BASELINE,
    Column("id", String(64), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("camera_id", String(64), nullable=False),
    Column("zone_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("onset_at", MOMENT, nullable=False),
    Column("opened_at", MOMENT),
    Column("last_seen_at", MOMENT, nullable=False),
    Column("ended_at", MOMENT),
    Column("box", JSON, nullable=False),
    Column("label", String(64), nullable=False),
    Column("score", Double, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("model", String(128), nullable=False),
    Column("rule", String(128), nullable=False),
    Index("incidents_by_onset", "onset_at", "id"),
    Index("incidents_by_camera", "camera_id", "state"),
)

Table(
    "observations",
    BASELINE,
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
    Column("camera_id", String(64), nullable=False),
    Column("zone_id", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("incident_id", String(64), nullable=False, index=True),
    Column("at", MOMENT, nullable=False),
    Column("strength", Double, nullable=False),
    Column("holds", Boolean, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("recorded_at", MOMENT, nullable=False, index=True),
)

Table(
    "outbox",
    BASELINE,
    Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", String(128), nullable=False, unique=True),
    Column("type", String(128), nullable=False),
    Column("source", String(128), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("time", MOMENT, nullable=False),
    Column("data", JSON, nullable=False),
    Column("recorded_at", MOMENT, nullable=False, index=True),
    sqlite_autoincrement=True,
)

Table(
    "store_version",
    BASELINE,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)

Table(
    "suggestions",
    BASELINE,
    Column("transcript_id", String(128), primary_key=True),
    Column("channel", String(128), nullable=False),
    Column("received_at", MOMENT),
    Column("recorded_at", MOMENT, nullable=False),
    Column("decision", String(16), nullable=False, index=True),
    Column("department", String(64), nullable=False, index=True),
    Column("model", String(128), nullable=False),
    Column("suggestion", JSON, nullable=False),
)

Table(
    "evidence",
    BASELINE,
    Column("incident_id", String(64), ForeignKey("incidents.id"), primary_key=True),
    Column("moment", String(8), primary_key=True),
    Column("media_at", MOMENT, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("path", String(256), nullable=False),
    Column("blurred_sha256", String(64)),
    Column("blurred_size_bytes", Integer),
    Column("blurred_path", String(256)),
)

Table(
    "incident_links",
    BASELINE,
    Column("incident_id", String(64), ForeignKey("incidents.id"), primary_key=True),
    Column("other_id", String(64), ForeignKey("incidents.id"), primary_key=True),
    Column("reasons", JSON, nullable=False),
    Column("recorded_at", MOMENT, nullable=False),
)

Table(
    "transitions",
    BASELINE,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("incident_id", String(64), ForeignKey("incidents.id"), nullable=False, index=True),
    Column("state", String(16), nullable=False),
    Column("media_at", MOMENT, nullable=False),
    Column("recorded_at", MOMENT, nullable=False),
)
