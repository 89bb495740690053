"""`xiaozheng eval detector`: a detector against labelled pictures, as JSON and as a page."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..config.errors import DatasetError, InputError
from ..eval.detector import evaluate, figures
from ..eval.detector_page import detector_page
from ..eval.detector_run import Examinee, Run
from ..eval.detector_set import (
    ALL_PARTS,
    Labelled,
    TestSet,
    Wishes,
    make_test_set,
    read_folders,
    read_part,
)
from ..eval.report import number, percent, write_report
from ..models.registry import Registry
from ..models.runtimes import Backend
from .common import EXIT_BAD_INPUT, err, out

SHOWN_PROBLEMS = 20
SHOWN_CLASSES = 12


class Part(StrEnum):
    """Parts of a data-set folder."""

    train = "train"
    val = "val"
    held = "held"
    all = ALL_PARTS


def eval_detector(
    json_out: Annotated[Path, typer.Option("--json", help="各项指标写入此文件（JSON）")],
    images: Annotated[Path | None, typer.Option(help="图片目录（含子目录）")] = None,
    labels: Annotated[Path | None, typer.Option(help="YOLO 标注目录，文件名与图片一致")] = None,
    classes: Annotated[
        Path | None,
        typer.Option(help="类别名文件：每行一个，或含 names 的 YAML（如 data.yaml）"),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="数据集目录（见 datasets 命令），代替以上三项")
    ] = None,
    part: Annotated[Part, typer.Option(help="与 --data 合用：取哪个分集")] = Part.val,
    html_out: Annotated[
        Path | None, typer.Option("--html", help="同时写一份可直接打开的网页报告")
    ] = None,
    model: Annotated[str, typer.Option(help="检测模型：名称、名称@别名或名称@版本")] = "detector",
    shelf: Annotated[Path | None, typer.Option(help="模型库目录")] = None,
    backend: Annotated[Backend, typer.Option(help="推理运行时")] = "auto",
    limit: Annotated[int, typer.Option(min=0, help="只取这么多张，均匀抽取；0 为全部")] = 0,
    alias: Annotated[
        list[str] | None,
        typer.Option(help="补充类别对应，如 --alias 果皮箱=bin，右边留空则不计；可重复"),
    ] = None,
    absent: Annotated[
        list[str] | None,
        typer.Option(help="图中肯定没有、也未标注的模型类别，如 stall；其框全算误报；可重复"),
    ] = None,
    missing_is_empty: Annotated[
        bool, typer.Option(help="没有标注文件的图片算作没有目标（默认列为不可用）")
    ] = False,
    mistakes: Annotated[int, typer.Option(min=0, help="网页报告里最多放几张错误图片")] = 24,
) -> None:
    """用带标注的图片评测检测模型：AP、准确率、召回率、误报、得分校准、混淆矩阵。

    退出码：0 全部可用，2 有图片或标注不可用（其余照常评测）或输入有误，1 内部失败。
    """
    examinee = Examinee(Registry(shelf), model, backend)
    wishes = Wishes(_aliases(alias or []), tuple(absent or ()), limit)
    labelled = _read(images, labels, classes, data, part, missing_is_empty)
    test_set = make_test_set(labelled, examinee.detector.labels, wishes)
    run = _run(examinee, test_set)
    if not run.found:
        raise DatasetError(
            f"{test_set.title}: no usable picture",
            message_zh=f"没有一张图片可用：{test_set.title}",
        )
    result = evaluate(run, test_set)
    found = figures(result)
    now = datetime.now(UTC)
    page = detector_page(result, found, now, mistakes if html_out else 0)
    write_report(found, page, json_out, html_out, kind="detector", made=now)
    _show(found, [path for path in (json_out, html_out) if path is not None])
    if found["problems"]:
        raise typer.Exit(EXIT_BAD_INPUT)


def _read(
    images: Path | None,
    labels: Path | None,
    classes: Path | None,
    data: Path | None,
    part: Part,
    missing_is_empty: bool,
) -> Labelled:
    if data is not None and images is labels is classes is None:
        return read_part(data, part.value)
    if data is None and images is not None and labels is not None and classes is not None:
        return read_folders(images, labels, classes, missing_is_empty)
    raise InputError(
        "give either --images, --labels and --classes together, or --data alone",
        message_zh="请同时给出 --images、--labels、--classes，或只给 --data",
    )


def _aliases(given: list[str]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for text in given:
        name, equals, label = (part.strip() for part in text.partition("="))
        if not (name and equals):
            raise InputError(
                f"--alias {text!r}: expected NAME=LABEL",
                message_zh=f"--alias {text}：应写成 名称=类别（类别留空则不计）",
            )
        pairs[name] = label
    return pairs


def _run(examinee: Examinee, test_set: TestSet) -> Run:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    )  # fmt: skip
    with Progress(*columns, console=err) as bars:
        task = bars.add_task("识别", total=len(test_set.table))
        return examinee.run(
            test_set.table, lambda done, total: bars.update(task, completed=done, total=total)
        )


def _show(found: dict[str, Any], written: list[Path]) -> None:
    out.print(
        f"{found['model']} · {found['backend']} · {found['n_images']} 张图片，"
        f"{found['n_broken']} 个文件不可用",
        markup=False,
    )
    out.print(
        f"AP {percent(found['ap'])}  AP50 {percent(found['ap50'])}  "
        f"无目标图片误报 {number(found['fp_per_image'])} 个/张"
        f"（{found['n_images_without_objects']} 张）"
    )
    if (state := found["bin_state"]) is not None:
        out.print(f"满溢与正常之分：F1 {percent(state['f1'])}（找到的 {state['found']} 个桶）")
    out.print(_class_table(found))
    _show_classes(found["classes"])
    for problem in found["problems"][:SHOWN_PROBLEMS]:
        line = f":{problem['line']}" if problem["line"] else ""
        out.print(f"不可用，已跳过：{problem['path']}{line}：{problem['reason']}", markup=False)
    if (more := len(found["problems"]) - SHOWN_PROBLEMS) > 0:
        out.print(f"……另有 {more} 处，见 JSON 的 problems。")
    out.print(f"已写入 {'、'.join(map(str, written))}", markup=False)


def _class_table(found: dict[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    columns = ("类别", "标注", "AP50", "AP", "阈值", "准确率", "召回率", "F1", "无此类图片误报/张")
    for column in columns:
        table.add_column(column, justify="left" if column == "类别" else "right")
    for name, figure in found["per_class"].items():
        rates = (percent(figure[key]) for key in ("precision", "recall", "f1"))
        table.add_row(
            figure["zh"],
            str(figure["n"]),
            percent(figure["ap50"]),
            percent(figure["ap"]),
            f"{figure['threshold']:.2f}",
            *rates,
            number(found["false_per_image_without"][name]["per_image"]),
        )
    return table


def _show_classes(classes: dict[str, Any]) -> None:
    if unknown := classes["unknown_to_model"]:
        most = sorted(unknown.items(), key=lambda pair: -pair[1])[:SHOWN_CLASSES]
        listed = "、".join(f"{name} {count}" for name, count in most)
        more = f" 等 {len(unknown)} 类" if len(unknown) > len(most) else ""
        out.print(f"模型不认识、未计入的标注类别（框数）：{listed}{more}", markup=False)
    if classes["not_labelled_in_set"]:
        listed = "、".join(classes["not_labelled_in_set"])
        out.print(f"未标注、不参与评分的模型类别：{listed}")
