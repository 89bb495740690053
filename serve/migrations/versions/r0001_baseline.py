"""The tables as they were when migrations began."""

from __future__ import annotations

from alembic import op

# Alembic loads this file by its path: a relative import has nothing to start from.
from xiaozheng.serve.migrations.baseline import BASELINE, VERSION

revision = "0001"
down_revision = None


def upgrade() -> None:
    BASELINE.create_all(op.get_bind())
    op.bulk_insert(BASELINE.tables["store_version"], [{"id": 1, "version": VERSION}])


def downgrade() -> None:
    BASELINE.drop_all(op.get_bind())
