"""`xiaozheng eval router`: how right a router is, how honest, and how much it may decide."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

from ..config.errors import InputError
from ..eval.report import number, percent, write_report
from ..eval.router import router_figures
from ..eval.router_page import FIELD_ZH, VERDICT_ZH, router_page
from ..eval.router_rows import (
    HOMOPHONES_FILE,
    MAX_CHARS,
    RouterField,
    RouterRow,
    homophones_near,
    read_labelled,
    transcripts,
)
from ..eval.router_run import (
    Run,
    StoredAnswers,
    ask_router,
    department_of,
    load_stored,
    run_of_stored,
)
from ..models.registry import Registry
from ..nlp.departments import load_departments
from ..nlp.noise import SpeechNoise, parse_noise
from ..nlp.router import Router
from .common import err, out

NOISE_SEED = 30


class Labels(StrEnum):
    """What is judged."""

    department = "department"
    category = "category"


def eval_router(
    field: Annotated[Labels, typer.Option(help="评测承办部门或一级类别")],
    json_out: Annotated[Path, typer.Option("--json", help="各项指标写入此文件（JSON）")],
    data: Annotated[
        Path | None,
        typer.Option(help="有标注的来电（.jsonl：id、text，可有 title、second、confidence）"),
    ] = None,
    html_out: Annotated[
        Path | None, typer.Option("--html", help="同时写一份可直接打开的网页报告")
    ] = None,
    model: Annotated[str, typer.Option(help="模型：名称、名称@别名或名称@版本")] = "router",
    shelf: Annotated[Path | None, typer.Option(help="模型库目录")] = None,
    departments: Annotated[Path | None, typer.Option(help="departments.yaml，默认用自带的")] = None,
    noise: Annotated[
        str,
        typer.Option(
            help="模拟语音噪声，如 homophone=0.3,filler=0.2,drop=0.05,speaker=1；"
            "另有 repair、digits、punctuation"
        ),
    ] = "",
    homophones: Annotated[
        Path | None, typer.Option(help=f"同音字表，默认为数据目录下的 {HOMOPHONES_FILE}")
    ] = None,
    train: Annotated[
        Path | None, typer.Option(help="交叉验证：在此文件上轮流训练（线性模型）与测试")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, max=20, help="交叉验证折数")] = 5,
    oof: Annotated[Path | None, typer.Option(help="训练时存下的折外预测（.npz），不再训练")] = None,
    seed: Annotated[int, typer.Option(help="分折的随机种子")] = 1,
    mistakes: Annotated[int, typer.Option(min=0, help="网页列出几条最有把握的错误")] = 40,
) -> None:
    """评测派单：首选与前三、校准误差、风险—覆盖曲线、97% 准确率下可自动派单的比例。

    默认用模型库中的模型回答 --data；--train 交叉验证；--oof 直接评测折外预测。
    退出码：0 完成，2 输入有误，1 内部失败。
    """
    label: RouterField = field.value
    wished = parse_noise(noise)
    path = _one_file(data, train)
    if oof is not None:
        if train is not None or wished.any:
            raise InputError(
                "--oof: stored answers can be neither trained nor disturbed",
                message_zh="--oof 为已存的预测，不能同时用 --train 或 --noise",
            )
        run = _stored(load_stored(oof), path, label, departments, str(oof))
    elif train is not None:
        table = homophones or train.parent / HOMOPHONES_FILE
        run = _cross_validated(train, path, label, table, wished, folds, seed)
    else:
        router = Router.open(Registry(shelf), model, departments, max_chars=MAX_CHARS)
        known = _known(label, router)
        rows = read_labelled(path, label, known)
        calls = transcripts(rows, wished, homophones_near(homophones, path, wished), NOISE_SEED)
        with _bar("派单中") as (bar, task):
            run = ask_router(
                router,
                rows,
                calls,
                label,
                lambda done, total: bar.update(task, completed=done, total=total),
            )
    now = datetime.now(UTC)
    with err.status("计算指标…"):
        figures = {
            "field": label,
            "model": run.source,
            "data": path.name,
            "noise": noise,
            "without_answer": run.without_answer,
            **router_figures(run.answers),
        }
    page = router_page(run, figures, now, mistakes)
    write_report(figures, page, json_out, html_out, kind="router", made=now)
    _show(figures)
    for written in (json_out, html_out):
        if written is not None:
            out.print(f"已写入 {written}", markup=False)


def _one_file(data: Path | None, train: Path | None) -> Path:
    path = data or train
    if path is None:
        raise InputError(
            "--data or --train: one of them is needed", message_zh="请给出 --data 或 --train"
        )
    return path


def _known(field: RouterField, router: Router) -> set[str]:
    if field == "category":
        return set(router.categories)
    return set(department_of(router.departments))


def _stored(
    stored: StoredAnswers, path: Path, field: RouterField, departments: Path | None, source: str
) -> Run:
    rows = read_labelled(path, field, set(stored.order))
    names = _names(field, departments)
    return run_of_stored(stored, rows, field, names, path=path, source=source)


def _names(field: RouterField, departments: Path | None) -> dict[str, str]:
    if field == "category":
        return {}
    return {desk.code: desk.name for desk in load_departments(departments).departments}


def _cross_validated(
    train: Path,
    path: Path,
    field: RouterField,
    homophones: Path,
    noise: SpeechNoise,
    folds: int,
    seed: int,
) -> Run:
    try:
        from ..eval.router_crossval import cross_validate
    except ModuleNotFoundError as error:
        raise InputError(
            f"cross-validation needs the train extra ({error.name} is not installed)",
            message_zh=f"缺少训练依赖 {error.name}，请安装 train 扩展：make setup-train",
        ) from None
    names = _names(field, None)
    rows = read_labelled(train, field, set(names) if field == "department" else None)
    tested = rows
    if path != train:
        tested = read_labelled(path, field, {_label(row, field) for row in rows})
    calls = transcripts(rows, noise, homophones_near(homophones, train, noise), NOISE_SEED)
    with _bar("交叉验证") as (bar, task):
        stored = cross_validate(
            rows,
            calls,
            field,
            homophones=homophones,
            folds=folds,
            seed=seed,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    source = f"linear, {folds} folds"
    return run_of_stored(stored, tested, field, names, path=path, source=source)


def _label(row: RouterRow, field: RouterField) -> str:
    return row.department if field == "department" else row.category


@contextmanager
def _bar(title: str) -> Iterator[tuple[Progress, TaskID]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=err, disable=not err.is_terminal, transient=True
    ) as bar:
        yield bar, bar.add_task(title, total=None)


def _show(found: dict[str, Any]) -> None:
    noise = f"，噪声 {found['noise']}" if found["noise"] else ""
    out.print(
        f"{FIELD_ZH[found['field']]}：{found['model']} 答 {found['data']} {found['n']} 条{noise}",
        markup=False,
    )
    if found["without_answer"]:
        out.print(f"另有 {found['without_answer']} 条没有折外预测，未计入")
    auto = found["auto_at_97"]
    low, high = auto["share_interval_95"]
    top_low, top_high = found["interval_95"]["top1"]
    lines = [
        ("首选正确", f"{percent(found['top1'])}（{100 * top_low:.1f}–{100 * top_high:.1f}）"),
        ("前三命中", percent(found["top3"])),
        ("宏平均 F1", number(found["macro_f1"])),
        (
            "ECE（15 档）",
            f"{number(found['ece'])}（完全准确时约 {number(found['ece_if_perfect'])}）",
        ),
        (
            "97% 准确率下可自动",
            f"{percent(auto['share'])}（{100 * low:.0f}–{100 * high:.0f}），"
            f"实得 {percent(auto['achieved_precision'])}",
        ),
        (
            "另一半上选线",
            f"{percent(auto['cross_fitted']['share'])}，"
            f"实得 {percent(auto['cross_fitted']['precision'])}",
        ),
    ]
    for name, value in lines:
        out.print(f"  {name}：{value}", markup=False)
    for level, part in sorted(found.get("per_reader_confidence", {}).items(), reverse=True):
        out.print(
            f"  标注者把握 {level}：{part['n']} 条，首选 {percent(part['top1'])}，"
            f"前三 {percent(part['top3'])}",
            markup=False,
        )
    if "decisions" in found:
        _show_decisions(found["decisions"])


def _show_decisions(found: dict[str, Any]) -> None:
    table = Table(title="实际决定", box=box.SIMPLE_HEAD, title_justify="left")
    for i, title in enumerate(("决定", "规则", "条数", "占比", "首选正确", "前三命中")):
        table.add_column(title, justify="right" if i > 1 else "left", no_wrap=True)
    for rule, part in found["by_rule"].items():
        table.add_row(
            VERDICT_ZH[part["verdict"]],
            rule,
            str(part["n"]),
            percent(part["share"]),
            percent(part["top1"]),
            percent(part["top3"]),
        )
    out.print(table)
