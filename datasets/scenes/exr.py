"""Read the uncompressed multilayer OpenEXR files that Cycles writes (colour and object index).

Only what the renderer produces is understood: one part, scan lines, no compression, float or half
channels (OpenEXR file layout, openexr.com).
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...config.errors import InputError

_MAGIC = 20000630
_DTYPES = {0: "<u4", 1: "<f2", 2: "<f4"}


def read_exr(path: Path) -> dict[str, NDArray[np.float32]]:
    """Channel name → (height, width) float32 of the data window. Raises InputError."""
    data = path.read_bytes()
    if len(data) < 8 or struct.unpack_from("<I", data)[0] != _MAGIC:
        raise InputError(f"{path}: not an OpenEXR file")
    header, at = _header(data, 8)
    if header["compression"][0] != 0:
        raise InputError(f"{path}: compressed OpenEXR is not supported")
    channels = _channels(header["channels"])
    x0, y0, x1, y1 = struct.unpack("<4i", header["dataWindow"])
    width, height = x1 - x0 + 1, y1 - y0 + 1
    offsets = struct.unpack_from(f"<{height}Q", data, at)
    planes = {name: np.empty((height, width), np.float32) for name, _ in channels}
    for offset in offsets:
        row = struct.unpack_from("<i", data, offset)[0] - y0
        cursor = offset + 8
        for name, kind in channels:
            dtype = np.dtype(_DTYPES[kind])
            planes[name][row] = np.frombuffer(data, dtype, width, cursor)
            cursor += width * dtype.itemsize
    return planes


def _header(data: bytes, at: int) -> tuple[dict[str, bytes], int]:
    fields: dict[str, bytes] = {}
    while data[at] != 0:
        name_end = data.index(b"\0", at)
        type_end = data.index(b"\0", name_end + 1)
        size = struct.unpack_from("<i", data, type_end + 1)[0]
        start = type_end + 5
        fields[data[at:name_end].decode()] = data[start : start + size]
        at = start + size
    return fields, at + 1


def _channels(raw: bytes) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    at = 0
    while raw[at] != 0:
        end = raw.index(b"\0", at)
        found.append((raw[at:end].decode(), struct.unpack_from("<i", raw, end + 1)[0]))
        at = end + 17
    return found
