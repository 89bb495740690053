"""Picture files: their size, and whether they can be decoded to the last row."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from .problems import Fault, Problem
from .table import Table

FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 100_000_000
_BROKEN = (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError)
"""What Pillow raises on files that are cut short, scrambled or something else altogether."""


def picture_size(path: Path) -> tuple[int, int] | Fault:
    """Width and height as stored (EXIF orientation ignored), or why there is none."""
    if not path.is_file():
        return Fault("missing_picture", "no such picture")
    if path.stat().st_size == 0:
        return Fault("corrupt_picture", "empty picture file")
    try:
        with Image.open(path, formats=FORMATS) as image:
            width, height = image.size
    except _BROKEN as error:
        return Fault("corrupt_picture", f"not a JPEG, PNG or WebP picture ({_told(error)})")
    if width * height > MAX_PIXELS:
        return Fault("corrupt_picture", f"{width}×{height} is more than {MAX_PIXELS} pixels")
    return width, height


def picture_fault(path: Path) -> Fault | None:
    """Why a picture cannot be used; decodes it wholly, since half a JPEG still opens."""
    size = picture_size(path)
    if isinstance(size, Fault):
        return size
    try:
        with Image.open(path, formats=FORMATS) as image:
            image.load()
    except _BROKEN as error:
        return Fault("corrupt_picture", f"cannot be decoded ({_told(error)})")
    return None


def check_pictures(
    table: Table, tick: Callable[[], None] = lambda: None
) -> tuple[tuple[bool, ...], tuple[Problem, ...]]:
    """Which pictures decode, in the table's order, and what is wrong with the others."""
    sound: list[bool] = []
    problems: list[Problem] = []
    for item in table.pictures:
        fault = picture_fault(item.path)
        sound.append(fault is None)
        if fault:
            problems.append(Problem(item.path, 0, fault.reason, fault.code))
        tick()
    return tuple(sound), tuple(problems)


def _told(error: Exception) -> str:
    # Pillow repeats the path in its text; the problem names it already.
    return str(error).split(" '")[0].split(": '")[0] or type(error).__name__
