"""`xiaozheng eval matters`: how well calls of one matter are found, against teams' clusters."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .common import err, out

STAGES = {"read": "读取留言", "propose": "查找同一事项", "group": "归并"}


def eval_matters(
    data: Annotated[Path, typer.Option(help="目录：messages_*.xlsx 与各团队的聚类表")],
    json_out: Annotated[Path, typer.Option("--json", help="各项指标写入此文件（JSON）")],
    html_out: Annotated[Path | None, typer.Option("--html", help="网页报告")] = None,
) -> None:
    """同一事项的查找与归并：与各团队、与多数团队逐对比较，并给出团队之间的一致程度。"""
    from ..eval.matters import measure
    from ..eval.matters_data import read_folder
    from ..eval.matters_page import matters_page
    from ..eval.report import write_report

    judged = read_folder(data)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task("准备", total=None)
        figures = measure(
            judged,
            tick=lambda stage, done, total: bar.update(
                task, description=STAGES[stage], completed=done, total=total
            ),
        )
    page = matters_page(figures)
    write_report(figures, page, json_out, html_out, kind="matters", made=datetime.now(UTC))
    _show(figures)
    out.print(f"已写入 {json_out}" + (f" 与 {html_out}" if html_out else ""), markup=False)


def _show(figures: dict[str, Any]) -> None:
    table = Table(box=box.SIMPLE_HEAD, title=f"同一事项：{figures['n']} 条留言")
    table.add_column("比较对象", no_wrap=True)
    for what in ("归并", "建议（全部）", "建议（前三）"):
        table.add_column(f"{what} P / R / F1", justify="right")
    for name in figures["groups"]:
        shown = "多数团队" if name == "majority" else f"团队 {name}"
        table.add_row(
            shown,
            *(
                _three(figures[part][name])
                for part in ("groups", "proposals", "proposals_best_three")
            ),
        )
    out.print(table)
    agreement = figures["agreement"]
    others = agreement["against_majority_of_others"]
    ceiling = "、".join(f"{name} {row['f1']:.3f}" for name, row in others.items())
    out.print(
        f"团队之间 F1：平均 {agreement['mean_f1']:.3f}，中位 {agreement['median_f1']:.3f}，"
        f"最高 {agreement['best_f1']:.3f}；各团队对其余团队之多数：{ceiling}",
        soft_wrap=True,
    )
    out.print(
        f"两条以上的事项 {figures['n_groups']} 个，含 {figures['n_grouped']} 条；"
        f"每条读取 {figures['read_ms_per_call']:.1f} 毫秒，查找 "
        f"{figures['propose_ms_per_call']:.1f} 毫秒",
        soft_wrap=True,
    )
    for item in figures["largest"][:10]:
        out.print(f"  {item['size']:>3} 条  {item['title']}", markup=False)


def _three(row: dict[str, float]) -> str:
    return f"{row['precision']:.3f} / {row['recall']:.3f} / {row['f1']:.3f}"
