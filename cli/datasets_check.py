"""`xiaozheng datasets validate`, `split` and `stats`."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from ..datasets.folder import PARTS, Dataset, read_dataset, write_parts
from ..datasets.labels import LABELS_ZH
from ..datasets.likeness import LikenessRule, complete_groups
from ..datasets.scan import ticker
from ..datasets.split import split_parts
from ..datasets.stats import Stats, stats_of
from ..datasets.validate import Verdict
from ..datasets.validate import validate as validate_folder
from .common import EXIT_BAD_INPUT, out, print_json
from .datasets_show import problem_rows, show_problems, watched

PARTS_ZH = {"train": "训练", "val": "验证", "held": "留出", "": "未划分"}


class Grouping(StrEnum):
    """How scenes are told apart."""

    LIKENESS = "likeness"
    GIVEN = "given"


def validate(
    folder: Annotated[Path, typer.Argument(help="数据集目录")],
    bits: Annotated[
        int, typer.Option(min=0, max=128, help="感知哈希差异不超过多少位（共 256）算近似重复")
    ] = LikenessRule().max_hash_bits,
    as_json: Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")] = False,
) -> None:
    """检查数据集：图片能否完整解码、框与类别是否合理、分集之间有无重复、类别是否均衡。

    退出码：0 可以训练（可能有提醒），2 有必须处理的问题。
    """
    with watched() as watch:
        verdict = validate_folder(folder, LikenessRule(max_hash_bits=bits), watch)
    if as_json:
        print_json(
            {
                "pictures": len(verdict.dataset.table),
                "errors": problem_rows(verdict.errors),
                "warnings": problem_rows(verdict.warnings),
            }
        )
    else:
        _show_verdict(verdict)
    if verdict.errors:
        raise typer.Exit(EXIT_BAD_INPUT)


def split(
    folder: Annotated[Path, typer.Argument(help="数据集目录")],
    val: Annotated[float, typer.Option(min=0, max=0.9, help="验证集占比")] = 0.15,
    held: Annotated[float, typer.Option(min=0, max=0.9, help="留出集占比")] = 0.1,
    group: Annotated[
        Grouping,
        typer.Option(help="场景划分：likeness 按片段并合并相像的图片，given 只按片段"),
    ] = Grouping.LIKENESS,
    bursts_from: Annotated[
        int | None,
        typer.Option(help="文件名为数字且不小于此数的图片视为连拍，相邻且色彩相近者同属一景"),
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="已划分的场景保持原分集，只划分新图片")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")] = False,
) -> None:
    """划分训练、验证、留出集；同一片段、同一连拍、近似重复的图片不会被拆开。"""
    dataset = read_dataset(folder)
    table = dataset.table
    if group is Grouping.LIKENESS:
        with watched() as watch:
            rule = LikenessRule(burst_from=bursts_from)
            table = complete_groups(table, rule, ticker(watch, "比对图片", len(table)))
    parted = write_parts(
        dataset, table, split_parts(table, val, held, dataset.parts if keep else ())
    )
    found = stats_of(parted)
    if as_json:
        print_json({"pictures": found.by_part, "scenes": found.scenes_by_part})
        return
    for part in PARTS:
        out.print(
            f"{PARTS_ZH[part]}：{found.by_part.get(part, 0)} 张，"
            f"{found.scenes_by_part.get(part, 0)} 个场景",
            markup=False,
        )
    if held and not found.by_part.get("held"):
        out.print("场景太少，未能另分留出集。")


def stats(
    folder: Annotated[Path, typer.Argument(help="数据集目录")],
    as_json: Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")] = False,
) -> None:
    """统计图片、场景、各类框数与大小。"""
    dataset = read_dataset(folder)
    with watched() as watch:
        found = stats_of(dataset, watch)
    if as_json:
        print_json(asdict(found))
    else:
        _show_stats(dataset, found)


def _show_verdict(verdict: Verdict) -> None:
    if verdict.errors:
        show_problems(verdict.errors, "，见 --json 的输出")
    if verdict.warnings:
        out.print("以下仅为提醒：")
        show_problems(verdict.warnings, "，见 --json 的输出")
    count = len(verdict.dataset.table)
    if verdict.errors:
        out.print(f"{count} 张图片可用，{len(verdict.errors)} 处问题须先处理。")
    else:
        out.print(f"{count} 张图片全部可用，提醒 {len(verdict.warnings)} 处。")


def _show_stats(dataset: Dataset, found: Stats) -> None:
    about = dataset.about
    facts = [about.source, about.licence, about.note]
    out.print(f"{dataset.folder}：{' · '.join(f for f in facts if f)}", markup=False)
    out.print(
        f"{found.pictures} 张图片（{found.empty} 张无目标），{found.scenes} 个场景，"
        f"{found.boxes} 个框"
    )
    for part, count in found.by_part.items():
        out.print(f"  {PARTS_ZH[part]}：{count} 张，{found.scenes_by_part[part]} 个场景")
    if len(found.by_source) > 1:
        told = "，".join(f"{name} {count}" for name, count in found.by_source.items())
        out.print(f"  来源：{told}", markup=False)
    out.print(_class_table(found))


def _class_table(found: Stats) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    parts = list(found.by_part)
    heads = ["类别", "框", "图片", *(PARTS_ZH[p] for p in parts), "小", "中", "大"]
    for head in heads:
        table.add_column(head, justify="left" if head == "类别" else "right")
    for name, one in found.classes.items():
        row: list[Any] = [f"{LABELS_ZH.get(name, name)} {name}", one.boxes, one.pictures]
        row += [one.by_part[p] for p in parts] + [one.small, one.medium, one.large]
        table.add_row(*map(str, row))
    return table
