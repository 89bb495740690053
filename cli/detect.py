"""`xiaozheng detect`: pictures in, boxes out; optionally drawn, on one sheet, and scored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich import box
from rich.table import Table

from ..config.errors import ImageError, InputError, SourceError, XiaozhengError
from ..datasets.aliases import canonical
from ..datasets.table import Picture
from ..datasets.yolo import IMAGE_SUFFIXES, scan_yolo
from ..models.registry import Registry
from ..vision.detections import Detections
from ..vision.detector import Detector
from ..vision.drawing import contact_sheet, draw_detections, encode_jpeg
from ..vision.images import Image, decode_scaled, probe
from ..vision.scoring import Score, score_picture
from .common import EXIT_BAD_INPUT, out, print_json

BATCH = 8


@dataclass(frozen=True, slots=True)
class _Result:
    """One file: its boxes, or the reason why there are none."""

    path: Path
    found: Detections | None
    error: XiaozhengError | None = None
    drawn: Image | None = None


def detect(
    paths: Annotated[list[Path], typer.Argument(help="图片文件或文件夹（JPEG、PNG、WebP）")],
    model: Annotated[str, typer.Option(help="检测模型：名称、名称@别名或名称@版本")] = "detector",
    shelf: Annotated[Path | None, typer.Option(help="模型库目录")] = None,
    out_dir: Annotated[Path | None, typer.Option("--out", help="画好框的图片存到此目录")] = None,
    sheet: Annotated[Path | None, typer.Option(help="所有图片拼成一张，存为此文件（JPEG）")] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="YOLO 数据集目录（images、labels、classes.txt）；给出各类准确率与召回率"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")] = False,
) -> None:
    """识别图片中的目标。坏图片逐一列出原因，其余照常识别。

    退出码：0 全部可用，2 有图片不可用或输入有误。
    """
    files = list(_files(paths))
    detector = Detector.open(Registry(shelf), model)
    truth = _Truth(labels, detector.labels) if labels else None
    wants_drawing = out_dir is not None or sheet is not None
    results: list[_Result] = []
    for start in range(0, len(files), BATCH):
        for result in _detect(detector, files[start : start + BATCH], wants_drawing):
            if out_dir is not None and result.drawn is not None:
                out_dir.mkdir(parents=True, exist_ok=True)
                (out_dir / f"{result.path.stem}.jpg").write_bytes(encode_jpeg(result.drawn))
            if truth is not None and result.found is not None:
                truth.judge(result.path, result.found)
            results.append(result)
    drawn = [result.drawn for result in results if result.drawn is not None]
    if sheet is not None and drawn:
        sheet.parent.mkdir(parents=True, exist_ok=True)
        sheet.write_bytes(encode_jpeg(contact_sheet(drawn)))
    if as_json:
        print_json(_document(detector, results, truth))
    else:
        _show(detector, results, truth)
    if any(result.error for result in results):
        raise typer.Exit(EXIT_BAD_INPUT)


def _files(paths: list[Path]) -> Iterator[Path]:
    """Every file named, and every picture inside the folders named."""
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
            if not inside:
                raise SourceError(f"{path}: holds no picture", message_zh=f"目录中没有图片：{path}")
            yield from inside
        else:
            yield path


def _detect(detector: Detector, files: list[Path], wants_drawing: bool) -> list[_Result]:
    """Results in the order of the files; a bad file keeps its place."""
    results: dict[Path, _Result] = {}
    images: dict[Path, Image] = {}
    sizes: list[tuple[int, int]] = []
    for path in files:
        try:
            data = path.read_bytes()
            info = probe(data)
            side = max(info.width, info.height) if wants_drawing else detector.side
            images[path] = decode_scaled(data, info, side)
            sizes.append((info.width, info.height))
        except ImageError as error:
            results[path] = _Result(path, None, error)
        except OSError as error:
            reason = error.strerror or str(error)
            results[path] = _Result(
                path, None, SourceError(f"{path}: {reason}", message_zh=f"无法读取（{reason}）")
            )
    for (path, image), found in zip(
        images.items(), detector.detect(list(images.values()), sizes), strict=True
    ):
        drawn = draw_detections(image, found) if wants_drawing else None
        results[path] = _Result(path, found, drawn=drawn)
    return [results[path] for path in files]


class _Truth:
    """Labelled boxes by picture name, and the running score."""

    def __init__(self, folder: Path, model_labels: tuple[str, ...]) -> None:
        table, problems = scan_yolo(folder)
        self.problems = [str(problem) for problem in problems]
        self.names = tuple(canonical(name) for name in table.names)
        self.judged = tuple(name for name in self.names if name in model_labels)
        if not self.judged:
            raise InputError(
                f"{folder}: none of the classes {', '.join(table.names)} is one of the model's",
                message_zh=f"{folder} 的类别与模型的类别没有交集",
            )
        self._pictures: dict[str, Picture] = {p.path.stem: p for p in table.pictures}
        self.scores = {name: Score() for name in self.judged}
        self.pictures = 0

    def judge(self, path: Path, found: Detections) -> None:
        picture = self._pictures.get(path.stem)
        if picture is None:
            return
        half = picture.boxes[:, 2:] / 2
        unit = np.array([found.width, found.height] * 2, dtype=np.float64)
        xyxy = np.hstack([picture.boxes[:, :2] - half, picture.boxes[:, :2] + half]) * unit
        names = [self.names[i] for i in picture.classes.tolist()]
        for name, score in score_picture(found, xyxy, names, self.judged).items():
            self.scores[name] += score
        self.pictures += 1


def _boxes(detector: Detector, found: Detections) -> list[dict[str, Any]]:
    return [
        {
            "label": name,
            "zh": detector.labels_zh[name],
            "score": round(score, 4),
            "box": [round(value, 1) for value in xyxy],
        }
        for name, score, xyxy in zip(
            found.names(), found.score.tolist(), found.xyxy.tolist(), strict=True
        )
    ]


def _document(detector: Detector, results: list[_Result], truth: _Truth | None) -> dict[str, Any]:
    document: dict[str, Any] = {
        "model": detector.ref,
        "backend": detector.backend,
        "pictures": [
            {
                "path": str(result.path),
                "width": result.found.width,
                "height": result.found.height,
                "detections": _boxes(detector, result.found),
            }
            for result in results
            if result.found is not None
        ],
        "errors": [
            {"path": str(result.path), "code": result.error.code, "reason": result.error.message_zh}
            for result in results
            if result.error is not None
        ],
    }
    if truth is not None:
        document["labelled_pictures"] = truth.pictures
        document["scores"] = {
            name: {
                "hits": score.hits,
                "false_alarms": score.false_alarms,
                "misses": score.misses,
                "precision": score.precision,
                "recall": score.recall,
            }
            for name, score in truth.scores.items()
        }
        document["label_problems"] = truth.problems
    return document


def _show(detector: Detector, results: list[_Result], truth: _Truth | None) -> None:
    table = Table(title=f"{detector.ref} · {detector.backend}", box=box.SIMPLE_HEAD)
    table.add_column("图片", overflow="fold")
    table.add_column("尺寸", no_wrap=True)
    table.add_column("目标（得分）", overflow="fold")
    for result in results:
        if result.found is None:
            reason = result.error.message_zh if result.error else ""
            table.add_row(str(result.path), "—", f"[red]{reason}[/red]")
            continue
        found = [f"{b['zh']} {b['score']:.2f}" for b in _boxes(detector, result.found)]
        size = f"{result.found.width}×{result.found.height}"
        table.add_row(str(result.path), size, "、".join(found) or "无")
    out.print(table)
    bad = sum(result.error is not None for result in results)
    out.print(f"共 {len(results)} 个文件，{bad} 个不可用。")
    if truth is not None:
        out.print(_score_table(detector, truth))
        for problem in truth.problems:
            out.print(f"标注有误，已跳过：{problem}", markup=False)


def _score_table(detector: Detector, truth: _Truth) -> Table:
    table = Table(title=f"与标注比对（IoU ≥ 0.5，{truth.pictures} 张有标注）", box=box.SIMPLE_HEAD)
    for column in ("类别", "命中", "误报", "漏报", "准确率", "召回率"):
        table.add_column(column, justify="left" if column == "类别" else "right")
    for name, score in truth.scores.items():
        rates = ("—" if r is None else f"{r:.1%}" for r in (score.precision, score.recall))
        counts = (str(n) for n in (score.hits, score.false_alarms, score.misses))
        table.add_row(detector.labels_zh[name], *counts, *rates)
    return table
