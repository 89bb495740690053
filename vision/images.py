"""Encoded pictures: what they claim to be, whether they are whole, and their pixels.

Nothing is decoded before its header was read, sized against the limits and its format found on
the allow-list: OpenCV's rarer decoders (JPEG 2000 among them) have had memory errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..config.errors import ImageError
from .headers import (
    HeaderCutError,
    HeaderRefusedError,
    ImageFormat,
    ImageInfo,
    is_whole,
    read_info,
    sniff,
)

__all__ = ["Image", "ImageFormat", "ImageInfo", "ImageLimits", "decode", "decode_scaled", "probe"]

Image = NDArray[np.uint8]

REDUCED_FLAGS = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4}


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a submitted picture may be."""

    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 25_000_000
    min_side: int = 16


DEFAULT_LIMITS = ImageLimits()


def probe(data: bytes, limits: ImageLimits = DEFAULT_LIMITS) -> ImageInfo:
    """Format and size from the header alone; costs microseconds.

    Raises:
        ImageError: codes `empty`, `too_many_bytes`, `unsupported_format` (anything but JPEG, PNG
            and still WebP, whatever its name says), `truncated`, `too_small`, `too_many_pixels`.
    """
    if not data:
        raise ImageError("empty picture", message_zh="图片为空", code="empty")
    if len(data) > limits.max_bytes:
        raise ImageError(
            f"{len(data)} bytes, more than the {limits.max_bytes} allowed",
            message_zh=f"图片 {len(data)} 字节，超过上限 {limits.max_bytes} 字节",
            code="too_many_bytes",
        )
    image_format = sniff(data)
    if image_format is None:
        raise ImageError(
            f"not a JPEG, PNG or WebP picture (begins with {data[:8].hex(' ')})",
            message_zh="不是 JPEG、PNG 或 WebP 图片",
            code="unsupported_format",
        )
    try:
        info = read_info(data, image_format)
    except HeaderCutError as error:
        raise _truncated(image_format, str(error)) from None
    except HeaderRefusedError as error:
        raise ImageError(
            f"{image_format}: {error}",
            message_zh=f"不支持的 {image_format} 图片：{error}",
            code="unsupported_format",
        ) from None
    _check_size(info, limits)
    return info


def decode(data: bytes, info: ImageInfo) -> Image:
    """All pixels, H×W×3 uint8 BGR.

    Grey becomes BGR, alpha is dropped, 16 bits become 8, CMYK becomes BGR; an EXIF orientation is
    ignored, so that boxes and zones always mean the stored pixel grid.

    Raises:
        ImageError: `truncated` when the file is cut or its data is corrupt.
    """
    return _decode(data, info, cv2.IMREAD_COLOR)


def decode_scaled(data: bytes, info: ImageInfo, max_side: int) -> Image:
    """As `decode`, but a JPEG comes at 1/2 or 1/4 size while its longer side stays ≥ `max_side`.

    The reduction happens in the JPEG's DCT, so the pixels left out are never computed.
    """
    longer = max(info.width, info.height)
    for factor in (4, 2):
        if info.format == "jpeg" and longer >= factor * max_side:
            return _decode(data, info, REDUCED_FLAGS[factor], factor)
    return _decode(data, info, cv2.IMREAD_COLOR)


def _decode(data: bytes, info: ImageInfo, flags: int, factor: int = 1) -> Image:
    if not is_whole(data, info.format):
        raise _truncated(info.format, "the end of the file is missing or a checksum fails")
    try:
        pixels = cv2.imdecode(
            np.frombuffer(data, dtype=np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error as error:
        raise _truncated(info.format, f"the decoder refuses it: {error.err}") from None
    size = (-(-info.height // factor), -(-info.width // factor))
    if pixels is None or pixels.shape[:2] != size:
        raise _truncated(info.format, "the data cannot be decoded")
    return np.asarray(pixels, dtype=np.uint8)


def _check_size(info: ImageInfo, limits: ImageLimits) -> None:
    size = f"{info.width}×{info.height}"
    if min(info.width, info.height) < limits.min_side:
        raise ImageError(
            f"{size} pixels; the shorter side must have at least {limits.min_side}",
            message_zh=f"图片尺寸 {size} 过小，短边至少 {limits.min_side} 像素",
            code="too_small",
        )
    if info.width * info.height > limits.max_pixels:
        raise ImageError(
            f"{size} pixels, more than the {limits.max_pixels} allowed",
            message_zh=f"图片尺寸 {size} 过大，上限 {limits.max_pixels} 像素",
            code="too_many_pixels",
        )


def _truncated(image_format: str, why: str) -> ImageError:
    return ImageError(
        f"truncated or corrupt {image_format}: {why}",
        message_zh=f"{image_format} 图片不完整或已损坏",
        code="truncated",
    )
