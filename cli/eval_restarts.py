"""`xiaozheng eval restarts`: kills a real server at random points and looks for what was lost."""

from __future__ import annotations

import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .common import EXIT_FAILED, err, out

STAGES = {"left alone": "不间断运行", "killing": "随机强杀", "last lap": "补完剩余画面"}
ROWS: tuple[tuple[str, str, str], ...] = (
    ("事件：应有", "incidents", "expected"),
    ("事件：实有", "incidents", "found"),
    ("　丢失", "incidents", "lost"),
    ("　重复（多出的编号）", "incidents", "doubled"),
    ("　内容或经过不同", "incidents", "changed"),
    ("　已应答却未入库", "incidents", "told_but_not_stored"),
    ("发件箱：应有", "events", "expected"),
    ("发件箱：实有", "events", "found"),
    ("　序号断档", "events", "gaps"),
    ("　编号重复", "events", "repeated"),
    ("　与不间断运行不同的对象", "events", "subjects_that_differ"),
    ("　读者读到两次", "events", "read_twice"),
    ("　读到后又消失", "events", "read_but_not_stored"),
    ("　读者漏读", "events", "stored_but_not_read"),
    ("证据图片：应有", "evidence", "expected"),
    ("证据图片：实有", "evidence", "found"),
    ("　缺失", "evidence", "missing"),
    ("　多出", "evidence", "extra"),
    ("　损坏或与哈希不符", "evidence", "broken"),
    ("　发生前图片：应有", "evidence", "before_expected"),
    ("　发生前图片：实有", "evidence", "before_found"),
    ("　与不间断运行逐字节相同", "evidence", "same_picture"),
)


def eval_restarts(
    json_out: Annotated[Path, typer.Option("--json", help="各项指标写入此文件（JSON）")],
    kills: Annotated[int, typer.Option(min=1, max=10_000, help="强杀（SIGKILL）次数")] = 100,
    seed: Annotated[
        int | None, typer.Option(min=0, help="画面与强杀时机的种子，缺省每次新取")
    ] = None,
    cameras: Annotated[int, typer.Option(min=1, max=64, help="摄像机数")] = 4,
    seconds: Annotated[int, typer.Option(min=60, help="每台摄像机的画面秒数")] = 360,
    shelf: Annotated[Path | None, typer.Option(help="模型库目录，缺省为测试用颜色检测器")] = None,
    detector: Annotated[str, typer.Option(help="检测模型")] = "colours",
    keep: Annotated[
        Path | None, typer.Option(help="数据库、图片与日志留在此目录（须不存在）")
    ] = None,
) -> None:
    """强杀测试：负载下随机杀死真实服务进程并重启，与不间断运行逐项比对。

    退出码：0 无差异，1 有差异或内部失败，2 输入有误。
    """
    # Imported here: the other verbs start without the service's libraries.
    from ..eval.report import Page, write_report
    from ..eval.restarts import RestartPlan, run_restarts

    chosen = secrets.randbelow(2**31) if seed is None else seed
    err.print(f"种子 {chosen}（用 --seed {chosen} 可重现画面与时机）")
    plan = RestartPlan(kills, chosen, cameras, seconds, shelf, detector)
    plan.shelf_folder()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        tempfile.TemporaryDirectory(prefix="xiaozheng-restarts-") as scratch,
        Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar,
    ):
        task = bar.add_task("准备", total=None)
        figures = run_restarts(
            plan,
            keep or Path(scratch) / "run",
            lambda stage, done, total: bar.update(
                task, description=STAGES[stage], completed=done, total=total
            ),
        )
    page = Page("强杀测试", f"强杀 {kills} 次")
    write_report(figures, page, json_out, kind="restarts", made=datetime.now(UTC))
    _show(figures)
    out.print(f"已写入 {json_out}", markup=False)
    if not figures["ok"]:
        raise typer.Exit(EXIT_FAILED)


def _show(figures: dict[str, Any]) -> None:
    title = (
        f"强杀 {figures['kills']} 次（启动途中 {figures['kills_while_starting']} 次），"
        f"{figures['cameras']} 台摄像机 {figures['frames']} 帧，"
        f"重发 {figures['posts_sent_again']} 次，用时 {figures['seconds']} 秒"
    )
    out.print(title)
    table = Table(box=box.SIMPLE_HEAD, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    for name, part, key in ROWS:
        table.add_row(name, str(figures[part][key]))
    out.print(table)
    out.print("结论：" + ("无丢失、无重复、编号一致" if figures["ok"] else "有差异"))
