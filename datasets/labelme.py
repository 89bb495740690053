"""LabelMe JSON: one file a picture, `shapes` with `label`, `shape_type` and `points`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from ..config.errors import DatasetError
from .coco import size_of
from .cvat import pixel_boxes
from .disk import Tick, file_names, link_or_copy, no_tick
from .jsonfile import items, load_json, number
from .problems import Fault, Problem
from .scan import Labelled, PictureFinder, Scan, Shape, assemble, unlabelled_note
from .table import Table

BOXED = ("rectangle", "polygon")
"""Shapes that count, polygons by the box around them."""


def scan_labelme(source: Path, images: Path | None = None, name: str = "") -> Scan:
    """Read every JSON file in a folder (or one file).

    Args:
        source: the folder, or one JSON file.
        images: where the pictures lie; by default the folder.
        name: kept with every picture as its source.

    Raises:
        DatasetError: there is no JSON file.
    """
    files = [source] if source.is_file() else sorted(source.rglob("*.json"))
    if not files:
        raise DatasetError(
            f"{source}: no LabelMe JSON file", message_zh=f"没有 LabelMe JSON 文件：{source}"
        )
    finder = PictureFinder(images or (source if source.is_dir() else source.parent))
    problems: list[Problem] = []
    listed: list[Labelled] = []
    unboxed: Counter[str] = Counter()
    for file in files:
        found = _picture(file, finder, unboxed)
        if isinstance(found, Fault):
            problems.append(Problem(file, 0, found.reason, found.code))
        else:
            listed.append(found)
    notes = unlabelled_note(finder, [i.path for i in listed]) if source.is_dir() else []
    notes += [f"{count} 个 {kind} 不是框，未导入" for kind, count in sorted(unboxed.items())]
    return assemble(listed, (), name, problems, notes)


def write_labelme(table: Table, folder: Path, tick: Tick = no_tick) -> None:
    """Write a JSON file beside every picture.

    Raises:
        DatasetError: a picture cannot be read.
    """
    for item, file in zip(table.pictures, file_names(table.pictures), strict=True):
        width, height = size_of(item.path)
        link_or_copy(item.path, folder / file)
        tick()
        shapes: list[dict[str, Any]] = [
            {
                "label": label,
                "points": [[round(x1, 4), round(y1, 4)], [round(x2, 4), round(y2, 4)]],
                "group_id": None,
                "shape_type": "rectangle",
                "flags": {},
            }
            for label, (x1, y1, x2, y2) in pixel_boxes(item, table.names, width, height)
        ]
        content: dict[str, Any] = {
            "version": "5.5.0",
            "flags": {},
            "shapes": shapes,
            "imagePath": file,
            "imageData": None,
            "imageHeight": height,
            "imageWidth": width,
        }
        text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        (folder / f"{Path(file).stem}.json").write_text(text, encoding="utf-8")


def _picture(file: Path, finder: PictureFinder, unboxed: Counter[str]) -> Labelled | Fault:
    content = load_json(file)
    if isinstance(content, Fault):
        return content
    if not isinstance(content, dict) or not isinstance(content.get("shapes"), list):
        return Fault("unreadable_labels", "no LabelMe file (no `shapes`)")
    path = finder.find(str(content.get("imagePath") or file.name))
    if isinstance(path, Fault):
        return path
    size = None
    if content.get("imageWidth") is not None or content.get("imageHeight") is not None:
        size = (number(content.get("imageWidth")), number(content.get("imageHeight")))
    item = Labelled(path, file, size=size)
    for index, shape in enumerate(content["shapes"]):
        place = f"shapes[{index}]"
        if not isinstance(shape, dict):
            return Fault("bad_row", f"{place}: not an object")
        kind = str(shape.get("shape_type") or "polygon")
        if kind not in BOXED:
            unboxed[kind] += 1
            continue
        found = _shape(shape, place)
        if isinstance(found, Fault):
            return found
        item.shapes.append(found)
    return item


def _shape(shape: dict[str, Any], place: str) -> Shape | Fault:
    points = [[number(v) for v in items(p)] for p in items(shape.get("points"))]
    if len(points) < 2 or any(len(p) != 2 for p in points):
        return Fault("bad_row", f"{place}: `points` is not a list of x, y pairs")
    xs, ys = zip(*points, strict=True)
    label = shape.get("label")
    corners = (min(xs), min(ys), max(xs), max(ys))
    return Shape(label if isinstance(label, str) else "", corners, place=place)
