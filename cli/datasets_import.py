"""`xiaozheng datasets import` and `export`: between foreign label formats and our folder."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ..config.errors import DatasetError
from ..datasets import formats
from ..datasets.aliases import parse_aliases
from ..datasets.cvat_video import Cut
from ..datasets.disk import disk_error
from ..datasets.folder import Dataset, about, read_dataset, write_dataset
from ..datasets.intake import add_to, take_in
from ..datasets.labels import LABELS_ZH
from ..datasets.problems import complain
from ..datasets.scan import Scan, Watch, ticker
from .common import out as console
from .common import print_json
from .datasets_show import problem_csv, problem_rows, show_problems, watched

PROBLEMS_FILE = "import-problems.csv"
_FORMATS_ZH = "、".join(formats.FORMATS)


def import_(
    format_: Annotated[str, typer.Argument(metavar="FORMAT", help="来源格式，见上")],
    source: Annotated[Path, typer.Argument(help="标注文件或目录")],
    out: Annotated[Path, typer.Option(help="数据集目录（不得已存在，除非 --add）")],
    video: Annotated[
        Path | None, typer.Option(help="cvat-video 的视频文件，默认在标注文件旁寻找")
    ] = None,
    images: Annotated[Path | None, typer.Option(help="图片目录，默认与标注同处")] = None,
    alias: Annotated[
        list[str] | None, typer.Option(help="类别改名 旧名=新名，可多次；新名留空则略去该类")
    ] = None,
    fps: Annotated[float, typer.Option(min=0.01, help="视频每秒取几帧")] = 2.0,
    every_frame: Annotated[bool, typer.Option("--every-frame", help="近似重复的帧也保留")] = False,
    no_occluded: Annotated[
        bool, typer.Option("--no-occluded", help="略去标为被遮挡（occluded）的框")
    ] = False,
    name: Annotated[str, typer.Option(help="来源名，默认取文件名")] = "",
    licence: Annotated[str, typer.Option(help="许可证，写入 dataset.yaml")] = "",
    keep_classes: Annotated[
        bool, typer.Option("--keep-classes", help="保留来源自己的类别")
    ] = False,
    add: Annotated[bool, typer.Option("--add", help="并入已有的数据集")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="有任何问题即不导入（退出码 2）")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")] = False,
) -> None:
    """导入标注数据。坏文件、坏行逐一列出（并写入 import-problems.csv），其余照常导入。

    FORMAT：yolo、coco、cvat-video（轨迹与视频）、cvat-images、labelme、label-studio，
    或 xiaozheng（另一个数据集目录）。

    退出码：0 已导入（可能有列出的问题），2 输入有误、没有可用图片，或 --strict 时有问题。
    """
    known = read_dataset(out) if add and out.exists() else None
    if known is None and out.exists():
        raise DatasetError(
            f"{out}: exists already; add to it with --add",
            message_zh=f"目录已存在：{out}（并入请加 --add）",
        )
    place = formats.Source(format_, source, name or _name(source), images, video)
    aliases = parse_aliases(alias or [])
    with watched() as watch:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            # Beside the target, so that frames can be linked instead of copied.
            with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.cut-") as work:
                cut = Cut(Path(work), fps, not no_occluded, every_frame)
                scan = take_in(place, cut, aliases, keep_names=keep_classes, watch=watch)
                if strict and scan.problems:
                    raise complain(scan.problems)
                dataset = _write(out, known, scan, place.name, licence, watch)
        except OSError as error:
            raise disk_error(out, error) from None
    if as_json:
        print_json(_document(dataset, scan))
    else:
        _show(dataset, scan)


def export(
    folder: Annotated[Path, typer.Argument(help="数据集目录")],
    format_: Annotated[str, typer.Option("--format", help=f"目标格式：{_FORMATS_ZH}")],
    out: Annotated[Path, typer.Option(help="输出目录（不得已存在）")],
    part: Annotated[str, typer.Option(help="只导出一个分集：train、val 或 held")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="标准输出只给一个 JSON 文档")] = False,
) -> None:
    """导出为其他标注工具的格式。YOLO 格式保留分集。"""
    dataset = read_dataset(folder)
    table = dataset.part(part) if part else dataset.table
    if not len(table):
        raise DatasetError(
            f"{folder}: no picture in part {part!r}", message_zh=f"{folder} 的分集 {part} 没有图片"
        )
    with watched() as watch:
        tick = ticker(watch, "导出", len(table))
        formats.export(table, format_, out, () if part else dataset.parts, tick)
    if as_json:
        print_json({"out": str(out), "format": format_, "pictures": len(table)})
    else:
        console.print(f"已导出 {len(table)} 张图片为 {format_}：{out}", markup=False)


def _name(source: Path) -> str:
    """A clip's or folder's own name; an `annotations.xml` says nothing, its folder does."""
    whole = source.absolute()
    return whole.parent.name if whole.stem == "annotations" else whole.stem


def _write(
    out: Path, known: Dataset | None, scan: Scan, name: str, licence: str, watch: Watch
) -> Dataset:
    papers = {PROBLEMS_FILE: problem_csv(scan.problems)} if scan.problems else {}
    tick = ticker(watch, "写入", len(scan.table) + (len(known.table) if known else 0))
    if known is None:
        now = datetime.now(UTC).replace(microsecond=0)
        facts = about(scan.table, now, name, licence, scan.labelled)
        return write_dataset(out, scan.table, facts, scan.parts or None, papers=papers, tick=tick)
    table, parts = add_to(known, scan)
    sources = dict.fromkeys([*known.about.source.split(", "), name])
    licences = dict.fromkeys(v for v in (*known.about.licence.split(", "), licence) if v)
    facts = known.about.model_copy(
        update={
            "source": ", ".join(sources),
            "licence": ", ".join(licences),
            "labelled": _both(known.about.labelled, scan.labelled),
        }
    )
    return write_dataset(out, table, facts, parts, over=True, papers=papers, tick=tick)


def _both(
    known: Mapping[str, tuple[str, ...]], new: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """What each source looked for; one that came in twice, only what it looked for both times."""
    merged = dict(known)
    for source, names in new.items():
        merged[source] = tuple(n for n in names if n in known.get(source, names))
    return merged


def _document(dataset: Dataset, scan: Scan) -> dict[str, object]:
    return {
        "out": str(dataset.folder),
        "pictures": len(dataset.table),
        "imported": len(scan.table),
        "boxes": sum(len(p) for p in scan.table.pictures),
        "classes": {n: c for n, c in scan.table.counts().items() if c},
        "split": any(dataset.parts),
        "notes": list(scan.notes),
        "problems": problem_rows(scan.problems),
    }


def _show(dataset: Dataset, scan: Scan) -> None:
    show_problems(scan.problems, f"，见 {dataset.folder / PROBLEMS_FILE}")
    for note in scan.notes:
        console.print(note, markup=False)
    counts = "，".join(
        f"{LABELS_ZH.get(name, name)} {count}"
        for name, count in scan.table.counts().items()
        if count
    )
    boxes = sum(len(p) for p in scan.table.pictures)
    console.print(
        f"已导入 {len(scan.table)} 张图片、{boxes} 个框（{counts}）到 {dataset.folder}，"
        f"现共 {len(dataset.table)} 张。",
        markup=False,
    )
