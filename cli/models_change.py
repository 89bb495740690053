"""`xiaozheng models`: change the shelf: add, promote, rollback."""

from __future__ import annotations

import os
import pwd
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ..models.aliases import CANDIDATE, CHAMPION
from ..models.gates import load_gates
from ..models.intake import add
from ..models.promote import Alias, Change, Order, PromotionRefusedError, promote, rollback
from ..models.registry import Registry
from .common import out, print_json
from .models_tables import gate_table

Shelf = Annotated[Path | None, typer.Option(help="模型库目录", envvar="XIAOZHENG_SHELF")]
AsJson = Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")]
By = Annotated[str | None, typer.Option("--by", help="谁做的，记入历史；默认当前用户")]


def add_model(
    folder: Annotated[Path, typer.Argument(help="模型文件夹（model.onnx、manifest.json）")],
    name: Annotated[
        str | None, typer.Option("--as", help="清单须写明的名称或 名称@版本；不符则拒绝")
    ] = None,
    candidate: Annotated[bool, typer.Option(help="收下后设为 candidate")] = True,
    by: By = None,
    shelf: Shelf = None,
    as_json: AsJson = False,
) -> None:
    """把别处的模型文件夹收进模型库：先查哈希、pickle、外置权重、未知算子，并试运行一次。"""
    registry = Registry(shelf)
    artifact = add(registry, folder, name)
    if candidate:
        promote(
            registry, artifact.ref, load_gates(registry.root), order_of(by, "收入模型库"), CANDIDATE
        )
    if as_json:
        print_json({"ref": artifact.ref, "folder": str(artifact.folder), "candidate": candidate})
        return
    out.print(f"[green]✓[/] {artifact.ref} 已收入 {artifact.folder}")
    if candidate:
        out.print(f"  已设为 candidate；上架：xiaozheng models promote {artifact.manifest.name}")


def promote_model(
    ref: Annotated[str, typer.Argument(help="名称@版本；只给名称则取它的 candidate")],
    alias: Annotated[
        str, typer.Option("--to", help="champion 或 candidate（不比较指标，也不对外服务）")
    ] = CHAMPION,
    force: Annotated[bool, typer.Option("--force", help="门槛未过也上架，须给 --reason")] = False,
    reason: Annotated[str, typer.Option("--reason", help="理由，记入历史")] = "",
    by: By = None,
    shelf: Shelf = None,
    as_json: AsJson = False,
) -> None:
    """让一个版本成为 champion。指标不得差于前任（gates.yaml），未过门槛则拒绝并说明原因。

    文件不符或不能运行的版本，--force 也不放行。退出码：0 已上架，1 被拒绝。
    """
    if alias not in (CHAMPION, CANDIDATE):
        raise typer.BadParameter("只能是 champion 或 candidate", param_hint="--to")
    registry = Registry(shelf)
    wanted = ref if "@" in ref else f"{ref}@{CANDIDATE}"
    target: Alias = CHAMPION if alias == CHAMPION else CANDIDATE
    order = order_of(by, reason, force)
    try:
        change = promote(registry, wanted, load_gates(registry.root), order, target)
    except PromotionRefusedError as refused:
        _show(refused.change, as_json)
        raise
    _show(change, as_json)
    if as_json:
        return
    if not change.changed:
        out.print(f"{change.name}@{change.after} 已经是 {change.alias}，未作改动。")
        return
    forced = "（强制，已记入历史）" if change.forced else ""
    moved = f"{change.before or '无'} → {change.after}{forced}"
    out.print(f"[green]✓[/] {change.name} {change.alias}：{moved}")


def rollback_model(
    name: Annotated[str, typer.Argument(help="模型名称")],
    reason: Annotated[str, typer.Option("--reason", help="理由，记入历史")] = "",
    by: By = None,
    shelf: Shelf = None,
    as_json: AsJson = False,
) -> None:
    """退回上一个 champion；可以一退再退。退回的版本须文件相符、能运行。"""
    try:
        change = rollback(Registry(shelf), name, order_of(by, reason))
    except PromotionRefusedError as refused:
        _show(refused.change, as_json)
        raise
    _show(change, as_json)
    if not as_json:
        out.print(f"[green]✓[/] {change.name} champion：{change.before} → {change.after}（退回）")


def _show(change: Change, as_json: bool) -> None:
    if as_json:
        print_json(change.as_json())
    elif change.results:
        out.print(gate_table(change.results))


def order_of(by: str | None, reason: str, force: bool = False) -> Order:
    """Who changes the shelf, when and why."""
    return Order(
        who=by or os.environ.get("USER") or _login(),
        when=datetime.now(UTC),
        reason=reason,
        force=force,
    )


def _login() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run as a number without a name
        return f"uid {os.getuid()}"
