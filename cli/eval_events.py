"""`xiaozheng eval events`: how well incidents agree with the truth of a suite."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..eval.events_suite import TRACES, TraceSettings, load_event_suite
from ..eval.traces.suite import run_traces
from ..vision.kinds import Kinds, load_kinds
from .common import err, out

COLUMNS = (
    ("准确率", "precision", "{:.1%}"),
    ("召回率", "recall", "{:.1%}"),
    ("F1", "f1", "{:.4f}"),
    ("起点误差(秒)", "onset_rmse_s", "{:.2f}"),
    ("每事件报告数", "duplicates_per_event", "{:.3f}"),
    ("断裂", "fragmentation", "{:.3f}"),
    ("误报/机日", "false_alarms_per_camera_day", "{:.3f}"),
    ("事件", "events", "{}"),
    ("漏报", "misses", "{}"),
    ("误报", "false_alarms", "{}"),
)


def eval_events(
    suite: Annotated[
        str, typer.Option(help="套件：YAML 文件，或 traces（模拟轨迹的标准套件）")
    ] = TRACES,
    hours: Annotated[
        float | None, typer.Option(min=0.1, help="模拟轨迹：固定种子的摄像机小时数")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="模拟轨迹：随机种子，缺省每次新取")
    ] = None,
    processes: Annotated[int, typer.Option(min=0, help="进程数，0 为处理器数")] = 0,
    failures: Annotated[
        Path | None, typer.Option(help="模拟轨迹：每个漏报、误报的片段与时间线存到此目录")
    ] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="结果写入此 JSON 文件")] = None,
) -> None:
    """按事件评测：一对一配对，给出准确率、召回率、起点误差、重复与误报。

    退出码：0 完成，2 输入有误。
    """
    kinds = load_kinds()
    loaded = load_event_suite(suite, kinds)
    if loaded.traces is not None:
        document = _traces(loaded.traces, hours, seed, processes or os.cpu_count() or 1, failures)
    else:
        raise NotImplementedError
    document = {"suite": suite, **document}
    if json_path is not None:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        json_path.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
    _show(document, kinds)


def _traces(
    settings: TraceSettings,
    hours: float | None,
    seed: int | None,
    processes: int,
    failures: Path | None,
) -> dict[str, Any]:
    if hours is not None:
        share = settings.random_hours / settings.hours
        settings = settings.model_copy(update={"hours": hours, "random_hours": hours * share})
    random_seed = secrets.randbelow(2**31) if seed is None else seed
    err.print(f"随机种子 {random_seed}（用 --seed {random_seed} 可重现）")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task("模拟中", total=settings.hours + settings.random_hours)
        run = run_traces(
            settings,
            random_seed,
            processes=processes,
            failures=failures,
            progress=lambda done: bar.advance(task, done),
        )
    return run.to_dict()


def _show(document: dict[str, Any], kinds: Kinds) -> None:
    table = Table(title=f"事件评测 {document['suite']}", box=box.SIMPLE_HEAD, title_justify="left")
    table.add_column("类型", no_wrap=True)
    for title, *_ in COLUMNS:
        table.add_column(title, justify="right", no_wrap=True)
    names = {kind.id: kind.zh for kind in kinds.kinds}
    for kind_id, figures in document["per_kind"].items():
        table.add_row(names.get(kind_id, kind_id), *_cells(figures))
    for fps, figures in document.get("per_fps", {}).items():
        table.add_row(f"{fps} 帧/秒", *_cells(figures))
    table.add_row("全部", *_cells(document), style="bold")
    out.print(table)
    low, high = document["interval_95"]["f1"] or (float("nan"), float("nan"))
    out.print(f"F1 的 95% 区间（按片段自助抽样）：{low:.4f}–{high:.4f}")


def _cells(figures: dict[str, Any]) -> list[str]:
    return ["—" if figures[key] is None else form.format(figures[key]) for _, key, form in COLUMNS]
