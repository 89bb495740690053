"""`xiaozheng eval events`: how well incidents agree with the truth of a suite."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..config.errors import InputError
from ..eval.events import EventScore, score
from ..eval.events_clips import Still, run_clips
from ..eval.events_page import COLUMNS, events_page, flat, rows
from ..eval.events_suite import EventSuite, TraceSettings, load_event_suite
from ..eval.report import write_report
from ..eval.traces.checks import run_checks
from ..eval.traces.suite import run_traces
from ..models.registry import Registry
from ..vision.detector import Detector
from ..vision.kinds import DEFAULT_KINDS, Kinds, load_kinds
from .common import err, out

BAR_COLUMNS = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())


def eval_events(
    suite: Annotated[str, typer.Option(help="套件：YAML 文件；traces 为模拟轨迹的标准套件")],
    json_out: Annotated[Path, typer.Option("--json", help="各项指标写入此文件（JSON）")],
    html_out: Annotated[
        Path | None, typer.Option("--html", help="同时写一份可直接打开的网页报告")
    ] = None,
    kinds_path: Annotated[
        Path, typer.Option("--kinds", help="事件类型：kinds.yaml")
    ] = DEFAULT_KINDS,
    root: Annotated[Path | None, typer.Option(help="片段所在目录，缺省为套件文件所在目录")] = None,
    model: Annotated[str, typer.Option(help="检测模型：名称、名称@别名或名称@版本")] = "detector",
    shelf: Annotated[Path | None, typer.Option(help="模型库目录")] = None,
    fps: Annotated[float, typer.Option(min=0.01, max=60, help="每秒取样帧数（视频时间）")] = 2.0,
    frames: Annotated[
        Path | None, typer.Option(help="片段：每个事件立案与结束时的标注画面存到此目录")
    ] = None,
    hours: Annotated[
        float | None, typer.Option(min=0, help="模拟轨迹：密集部分固定种子的摄像机小时数")
    ] = None,
    days: Annotated[
        float | None, typer.Option(min=0, help="模拟轨迹：平常部分固定种子的摄像机天数")
    ] = None,
    looks: Annotated[
        bool | None, typer.Option(help="模拟轨迹：检测框附带外观特征，缺省按套件（附带）")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="模拟轨迹：随机部分的种子，缺省每次新取")
    ] = None,
    processes: Annotated[int, typer.Option(min=0, help="模拟轨迹：进程数，0 为处理器数")] = 0,
    failures: Annotated[
        Path | None,
        typer.Option(
            help="模拟轨迹：每个漏报、误报及起点偏差超过 10 秒的事件，片段与时间线存到此目录"
        ),
    ] = None,
    checks: Annotated[
        bool, typer.Option(help="模拟轨迹：另核对帧率、回放速度、重启、开销与一万路摄像机")
    ] = True,
) -> None:
    """按事件评测：一对一配对，给出准确率、召回率、起点误差、重复、断裂与误报。

    退出码：0 完成，2 输入有误，1 内部失败。
    """
    kinds = load_kinds(kinds_path)
    loaded = load_event_suite(suite, kinds)
    stills: list[Still] = []
    if loaded.traces is not None:
        wishes = _wishes(loaded.traces, hours, days, looks)
        workers = processes or os.cpu_count() or 1
        figures, result = _traces(wishes, seed, workers, failures)
        if checks:
            with err.status("核对帧率、回放速度、重启与一万路摄像机…"):
                figures["checks"] = run_checks(workers)
    else:
        detector = Detector.open(Registry(shelf), model)
        folder = root or Path(suite).parent
        figures, result, stills = _clips(loaded, folder, detector, kinds, fps)
    if frames is not None:
        _save(frames, stills)
    page = events_page(figures, result, kinds, suite, stills)
    now = datetime.now(UTC)
    write_report({"suite": suite, **figures}, page, json_out, html_out, kind="events", made=now)
    _show(figures, kinds, suite)
    for path in (json_out, html_out):
        if path is not None:
            out.print(f"已写入 {path}", markup=False)


def _wishes(
    settings: TraceSettings, hours: float | None, days: float | None, looks: bool | None
) -> TraceSettings:
    """The suite's settings with what was asked for; the random parts shrink in proportion."""
    wished: dict[str, Any] = {} if looks is None else {"looks": looks}
    for name, value in (("hours", hours), ("days", days)):
        if value is not None:
            usual, more = getattr(settings, name), getattr(settings, f"random_{name}")
            wished |= {name: value, f"random_{name}": more * value / usual if usual else 0.0}
    if wished.get("hours") == wished.get("days") == 0:
        raise InputError(
            "neither hours nor days: nothing to simulate",
            message_zh="--hours 与 --days 不能同时为 0",
        )
    return settings.model_copy(update=wished)


def _traces(
    settings: TraceSettings, seed: int | None, processes: int, failures: Path | None
) -> tuple[dict[str, Any], EventScore]:
    random_seed = secrets.randbelow(2**31) if seed is None else seed
    if random_seed in settings.seeds:
        raise InputError(
            f"seed {seed} is one of the suite's fixed seeds",
            message_zh=f"--seed {seed} 与套件的固定种子相同，请换一个",
        )
    err.print(f"随机种子 {random_seed}（用 --seed {random_seed} 可重现）")
    with Progress(*BAR_COLUMNS, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task("模拟中", total=_hours(settings))
        run = run_traces(
            settings,
            random_seed,
            processes=processes,
            failures=failures,
            progress=lambda done: bar.advance(task, done),
        )
    return run.to_dict(), run.score


def _hours(settings: TraceSettings) -> float:
    whole_days = settings.days + settings.random_days
    return settings.hours + settings.random_hours + 24 * whole_days


def _clips(
    suite: EventSuite, root: Path, detector: Detector, kinds: Kinds, fps: float
) -> tuple[dict[str, Any], EventScore, list[Still]]:
    with Progress(*BAR_COLUMNS, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task("识别中", total=len(suite.clips))
        runs = run_clips(
            suite, root, detector, kinds, fps=fps, progress=lambda name: bar.advance(task)
        )
    result = score(run.result for run in runs)
    figures = {
        **result.to_dict(),
        "model": detector.ref,
        "backend": detector.backend,
        "fps": fps,
        "frames": sum(run.frames for run in runs),
    }
    return figures, result, [still for run in runs for still in run.stills]


def _save(folder: Path, stills: list[Still]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for still in stills:
        (folder / still.name).write_bytes(still.jpeg)
    err.print(f"{len(stills)} 张标注画面存到 {folder}", markup=False)


def _show(figures: dict[str, Any], kinds: Kinds, suite: str) -> None:
    table = Table(title=f"事件评测 {suite}", box=box.SIMPLE_HEAD, title_justify="left")
    for i, title in enumerate(COLUMNS):
        table.add_column(title, justify="right" if i else "left", no_wrap=True)
    for cells in rows(figures, kinds):
        table.add_row(*cells, style="bold" if cells[0] == "全部" else "")
    out.print(table)
    if (interval := figures["interval_95"]["f1"]) is not None:
        out.print(f"F1 的 95% 区间（按片段自助抽样）：{interval[0]:.4f}–{interval[1]:.4f}")
    if ordinary := figures.get("parts", {}).get("ordinary"):
        low, high = ordinary["false_alarms_per_camera_day_95"]
        out.print(
            f"平常街道每摄像机·日误报 {ordinary['false_alarms_per_camera_day']:.3f}"
            f"（95% 区间 {low:.3f}–{high:.3f}）；目标不超过 0.05，以平常街道为准"
        )
    for title in ("engine", "checks"):
        for name, value in flat(figures.get(title, {})):
            out.print(f"{name}: {value}", markup=False)
