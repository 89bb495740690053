"""`xiaozheng eval places`: how well address elements are found."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table

from ..eval.places import address_figures, named_place_figures
from ..eval.report import Page, write_report
from ..models.registry import Registry
from ..nlp.place.elements import KINDS_ZH
from ..nlp.place.finder import PlaceFinder
from ..nlp.place.tagger import PlaceTagger
from .common import err, out


def eval_places(
    data: Annotated[Path, typer.Option("--data", help="标注地址（CoNLL，BIOES）")],
    json_out: Annotated[Path, typer.Option("--json", help="各项指标写入此文件（JSON）")],
    messages: Annotated[
        Path | None, typer.Option(help="另测：真实工单（JSONL，text 与 river 字段）中地名的召回")
    ] = None,
    model: Annotated[str, typer.Option(help="模型：名称、名称@别名或名称@版本")] = "places",
    shelf: Annotated[Path | None, typer.Option(help="模型库目录")] = None,
) -> None:
    """地址要素评测：严格边界的准确率、召回率、F1，分种类。

    退出码：0 完成，2 输入有误，1 内部失败。
    """
    tagger = PlaceTagger.open(Registry(shelf), model)
    with err.status("识别中…"):
        figures: dict[str, Any] = {"model": tagger.ref, **address_figures(data, tagger)}
        if messages is not None:
            figures["messages"] = named_place_figures(messages, PlaceFinder(tagger))
    write_report(figures, Page("地址要素"), json_out, kind="places", made=datetime.now(UTC))
    table = Table(title=f"地址要素 {tagger.ref}", box=box.SIMPLE_HEAD, title_justify="left")
    for at, title in enumerate(("要素", "F1", "准确率", "召回率", "条数")):
        table.add_column(title, justify="right" if at else "left")
    for kind, row in figures["per_kind"].items():
        table.add_row(KINDS_ZH[kind], *_cells(row))
    table.add_row("全部", *_cells(figures), style="bold")
    out.print(table)
    out.print(f"整条全对 {figures['texts_right']:.1%}，每秒 {figures['texts_per_s']:.0f} 条")
    if named := figures.get("messages"):
        out.print(
            f"工单 {named['n']} 条：地名被覆盖 {named['covered']:.1%}，"
            f"边界全对 {named['exact']:.1%}，每秒 {named['texts_per_s']:.0f} 条"
        )
    out.print(f"已写入 {json_out}", markup=False)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (*(f"{row[key]:.4f}" for key in ("f1", "precision", "recall")), str(row.get("n", "")))
