"""Deliveries to webhooks and brokers, API keys, the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)
SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "delivery_cursors",
        sa.Column("sink", sa.String(64), primary_key=True),
        sa.Column("after", sa.BigInteger, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("sink", sa.String(64), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("event", sa.JSON, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("first_failed_at", MOMENT),
        sa.Column("error", sa.String(512), nullable=False),
    )
    op.create_index("deliveries_by_state", "deliveries", ["sink", "state", "next_at"])
    op.create_index("deliveries_by_subject", "deliveries", ["sink", "state", "subject", "seq"])
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("rate_per_s", sa.Double, nullable=False),
        sa.Column("burst", sa.Integer, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT),
        sa.Column("revoked_at", MOMENT),
        sa.Column("replaces", sa.String(16)),
        sa.Column("last_used_at", MOMENT),
    )
    op.create_table(
        "audit_log",
        sa.Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("at", MOMENT, nullable=False, index=True),
        sa.Column("actor", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("action", sa.String(128), nullable=False),
        sa.Column("target", sa.String(128), nullable=False),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
    )
    _note_version(3)


def downgrade() -> None:
    for table in ("audit_log", "api_keys", "deliveries", "delivery_cursors"):
        op.drop_table(table)
    _note_version(2)


def _note_version(version: int) -> None:
    """Programs from before migrations read only this, and refuse what is above theirs."""
    table = sa.table("store_version", sa.column("version", sa.Integer))
    op.execute(table.update().values(version=version))
