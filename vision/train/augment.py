"""What a street camera does to a picture: aspect, soft focus, compression, dusk, haze, rain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CameraLook:
    """Probabilities and ranges. One picture suffers at most one blur and one light change."""

    blur_p: float = 0.12
    shrink_p: float = 0.15
    jpeg_p: float = 0.25
    night_p: float = 0.10
    haze_p: float = 0.08
    rain_p: float = 0.06
    noise_p: float = 0.10
    jpeg_quality: tuple[int, int] = (25, 75)
    shrink: tuple[float, float] = (0.35, 0.75)


def spoil(image: Image, look: CameraLook, rng: np.random.Generator) -> Image:
    """The picture (H×W×3 BGR) as a cheap camera would send it; same size."""
    out = image
    draw = rng.random(6)
    if draw[0] < look.shrink_p:
        out = _shrunk(out, rng.uniform(*look.shrink))
    elif draw[0] < look.shrink_p + look.blur_p:
        out = _blurred(out, int(rng.integers(1, 3)) * 2 + 1, bool(draw[5] < 0.5))
    if draw[1] < look.night_p:
        out = _night(out, rng.uniform(1.5, 2.6))
    elif draw[1] < look.night_p + look.haze_p:
        out = _haze(out, rng.uniform(0.15, 0.45))
    if draw[4] < look.rain_p:
        out = _rain(out, rng)
    if draw[2] < look.noise_p:
        noise = rng.normal(0.0, rng.uniform(3.0, 12.0), out.shape)
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    if draw[3] < look.jpeg_p:
        out = _compressed(out, int(rng.integers(*look.jpeg_quality)))
    return np.ascontiguousarray(out)


def stretched(image: Image, aspect: float) -> Image:
    """The picture squeezed on one axis so that width : height becomes `aspect` times as large.

    Relative box coordinates stay true. Neither side grows.
    """
    height, width = image.shape[:2]
    if aspect >= 1:
        size = (width, max(1, round(height / aspect)))
    else:
        size = (max(1, round(width * aspect)), height)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


class CameraTransform:
    """`spoil` as a step of Ultralytics' augmentation chain (a callable on its label dict)."""

    def __init__(self, look: CameraLook) -> None:
        self.look = look

    def __call__(self, labels: dict[str, Any]) -> dict[str, Any]:
        rng = np.random.default_rng(int(np.random.randint(2**31)))
        labels["img"] = spoil(labels["img"], self.look, rng)
        return labels


def _shrunk(image: Image, factor: float) -> Image:
    height, width = image.shape[:2]
    small = cv2.resize(
        image,
        (max(8, round(width * factor)), max(8, round(height * factor))),
        interpolation=cv2.INTER_AREA,
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _blurred(image: Image, size: int, along_motion: bool) -> Image:
    if not along_motion:
        return np.asarray(cv2.GaussianBlur(image, (size, size), 0), dtype=np.uint8)
    kernel = np.zeros((size, size), dtype=np.float32)
    kernel[size // 2] = 1 / size
    return np.asarray(cv2.filter2D(image, -1, kernel), dtype=np.uint8)


def _night(image: Image, gamma: float) -> Image:
    ramp = np.arange(256) / 255
    darker = (255 * ramp**gamma).astype(np.uint8)
    out = darker[image].astype(np.float32)
    out *= np.array([0.9, 1.0, 1.12], dtype=np.float32)  # sodium lamps: warm
    return np.clip(out, 0, 255).astype(np.uint8)


def _haze(image: Image, amount: float) -> Image:
    return np.asarray(
        cv2.addWeighted(image, 1 - amount, np.full_like(image, 205), amount, 0), dtype=np.uint8
    )


def _rain(image: Image, rng: np.random.Generator) -> Image:
    """Slanting bright streaks, longer for nearer drops, over a picture of lower contrast."""
    height, width = image.shape[:2]
    drops = (rng.random((height, width)) < rng.uniform(0.002, 0.008)).astype(np.float32)
    length = max(3, round(height * rng.uniform(0.02, 0.05)) | 1)
    slant = rng.uniform(-0.35, 0.35)
    kernel = np.zeros((length, length), dtype=np.float32)
    for row in range(length):
        kernel[row, round(length / 2 + slant * (row - length / 2)) % length] = 1.0
    streaks = np.clip(cv2.filter2D(drops, -1, kernel), 0, 1)[..., None]
    dull = image.astype(np.float32) * 0.85 + 20
    out = dull + (215 - dull) * streaks * rng.uniform(0.25, 0.5)
    return np.asarray(np.clip(out, 0, 255), dtype=np.uint8)


def _compressed(image: Image, quality: int) -> Image:
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
