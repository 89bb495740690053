"""Urgency of calls, and their embeddings for similar cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column(
        "calls", sa.Column("urgency", sa.String(8), nullable=False, server_default="normal")
    )
    op.add_column(
        "calls", sa.Column("urgent_reasons", sa.JSON, nullable=False, server_default="[]")
    )
    op.create_index("ix_calls_urgency", "calls", ["urgency"])
    op.create_table(
        "call_embeddings",
        sa.Column(
            "transcript_id",
            sa.String(128),
            sa.ForeignKey("calls.transcript_id"),
            primary_key=True,
        ),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("vector", sa.LargeBinary, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("call_embeddings")
    op.drop_index("ix_calls_urgency", "calls")
    op.drop_column("calls", "urgent_reasons")
    op.drop_column("calls", "urgency")
