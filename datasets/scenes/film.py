"""From linear light to the picture a street camera delivers: exposure, lens, sensor, encoder."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
DARKNESS = {"day": 1.0, "dusk": 0.6, "night": 0.5}
"""Share of the metered exposure that a camera lets a picture of that hour have."""


@dataclass(frozen=True, slots=True)
class Film:
    """Camera character. `exposure` multiplies linear light; the rest is strength 0–1-ish."""

    exposure: float = 1.0
    vignette: float = 0.18
    blur_px: float = 0.45
    noise: float = 0.010
    saturation: float = 0.92
    warmth: float = 0.02


def meter(linear: NDArray[np.float32], key: float = 0.17) -> float:
    """Exposure that puts the log-average luminance of the picture at `key`."""
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return float(key / np.exp(np.mean(np.log(np.clip(luminance, 1e-3, 4.0)))))


def develop(linear: NDArray[np.float32], film: Film, seed: int) -> Picture:
    """Linear RGB (h, w, 3) → 8-bit BGR; the same seed gives the same sensor noise."""
    light = linear * film.exposure
    light = _lens(light, film)
    # Filmic curve after Narkowicz, "ACES filmic tone mapping curve" (2016).
    light = np.clip(light * 0.8, 0, None)
    toned = np.clip(light * (2.51 * light + 0.03) / (light * (2.43 * light + 0.59) + 0.14), 0, 1)
    grey = toned.mean(axis=2, keepdims=True)
    toned = grey + (toned - grey) * film.saturation
    toned = toned * np.array([1 + film.warmth, 1.0, 1 - film.warmth], np.float32)
    shown = np.where(
        toned <= 0.0031308, toned * 12.92, 1.055 * np.clip(toned, 1e-6, 1) ** (1 / 2.4) - 0.055
    )
    rng = np.random.default_rng(seed)
    grain = rng.normal(0, film.noise, shown.shape[:2])[..., None]
    tint = cv2.GaussianBlur(
        rng.normal(0, film.noise * 1.6, shown.shape).astype(np.float32), (0, 0), 1.2
    )
    noisy = shown + (grain + tint) * (1.25 - 0.6 * shown)
    picture: Picture = np.rint(np.clip(noisy, 0, 1)[..., ::-1] * 255).astype(np.uint8)
    return picture


def _lens(light: NDArray[np.float32], film: Film) -> NDArray[np.float32]:
    high, wide = light.shape[:2]
    y, x = np.mgrid[0:high, 0:wide].astype(np.float32)
    radius = np.hypot((x / wide - 0.5), (y / high - 0.5) * high / wide) / 0.574
    fall = 1 - film.vignette * radius**2.2
    glow = cv2.GaussianBlur(np.clip(light - 1.2, 0, 6), (0, 0), wide / 90)
    soft = cv2.GaussianBlur(light + 0.25 * glow, (0, 0), max(film.blur_px, 0.1))
    result: NDArray[np.float32] = (soft * fall[..., None]).astype(np.float32)
    return result
