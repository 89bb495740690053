"""What one small grey picture tells about its camera: light, sharpness, sameness, place.

All measures look at the *core* of the picture, without the strips along the upper and lower edge
where cameras print their clock: a frozen sensor under a running clock is still frozen.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft2, ifft2

from .images import Image

Grey = NDArray[np.uint8]
Complex = NDArray[np.complex64]
Floats = NDArray[np.floating]

THUMB_WIDTH = 160
STRIP_SHARE = 0.12
BLACK_MEAN, BLACK_TOP, BLACK_SPREAD = 20.0, 48, 4.0
WHITE_LEVEL, WHITE_SHARE, WHITE_FLOOR = 246, 0.55, 205
# Sobel steps below this are sensor noise or compression rather than an edge of the scene.
EDGE_STEP = 24.0
SWAY_PX = 2
BLOCK_PX = 16
TEXTURED_POWER = 0.12 * BLOCK_PX**2
BLOCK_MATCH = 0.35
MIN_BLOCKS = 6
SHIFT_MARGIN = 0.15


def thumbnail(image: Image) -> Grey:
    """A grey picture `THUMB_WIDTH` wide, from H×W×3 BGR or H×W grey of any size."""
    height, width = image.shape[:2]
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else image
    rows = max(16, round(height * THUMB_WIDTH / width))
    small = cv2.resize(grey, (THUMB_WIDTH, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def core(thumb: Grey) -> Grey:
    """The rows between the strips in which clocks and names are printed."""
    strip = round(len(thumb) * STRIP_SHARE)
    return thumb[strip : len(thumb) - strip]


@dataclass(frozen=True, slots=True)
class Light:
    """How bright the core is: `mean` of 0–255, and whether there is anything to see in it.

    Attributes:
        black: nothing in it stands out, as with a covered lens or a dead sensor; a dark street in
            which something can be made out is not black.
        overexposed: more than half of it burnt out, or nothing darker than near-white.
    """

    mean: float
    black: bool
    overexposed: bool


def light_of(thumb: Grey) -> Light:
    """Judge the brightness of a thumbnail."""
    counts = np.bincount(core(thumb).ravel(), minlength=256)
    total = int(counts.sum())
    levels = np.arange(256)
    mean = float(counts @ levels) / total
    spread = float(np.sqrt(counts @ np.square(levels - mean) / total))
    above = 1 - np.cumsum(counts) / total
    black = mean <= BLACK_MEAN and above[BLACK_TOP] <= 0.01 and spread <= BLACK_SPREAD
    white = above[WHITE_LEVEL - 1] >= WHITE_SHARE or above[WHITE_FLOOR - 1] >= 0.95
    return Light(mean, bool(black), bool(white))


def changed_share(thumb: Grey, earlier: Grey) -> float:
    """Share of core pixels that differ at all; sensor noise alone gives several per cent."""
    if thumb.shape != earlier.shape:
        return 1.0
    return float((core(thumb) != core(earlier)).mean())


def sharpness(thumb: Grey) -> float | None:
    """Energy of the finest details over that of the next coarser ones, 0–1 or so.

    A ratio, so that contrast and brightness cancel out; None where there are no details at all.
    """
    inner = core(thumb).astype(np.float32)
    soft = cv2.GaussianBlur(inner, (0, 0), 1.0)
    softer = cv2.GaussianBlur(soft, (0, 0), 2.5)
    coarse = float(np.square(soft - softer).mean())
    return float(np.square(inner - soft).mean()) / coarse if coarse >= 4.0 else None


@dataclass(frozen=True, slots=True)
class Match:
    """How a picture lies on a view.

    Attributes:
        share: of the view's textured blocks, those found at their place (± sway).
        texture: textured blocks of the picture over those of the view.
        shift: (x, y) in shares of width and height, where the whole scene went; None when it was
            found at its place or nowhere.
    """

    share: float
    texture: float
    shift: tuple[float, float] | None = None


class View:
    """A scene as remembered, against which pictures are laid.

    What is compared are the directions of edges without their sign, block by block: they survive
    the change from day to lamp light, where dark and bright swap; passing traffic covers some
    blocks, never most. The scene is searched for by cross-correlation over the whole picture, so
    that a turned camera can be told from one that shows something else.
    """

    def __init__(self, picture: Grey) -> None:
        self.picture = picture
        self._edges = _edges(core(picture))
        self._spectrum = np.conj(fft2(self._edges))
        self._power = _blocks(np.abs(self._edges) ** 2)
        self.blocks = _textured(self._edges)

    @property
    def telling(self) -> bool:
        """Whether there is enough structure to decide anything by."""
        return self.blocks >= MIN_BLOCKS

    def match(self, thumb: Grey) -> Match:
        """Lay a thumbnail on this view; one of another shape matches nowhere."""
        now = _edges(core(thumb))
        if now.shape != self._edges.shape:
            return Match(0.0, 1.0)
        texture = _textured(now) / max(self.blocks, 1)
        surface = ifft2(fft2(now) * self._spectrum).real
        near, far = _peak(surface, SWAY_PX), _peak(surface, None)
        share = self._share(now, near)
        if far == near or self._share(now, far) < max(0.5, share + SHIFT_MARGIN):
            return Match(share, texture)
        return Match(share, texture, (far[1] / now.shape[1], far[0] / len(thumb)))

    def _share(self, now: Complex, shift: tuple[int, int]) -> float:
        """Share of textured blocks that agree once the picture is moved back by `shift`."""
        back = np.roll(now, (-shift[0], -shift[1]), axis=(0, 1))
        both = _blocks((back * np.conj(self._edges)).real)
        score = both / np.maximum(np.sqrt(_blocks(np.abs(back) ** 2) * self._power), 1e-6)
        textured = self._power > TEXTURED_POWER
        return float((score[textured] >= BLOCK_MATCH).mean()) if textured.any() else 0.0


def _edges(inner: Grey) -> Complex:
    """Edge direction as a unit-bounded complex number of twice the angle, 0 where it is flat."""
    soft = cv2.GaussianBlur(inner, (0, 0), 0.8).astype(np.float32)
    step = cv2.Sobel(soft, cv2.CV_32F, 1, 0) + 1j * cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    size = np.abs(step)
    unit = np.square(step) / np.maximum(np.square(size), 1e-6)
    return np.asarray(unit * (size / (size + EDGE_STEP)) * (size > EDGE_STEP / 2), np.complex64)


def _textured(edges: Complex) -> int:
    return int((_blocks(np.abs(edges) ** 2) > TEXTURED_POWER).sum())


def _peak(surface: Floats, within: int | None) -> tuple[int, int]:
    """(rows, columns) of the best shift, signed; `within` bounds both."""
    rows, columns = surface.shape
    if within is None:
        at = int(surface.argmax())
        dy, dx = at // columns, at % columns
        return (dy - rows if dy > rows // 2 else dy, dx - columns if dx > columns // 2 else dx)
    reach = range(-within, within + 1)
    return max(((dy, dx) for dy in reach for dx in reach), key=lambda d: float(surface[d]))


def _blocks(values: Floats) -> Floats:
    """Sums over square blocks; the remainder at the edges is left out."""
    rows, columns = values.shape[0] // BLOCK_PX, values.shape[1] // BLOCK_PX
    cut = values[: rows * BLOCK_PX, : columns * BLOCK_PX]
    return np.asarray(cut.reshape(rows, BLOCK_PX, columns, BLOCK_PX).sum(axis=(1, 3)))
