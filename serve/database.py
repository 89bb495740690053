"""Opening the database, and bringing one of an earlier version up to this one.

Steps so far only add tables and columns, which any database can do in place. What this version
cannot read is refused by name, never guessed at.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, create_engine, event, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.schema import CreateColumn

from ..config.errors import InputError
from .errors import UnavailableError
from .tables import Base, IncidentRow, VersionRow

# 1: before the outbox. 2: outbox, observations, links, camera health, blurred pictures.
VERSION = 2


def open_database(url: str) -> Engine:
    """Connect, create what is missing, and note the version.

    Raises:
        InputError: not a database URL, its driver is not installed, or the database belongs to a
            later version or to something else.
        UnavailableError: the database cannot be opened.
    """
    try:
        parsed = make_url(url)
        engine = create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise InputError(
            f"database URL cannot be used: {error}",
            message_zh=f"数据库地址无效：{error}",
            code="bad_settings",
        ) from None
    shown = parsed.render_as_string(hide_password=True)
    try:
        if engine.dialect.name == "sqlite":
            _tune_sqlite(engine, parsed.database)
        with engine.begin() as connection:
            _bring_up(connection, shown)
    except (OSError, SQLAlchemyError) as error:
        raise UnavailableError(f"database {shown}: {error}", message_zh="数据库无法打开") from error
    return engine


def _tune_sqlite(engine: Engine, path: str | None) -> None:
    """WAL lets readers go on while a writer commits. FULL makes a commit survive a power cut: a
    gateway does not send again what was acknowledged, and commits are few since concurrent
    requests share one."""
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def _bring_up(connection: Connection, shown: str) -> None:
    found = _version(connection)
    if found > VERSION:
        raise InputError(
            f"database {shown} has version {found}, this service knows {VERSION}; "
            "run the later version that wrote it",
            message_zh=f"数据库版本 {found} 高于本程序支持的版本 {VERSION}，请使用更新的程序",
            code="database_too_new",
        )
    # Looked at before anything is changed: not every database takes tables back.
    missing = _missing_columns(connection, shown) if found not in (0, VERSION) else []
    Base.metadata.create_all(connection)
    for table, column in missing:
        definition = CreateColumn(column).compile(dialect=connection.dialect)
        quoted = connection.dialect.identifier_preparer.quote(table)
        connection.execute(text(f"ALTER TABLE {quoted} ADD COLUMN {definition}"))
    noted = connection.execute(select(VersionRow.version)).scalar()
    if noted is None:
        connection.execute(VersionRow.__table__.insert().values(id=1, version=VERSION))  # type: ignore[attr-defined]
    elif noted != VERSION:
        connection.execute(VersionRow.__table__.update().values(version=VERSION))  # type: ignore[attr-defined]


def _version(connection: Connection) -> int:
    """0 for an empty database, 1 for one from before versions were noted."""
    tables = set(inspect(connection).get_table_names())
    if VersionRow.__tablename__ in tables:
        return connection.execute(select(VersionRow.version)).scalar() or 1
    return 1 if IncidentRow.__tablename__ in tables else 0


def _missing_columns(connection: Connection, shown: str) -> list[tuple[str, Column[Any]]]:
    """Columns that tables of the database lack, with their table's name."""
    looked = inspect(connection)
    there = set(looked.get_table_names())
    missing: list[tuple[str, Column[Any]]] = []
    for table in Base.metadata.sorted_tables:
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
