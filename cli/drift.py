"""`xiaozheng drift router`: whether the calls of late are still those the router knows."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich import box
from rich.table import Table

from ..nlp.drift import ALARM, MEASURES_ZH, STATUS_ZH, WATCH, DriftReport, Rate, Shift
from .common import out, print_json
from .hotline_db import day_of, hotline_store

drift = typer.Typer(help="漂移：近期来电与以往是否还一样。", no_args_is_help=True)
STYLES = {"ok": "green", "watch": "yellow", "alarm": "bold red", "too_few": "dim"}


@drift.command("router")
def router(
    recent_days: Annotated[float, typer.Option(min=0.01, help="近期：最近几天")] = 7.0,
    reference_days: Annotated[float, typer.Option(min=0.01, help="参照：其前几天")] = 28.0,
    until: Annotated[str | None, typer.Option(help="算到何时，缺省为现在")] = None,
    db_url: Annotated[str | None, typer.Option("--db", "--db-url", help="数据库地址")] = None,
    var: Annotated[Path | None, typer.Option("--var", help="数据目录，默认 var")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="以 JSON 输出")] = False,
) -> None:
    """比较近期与参照期：部门构成、把握、用词、自动派单占比、采纳率（PSI，.10 留意，.25 报警）。

    PSI 在样本少时天然偏大：每项都给出“纯属偶然也有 5% 的机会超过”的值，不超过它的不报警。
    """
    from ..serve.hotline_drift import measure_drift, windows

    end = day_of(until, "--until") or datetime.now(UTC)
    spans = windows(end, recent_days, reference_days)
    with hotline_store(db_url, var) as store:
        report = measure_drift(store, spans)
    if as_json:
        print_json(
            {
                "reference_since": spans.reference_since.isoformat(),
                "recent_since": spans.recent_since.isoformat(),
                "until": spans.until.isoformat(),
                "thresholds": {"watch": WATCH, "alarm": ALARM},
                **asdict(report),
            }
        )
        return
    _show(report)


def _show(report: DriftReport) -> None:
    table = Table(box=box.SIMPLE_HEAD, title="分派漂移（全市）")
    for name in ("项目", "PSI", "偶然界限", "参照 n", "近期 n", "结论"):
        table.add_column(name, justify="left" if name in ("项目", "结论") else "right")
    for shift in report.shifts:
        table.add_row(MEASURES_ZH[shift.measure], *_cells(shift))
    out.print(table)
    out.print(
        f"自动派单占比 {_rate(report.reference.auto)} → {_rate(report.recent.auto)}；"
        f"采纳率 {_rate(report.reference.accepted)} → {_rate(report.recent.accepted)}"
    )
    table = Table(box=box.SIMPLE_HEAD, title="各部门")
    for name in ("部门", "占比", "把握 PSI", "偶然界限", "n", "结论", "自动占比", "采纳率"):
        table.add_column(name, justify="left" if name in ("部门", "结论") else "right")
    for found in report.departments:
        value, noise, before, after, status = _cells(found.confidence)
        table.add_row(
            found.department,
            f"{found.share_reference:.1%} → {found.share_recent:.1%}",
            value,
            noise,
            f"{before} → {after}",
            status,
            f"{_short(found.reference.auto)} → {_short(found.recent.auto)}",
            f"{_short(found.reference.accepted)} → {_short(found.recent.accepted)}",
        )
    out.print(table)
    out.print(f"结论：[{STYLES[report.status]}]{STATUS_ZH[report.status]}[/]")


def _cells(shift: Shift) -> tuple[str, str, str, str, str]:
    style = STYLES[shift.status]
    return (
        "—" if shift.value is None else f"{shift.value:.3f}",
        "—" if shift.noise is None else f"{shift.noise:.3f}",
        str(shift.n_reference),
        str(shift.n_recent),
        f"[{style}]{STATUS_ZH[shift.status]}[/]",
    )


def _rate(rate: Rate) -> str:
    if rate.value is None or rate.low is None or rate.high is None:
        return "—（无样本）"
    return f"{rate.value:.1%}（{rate.low:.1%}–{rate.high:.1%}，n={rate.n}）"


def _short(rate: Rate) -> str:
    return "—" if rate.value is None else f"{rate.value:.0%}"
