"""The hotline's part of a service's database, for verbs that only read it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ..config.errors import InputError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ..serve.hotline_store import HotlineStore


@contextmanager
def hotline_store(db_url: str | None, var: Path | None) -> Iterator[HotlineStore]:
    """The hotline's part of `database_as_is`."""
    from ..serve.hotline_store import HotlineStore

    with database_as_is(db_url, var) as engine:
        yield HotlineStore(engine)


@contextmanager
def database_as_is(db_url: str | None, var: Path | None) -> Iterator[Engine]:
    """Opened as it is: nothing is created or brought up to date.

    Raises:
        InputError: there is no such database, or it is of another revision.
    """
    from ..serve.database import connect, shown_url
    from ..serve.migrations import steps
    from ..serve.settings import read_settings

    settings = read_settings(db_url=db_url, var=var)
    path = settings.var / "xiaozheng.db"
    if not settings.db_url and not path.is_file():
        raise InputError(
            f"{path}: no such database; give --db-url or --var",
            message_zh=f"没有数据库 {path}，请用 --db-url 或 --var 指定",
            code="no_database",
        )
    engine = connect(settings.database)
    try:
        with engine.connect() as connection:
            found = steps.current(connection)
        if found != steps.head():
            raise InputError(
                f"database {shown_url(engine)} is of revision {found or 'none'}, {steps.head()} is "
                "wanted: run `xiaozheng db upgrade`",
                message_zh=f"数据库版本为 {found or '未标记'}，需要 {steps.head()}："
                "请运行 xiaozheng db upgrade",
                code="database_outdated",
            )
        yield engine
    finally:
        engine.dispose()


def day_of(text: str | None, option: str) -> datetime | None:
    """`2026-03-01` or an RFC 3339 time as an aware moment; a bare day begins at UTC midnight.

    Raises:
        InputError: neither.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(
            f"{option}: {text!r} is no date", message_zh=f"{option}：{text} 不是日期"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
