"""Tables as CVAT-for-video 1.1: each scene a folder of frames with its tracks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from ..config.errors import DatasetError
from .clips import overlap
from .coco import size_of
from .cvat import FILE, Corners, corner_attributes, pixel_boxes, xml_head
from .disk import Tick, link_or_copy, no_tick
from .table import Picture, Table

IMAGES = "images"
LINK_IOU = 0.5
"""Boxes of one class in neighbouring pictures that overlap so much are written as one track."""
UNSAFE = re.compile(r"[^\w.-]")
"""What a scene's name must not bring into a folder's."""


def write_cvat_video(table: Table, folder: Path, tick: Tick = no_tick) -> None:
    """Write each group as a folder with `annotations.xml` and its frames under `images/`.

    Boxes of one class that overlap from picture to picture become one track. Pictures without
    group go into one folder for each size.

    Raises:
        DatasetError: a picture cannot be read, or the pictures of a group differ in size.
    """
    clips: defaultdict[str, list[Picture]] = defaultdict(list)
    sizes: dict[str, tuple[int, int]] = {}
    for item in table.pictures:
        size = size_of(item.path)
        clip = UNSAFE.sub("_", item.group).lstrip(".") or f"pictures_{size[0]}x{size[1]}"
        if sizes.setdefault(clip, size) != size:
            raise DatasetError(
                f"{item.path}: {size[0]}×{size[1]}, others of {clip} differ; a clip has one size",
                message_zh=f"{item.path}：同一片段（{clip}）的图片尺寸不一致",
            )
        clips[clip].append(item)
    for clip, pictures in clips.items():
        (folder / clip / IMAGES).mkdir(parents=True)
        for number, item in enumerate(pictures):
            frame = f"frame_{number:06d}{item.path.suffix.lower()}"
            link_or_copy(item.path, folder / clip / IMAGES / frame)
            tick()
        text = _xml(pictures, table.names, sizes[clip])
        (folder / clip / FILE).write_text(text, encoding="utf-8")


def _xml(pictures: Sequence[Picture], names: Sequence[str], size: tuple[int, int]) -> str:
    lines = xml_head(names, len(pictures), size)
    for number, (label, track) in enumerate(_linked(pictures, names, size)):
        lines.append(f'  <track id="{number}" label={quoteattr(label)} source="manual">')
        lines += [_box(frame, corners, outside=False) for frame, corners in track]
        last, corners = track[-1]
        if last + 1 < len(pictures):
            lines.append(_box(last + 1, corners, outside=True))
        lines.append("  </track>")
    return "\n".join([*lines, "</annotations>"]) + "\n"


def _linked(
    pictures: Sequence[Picture], names: Sequence[str], size: tuple[int, int]
) -> list[tuple[str, list[tuple[int, Corners]]]]:
    """Boxes joined to tracks: each box to the one of its class it overlaps most, frame before."""
    tracks: list[tuple[str, list[tuple[int, Corners]]]] = []
    for frame, item in enumerate(pictures):
        free = [t for t in tracks if t[1][-1][0] == frame - 1]
        for label, corners in pixel_boxes(item, names, *size):
            fits = [(overlap(t[1][-1][1], corners), i) for i, t in enumerate(free) if t[0] == label]
            best, index = max(fits, default=(0.0, -1))
            if best >= LINK_IOU:
                free.pop(index)[1].append((frame, corners))
            else:
                tracks.append((label, [(frame, corners)]))
    return tracks


def _box(frame: int, corners: Corners, *, outside: bool) -> str:
    return (
        f'    <box frame="{frame}" keyframe="1" outside="{int(outside)}" occluded="0"'
        f' {corner_attributes(corners)} z_order="0"></box>'
    )
