"""Label Studio JSON export: tasks with `rectanglelabels` in per cent of the picture."""

from __future__ import annotations

import json
import re
from collections import Counter
from math import cos, radians, sin
from pathlib import Path, PurePosixPath
from typing import Any, TypeGuard
from urllib.parse import parse_qs, quote, unquote, urlsplit

from ..config.errors import DatasetError
from .coco import one_file, size_of
from .disk import Tick, file_names, link_or_copy, no_tick
from .jsonfile import items, load_json, number
from .problems import Fault, Problem
from .scan import Labelled, PictureFinder, Scan, Shape, assemble, unlabelled_note
from .table import Table

FILE = "tasks.json"
UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-")
"""Label Studio puts this before the name of an uploaded file."""


def scan_label_studio(source: Path, images: Path | None = None, name: str = "") -> Scan:
    """Read one JSON export (not JSON-MIN).

    Args:
        source: the JSON file, or a folder that holds exactly one.
        images: where the pictures lie; by default the file's folder.
        name: kept with every picture as its source.

    Of several annotations of one task the last one not cancelled counts.

    Raises:
        DatasetError: no JSON, several, or one that is no list of tasks.
    """
    file = one_file(source, "json")
    tasks = load_json(file)
    if isinstance(tasks, Fault):
        raise DatasetError(f"{file}: {tasks.reason}", message_zh=f"{file}：{tasks.reason}")
    if not isinstance(tasks, list):
        raise DatasetError(
            f"{file}: not a list of tasks", message_zh=f"{file}：不是 Label Studio 的 JSON 导出"
        )
    finder = PictureFinder(images or file.parent)
    problems: list[Problem] = []
    listed: list[Labelled] = []
    left: Counter[str] = Counter()
    for index, task in enumerate(tasks):
        found = _task(task, file, index, finder, left)
        if isinstance(found, Fault):
            problems.append(Problem(file, 0, f"task [{index}]: {found.reason}", found.code))
        elif found is not None:
            listed.append(found)
    notes = unlabelled_note(finder, [i.path for i in listed])
    notes += [f"{count} 个{kind}，未导入" for kind, count in sorted(left.items())]
    return assemble(listed, (), name, problems, notes)


def write_label_studio(table: Table, folder: Path, tick: Tick = no_tick) -> None:
    """Write `tasks.json` and `images/`; pictures are named as Label Studio's local files are.

    Raises:
        DatasetError: a picture cannot be read.
    """
    (folder / "images").mkdir()
    tasks: list[dict[str, Any]] = []
    for item, file in zip(table.pictures, file_names(table.pictures), strict=True):
        width, height = size_of(item.path)
        link_or_copy(item.path, folder / "images" / file)
        tick()
        result = [
            {
                "id": f"{len(tasks) + 1}-{index}",
                "type": "rectanglelabels",
                "from_name": "label",
                "to_name": "image",
                "original_width": width,
                "original_height": height,
                "image_rotation": 0,
                "value": {
                    "x": round((x - w / 2) * 100, 6),
                    "y": round((y - h / 2) * 100, 6),
                    "width": round(w * 100, 6),
                    "height": round(h * 100, 6),
                    "rotation": 0,
                    "rectanglelabels": [table.names[label]],
                },
            }
            for index, (label, (x, y, w, h)) in enumerate(
                zip(item.classes.tolist(), item.boxes.tolist(), strict=True)
            )
        ]
        tasks.append(
            {
                "id": len(tasks) + 1,
                "data": {"image": f"/data/local-files/?d=images/{quote(file)}"},
                "annotations": [{"result": result, "was_cancelled": False}],
            }
        )
    (folder / FILE).write_text(
        json.dumps(tasks, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )


def _task(
    task: Any, file: Path, index: int, finder: PictureFinder, left: Counter[str]
) -> Labelled | Fault | None:
    """A task as labelled picture; None when nobody has labelled it."""
    data = task.get("data") if isinstance(task, dict) else None
    told = next((v for v in data.values() if isinstance(v, str)), "") if _is(data) else ""
    told = data["image"] if _is(data) and isinstance(data.get("image"), str) else told
    if not told:
        return Fault("bad_row", "no `data.image`")
    done = [a for a in items(task.get("annotations")) if _is(a) and not a.get("was_cancelled")]
    if not done:
        left["任务没有标注结果"] += 1
        return None
    path = _find(told, finder)
    if isinstance(path, Fault):
        return path
    item = Labelled(path, file)
    for number_, row in enumerate(items(done[-1].get("result"))):
        place = f"task [{index}] result[{number_}]"
        if not _is(row) or row.get("type") != "rectanglelabels":
            left["结果不是矩形框"] += 1
            continue
        shape = _shape(row, item, place)
        if isinstance(shape, Fault):
            return Fault(shape.code, f"result[{number_}]: {shape.reason}")
        item.shapes.append(shape)
    return item


def _shape(row: dict[str, Any], item: Labelled, place: str) -> Shape | Fault:
    """One rectangle; the first one tells the picture's labelled size."""
    value = row.get("value")
    width, height = number(row.get("original_width")), number(row.get("original_height"))
    if not _is(value) or not (width > 0 and height > 0):
        return Fault("bad_row", "no `value` or no `original_width` and `original_height`")
    item.size = item.size or (width, height)
    if item.size != (width, height):
        return Fault("bad_row", "results disagree on the picture's size")
    left, top = number(value.get("x")) * width / 100, number(value.get("y")) * height / 100
    wide, high = (
        number(value.get("width")) * width / 100,
        number(value.get("height")) * height / 100,
    )
    labels = [v for v in items(value.get("rectanglelabels")) if isinstance(v, str)]
    if len(labels) != 1:
        return Fault("unknown_class", f"{len(labels)} classes where one is wanted")
    corners = _turned_about_corner(left, top, wide, high, number(value.get("rotation", 0)))
    return Shape(labels[0], corners, place=place)


def _turned_about_corner(
    left: float, top: float, wide: float, high: float, degrees: float
) -> tuple[float, float, float, float]:
    """Label Studio turns a box about its left upper corner; the upright box around it."""
    if degrees % 360 == 0:
        return left, top, left + wide, top + high
    c, s = cos(radians(degrees)), sin(radians(degrees))
    points = [(left + c * x - s * y, top + s * x + c * y) for x in (0, wide) for y in (0, high)]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _find(told: str, finder: PictureFinder) -> Path | Fault:
    parts = urlsplit(told)
    inside = parse_qs(parts.query).get("d")
    name = inside[0] if inside else unquote(parts.path)
    found = finder.find(name)
    base = PurePosixPath(name).name
    if isinstance(found, Fault) and UPLOAD_PREFIX.match(base):
        return finder.find(UPLOAD_PREFIX.sub("", base))
    return found


def _is(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)
