"""Encoded pictures: what they claim to be, whether they are whole, and their pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

ImageFormat = Literal["jpeg", "png", "webp"]
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """What a submitted picture may be."""

    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 25_000_000
    min_side: int = 16


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a picture's header says; width and height in pixels."""

    format: ImageFormat
    width: int
    height: int


def probe(data: bytes, limits: ImageLimits | None = None) -> ImageInfo:
    """Read the header only; ImageError says what is wrong."""
    raise NotImplementedError


def decode(data: bytes, info: ImageInfo) -> Image:
    """H×W×3 BGR pixels; ImageError `truncated` for cut or corrupt data."""
    raise NotImplementedError


def decode_scaled(data: bytes, info: ImageInfo, max_side: int) -> Image:
    """As `decode`, but a JPEG may come at 1/2 or 1/4 size while its longer side stays ≥ max_side."""
    raise NotImplementedError
