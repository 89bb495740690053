"""`xiaozheng backup | restore | gc`: keeping the service's state, and keeping it small."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .common import err, out, print_json

if TYPE_CHECKING:
    from ..serve.backup import Manifest
    from ..serve.settings import Settings

DbUrl = Annotated[str | None, typer.Option("--db-url", help="数据库地址，默认 <var>/xiaozheng.db")]
Var = Annotated[Path | None, typer.Option("--var", help="数据目录，默认 var")]
AsJson = Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")]

MIB = 1024 * 1024
KINDS_ZH = {
    "pictures": "到期的事件图片与短片",
    "unreferred": "无人引用的证据文件",
    "events": "到期的事件通知",
    "observations": "到期的观测记录",
    "calls": "到期的来电",
    "audit": "到期的审计记录",
}


def backup(
    to: Annotated[Path, typer.Option("--to", help="备份文件，例如 xiaozheng-20260301.tar")],
    db_url: DbUrl = None,
    var: Var = None,
    as_json: AsJson = False,
) -> None:
    """备份数据库与证据文件，服务可以照常运行；配置文件、模型库与密钥文件请另行保存。"""
    from ..serve.backup import back_up
    from ..serve.settings import read_settings

    settings = read_settings(db_url=db_url, var=var)
    with _counting("备份") as on_file:
        manifest = back_up(settings, to, datetime.now(UTC), on_file)
    if as_json:
        print_json(_facts(manifest, to))
        return
    _tell("✓ 已备份到", to, manifest)
    if manifest.database == "server":
        _tell_of_server(settings, "备份", "pg_dump --format=custom --file=xiaozheng.dump")


def restore(
    archive: Annotated[Path, typer.Argument(help="backup 写出的文件")],
    db_url: DbUrl = None,
    var: Var = None,
    as_json: AsJson = False,
) -> None:
    """恢复到一个空的数据目录：逐个校验哈希，不覆盖任何数据，不接受更新版本的备份。"""
    from ..serve.backup import restore as put_back
    from ..serve.settings import read_settings

    settings = read_settings(db_url=db_url, var=var)
    with _counting("恢复") as on_file:
        manifest = put_back(settings, archive, on_file)
    if as_json:
        print_json(_facts(manifest, archive))
        return
    _tell(f"✓ 已恢复到 {settings.var}，来自", archive, manifest)
    if manifest.database == "server":
        _tell_of_server(settings, "恢复", "pg_restore --clean --if-exists xiaozheng.dump")


def gc(
    apply: Annotated[bool, typer.Option("--apply", help="真的清理；不写只列出")] = False,
    db_url: DbUrl = None,
    var: Var = None,
    as_json: AsJson = False,
) -> None:
    """列出（--apply 则清理）到期的图片、通知、来电和无人引用的证据文件。

    期限：XIAOZHENG_KEEP_PICTURES_DAYS、KEEP_CALLS_DAYS、KEEP_EVENTS_S、KEEP_OBSERVATIONS_S、
    KEEP_AUDIT_S。未结束的事件不受影响；一小时内的新文件不动。
    """
    from ..serve import retention
    from ..serve.settings import read_settings
    from .hotline_db import database_as_is

    settings = read_settings(db_url=db_url, var=var)
    now = datetime.now(UTC)
    with database_as_is(db_url, var) as engine:
        found = retention.plan(engine, settings, now)
        if apply:
            retention.carry_out(engine, settings, found, now)
    if as_json:
        wastes = [asdict(waste) for waste in found.wastes]
        print_json({"applied": apply, "bytes": found.size_bytes, "wastes": wastes})
        return
    table = Table("项目", "数量", "文件大小", box=box.SIMPLE)
    table.columns[1].justify = table.columns[2].justify = "right"
    for waste in found.wastes:
        size = f"{waste.size_bytes / MIB:.1f} MiB" if waste.size_bytes else "—"
        table.add_row(KINDS_ZH[waste.kind], str(waste.count), size)
    out.print(table)
    size = f"{found.size_bytes / MIB:.1f} MiB"
    out.print(f"✓ 已清理 {size}" if apply else f"可清理 {size}。加 --apply 才会删除。")


@contextmanager
def _counting(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar of files on stderr."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _tell(what: str, archive: Path, manifest: Manifest) -> None:
    size = f"{manifest.size_bytes / MIB:.1f} MiB"
    out.print(f"{what} {archive}", markup=False, soft_wrap=True)
    out.print(f"  {len(manifest.files)} 个文件，{size}，数据库版本 {manifest.revision}")
    if manifest.missing:
        missing = f"  ! 库中提到而磁盘上缺失或被改动的证据：{len(manifest.missing)} 个，如 "
        out.print(missing + manifest.missing[0], style="yellow", markup=False, soft_wrap=True)


def _tell_of_server(settings: Settings, doing: str, command: str) -> None:
    """A server's database has its own tools; nothing here pretends to be one."""
    from sqlalchemy.engine import make_url

    url = make_url(settings.database).set(drivername="postgresql", password=None)
    shown = url.render_as_string()
    out.print(
        f"  ! 只{doing}了证据文件。数据库在服务器上，请另用它自己的工具{doing}：", style="yellow"
    )
    out.print(f"    {command} --dbname='{shown}'", markup=False, soft_wrap=True)


def _facts(manifest: Manifest, archive: Path) -> dict[str, object]:
    return {
        "archive": str(archive),
        "files": len(manifest.files),
        "bytes": manifest.size_bytes,
        "database": manifest.database,
        "revision": manifest.revision,
        "missing": list(manifest.missing),
    }
