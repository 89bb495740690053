"""`xiaozheng keys`: API keys, and the log of what was done with them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from ..config.errors import InputError
from .common import out, print_json

if TYPE_CHECKING:
    from ..serve.security.key_store import KeyStore
    from ..serve.security.keys import Key

keys = typer.Typer(help="访问密钥：新建、列出、吊销、轮换、审计记录。", no_args_is_help=True)

DbUrl = Annotated[str | None, typer.Option("--db-url", help="数据库地址，默认 <var>/xiaozheng.db")]
Var = Annotated[Path | None, typer.Option("--var", help="数据目录，默认 var")]
AsJson = Annotated[bool, typer.Option("--json", help="以 JSON 输出")]
KeyId = Annotated[str, typer.Argument(help="密钥编号，见 keys list")]
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@keys.command("create")
def create(
    name: Annotated[str, typer.Argument(help="用途，例如 北区网关")],
    scope: Annotated[list[str], typer.Option("--scope", help="权限，可多次；见 keys scopes")],
    expires: Annotated[str, typer.Option(help="有效期，例如 90d、12h；never 为不过期")] = "365d",
    rate: Annotated[float, typer.Option(min=0, help="每秒请求数上限；0 为不限")] = 200,
    burst: Annotated[int, typer.Option(min=1, help="瞬时请求数上限")] = 400,
    db_url: DbUrl = None,
    var: Var = None,
    as_json: AsJson = False,
) -> None:
    """新建密钥。密钥只显示这一次，库中只存摘要。"""
    now = datetime.now(UTC)
    end = None if expires == "never" else now + _span(expires)
    token, key = _store(db_url, var).create(
        name, scope, now=now, expires_at=end, rate_per_s=rate, burst=burst
    )
    _show_new(token, key, as_json)


@keys.command("list")
def list_keys(db_url: DbUrl = None, var: Var = None, as_json: AsJson = False) -> None:
    """列出密钥，不含密钥本身。"""
    found, now = _store(db_url, var).all(), datetime.now(UTC)
    if as_json:
        print_json([_plain(key, now) for key in found])
        return
    table = Table("编号", "用途", "状态", "权限", "到期", "最近使用", "限速", box=box.SIMPLE)
    zh = {"active": "有效", "expired": "已过期", "revoked": "已吊销"}
    for key in found:
        table.add_row(
            key.id,
            key.name,
            zh[key.state(now)],
            " ".join(sorted(key.scopes)),
            _day(key.expires_at, "不过期"),
            _day(key.last_used_at, "从未"),
            f"{key.rate_per_s:g}/秒" if key.rate_per_s else "不限",
        )
    out.print(table if found else "还没有密钥")


@keys.command("revoke")
def revoke(key_id: KeyId, db_url: DbUrl = None, var: Var = None) -> None:
    """吊销密钥；正在运行的服务 1 秒内生效。"""
    key = _store(db_url, var).revoke(key_id, datetime.now(UTC))
    out.print(f"✓ 已吊销 {key.id}（{key.name}）", markup=False)


@keys.command("rotate")
def rotate(
    key_id: KeyId,
    overlap: Annotated[str, typer.Option(help="旧密钥继续有效多久，例如 24h")] = "24h",
    db_url: DbUrl = None,
    var: Var = None,
    as_json: AsJson = False,
) -> None:
    """换新密钥：权限与限速不变，旧密钥在重叠期后失效。"""
    token, key = _store(db_url, var).rotate(key_id, _span(overlap), datetime.now(UTC))
    _show_new(token, key, as_json)


@keys.command("scopes")
def scopes(as_json: AsJson = False) -> None:
    """列出可用的权限。"""
    from ..serve.security.keys import SCOPES

    if as_json:
        print_json(SCOPES)
        return
    for name, zh in SCOPES.items():
        out.print(f"{name:<22} {zh}")


@keys.command("log")
def log(
    limit: Annotated[int, typer.Option(min=1, help="条数")] = 50,
    db_url: DbUrl = None,
    var: Var = None,
    as_json: AsJson = False,
) -> None:
    """审计记录：谁在何时做了或试图做什么，最新的在前。"""
    entries = _store(db_url, var).audit(limit)
    fields = ("at", "actor", "address", "action", "target", "outcome", "count")
    rows = [{field: getattr(entry, field) for field in fields} for entry in entries]
    for row in rows:
        row["at"] = row["at"].isoformat(timespec="seconds")
    if as_json:
        print_json(rows)
        return
    table = Table("时间", "密钥", "来源", "动作", "对象", "结果", "次数", box=box.SIMPLE)
    for row in rows:
        table.add_row(*(str(row[field]) for field in fields))
    out.print(table if rows else "还没有记录")


def _show_new(token: str, key: Key, as_json: bool) -> None:
    if as_json:
        print_json({"token": token} | _plain(key, datetime.now(UTC)))
        return
    out.print(f"{token}\n", markup=False, style="bold")
    out.print(f"编号 {key.id}，到期 {_day(key.expires_at, '不过期')}。请立即保存：不会再次显示。")


def _plain(key: Key, now: datetime) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "state": key.state(now),
        "scopes": sorted(key.scopes),
        "rate_per_s": key.rate_per_s,
        "burst": key.burst,
        "created_at": _iso(key.created_at),
        "expires_at": _iso(key.expires_at),
        "last_used_at": _iso(key.last_used_at),
        "replaces": key.replaces,
    }


def _span(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if found is None:
        raise InputError(
            f"{text!r} is no span of time such as 90d, 12h, 30m or 5s",
            message_zh=f"时长 {text} 无效，例如 90d、12h、30m、5s",
        )
    return timedelta(seconds=int(found[1]) * UNITS[found[2]])


def _day(moment: datetime | None, otherwise: str) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else otherwise


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _store(db_url: str | None, var: Path | None) -> KeyStore:
    from ..serve.database import open_database
    from ..serve.security.key_store import KeyStore
    from ..serve.settings import read_settings

    return KeyStore(open_database(read_settings(db_url=db_url, var=var).database))
