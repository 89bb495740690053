"""`xiaozheng train places`: train the place tagger and put it into a shelf folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.progress import TimeElapsedColumn as Elapsed

from ..config.errors import InputError
from .common import err, out, print_json


def train_places(
    data: Annotated[
        Path, typer.Option("--data", help="数据目录：address_ner/、gazetteer/ 与投诉文本")
    ],
    base: Annotated[Path, typer.Option("--base", help="底座权重目录（multilingual-e5-small）")],
    target: Annotated[Path, typer.Option("--out", help="模型库目录，写入 places/<版本>/")],
    version: Annotated[str, typer.Option(help="版本号")] = "0.1.0",
    seed: Annotated[int, typer.Option(help="随机种子")] = 1,
    epochs: Annotated[int, typer.Option(min=1, help="训练轮数")] = 12,
    threads: Annotated[int, typer.Option(min=1, help="CPU 线程数")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """训练地点抽取模型；中断后用同一命令从上一轮接着训练。"""
    try:
        import torch

        from ..nlp.train.places import PlaceOptions, train_places
    except ModuleNotFoundError as error:
        raise InputError(
            f"training needs the train extra ({error.name} is not installed)",
            message_zh=f"缺少训练依赖 {error.name}，请安装 train 扩展：make setup-train",
        ) from None
    torch.set_num_threads(threads)
    defaults = PlaceOptions()
    options = replace(
        defaults, version=version, fit=replace(defaults.fit, seed=seed, epochs=epochs)
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed())
    with Progress(*columns, console=err) as bars:
        tasks: dict[str, TaskID] = {}

        def progress(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        folder = train_places(data, base, target, options, now=datetime.now(UTC), progress=progress)
    if as_json:
        print_json({"folder": str(folder)})
        return
    out.print(f"模型已写入 {folder}", markup=False)
