"""Opening the database; its tables are `migrations`' business."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from ..config.errors import InputError
from .errors import UnavailableError
from .migrations.steps import prepare


def open_database(url: str) -> Engine:
    """Connect, and have the tables at this program's revision.

    Raises:
        InputError: not a database URL, its driver is not installed, or the database is of another
            revision that cannot or should not be changed here.
        UnavailableError: the database cannot be opened.
    """
    engine = connect(url)
    shown = shown_url(engine)
    try:
        prepare(engine, shown)
    except (OSError, SQLAlchemyError) as error:
        raise UnavailableError(f"database {shown}: {error}", message_zh="数据库无法打开") from error
    return engine


def connect(url: str) -> Engine:
    """An engine that leaves the tables as they are; raises as `open_database`."""
    try:
        parsed = make_url(url)
        engine = create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise InputError(
            f"database URL cannot be used: {error}",
            message_zh=f"数据库地址无效：{error}",
            code="bad_settings",
        ) from None
    if engine.dialect.name == "sqlite":
        try:
            _tune_sqlite(engine, parsed.database)
        except OSError as error:
            raise UnavailableError(
                f"database {shown_url(engine)}: {error}", message_zh="数据库无法打开"
            ) from error
    return engine


def shown_url(engine: Engine) -> str:
    """The database's address without its password."""
    return engine.url.render_as_string(hide_password=True)


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
