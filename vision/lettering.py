"""Chinese letters onto pictures, where the machine has a font for them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from .images import Image

CJK_FONTS = (
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "msyh.ttc",
    "simhei.ttf",
    "PingFang.ttc",
)


@lru_cache(maxsize=32)
def find_font(size_px: int, path: Path | None = None) -> ImageFont.FreeTypeFont | None:
    """A font with Chinese letters; None when the machine has none that is known.

    Raises:
        OSError: `path` was given and is no font.
    """
    if path is not None:
        return ImageFont.truetype(str(path), size_px)
    for name in CJK_FONTS:
        try:
            return ImageFont.truetype(name, size_px)
        except OSError:
            continue
    return None


def letter(canvas: Image, at: tuple[int, int], text: str, font: ImageFont.FreeTypeFont) -> None:
    """White text into a BGR picture, its upper left corner at `at`."""
    x, y = at
    left, top, right, bottom = (round(v) for v in font.getbbox(text))
    part = canvas[y : y + bottom, x : x + right]
    if left > right or top > bottom or not part.size:
        return
    mask = Pictures.new("L", (part.shape[1], part.shape[0]), 0)
    ImageDraw.Draw(mask).text((0, 0), text, font=font, fill=255)
    share = np.asarray(mask, dtype=np.float32)[..., None] / 255
    part[:] = (part * (1 - share) + 255 * share).astype(np.uint8)
