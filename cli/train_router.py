"""`xiaozheng train router`: train the department model and put it into a shelf folder."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from ..config.errors import InputError
from .common import err, out, print_json


def train_router(
    data: Annotated[Path, typer.Option("--data", help="训练数据目录")],
    target: Annotated[Path, typer.Option("--out", help="模型库目录，写入 router/<版本>/")],
    version: Annotated[str, typer.Option(help="版本号")] = "0.1.0",
    seed: Annotated[int, typer.Option(help="随机种子")] = 1,
    folds: Annotated[int, typer.Option(min=2, max=20, help="交叉验证折数")] = 5,
    base: Annotated[
        Path | None,
        typer.Option(
            help="底座编码器目录（model.safetensors、tokenizer.json）；不给则只训练线性模型"
        ),
    ] = None,
    work: Annotated[
        Path, typer.Option(help="工作目录；同一目录再次运行即接着训练，结果相同")
    ] = Path("var/train-router"),
    encoder_folds: Annotated[
        int | None,
        typer.Option(min=1, help="编码器只训练前几折（其余行不参与校准与指标），默认全部"),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="编码器轮数，默认按配方")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="训练线程数，默认全部核")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
) -> None:
    """训练派单模型：交叉验证、校准、导出 ONNX，并写出清单与模型卡；中断后以同样的命令继续。"""
    try:
        import torch

        from ..nlp.train.encoder_fit import FitOptions
        from ..nlp.train.recipe import EncoderPlan, TrainOptions, run_summary, train_artifact
    except ModuleNotFoundError as error:
        raise InputError(
            f"training needs the train extra ({error.name} is not installed)",
            message_zh=f"缺少训练依赖 {error.name}，请安装 train 扩展：make setup-train",
        ) from None
    if threads is not None:
        torch.set_num_threads(threads)
    plan = None
    if base is not None:
        fit = FitOptions(seed=seed)
        fit = fit if epochs is None else replace(fit, epochs=epochs)
        plan = EncoderPlan(base, work, fit, min(encoder_folds or folds, folds))
    options = TrainOptions(version=version, seed=seed, folds=folds, encoder=plan)
    with _bars() as bars:
        tasks: dict[str, TaskID] = {}

        def progress(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        folder = train_artifact(data, target, options, now=datetime.now(UTC), progress=progress)
    summary = run_summary(folder)
    if as_json:
        print_json({"folder": str(folder), **summary})
        return
    out.print(f"模型已写入 {folder}")
    for name, figures in summary["metrics"].items():
        shown = "  ".join(f"{key} {value}" for key, value in figures.items())
        out.print(f"  {name:<22} {shown}", markup=False)


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=err,
    )
