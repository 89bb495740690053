"""What alembic runs around the steps: it works on the connection it is handed.

Alembic loads this file by its path, so nothing can be imported relatively here.
"""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    render_as_batch=True,
    # SQLite can take tables back as well, once a transaction was begun by hand.
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
