"""One file per step; alembic finds them by their `revision`."""
