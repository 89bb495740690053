"""Calls, sealed originals and who read them, staff's decisions, proposals of the same matter."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

MOMENT = sa.DateTime(timezone=True)
SEQUENCE = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("transcript_id", sa.String(128), primary_key=True),
        sa.Column("at", MOMENT, nullable=False, index=True),
        sa.Column("recorded_at", MOMENT, nullable=False, index=True),
        sa.Column("channel", sa.String(128), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("place", sa.JSON, nullable=False),
        sa.Column("category", sa.String(64), nullable=False),
        sa.Column("department", sa.String(64), nullable=False),
        sa.Column("assigned", sa.String(64), nullable=False, index=True),
        sa.Column("model_department", sa.String(64), nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("rule", sa.String(64), index=True),
        sa.Column("override", sa.JSON, nullable=False),
        sa.Column("state", sa.String(8), nullable=False, index=True),
        sa.Column("matter_id", sa.String(128), index=True),
    )
    op.create_table(
        "call_originals",
        sa.Column(
            "transcript_id",
            sa.String(128),
            sa.ForeignKey("calls.transcript_id"),
            primary_key=True,
        ),
        sa.Column("key_id", sa.String(16), nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
    )
    op.create_table(
        "original_reads",
        sa.Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("transcript_id", sa.String(128), nullable=False, index=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("reason", sa.String(512), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
    )
    _decisions_and_proposals()


def _decisions_and_proposals() -> None:
    op.create_table(
        "call_decisions",
        sa.Column("seq", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("transcript_id", sa.String(128), nullable=False, index=True),
        sa.Column("at", MOMENT, nullable=False, index=True),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("role", sa.String(64), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("department_from", sa.String(64), nullable=False),
        sa.Column("department_to", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(512), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("model_department", sa.String(64), nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
    )
    op.create_table(
        "matter_proposals",
        sa.Column("id", SEQUENCE, primary_key=True, autoincrement=True),
        sa.Column("call_id", sa.String(128), nullable=False),
        sa.Column("other_id", sa.String(128), nullable=False, index=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("score", sa.Double, nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT),
        sa.Column("decided_by", sa.String(128)),
        sa.Column("decision_reason", sa.String(512)),
    )
    op.create_index(
        "matter_proposals_by_pair", "matter_proposals", ["call_id", "other_id"], unique=True
    )


def downgrade() -> None:
    for table in ("matter_proposals", "call_decisions", "original_reads", "call_originals"):
        op.drop_table(table)
    op.drop_table("calls")
