"""Picture headers: format by magic bytes and size, without decoding a pixel.

Sources: ITU-T T.81 annex B (JPEG markers), W3C PNG §5 (chunks), RFC 9649 (WebP container).
Read here rather than by an imaging library because the same walk answers what no library does:
whether the file is whole. Pillow, for one, allocates a WebP's canvas before it tells its size.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Literal

ImageFormat = Literal["jpeg", "png", "webp"]

JPEG_MAGIC = b"\xff\xd8\xff"
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
JPEG_SOF = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_SOS, JPEG_EOI = 0xDA, b"\xff\xd9"
WEBP_ANIMATION_FLAG = 0x02


class HeaderCutError(ValueError):
    """The header ends before it says the size."""


class HeaderRefusedError(ValueError):
    """A variant of the format that is not taken, for example an animation."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a picture's header says; width and height in pixels."""

    format: ImageFormat
    width: int
    height: int


def sniff(data: bytes) -> ImageFormat | None:
    """Format by magic bytes; None for everything but JPEG, PNG and WebP."""
    if data.startswith(JPEG_MAGIC):
        return "jpeg"
    if data.startswith(PNG_MAGIC):
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    return None


def read_info(data: bytes, image_format: ImageFormat) -> ImageInfo:
    """Size from the header.

    Raises:
        HeaderCutError: the data ends too early.
        HeaderRefusedError: a variant that is not taken.
    """
    reader = {"jpeg": _jpeg_size, "png": _png_size, "webp": _webp_size}[image_format]
    try:
        width, height = reader(data)
    except (struct.error, IndexError):
        raise HeaderCutError("the header is cut") from None
    return ImageInfo(image_format, width, height)


def is_whole(data: bytes, image_format: ImageFormat) -> bool:
    """Whether the file reaches its own end mark, and for PNG whether every checksum holds."""
    if image_format == "jpeg":
        # In entropy-coded data 0xFF is always followed by 0x00 or a restart marker, so the first
        # FFD9 after the scan header is the real end; one in an EXIF thumbnail lies before it.
        scan = _jpeg_scan_start(data)
        return scan >= 0 and data.find(JPEG_EOI, scan) >= 0
    if image_format == "png":
        return _png_chunks_hold(data)
    return len(data) >= 8 and len(data) >= 8 + int.from_bytes(data[4:8], "little")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    for marker, start in _jpeg_segments(data):
        if marker in JPEG_SOF:
            height, width = struct.unpack_from(">HH", data, start + 3)
            return width, height
        if marker == JPEG_SOS:
            raise HeaderRefusedError("a scan comes before the frame header")
    raise HeaderCutError("no frame header")


def _jpeg_scan_start(data: bytes) -> int:
    return next((start for marker, start in _jpeg_segments(data) if marker == JPEG_SOS), -1)


def _jpeg_segments(data: bytes) -> list[tuple[int, int]]:
    """(marker, offset of its length field) up to the first scan or the end of the data."""
    segments: list[tuple[int, int]] = []
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in JPEG_STANDALONE:
            at += 2
            continue
        segments.append((marker, at + 2))
        if marker == JPEG_SOS:
            break
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return segments


def _png_size(data: bytes) -> tuple[int, int]:
    if len(data) >= 16 and data[12:16] != b"IHDR":
        raise HeaderRefusedError("the first chunk is not IHDR")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _png_chunks_hold(data: bytes) -> bool:
    at = len(PNG_MAGIC)
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            return False
        (checksum,) = struct.unpack_from(">I", data, end)
        if zlib.crc32(data[at + 4 : end]) != checksum:
            return False
        if name == b"IEND":
            return True
        at = end + 4
    return False


def _webp_size(data: bytes) -> tuple[int, int]:
    chunk = data[12:16]
    if chunk == b"VP8X":
        if data[20] & WEBP_ANIMATION_FLAG:
            raise HeaderRefusedError("animated WebP")
        width, height = data[24:27], data[27:30]
        if len(height) < 3:
            raise HeaderCutError("the canvas size is cut")
        return int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if len(data) < 16:
        raise HeaderCutError("no chunk")
    raise HeaderRefusedError(f"unknown WebP chunk {chunk!r}")
