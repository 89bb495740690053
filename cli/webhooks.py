"""`xiaozheng webhooks`: who is told of events, what they would not take, and telling it again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer
from rich import box
from rich.table import Table

from ..config.errors import InputError
from .common import EXIT_FAILED, out, print_json

if TYPE_CHECKING:
    from ..serve.delivery.ledger import Ledger

webhooks = typer.Typer(help="事件投递：接收方进度、死信、重投、试投。", no_args_is_help=True)

DbUrl = Annotated[str | None, typer.Option("--db-url", help="数据库地址，默认 <var>/xiaozheng.db")]
Var = Annotated[Path | None, typer.Option("--var", help="数据目录，默认 var")]
AsJson = Annotated[bool, typer.Option("--json", help="以 JSON 输出")]
SinkName = Annotated[str, typer.Argument(help="接收方，例如 webhook:hub 或 mqtt")]


@webhooks.command("list")
def list_receivers(db_url: DbUrl = None, var: Var = None, as_json: AsJson = False) -> None:
    """各接收方的进度：已处理到的序号、待重试与死信数量。"""
    states = _ledger(db_url, var).states()
    if as_json:
        keys = ("sink", "after", "waiting", "dead")
        print_json([{key: getattr(state, key) for key in keys} for state in states])
        return
    table = Table("接收方", "已处理到", "待重试", "死信", box=box.SIMPLE)
    for state in states:
        table.add_row(state.sink, *map(str, (state.after, state.waiting, state.dead)))
    out.print(table if states else "还没有投递过事件")


@webhooks.command("dead")
def dead(
    sink: Annotated[str | None, typer.Argument(help="接收方；不写为全部")] = None,
    db_url: DbUrl = None,
    var: Var = None,
    as_json: AsJson = False,
) -> None:
    """列出死信：超过期限仍未被接收的事件。"""
    found = _ledger(db_url, var).dead(sink)
    if as_json:
        print_json(
            [
                {"sink": name, "seq": p.seq, "tries": p.tries, "error": p.error, "event": p.event}
                for name, p in found
            ]
        )
        return
    table = Table("接收方", "序号", "类型", "对象", "次数", "原因", box=box.SIMPLE)
    for name, parcel in found:
        kind = str(parcel.event["type"])
        table.add_row(name, str(parcel.seq), kind, parcel.subject, str(parcel.tries), parcel.error)
    out.print(table if found else "没有死信")


@webhooks.command("replay")
def replay(
    sink: SinkName,
    seq: Annotated[list[int] | None, typer.Argument(help="死信序号；不写为全部")] = None,
    db_url: DbUrl = None,
    var: Var = None,
) -> None:
    """把死信放回队列；正在运行的服务几秒内重新投递。"""
    count = _ledger(db_url, var).replay(sink, seq or None, datetime.now(UTC))
    out.print(f"✓ {count} 条死信将重新投递")


@webhooks.command("test")
def send_test(
    webhook: Annotated[str, typer.Argument(help="delivery.yaml 中的 webhook 编号")],
    delivery: Annotated[Path, typer.Option(help="delivery.yaml")] = Path("delivery.yaml"),
) -> None:
    """向一个 webhook 发送一条签名的测试事件（cn.xiaozheng.test.v1）。"""
    from ..serve.delivery.config import load_delivery
    from ..serve.delivery.courier import NotTakenError
    from ..serve.delivery.events import SEQUENCE_DIGITS
    from ..serve.delivery.parcel import Parcel
    from ..serve.delivery.webhook import WebhookSink

    told = load_delivery(delivery)
    found = next((entry for entry in told.webhooks if entry.id == webhook), None)
    if found is None:
        raise InputError(
            f"{delivery}: no webhook {webhook!r}", message_zh=f"{delivery} 中没有 {webhook}"
        )
    event = {
        "specversion": "1.0",
        "id": f"test.{uuid4().hex}",
        "type": "cn.xiaozheng.test.v1",
        "source": "urn:xiaozheng:cli",
        "subject": "test",
        "time": datetime.now(UTC).isoformat(),
        "datacontenttype": "application/json",
        "sequence": "0" * SEQUENCE_DIGITS,
        "data": {"text": "小郑测试事件"},
    }

    async def send() -> None:
        sink = WebhookSink(found, told.targets, lambda: datetime.now(UTC))
        try:
            await sink.send(Parcel(0, "test", event))
        finally:
            await sink.close()

    try:
        asyncio.run(send())
    except NotTakenError as error:
        out.print(f"✗ {webhook}：{error}", style="red", markup=False)
        raise typer.Exit(EXIT_FAILED) from None
    out.print(f"✓ {webhook} 已接收测试事件 {event['id']}")


def _ledger(db_url: str | None, var: Path | None) -> Ledger:
    from ..serve.database import open_database
    from ..serve.delivery.ledger import Ledger
    from ..serve.settings import read_settings

    return Ledger(open_database(read_settings(db_url=db_url, var=var).database))
