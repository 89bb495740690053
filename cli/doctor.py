"""`xiaozheng doctor`: what would keep the service from working here, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from .common import EXIT_FAILED, err, out, print_json

if TYPE_CHECKING:
    from .doctor_finding import Finding

MARKS = {"ok": "[green]✓ 正常[/]", "warn": "[yellow]! 留意[/]", "fail": "[bold red]✗ 不可用[/]"}


def doctor(
    host: Annotated[str | None, typer.Option(help="监听地址，默认 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="端口，默认 8600")] = None,
    cameras: Annotated[Path | None, typer.Option(help="摄像机与区域：cameras.yaml")] = None,
    delivery: Annotated[Path | None, typer.Option(help="事件投递：delivery.yaml")] = None,
    var: Annotated[Path | None, typer.Option("--var", help="数据目录，默认 var")] = None,
    db_url: Annotated[str | None, typer.Option(help="数据库地址，默认 <var>/xiaozheng.db")] = None,
    shelf: Annotated[Path | None, typer.Option(help="模型库目录")] = None,
    detector: Annotated[str | None, typer.Option(help="检测模型；空字符串为不用")] = None,
    router: Annotated[str | None, typer.Option(help="分派模型；空字符串为不用")] = None,
    backend: Annotated[str | None, typer.Option(help="auto、onnxruntime 或 openvino")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")] = False,
) -> None:
    """体检：模型、磁盘、处理器、端口、数据库、时钟、摄像机、投递，逐项说明该怎么办。

    设置与 serve 相同（选项或环境变量 XIAOZHENG_*）；不写入任何数据，不显示任何密钥。
    有一项不可用退出码即为 1。
    """
    from ..serve.settings import read_settings
    from .doctor_checks import CHECKS

    settings = read_settings(
        host=host,
        port=port,
        cameras=cameras,
        delivery=delivery,
        var=var,
        db_url=db_url,
        shelf=shelf,
        detector=detector,
        router=router,
        backend=backend,
    )
    findings: list[Finding] = []
    columns = (SpinnerColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("体检")
        for title, check in CHECKS:
            progress.update(task, description=f"检查{title}")
            findings += check(settings)
    failed = [finding for finding in findings if finding.level == "fail"]
    if as_json:
        print_json({"ok": not failed, "findings": [asdict(finding) for finding in findings]})
    else:
        out.print(_table(findings))
        doubtful = sum(finding.level == "warn" for finding in findings)
        out.print(f"共 {len(findings)} 项：{len(failed)} 项不可用，{doubtful} 项需留意。")
    if failed:
        raise typer.Exit(EXIT_FAILED)


def _table(findings: list[Finding]) -> Table:
    table = Table("项目", "结论", "情况", "怎么办", box=box.SIMPLE)
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    for finding in findings:
        table.add_row(
            _plain(finding.subject),
            MARKS[finding.level],
            _plain(finding.found),
            _plain(finding.advice) or "—",
        )
    return table


def _plain(text: str) -> str:
    """Paths and addresses are not console markup."""
    return text.replace("[", r"\[")
