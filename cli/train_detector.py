"""`xiaozheng train detector`: from labelled pictures to a model on the shelf."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from ..config.errors import InputError
from ..models.manifest import Manifest
from .common import out as console


def train_detector(
    data: Annotated[
        list[Path],
        typer.Option(help="数据集目录（xiaozheng datasets import 所建，已划分）；可多次给出"),
    ],
    base: Annotated[Path, typer.Option(help="COCO 检测权重（.pt）：主干与车辆行人类的教师")],
    out: Annotated[Path, typer.Option(help="模型库中的新版本目录，例如 …/detector/0.3.0")],
    work: Annotated[Path, typer.Option(help="工作目录；同一目录再次运行即接着训练")] = Path(
        "var/train"
    ),
    start: Annotated[
        str | None, typer.Option(help="从模型库中的此版本接着训练，例如 detector；默认从 base 开始")
    ] = None,
    teacher: Annotated[
        str, typer.Option(help="为数据集未标注的类别补标的模型；none 表示不补标")
    ] = "detector",
    shelf: Annotated[Path | None, typer.Option(help="start 与 teacher 所在的模型库")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="城管类每阶段轮数，默认按配方")] = None,
    traffic_epochs: Annotated[
        int | None, typer.Option(min=0, help="车辆行人类轮数，0 为不训练；默认按配方")
    ] = None,
    size: Annotated[int | None, typer.Option(min=64, help="训练图边长（像素），默认按配方")] = None,
    repeat: Annotated[
        list[str] | None, typer.Option(help="来源=次数：每轮重复列出的次数，例如 stills=2")
    ] = None,
    note: Annotated[list[str] | None, typer.Option(help="写入模型卡的说明；可多次给出")] = None,
    device: Annotated[str, typer.Option(help="cpu，或显卡编号如 0")] = "cpu",
    batch: Annotated[int, typer.Option(min=1, help="每批图片数")] = 16,
    seed: Annotated[int, typer.Option(help="随机种子")] = 7,
) -> None:
    """训练检测模型并放上模型库；中断后以同样的命令继续，结果相同。"""
    if importlib.util.find_spec("ultralytics") is None:
        raise InputError(
            "training needs the `train` extra (torch, ultralytics)",
            message_zh="训练需要 train 扩展：先 make setup-train，再用 .venv-train/bin/xiaozheng",
        )
    # Imported here: every other verb must start without torch.
    from ..vision.train.recipe import OWN_STAGES, TRAFFIC_STAGES, Order, adjusted, open_teacher
    from ..vision.train.workshop import make_detector

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    order = Order(
        data=tuple(data),
        base=base,
        work=work,
        start=open_teacher(start, shelf),
        teacher=open_teacher(teacher, shelf),
        own_stages=adjusted(OWN_STAGES, epochs, size),
        traffic_stages=adjusted(TRAFFIC_STAGES, traffic_epochs, size),
        repeats=_repeats(repeat or ()),
        device=device,
        batch=batch,
        seed=seed,
    )
    manifest, trained = make_detector(order, out, datetime.now(UTC), note or ())
    show(manifest)
    console.print(f"模型：{out}", markup=False)
    console.print(f"训练记录：{trained.record}；曲线与对照图也在该目录", markup=False)


def _repeats(given: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for entry in given:
        name, _, count = entry.rpartition("=")
        if not name or not count.isdigit():
            raise InputError(
                f"--repeat {entry!r}: must be SOURCE=COUNT",
                message_zh=f"--repeat {entry}：应为 来源=次数",
            )
        found[name] = int(count)
    return found


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
