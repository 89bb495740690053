"""YOLO folders: `images/`, `labels/*.txt` (class x y w h, parts of the picture), `classes.txt`."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

from ..config.errors import DatasetError
from .problems import Fault, Problem, complain
from .table import Picture, Row, Table, box_fault, picture

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
CLASSES_FILE = "classes.txt"


def read_yolo(folder: Path, names: Sequence[str] | None = None, source: str = "") -> Table:
    """Read a folder strictly.

    Args:
        folder: holds `images/` and `labels/`, and `classes.txt` unless `names` is given.
        names: class names in order.
        source: kept with every picture; the folder's name by default.

    Raises:
        DatasetError: anything wrong; lists every problem as `file:line: reason`.
    """
    table, problems = scan_yolo(folder, names, source)
    if problems:
        raise complain(problems)
    return table


def scan_yolo(
    folder: Path, names: Sequence[str] | None = None, source: str = ""
) -> tuple[Table, tuple[Problem, ...]]:
    """Read what can be read and list the rest; a picture with a problem is left out.

    A picture without a label file is a problem (an empty file says "nothing here"); so is a
    label file without picture.

    Raises:
        DatasetError: the folders or the class list are missing.
    """
    for part in ("images", "labels"):
        if not (folder / part).is_dir():
            raise DatasetError(
                f"{folder / part}: no such folder", message_zh=f"缺少目录：{folder / part}"
            )
    known = tuple(names) if names is not None else read_names(folder / CLASSES_FILE)
    problems: list[Problem] = []
    pictures: list[Picture] = []
    images = sorted(p for p in (folder / "images").iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    for image in images:
        label = folder / "labels" / f"{image.stem}.txt"
        if not label.is_file():
            problems.append(
                Problem(label, 0, f"missing; {image.name} has no label file", "missing_labels")
            )
            continue
        rows, wrong = parse_labels(label, len(known))
        if image.stat().st_size == 0:
            wrong.append(Problem(image, 0, "empty picture file", "corrupt_picture"))
        if wrong:
            problems += wrong
        else:
            pictures.append(picture(image, rows, source or folder.name))
    stems = {p.stem for p in images}
    lonely = sorted(p for p in (folder / "labels").glob("*.txt") if p.stem not in stems)
    problems += [Problem(p, 0, "no picture of this name", "missing_picture") for p in lonely]
    return Table(known, tuple(pictures)), tuple(problems)


def read_names(path: Path) -> tuple[str, ...]:
    """Class names, one a line.

    Raises:
        DatasetError: missing, empty, or a name twice (with the line).
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DatasetError(
            f"{path}: no class list ({error.strerror})", message_zh=f"缺少类别文件：{path}"
        ) from None
    except UnicodeDecodeError:
        raise DatasetError(f"{path}: not UTF-8", message_zh=f"类别文件不是 UTF-8：{path}") from None
    names: list[str] = []
    for number, line in enumerate(lines, 1):
        if not (name := line.strip()):
            continue
        if name in names:
            raise DatasetError(
                f"{path}:{number}: class {name!r} twice",
                message_zh=f"{path}:{number}：类别 {name} 重复",
            )
        names.append(name)
    if not names:
        raise DatasetError(f"{path}: no class names", message_zh=f"类别文件为空：{path}")
    return tuple(names)


def write_yolo(table: Table, folder: Path) -> None:
    """Write labels and class list, and link the pictures (links keep the data where it lies).

    Raises:
        DatasetError: two pictures would get the same name.
    """
    (folder / "images").mkdir(parents=True, exist_ok=True)
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    (folder / CLASSES_FILE).write_text("\n".join(table.names) + "\n", encoding="utf-8")
    taken: set[str] = set()
    for item in table.pictures:
        stem = file_stem(item)
        if stem in taken:
            raise DatasetError(f"two pictures would be called {stem}")
        taken.add(stem)
        (folder / "labels" / f"{stem}.txt").write_text(label_text(item), encoding="utf-8")
        link = folder / "images" / f"{stem}{item.path.suffix.lower()}"
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.abspath(item.path))


def file_stem(item: Picture) -> str:
    """Name of a picture inside a merged folder: unique across sources."""
    return f"{item.source}_{item.path.stem}" if item.source else item.path.stem


def label_text(item: Picture) -> str:
    """The label file of one picture, six decimals."""
    return "".join(
        f"{c} " + " ".join(f"{v:.6f}" for v in box) + "\n"
        for c, box in zip(item.classes.tolist(), item.boxes.tolist(), strict=True)
    )


def parse_labels(path: Path, class_count: int) -> tuple[list[Row], list[Problem]]:
    """The rows of one label file, and every broken line of it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        return [], [Problem(path, 0, f"cannot be read: {error}", "unreadable_labels")]
    rows: list[Row] = []
    problems: list[Problem] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        found = _parse_row(line.split(), class_count)
        if isinstance(found, Fault):
            problems.append(Problem(path, number, found.reason, found.code))
        elif found in rows:
            problems.append(Problem(path, number, "the same box twice", "duplicate_box"))
        else:
            rows.append(found)
    return rows, problems


def _parse_row(fields: list[str], class_count: int) -> Row | Fault:
    """A row, or what is wrong with it."""
    if len(fields) != 5:
        return Fault("bad_row", f"expected `class x y w h`, found {len(fields)} fields")
    try:
        values = tuple(float(f) for f in fields)
    except ValueError:
        return Fault("bad_row", f"not a number in {' '.join(fields)!r}")
    if not all(math.isfinite(v) for v in values):
        return Fault("bad_row", "not a finite number")
    label, x, y, w, h = values
    if label != int(label) or not 0 <= label < class_count:
        return Fault("unknown_class", f"unknown class {fields[0]} (there are {class_count})")
    return box_fault(x, y, w, h) or (int(label), x, y, w, h)
