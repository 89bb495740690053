"""CVAT 1.1 XML for images, and what it shares with CVAT for video.

Format: https://docs.cvat.ai/docs/dataset_management/formats/format-cvat/ . Polygons, ellipses and
masks count as the boxes around them, turned boxes as the upright boxes around their corners.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import cos, isfinite, radians, sin
from pathlib import Path
from xml.sax.saxutils import quoteattr

from .coco import one_file, size_of
from .disk import Tick, file_names, link_or_copy, no_tick
from .problems import Fault, Problem
from .scan import Labelled, PictureFinder, Scan, Shape, assemble, unlabelled_note
from .table import Picture, Table
from .xmltree import Element, parse_xml

FILE = "annotations.xml"
BOXED = ("box", "polygon", "ellipse", "mask")
UNBOXED = ("polyline", "points", "cuboid", "skeleton")
"""Shapes no box can be made of without guessing."""

Corners = tuple[float, float, float, float]


def scan_cvat_images(source: Path, images: Path | None = None, name: str = "") -> Scan:
    """Read a "CVAT for images 1.1" export.

    Args:
        source: the XML file, or a folder that holds exactly one.
        images: where the pictures lie; by default the folder.
        name: kept with every picture as its source.

    Raises:
        DatasetError: no XML, several, or a broken one.
    """
    file = one_file(source, "xml")
    root = parse_xml(file)
    finder = PictureFinder(images or (source if source.is_dir() else file.parent))
    problems: list[Problem] = []
    listed: list[Labelled] = []
    unboxed: Counter[str] = Counter()
    for element in root.every("image"):
        told = element.attributes.get("name", "")
        path = finder.find(told)
        if isinstance(path, Fault):
            problems.append(Problem(file, element.line, path.reason, path.code))
            continue
        item = Labelled(path, file, element.line, _size(element))
        faults = [f for child in element.children if (f := _take(child, item, unboxed))]
        problems += faults
        if not faults:
            listed.append(item)
    notes = unlabelled_note(finder, [i.path for i in listed]) if not problems else []
    notes += unboxed_notes(unboxed)
    return assemble(listed, label_names(root), name, problems, notes)


def write_cvat_images(table: Table, folder: Path, tick: Tick = no_tick) -> None:
    """Write `annotations.xml` and `images/` into an existing folder.

    Raises:
        DatasetError: a picture cannot be read.
    """
    (folder / "images").mkdir()
    files = file_names(table.pictures)
    lines = xml_head(table.names, len(table))
    for number, (item, file) in enumerate(zip(table.pictures, files, strict=True)):
        width, height = size_of(item.path)
        link_or_copy(item.path, folder / "images" / file)
        tick()
        lines.append(
            f'  <image id="{number}" name={quoteattr(file)} width="{width}" height="{height}">'
        )
        for label, corners in pixel_boxes(item, table.names, width, height):
            lines.append(
                f'    <box label={quoteattr(label)} source="manual" occluded="0"'
                f' {corner_attributes(corners)} z_order="0"></box>'
            )
        lines.append("  </image>")
    lines.append("</annotations>")
    (folder / FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def label_names(root: Element) -> tuple[str, ...]:
    """Class names the file declares; a task, a job or a project may be what was exported."""
    for kind in ("task", "job", "project"):
        if labels := root.first("meta", kind, "labels"):
            return tuple(name for label in labels.every("label") if (name := label.told("name")))
    return ()


def corners_of(element: Element) -> Corners | Fault:
    """Left, top, right, bottom in pixels of one shape of `BOXED`."""
    told = element.attributes
    try:
        if element.tag == "polygon":
            points = [[float(v) for v in p.split(",")] for p in told["points"].split(";")]
            return _hull([(x, y) for x, y in points])
        if element.tag == "ellipse":
            cx, cy, rx, ry = (float(told[k]) for k in ("cx", "cy", "rx", "ry"))
            corners: Corners = (cx - rx, cy - ry, cx + rx, cy + ry)
        elif element.tag == "mask":
            left, top, width, height = (float(told[k]) for k in ("left", "top", "width", "height"))
            return left, top, left + width, top + height
        else:
            xtl, ytl, xbr, ybr = (float(told[k]) for k in ("xtl", "ytl", "xbr", "ybr"))
            corners = (xtl, ytl, xbr, ybr)
        return turned(corners, float(told.get("rotation", "0")))
    except KeyError as error:
        return Fault("bad_row", f"<{element.tag}> without {error.args[0]}")
    except ValueError as error:
        return Fault("bad_row", f"<{element.tag}>: {error}")


def turned(corners: Corners, degrees: float) -> Corners:
    """The upright box around a box that was turned about its middle."""
    if degrees % 180 == 0 or not isfinite(degrees):
        return corners
    x1, y1, x2, y2 = corners
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
    c, s = cos(radians(degrees)), sin(radians(degrees))
    offsets = [(x - cx, y - cy) for x in (x1, x2) for y in (y1, y2)]
    return _hull([(cx + c * dx - s * dy, cy + s * dx + c * dy) for dx, dy in offsets])


def unboxed_notes(unboxed: Counter[str]) -> list[str]:
    """What was left out for not being a box."""
    return [f"{count} 个 {kind} 不是框，未导入" for kind, count in sorted(unboxed.items())]


def xml_head(
    names: Sequence[str], size: int, dimensions: tuple[int, int] | None = None
) -> list[str]:
    """The lines before the first picture or track. `dimensions`: of a video's frames."""
    labels = "".join(
        f"<label><name>{_text(n)}</name><attributes></attributes></label>" for n in names
    )
    original = (
        f"<original_size><width>{dimensions[0]}</width><height>{dimensions[1]}</height>"
        "</original_size>"
        if dimensions
        else ""
    )
    mode = "interpolation" if dimensions else "annotation"
    return [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<annotations>",
        "  <version>1.1</version>",
        f"  <meta><task><size>{size}</size><mode>{mode}</mode><start_frame>0</start_frame>"
        f"<stop_frame>{size - 1}</stop_frame><frame_filter></frame_filter>"
        f"<labels>{labels}</labels>{original}</task></meta>",
    ]


def pixel_boxes(
    item: Picture, names: Sequence[str], width: int, height: int
) -> list[tuple[str, Corners]]:
    """Class name and corners in pixels of every box."""
    return [
        (
            names[label],
            (
                (x - w / 2) * width,
                (y - h / 2) * height,
                (x + w / 2) * width,
                (y + h / 2) * height,
            ),
        )
        for label, (x, y, w, h) in zip(item.classes.tolist(), item.boxes.tolist(), strict=True)
    ]


def corner_attributes(corners: Corners) -> str:
    """The four XML attributes; CVAT itself writes two decimals."""
    keys = ("xtl", "ytl", "xbr", "ybr")
    return " ".join(f'{k}="{v:.2f}"' for k, v in zip(keys, corners, strict=True))


def _take(child: Element, item: Labelled, unboxed: Counter[str]) -> Problem | None:
    """Add one shape to the picture; the problem if it is a broken one."""
    if child.tag in UNBOXED:
        unboxed[child.tag] += 1
    if child.tag not in BOXED:
        return None
    corners = corners_of(child)
    if isinstance(corners, Fault):
        return Problem(item.file, child.line, corners.reason, corners.code)
    item.shapes.append(Shape(child.attributes.get("label", ""), corners, child.line))
    return None


def _size(element: Element) -> tuple[float, float] | None:
    try:
        return float(element.attributes["width"]), float(element.attributes["height"])
    except (KeyError, ValueError):
        return None


def _hull(points: Sequence[tuple[float, float]]) -> Corners:
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _text(name: str) -> str:
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
