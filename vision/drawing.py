"""Boxes, zones and text onto pictures: Chinese where the machine has a font for it, else ASCII."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .detections import Detections
from .images import Image
from .incident import Box
from .lettering import find_font, letter

Colour = tuple[int, int, int]

ZONE_BGR: Colour = (60, 60, 230)
BOX_BGR: Colour = (0, 220, 255)
FRONTAGE_BGR: Colour = (255, 150, 40)
OTHER_BGR: Colour = (190, 190, 190)
TEXT_BGR: Colour = (255, 255, 255)
ZONE_ALPHA = 0.22
BANNER_ALPHA = 0.6
JPEG_QUALITY = 88
FONT = cv2.FONT_HERSHEY_SIMPLEX
PALETTE: tuple[Colour, ...] = (
    (80, 200, 80),
    (230, 160, 60),
    (200, 120, 220),
    (60, 180, 250),
    (250, 220, 80),
    (90, 110, 250),
    (180, 220, 120),
    (40, 60, 240),
    (60, 140, 230),
    (240, 90, 200),
)


def line_width(canvas: Image) -> int:
    """Thin on small pictures, visible on large ones."""
    height, width = canvas.shape[:2]
    return max(1, round(int(min(height, width)) / 300))


def draw_box(canvas: Image, box: Box, colour: Colour, line: int) -> None:
    """A box (0–1); a thick one gets a dark rim, so that it shows on any ground."""
    (x1, y1), (x2, y2) = _pixels([box[:2], box[2:]], canvas).tolist()
    if line > 1:
        cv2.rectangle(canvas, (x1, y1), (x2, y2), (0, 0, 0), line + 2, cv2.LINE_AA)
    cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, line, cv2.LINE_AA)


def draw_dashed(canvas: Image, box: Box, colour: Colour, line: int) -> None:
    """A box (0–1) as dashes on a dark ground line: a place, not a thing that is there."""
    (x1, y1), (x2, y2) = _pixels([box[:2], box[2:]], canvas).tolist()
    line, dash = line + 1, 8 + 4 * line
    ends = ((x1, y1), (x2, y1), (x2, y2), (x1, y2))
    for (ax, ay), (bx, by) in zip(ends, (*ends[1:], ends[0]), strict=True):
        length = max(abs(bx - ax), abs(by - ay), 1)
        for at in range(0, length, 2 * dash):
            shares = at / length, min(at + dash, length) / length
            one, two = ((round(ax + s * (bx - ax)), round(ay + s * (by - ay))) for s in shares)
            cv2.line(canvas, one, two, (0, 0, 0), line + 2, cv2.LINE_AA)
            cv2.line(canvas, one, two, colour, line, cv2.LINE_AA)


def draw_line(
    canvas: Image,
    points: Sequence[tuple[float, float]],
    colour: Colour,
    line: int,
    *,
    closed: bool = False,
) -> None:
    """A line through points (0–1) with a dark rim."""
    corners = _pixels(points, canvas)
    cv2.polylines(canvas, [corners], closed, (0, 0, 0), line + 2, cv2.LINE_AA)
    cv2.polylines(canvas, [corners], closed, colour, line, cv2.LINE_AA)


def draw_polygon(canvas: Image, points: Sequence[tuple[float, float]]) -> None:
    """A zone (points 0–1): tinted inside, outlined."""
    corners = _pixels(points, canvas)
    tinted = canvas.copy()
    cv2.fillPoly(tinted, [corners], ZONE_BGR)
    cv2.addWeighted(tinted, ZONE_ALPHA, canvas, 1 - ZONE_ALPHA, 0, dst=canvas)
    draw_outline(canvas, points)


def draw_outline(canvas: Image, points: Sequence[tuple[float, float]]) -> None:
    """A zone (points 0–1): only its edge."""
    corners = _pixels(points, canvas)
    cv2.polylines(canvas, [corners], True, ZONE_BGR, line_width(canvas), cv2.LINE_AA)


def draw_banner(canvas: Image, lines: Sequence[str]) -> None:
    """White text on a darkened strip along the top, never wider than the picture.

    Letters that are not ASCII need a font, see `vision.lettering.find_font`.
    """
    height, width = canvas.shape[:2]
    margin = max(3, width // 160)
    if not all(text.isascii() for text in lines):
        _chinese_banner(canvas, lines, margin)
        return
    widest = max(cv2.getTextSize(text, FONT, 1.0, 1)[0][0] for text in lines)
    scale = min(max(0.35, height / 1100), (width - 2 * margin) / widest)
    thick = 2 if scale >= 0.8 else 1
    step = cv2.getTextSize("Ag", FONT, scale, thick)[0][1] + 2 * margin
    _darken(canvas, step * len(lines) + margin)
    for i, text in enumerate(lines):
        at = (margin, step * (i + 1) - margin // 2)
        cv2.putText(canvas, text, at, FONT, scale, TEXT_BGR, thick, cv2.LINE_AA)


def _chinese_banner(canvas: Image, lines: Sequence[str], margin: int) -> None:
    height, width = canvas.shape[:2]
    size_px = max(11, height // 28)
    font = find_font(size_px)
    assert font is not None, "text is made Chinese only where there is a font"
    widest = max(font.getlength(text) for text in lines)
    if widest > width - 2 * margin:
        font = find_font(max(7, int(size_px * (width - 2 * margin) / widest)))
        assert font is not None
    step = round(font.size * 1.25)
    _darken(canvas, step * len(lines) + margin)
    for i, text in enumerate(lines):
        letter(canvas, (margin, margin // 2 + i * step), text, font)


def _darken(canvas: Image, rows: int) -> None:
    strip = canvas[:rows]
    strip[:] = (strip * (1 - BANNER_ALPHA)).astype(np.uint8)


def draw_detections(image: Image, detections: Detections) -> Image:
    """A copy with every box, its label and score."""
    canvas = image.copy()
    height, width = canvas.shape[:2]
    line = line_width(canvas)
    scale = max(0.4, min(height, width) / 1000)
    unit = np.array([detections.width, detections.height] * 2, dtype=np.float64)
    for row, name, class_id, score in zip(
        (detections.xyxy / unit).tolist(),
        detections.names(),
        detections.class_id.tolist(),
        detections.score.tolist(),
        strict=True,
    ):
        x1, y1, x2, y2 = row
        colour = PALETTE[class_id % len(PALETTE)]
        draw_box(canvas, (x1, y1, x2, y2), colour, line + 1)
        text = f"{name} {score:.2f}"
        (text_width, text_height), _ = cv2.getTextSize(text, FONT, scale, 1)
        left = max(0, min(round(x1 * width), width - text_width))
        bottom = max(text_height + 4, round(y1 * height))
        corner = (left + text_width, bottom - text_height - 4)
        cv2.rectangle(canvas, (left, bottom), corner, colour, cv2.FILLED)
        cv2.putText(canvas, text, (left, bottom - 3), FONT, scale, (0, 0, 0), 1, cv2.LINE_AA)
    return canvas


def contact_sheet(pictures: Iterable[Image], columns: int = 5, cell_px: int = 360) -> Image:
    """Pictures side by side in square cells; ValueError when there is none."""
    cells = [_cell(picture, cell_px) for picture in pictures]
    if not cells:
        raise ValueError("a contact sheet needs at least one picture")
    blank = np.zeros_like(cells[0])
    cells += [blank] * (-len(cells) % min(columns, len(cells)))
    columns = min(columns, len(cells))
    rows = [np.hstack(cells[i : i + columns]) for i in range(0, len(cells), columns)]
    return np.asarray(np.vstack(rows), dtype=np.uint8)


def encode_jpeg(image: Image) -> bytes:
    """JPEG bytes.

    Raises:
        ValueError: the picture cannot be encoded, for example because it has no pixels.
    """
    if image.size == 0:
        raise ValueError(f"cannot encode a picture of shape {image.shape}")
    done, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise ValueError(f"cannot encode a picture of shape {image.shape}")
    return bytes(encoded)


def _cell(picture: Image, side: int) -> Image:
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    cell = np.zeros((side, side, 3), dtype=np.uint8)
    cell[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return cell


def _pixels(points: Iterable[tuple[float, float]], canvas: Image) -> NDArray[np.int32]:
    height, width = canvas.shape[:2]
    return np.array([(round(x * width), round(y * height)) for x, y in points], dtype=np.int32)
