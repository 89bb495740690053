"""The ways YOLO folders are laid out in the wild, and the one we export.

    images/ labels/ classes.txt                  one lot
    images/train images/val labels/train …       Ultralytics
    train/images train/labels valid/images …     Roboflow
    data.yaml: path, train, val, test, names     either, or lists of pictures (*.txt)

Class names come from `data.yaml`, else `classes.txt` (also inside `labels/`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ..config.errors import ConfigError, DatasetError
from ..config.yamlfile import parse_with_lines, read_text
from .disk import Tick, file_names, link_or_copy, no_tick
from .problems import Problem
from .scan import Scan, pictures_under
from .table import Picture, Table, picture
from .yolo import CLASSES_FILE, IMAGE_SUFFIXES, label_text, parse_labels, read_names

YAML_FILES = ("data.yaml", "dataset.yaml", "data.yml")
PART_NAMES = {"train": "train", "val": "val", "valid": "val", "test": "held", "": ""}
"""Folder or key → our part."""


def scan_yolo_folder(source: Path, images: Path | None = None, name: str = "") -> Scan:
    """Read a YOLO folder of any usual layout; a split it comes with is kept.

    Args:
        source: the folder, or its `data.yaml`.
        images: an own folder of pictures for the plain layout.
        name: kept with every picture as its source.

    Raises:
        DatasetError: no such folder, no pictures, or no class names.
        ConfigError: a broken `data.yaml`.
    """
    root = source.parent if source.is_file() else source
    if not root.is_dir():
        raise DatasetError(f"{source}: no such folder", message_zh=f"没有此目录：{source}")
    described = source if source.is_file() else _first(root, YAML_FILES)
    content = _description(described) if described else {}
    names = _names(described, content) or _listed_names(root)
    lots = {"": [images]} if images else _told_lots(root, content) or _found_lots(root)
    pictures: list[Picture] = []
    parts: list[str] = []
    problems: list[Problem] = []
    labels_read: set[Path] = set()
    for part, places in lots.items():
        for image in dict.fromkeys(p for place in places for p in _images(place)):
            label = root / "labels" / f"{image.stem}.txt" if images else label_path(image)
            labels_read.add(label)
            if not label.is_file():
                reason = f"missing; {image.name} has no label file"
                problems.append(Problem(label, 0, reason, "missing_labels"))
                continue
            rows, wrong = parse_labels(label, len(names))
            problems += wrong
            if not wrong:
                pictures.append(picture(image, rows, name))
                parts.append(part)
    if not labels_read:
        raise DatasetError(
            f"{source}: no pictures in any usual YOLO layout",
            message_zh=f"{source} 中没有找到 YOLO 图片（images/、train/images/ 或 data.yaml）",
        )
    problems += [
        Problem(p, 0, "no picture of this name", "missing_picture")
        for folder in sorted({p.parent for p in labels_read})
        for p in sorted(folder.glob("*.txt"))
        if p not in labels_read and p.name != CLASSES_FILE
    ]
    split = tuple(parts) if any(lots) else ()
    return Scan(Table(names, tuple(pictures)), tuple(problems), (), split)


def write_yolo_folder(
    table: Table, folder: Path, parts: Sequence[str] = (), tick: Tick = no_tick
) -> None:
    """Write pictures, labels, `classes.txt` and `data.yaml` into an existing folder.

    With parts, `images/train`, `images/val` and `images/test` (held out), else one lot.
    """
    folders = {"train": "train", "val": "val", "held": "test", "": ""}
    files = file_names(table.pictures)
    used = dict.fromkeys(folders[p] for p in parts) if any(parts) else {"": None}
    for lot in used:
        (folder / "images" / lot).mkdir(parents=True, exist_ok=True)
        (folder / "labels" / lot).mkdir(parents=True, exist_ok=True)
    assigned = parts if any(parts) else [""] * len(table)
    for item, file, part in zip(table.pictures, files, assigned, strict=True):
        link_or_copy(item.path, folder / "images" / folders[part] / file)
        label = folder / "labels" / folders[part] / f"{Path(file).stem}.txt"
        label.write_text(label_text(item), encoding="utf-8")
        tick()
    (folder / CLASSES_FILE).write_text("\n".join(table.names) + "\n", encoding="utf-8")
    lots = {lot: f"images/{lot}" for lot in ("train", "val", "test") if lot in used}
    content = {
        "path": ".",
        **(lots or {"train": "images", "val": "images"}),
        "names": dict(enumerate(table.names)),
    }
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False)
    (folder / "data.yaml").write_text(text, encoding="utf-8")


def label_path(image: Path) -> Path:
    """Where a picture's labels lie: the last folder `images` becomes `labels`."""
    parts = list(image.parts)
    for index in range(len(parts) - 2, -1, -1):
        if parts[index] == "images":
            parts[index] = "labels"
            break
    return Path(*parts).with_suffix(".txt")


def _description(path: Path) -> Mapping[str, Any]:
    content, _ = parse_with_lines(read_text(path), path)
    if not isinstance(content, dict):
        raise ConfigError(path, 1, "not a mapping", message_zh="内容不是键值对")
    return content


def _names(path: Path | None, content: Mapping[str, Any]) -> tuple[str, ...]:
    told = content.get("names")
    if isinstance(told, dict) and sorted(told) == list(range(len(told))):
        told = [told[i] for i in range(len(told))]
    if told is None:
        return ()
    if not isinstance(told, list) or not all(isinstance(n, str) for n in told):
        raise ConfigError(
            path or "", 0, "names: not a list, nor a mapping 0, 1, 2 … to names",
            message_zh="names 应为类别列表，或从 0 起的编号到类别",
        )  # fmt: skip
    if len(set(told)) != len(told):
        raise ConfigError(path or "", 0, "names: a class twice", message_zh="names 中类别重复")
    return tuple(told)


def _listed_names(root: Path) -> tuple[str, ...]:
    inside = root / "labels" / CLASSES_FILE
    return read_names(inside if inside.is_file() else root / CLASSES_FILE)


def _told_lots(root: Path, content: Mapping[str, Any]) -> dict[str, list[Path]]:
    lots: dict[str, list[Path]] = {}
    base = root / str(content.get("path") or ".")
    for key in ("train", "val", "test"):
        told = content.get(key)
        for entry in told if isinstance(told, list) else [told]:
            # Roboflow writes `../train/images` although the folder lies beside the file.
            wanted = [base / str(entry), root / str(entry), root / str(entry).lstrip("./")]
            place = next((p for p in wanted if p.exists()), None) if entry else None
            if place is not None:
                lots.setdefault(PART_NAMES[key], []).append(place)
    if lots.get("train") == lots.get("val"):
        return {"": lots["train"]} if "train" in lots else {}
    return lots


def _found_lots(root: Path) -> dict[str, list[Path]]:
    for pattern in ("images/{}", "{}/images"):
        lots: dict[str, list[Path]] = {}
        for folder, part in PART_NAMES.items():
            place = root / pattern.format(folder)
            if folder and place.is_dir():
                lots.setdefault(part, []).append(place)
        if lots:
            return lots
    return {"": [root / "images"]} if (root / "images").is_dir() else {}


def _images(place: Path) -> list[Path]:
    if place.is_file():
        lines = place.read_text(encoding="utf-8").splitlines()
        return [place.parent / line.strip() for line in lines if line.strip()]
    return sorted(p for p in pictures_under(place) if p.suffix.lower() in IMAGE_SUFFIXES)


def _first(root: Path, names: Sequence[str]) -> Path | None:
    return next((root / n for n in names if (root / n).is_file()), None)
