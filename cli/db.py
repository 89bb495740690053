"""`xiaozheng db`: the revision of the database's tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .common import out, print_json

db = typer.Typer(help="数据库：查看、升级、降级表结构。", no_args_is_help=True)

DbUrl = Annotated[str | None, typer.Option("--db-url", help="数据库地址，默认 <var>/xiaozheng.db")]
Var = Annotated[Path | None, typer.Option("--var", help="数据目录，默认 var")]
AsJson = Annotated[bool, typer.Option("--json", help="以 JSON 输出")]


@db.command("current")
def current(db_url: DbUrl = None, var: Var = None, as_json: AsJson = False) -> None:
    """当前版本与本程序需要的版本。"""
    from ..serve.database import connect
    from ..serve.migrations import steps

    engine = connect(_url(db_url, var))
    with engine.connect() as connection:
        found, empty = steps.current(connection), steps.is_empty(connection)
    engine.dispose()
    if as_json:
        print_json({"current": found, "head": steps.head(), "empty": empty})
        return
    state = "空库" if empty else found or "未标记（早于版本管理）"
    out.print(f"当前：{state}\n本程序：{steps.head()}")


@db.command("upgrade")
def upgrade(
    revision: Annotated[str, typer.Argument(help="目标版本")] = "head",
    db_url: DbUrl = None,
    var: Var = None,
) -> None:
    """升级表结构；SQLite 先在旁边留一份备份，其他数据库请先自行备份。"""
    from ..serve.migrations import steps

    _change(steps.upgrade, revision, db_url, var)


@db.command("downgrade")
def downgrade(
    revision: Annotated[str, typer.Argument(help="目标版本，例如 0001 或 -1")],
    db_url: DbUrl = None,
    var: Var = None,
) -> None:
    """退回旧版本表结构；新版本才有的数据会丢失。"""
    from ..serve.migrations import steps

    _change(steps.downgrade, revision, db_url, var)


def _change(step: object, revision: str, db_url: str | None, var: Path | None) -> None:
    from sqlalchemy.exc import SQLAlchemyError

    from ..serve.database import connect, shown_url
    from ..serve.errors import UnavailableError
    from ..serve.migrations import steps

    assert callable(step)
    engine = connect(_url(db_url, var))
    shown = shown_url(engine)
    try:
        copy = step(engine, shown, revision)
        with engine.connect() as connection:
            found = steps.current(connection)
    except SQLAlchemyError as error:
        raise UnavailableError(f"database {shown}: {error}", message_zh="数据库无法更改") from error
    finally:
        engine.dispose()
    if copy is not None:
        out.print(f"备份：{copy}", markup=False)
    out.print(f"✓ 数据库版本 {found or '空'}")


def _url(db_url: str | None, var: Path | None) -> str:
    from ..serve.settings import read_settings

    return read_settings(db_url=db_url, var=var).database
