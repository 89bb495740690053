"""`xiaozheng train detector`: from labelled pictures to a model on the shelf."""

from __future__ import annotations

import importlib.util
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..config.errors import InputError
from ..models.manifest import Manifest
from .common import out as console


def train_detector(
    data: Annotated[Path, typer.Option(help="数据目录，内含 bins/ 与 coco_train_subset/")],
    base: Annotated[Path, typer.Option(help="起点与教师：COCO 检测权重（.pt）")],
    out: Annotated[Path, typer.Option(help="模型库中的新版本目录，例如 …/detector/0.2.0")],
    work: Annotated[Path, typer.Option(help="工作目录；同一目录再次运行即接着训练")] = Path(
        "var/train"
    ),
    stills: Annotated[
        Path | None, typer.Option(help="渲染静帧（YOLO 目录），摊位类由此而来")
    ] = None,
    stills_val: Annotated[Path | None, typer.Option(help="验证用渲染静帧")] = None,
    device: Annotated[str, typer.Option(help="cpu，或显卡编号如 0")] = "cpu",
    epochs: Annotated[int | None, typer.Option(min=1, help="每阶段轮数，默认按配方")] = None,
    size: Annotated[int | None, typer.Option(min=64, help="训练图边长（像素），默认按配方")] = None,
    batch: Annotated[int, typer.Option(min=1, help="每批图片数")] = 16,
    seed: Annotated[int, typer.Option(help="随机种子")] = 7,
) -> None:
    """训练检测模型并放上模型库；中断后以同样的命令继续。"""
    if importlib.util.find_spec("ultralytics") is None:
        raise InputError(
            "training needs the `train` extra (torch, ultralytics)",
            message_zh="训练需要 train 扩展：先 make setup-train，再用 .venv-train/bin/xiaozheng",
        )
    # Imported here: every other verb must start without torch.
    from ..vision.train.recipe import Order, adjusted_stages
    from ..vision.train.workshop import make_detector

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    order = Order(
        data=data,
        base=base,
        work=work,
        stills=stills,
        stills_val=stills_val,
        stages=adjusted_stages(epochs, size, with_stills=stills is not None),
        device=device,
        batch=batch,
        seed=seed,
    )
    show(make_detector(order, out, datetime.now(UTC)))


def show(manifest: Manifest) -> None:
    """A table of what was made: one row per label and validation set."""
    table = Table(title=f"{manifest.name} {manifest.version}")
    for title in ("数据", "类别", "真值框", "AP50", "阈值", "精确率", "召回率"):
        table.add_column(title)
    zh = {label.name: label.zh for label in manifest.labels}
    for part, content in manifest.metrics.items():
        for name, found in content["per_class"].items():
            if found["positives"]:
                cells = [found[k] for k in ("ap50", "threshold", "precision", "recall")]
                table.add_row(
                    part, zh[name], str(found["positives"]), *[_cell(value) for value in cells]
                )
    console.print(table)


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
