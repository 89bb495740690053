"""Bringing a database to a revision, both ways, and taking in those from before revisions."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Column, Connection, Engine, inspect, select, text
from sqlalchemy.schema import CreateColumn

from ...config.errors import InputError
from ..all_tables import METADATA
from .baseline import BASELINE, VERSION

FOLDER = Path(__file__).parent
BASE = "0001"
# Any number, as long as no other program of this database takes the same.
ADVISORY_LOCK = 0x7869616F7A68656E

# Alembic keeps the connection at hand in a module of its own.
_one_at_a_time = threading.Lock()


def head() -> str:
    """The revision this program works with."""
    found = _scripts().get_current_head()
    assert found is not None
    return found


def current(connection: Connection) -> str | None:
    """The database's revision; None for an empty one and for one from before revisions."""
    return MigrationContext.configure(connection).get_current_revision()


def is_empty(connection: Connection) -> bool:
    """Whether the database has none of our tables."""
    return not {"incidents", "alembic_version"} & set(inspect(connection).get_table_names())


def prepare(engine: Engine, shown: str) -> None:
    """Have the database at this program's revision before anything is read from it.

    SQLite is brought up here, after a copy was laid beside it; a server's database only when it is
    empty, since others may be using it.

    Raises:
        InputError: the database belongs to a later version or to something else, or it is a
            server's that `xiaozheng db upgrade` must bring up first.
    """
    with engine.connect() as connection:
        found, empty = current(connection), is_empty(connection)
        check_known(found, shown)
    if found == head():
        return
    if engine.dialect.name != "sqlite" and not empty:
        raise InputError(
            f"database {shown} is of revision {found or 'none'}, this program needs {head()}: make "
            "a backup, then run `xiaozheng db upgrade`",
            message_zh=f"数据库版本为 {found or '未标记'}，本程序需要 {head()}："
            "请先备份，再运行 xiaozheng db upgrade",
            code="database_outdated",
        )
    upgrade(engine, shown)


def check_known(revision: str | None, shown: str) -> None:
    """Raises InputError when the revision is none of this program's."""
    if revision is None or revision in {step.revision for step in _scripts().walk_revisions()}:
        return
    raise InputError(
        f"database {shown} has revision {revision}, this program knows up to {head()}; "
        "run the later version that wrote it",
        message_zh=f"数据库版本 {revision} 高于本程序支持的 {head()}，请使用更新的程序",
        code="database_too_new",
    )


def upgrade(engine: Engine, shown: str, to: str = "head") -> Path | None:
    """Bring the database up to a revision, in one transaction.

    Returns:
        The copy that was made of a SQLite file before, if it held anything.

    Raises:
        InputError: there is no such revision, or the database is not one of ours.
    """
    with engine.connect() as connection:
        check_known(current(connection), shown)
        copy = _copy_beside(engine, connection) if not is_empty(connection) else None
    with _changing(engine) as connection:
        # Looked at again: another process may have been first.
        if current(connection) is None and not is_empty(connection):
            _take_in(connection, shown)
        _run(command.upgrade, connection, to)
    return copy


def downgrade(engine: Engine, shown: str, to: str) -> Path | None:
    """Take the database back to a revision, in one transaction; what only later ones can hold is
    lost. Returns and raises as `upgrade`."""
    with engine.connect() as connection:
        check_known(current(connection), shown)
        copy = _copy_beside(engine, connection)
    with _changing(engine) as connection:
        _run(command.downgrade, connection, to)
    return copy


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that no other process changes tables beside."""
    with _one_at_a_time, engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            # The driver would not begin one before changing tables.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
        yield connection
        connection.commit()


def _run(step: Any, connection: Connection, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes.update(connection=connection, metadata=METADATA)
    try:
        step(config, to)
    except CommandError as error:
        raise InputError(str(error), message_zh=f"没有这个数据库版本：{to}") from None


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(FOLDER))


def _copy_beside(engine: Engine, connection: Connection) -> Path | None:
    """A whole copy of a SQLite file, named after the revision it has."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path == ":memory:":
        return None
    copy = Path(f"{path}.before-{current(connection) or 'revisions'}")
    unfinished = copy.with_name(copy.name + ".part")
    unfinished.unlink(missing_ok=True)
    source = connection.connection.dbapi_connection
    assert isinstance(source, sqlite3.Connection)
    target = sqlite3.connect(unfinished)
    try:
        source.backup(target)
    finally:
        target.close()
    unfinished.replace(copy)
    return copy


def _take_in(connection: Connection, shown: str) -> None:
    """Bring a database from before revisions up to the first one, and stamp it so."""
    version = _old_version(connection)
    if version > VERSION:
        raise InputError(
            f"database {shown} has version {version}, this program knows {VERSION}; "
            "run the later version that wrote it",
            message_zh=f"数据库版本 {version} 高于本程序支持的版本 {VERSION}，请使用更新的程序",
            code="database_too_new",
        )
    missing = _missing_columns(connection, shown)
    BASELINE.create_all(connection)
    for table, column in missing:
        definition = CreateColumn(column).compile(dialect=connection.dialect)
        quoted = connection.dialect.identifier_preparer.quote(table)
        connection.execute(text(f"ALTER TABLE {quoted} ADD COLUMN {definition}"))
    noted = BASELINE.tables["store_version"]
    if connection.execute(select(noted.c.version)).scalar() is None:
        connection.execute(noted.insert().values(id=1, version=VERSION))
    else:
        connection.execute(noted.update().values(version=VERSION))
    _run(command.stamp, connection, BASE)


def _old_version(connection: Connection) -> int:
    """1 for a database from before versions were noted."""
    noted = BASELINE.tables["store_version"]
    if noted.name not in inspect(connection).get_table_names():
        return 1
    return connection.execute(select(noted.c.version)).scalar() or 1


def _missing_columns(connection: Connection, shown: str) -> list[tuple[str, Column[Any]]]:
    """Columns of the first revision that tables of the database lack, with their table's name."""
    looked = inspect(connection)
    there = set(looked.get_table_names())
    missing: list[tuple[str, Column[Any]]] = []
    for table in BASELINE.sorted_tables:
        if table.name not in there:
            continue
        have = {column["name"] for column in looked.get_columns(table.name)}
        missing += [(table.name, column) for column in table.columns if column.name not in have]
    for name, column in missing:
        if not column.nullable:
            raise InputError(
                f"database {shown}: table {name} has no column {column.name}; "
                "it is not a database of this service",
                message_zh=f"数据库中的表 {name} 缺少列 {column.name}，不是本服务的数据库",
                code="foreign_database",
            )
    return missing
