"""`xiaozheng datasets sheet` and `doubt`: labels to be looked at."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich import box as rich_box
from rich.table import Table as RichTable

from ..config.errors import DatasetError
from ..datasets.doubt import KINDS_ZH, Corners, Doubt, find_doubts, write_doubts
from ..datasets.folder import read_dataset
from ..datasets.labels import LABELS_ZH
from ..datasets.scan import Watch
from ..datasets.table import Picture, Table
from ..models.registry import Registry
from ..vision.detector import Detector
from ..vision.drawing import (
    BOX_BGR,
    FONT,
    PALETTE,
    Colour,
    draw_banner,
    draw_box,
    encode_jpeg,
)
from ..vision.images import Image
from ..vision.train.measure import Predicted, predict
from .common import out as console
from .common import print_json
from .datasets_show import watched

CELL_PX = 420
GAP_PX = 4
VIEW_SIDES = 3.0
"""A doubt is shown with so many times its boxes' longer side."""
MIN_VIEW = 0.35
"""Never less than this part of the picture: the surroundings tell what a thing is."""
BATCH = 8
LABEL_BGR: Colour = (255, 255, 255)


def sheet(
    folder: Annotated[Path, typer.Argument(help="数据集目录")],
    out: Annotated[Path, typer.Option(help="拼图文件（JPEG）")],
    count: Annotated[int, typer.Option(min=1, max=400, help="最多几张图片")] = 25,
    label: Annotated[str, typer.Option("--class", help="只看含此类别的图片")] = "",
    part: Annotated[str, typer.Option(help="只看一个分集：train、val 或 held")] = "",
    seed: Annotated[int, typer.Option(help="随机挑选的种子")] = 0,
    columns: Annotated[int, typer.Option(min=1, max=20, help="每行几张")] = 5,
) -> None:
    """随机挑若干图片画上标注框，拼成一张图。"""
    dataset = read_dataset(folder)
    table = dataset.part(part) if part else dataset.table
    pictures = [p for p in table.pictures if not label or _has(p, table, label)]
    if not pictures:
        raise DatasetError(f"{folder}: no such picture", message_zh=f"{folder} 中没有这样的图片")
    chosen = random.Random(seed).sample(pictures, min(count, len(pictures)))
    cells = [_labelled(p, table.names) for p in sorted(chosen, key=lambda p: p.path)]
    _save(out, cells, columns)
    console.print(f"已将 {len(cells)} 张图片拼入 {out}", markup=False)


def doubt(
    folder: Annotated[Path, typer.Argument(help="数据集目录")],
    out: Annotated[Path, typer.Option(help="输出目录：doubts.csv 与 sheet.jpg")],
    model: Annotated[str, typer.Option(help="检测模型：名称、名称@别名或名称@版本")] = "detector",
    shelf: Annotated[Path | None, typer.Option(help="模型库目录")] = None,
    top: Annotated[int, typer.Option(min=1, max=400, help="拼图中最多几处")] = 40,
    limit: Annotated[int, typer.Option(min=0, help="只看前几张图片，0 为全部")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")] = False,
) -> None:
    """找出模型强烈反对的标注：错类、漏标、偏移、误标，按把握排序，供人复核。"""
    table = read_dataset(folder).table
    if limit:
        table = table.select(table.pictures[:limit])
    detector = Detector.open(Registry(shelf), model)
    with watched() as watch:
        predictions = _predict(detector, table, watch)
    doubts = find_doubts(table, predictions)
    out.mkdir(parents=True, exist_ok=True)
    write_doubts(out / "doubts.csv", table, doubts)
    if doubts:
        cells = [_doubted(rank, d, table) for rank, d in enumerate(doubts[:top], 1)]
        _save(out / "sheet.jpg", cells, 5)
    kinds = dict(Counter(d.kind for d in doubts))
    if as_json:
        written = [str(out / "doubts.csv")] + ([str(out / "sheet.jpg")] if doubts else [])
        print_json({"model": detector.ref, "pictures": len(table), "doubts": len(doubts),
                    "kinds": kinds, "files": written})  # fmt: skip
        return
    told = "，".join(f"{KINDS_ZH[kind]} {count}" for kind, count in kinds.items())
    console.print(
        f"{detector.ref}：{len(table)} 张图片中 {len(doubts)} 处可疑（{told or '无'}）",
        markup=False,
    )
    console.print(_doubt_table(doubts[:10], table))
    console.print(
        f"全部清单见 {out / 'doubts.csv'}，前 {top} 处见 {out / 'sheet.jpg'}", markup=False
    )


def _predict(detector: Detector, table: Table, watch: Watch) -> list[Predicted]:
    found: list[Predicted] = []
    for start in range(0, len(table), BATCH):
        found += predict(detector, table.select(table.pictures[start : start + BATCH]), BATCH)
        watch("识别", len(found), len(table))
    return found


def _doubt_table(doubts: Sequence[Doubt], table: Table) -> RichTable:
    shown = RichTable(box=rich_box.SIMPLE_HEAD)
    for head in ("图片", "疑点", "把握", "标注", "模型"):
        shown.add_column(head, overflow="fold")
    for one in doubts:
        model = f"{LABELS_ZH.get(one.model, one.model)} {one.score:.2f}" if one.model else "—"
        label = LABELS_ZH.get(one.label, one.label) if one.label else "—"
        file = table.pictures[one.picture].path.name
        shown.add_row(file, KINDS_ZH[one.kind], f"{one.strength:.2f}", label, model)
    return shown


def _has(item: Picture, table: Table, label: str) -> bool:
    if label not in table.names:
        raise DatasetError(
            f"no class {label!r} (there are {', '.join(table.names)})",
            message_zh=f"没有类别 {label}（有：{'、'.join(table.names)}）",
        )
    return bool((item.classes == table.names.index(label)).any())


def _labelled(item: Picture, names: Sequence[str]) -> Image:
    canvas = _small(item)
    half = item.boxes[:, 2:] / 2
    corners = np.hstack([item.boxes[:, :2] - half, item.boxes[:, :2] + half])
    for row, label in zip(corners.tolist(), item.classes.tolist(), strict=True):
        _draw(canvas, _four(row), names[label], PALETTE[label % len(PALETTE)])
    draw_banner(canvas, [item.path.stem.encode("ascii", "replace").decode()])
    return canvas


def _doubted(rank: int, one: Doubt, table: Table) -> Image:
    """One doubt, near by: what is labelled in white, what the model sees in yellow."""
    item = table.pictures[one.picture]
    view = _view([b for b in (one.box, one.model_box) if b])
    canvas = _small(item, view)
    if one.box:
        _draw(canvas, _within(one.box, view), one.label, LABEL_BGR)
    if one.model_box:
        text = f"{one.model} {one.score:.2f}"
        _draw(canvas, _within(one.model_box, view), text, BOX_BGR, below=True)
    stem = item.path.stem.encode("ascii", "replace").decode()
    draw_banner(canvas, [f"{rank} {one.kind} {one.strength:.2f}  {stem}"])
    return canvas


def _view(boxes: Sequence[Corners]) -> Corners:
    """The part of the picture to show: the boxes with as much again around them."""
    x1, y1 = min(b[0] for b in boxes), min(b[1] for b in boxes)
    x2, y2 = max(b[2] for b in boxes), max(b[3] for b in boxes)
    side = min(1.0, max(MIN_VIEW, VIEW_SIDES * max(x2 - x1, y2 - y1)))
    left = min(max((x1 + x2 - side) / 2, 0), 1 - side)
    top = min(max((y1 + y2 - side) / 2, 0), 1 - side)
    return left, top, left + side, top + side


def _within(box: Corners, view: Corners) -> Corners:
    """A box in the coordinates of the part shown."""
    width, height = view[2] - view[0], view[3] - view[1]
    return (
        (box[0] - view[0]) / width,
        (box[1] - view[1]) / height,
        (box[2] - view[0]) / width,
        (box[3] - view[1]) / height,
    )


def _small(item: Picture, view: Corners = (0, 0, 1, 1)) -> Image:
    """A picture, or the part of it to show, in the size of a cell."""
    image = cv2.imread(str(item.path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise DatasetError(
            f"{item.path}: not a readable picture", message_zh=f"图片无法读取：{item.path}"
        )
    height, width = image.shape[:2]
    left, top, right, bottom = (
        round(v * side) for v, side in zip(view, (width, height) * 2, strict=True)
    )
    image = image[top : max(bottom, top + 1), left : max(right, left + 1)]
    scale = CELL_PX / max(image.shape[:2])
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size), dtype=np.uint8)


def _draw(canvas: Image, box: Corners, text: str, colour: Colour, *, below: bool = False) -> None:
    """A box with its text above its top or below its bottom, always inside the picture."""
    height, width = canvas.shape[:2]
    draw_box(canvas, box, colour, 2)
    (text_width, text_height), _ = cv2.getTextSize(text, FONT, 0.45, 1)
    left = max(0, min(round(box[0] * width), width - text_width))
    bottom = round(box[3] * height) + text_height + 4 if below else round(box[1] * height)
    bottom = max(text_height + 4, min(bottom, height))
    corner = (left + text_width, bottom - text_height - 4)
    cv2.rectangle(canvas, (left, bottom), corner, colour, cv2.FILLED)
    cv2.putText(canvas, text, (left, bottom - 3), FONT, 0.45, (0, 0, 0), 1, cv2.LINE_AA)


def _four(row: list[float]) -> Corners:
    x1, y1, x2, y2 = row
    return x1, y1, x2, y2


def _save(path: Path, cells: list[Image], columns: int) -> None:
    """Cells in rows; a row is as high as its highest picture."""
    rows: list[Image] = []
    for start in range(0, len(cells), columns):
        row = cells[start : start + columns]
        high = max(cell.shape[0] for cell in row)
        canvas = np.zeros((high + GAP_PX, columns * (CELL_PX + GAP_PX), 3), dtype=np.uint8)
        for index, cell in enumerate(row):
            left = index * (CELL_PX + GAP_PX)
            canvas[: cell.shape[0], left : left + cell.shape[1]] = cell
        rows.append(canvas)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_jpeg(np.vstack(rows)))
