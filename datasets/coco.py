"""COCO detection JSON: `images`, `annotations` (bbox: left, top, width, height), `categories`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..config.errors import DatasetError
from .disk import Tick, file_names, link_or_copy, no_tick
from .jsonfile import items, load_json, number
from .pictures import picture_size
from .problems import Fault, Problem
from .scan import Labelled, PictureFinder, Scan, Shape, assemble, unlabelled_note
from .table import Table

FILE = "annotations.json"
DECIMALS = 4


def scan_coco(source: Path, images: Path | None = None, name: str = "") -> Scan:
    """Read one COCO file.

    Args:
        source: the JSON file, or a folder that holds exactly one.
        images: where the pictures lie; by default the file's folder or the one above it.
        name: kept with every picture as its source.

    Crowd regions (`iscrowd`) are no boxes of single things and are left out.

    Raises:
        DatasetError: no JSON, several of them, or one that is no COCO file.
    """
    file = one_file(source, "json")
    content = load_json(file)
    if isinstance(content, Fault):
        raise DatasetError(f"{file}: {content.reason}", message_zh=f"{file}：{content.reason}")
    if not isinstance(content, dict) or not isinstance(content.get("images"), list):
        raise DatasetError(f"{file}: no COCO file", message_zh=f"{file}：不是 COCO 标注文件")
    finder = PictureFinder(images or _picture_root(source, file))
    problems: list[Problem] = []
    by_id = _pictures(file, content, finder, problems)
    names = _names(content)
    crowds = 0
    broken: set[Any] = set()
    for index, row in enumerate(items(content.get("annotations"))):
        place = f"annotations[{index}]"
        if not isinstance(row, dict) or not isinstance(row.get("image_id"), int | str):
            problems.append(Problem(file, 0, f"{place}: no image_id"))
        elif row.get("iscrowd") == 1:
            crowds += 1
        elif row["image_id"] not in by_id:
            reason = f"{place}: no usable picture with id {row['image_id']!r}"
            problems.append(Problem(file, 0, reason, "missing_picture"))
        else:
            shape = _shape(row, names, place)
            if isinstance(shape, Fault):
                problems.append(Problem(file, 0, f"{place}: {shape.reason}", shape.code))
                broken.add(row["image_id"])
            else:
                by_id[row["image_id"]].shapes.append(shape)
    notes = unlabelled_note(finder, [p.path for p in by_id.values()])
    notes += [f"{crowds} 个 iscrowd 区域不是单个目标，未导入"] if crowds else []
    whole = [item for key, item in by_id.items() if key not in broken]
    return assemble(whole, list(dict.fromkeys(names.values())), name, problems, notes)


def write_coco(table: Table, folder: Path, tick: Tick = no_tick) -> None:
    """Write `annotations.json` and `images/` into an existing folder.

    Raises:
        DatasetError: a picture cannot be read.
    """
    (folder / "images").mkdir()
    files = file_names(table.pictures)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number_, (item, file) in enumerate(zip(table.pictures, files, strict=True), 1):
        width, height = size_of(item.path)
        link_or_copy(item.path, folder / "images" / file)
        tick()
        images.append({"id": number_, "file_name": file, "width": width, "height": height})
        for label, (x, y, w, h) in zip(item.classes.tolist(), item.boxes.tolist(), strict=True):
            box = [(x - w / 2) * width, (y - h / 2) * height, w * width, h * height]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number_,
                    "category_id": label + 1,
                    "bbox": [round(v, DECIMALS) for v in box],
                    "area": round(box[2] * box[3], DECIMALS),
                    "iscrowd": 0,
                }
            )
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": i, "name": n} for i, n in enumerate(table.names, 1)],
    }
    (folder / FILE).write_text(json.dumps(content, ensure_ascii=False) + "\n", encoding="utf-8")


def size_of(path: Path) -> tuple[int, int]:
    """Width and height in pixels.

    Raises:
        DatasetError: the picture cannot be read.
    """
    size = picture_size(path)
    if isinstance(size, Fault):
        raise DatasetError(f"{path}: {size.reason}", message_zh=f"图片无法读取：{path}")
    return size


def one_file(source: Path, suffix: str) -> Path:
    """The file itself, or the only one of its kind in a folder.

    Raises:
        DatasetError: there is none, or there are several.
    """
    if source.is_file():
        return source
    found = sorted(source.rglob(f"*.{suffix}"))
    if len(found) != 1:
        told = f"{len(found)} files *.{suffix}" if source.is_dir() else "no such file or folder"
        raise DatasetError(
            f"{source}: {told}; name one file",
            message_zh=f"{source}：需要恰好一个 .{suffix} 标注文件，找到 {len(found)} 个",
        )
    return found[0]


def _picture_root(source: Path, file: Path) -> Path:
    if source.is_dir():
        return source
    # CVAT and COCO itself put the file into `annotations/`, beside the pictures' folder.
    return file.parent.parent if file.parent.name == "annotations" else file.parent


def _pictures(
    file: Path, content: dict[str, Any], finder: PictureFinder, problems: list[Problem]
) -> dict[Any, Labelled]:
    by_id: dict[Any, Labelled] = {}
    for index, row in enumerate(content["images"]):
        place = f"images[{index}]"
        usable = isinstance(row, dict) and isinstance(row.get("id"), int | str)
        if not usable or not isinstance(row.get("file_name"), str):
            problems.append(Problem(file, 0, f"{place}: no id or file_name"))
            continue
        if row["id"] in by_id:
            problems.append(Problem(file, 0, f"{place}: id {row['id']!r} twice"))
            continue
        path = finder.find(row["file_name"])
        if isinstance(path, Fault):
            problems.append(Problem(file, 0, f"{place}: {path.reason}", path.code))
            continue
        size = None
        if "width" in row or "height" in row:
            size = (number(row.get("width")), number(row.get("height")))
        by_id[row["id"]] = Labelled(path, file, size=size)
    return by_id


def _names(content: dict[str, Any]) -> dict[Any, str]:
    rows = [r for r in items(content.get("categories")) if isinstance(r, dict)]
    usable = [r for r in rows if isinstance(r.get("id"), int) and isinstance(r.get("name"), str)]
    return {r["id"]: r["name"].strip() for r in sorted(usable, key=lambda r: r["id"])}


def _shape(row: dict[str, Any], names: dict[Any, str], place: str) -> Shape | Fault:
    category = row.get("category_id")
    if not isinstance(category, int) or category not in names:
        return Fault("unknown_class", f"no category {category!r}")
    box = [number(v) for v in items(row.get("bbox"))]
    if len(box) != 4:
        return Fault("bad_row", "bbox is not four numbers")
    left, top, width, height = box
    return Shape(names[category], (left, top, left + width, top + height), place=place)
