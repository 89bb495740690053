"""Zones drawn onto a still, each with a caption that hides no other caption."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
import shapely
from PIL import Image as Pictures
from PIL import ImageDraw, ImageFont

from .cameras import Camera, Frontage, Point, Zone
from .drawing import FRONTAGE_BGR, PALETTE
from .images import Image
from .kinds import Kinds

FILL_ALPHA = 60
PAD_PX = 5
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Rgb = tuple[int, int, int]
Shape = shapely.Polygon | shapely.MultiPolygon


def draw_zones(
    image: Image, camera: Camera, kinds: Kinds, font: ImageFont.FreeTypeFont | None
) -> Image:
    """A copy with the camera's zones, lightly filled, each with its name, kinds and dwell, and with
    its shop fronts.

    Without a font that has Chinese letters, zone and kind ids stand in their place.
    """
    height, width = image.shape[:2]
    base = Pictures.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)).convert("RGBA")
    tint = Pictures.new("RGBA", base.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(tint)
    line = max(2, round(min(height, width) / 250))
    writer: Font = font or ImageFont.load_default(max(12, height // 32))
    labels: list[tuple[str, Shape, Rgb]] = []
    for i, zone in enumerate(camera.zones):
        blue, green, red = PALETTE[(5 + 3 * i) % len(PALETTE)]
        corners = _pixels(zone.polygon, width, height)
        pen.polygon(corners, fill=(red, green, blue, FILL_ALPHA))
        pen.line([*corners, corners[0], corners[1]], fill=(red, green, blue, 255), width=line)
        text = _caption(zone, kinds, chinese=font is not None)
        labels.append((text, shapely.Polygon(corners), (red, green, blue)))
    for frontage in camera.frontages:
        blue, green, red = FRONTAGE_BGR
        corners = _pixels(frontage.line or frontage.polygon or (), width, height)
        closing = corners[:1] if frontage.line is None else []
        pen.line([*corners, *closing], fill=(red, green, blue, 255), width=2 * line)
        name = _front_name(frontage, chinese=font is not None)
        labels.append(
            (name, shapely.LineString([*corners, *closing]).buffer(2 * line), (red, green, blue))
        )
    taken: list[shapely.Polygon] = []
    for text, shape, colour in labels:
        right, bottom = pen.multiline_textbbox((0, 0), text, font=writer)[2:]
        size = (right + 2 * PAD_PX, bottom + 2 * PAD_PX)
        place = _free_place(size, shape, taken, (width, height))
        taken.append(place)
        x, y, x2, y2 = place.bounds
        anchor = _heart(shape)
        if not place.intersects(shape):
            middle = ((x + x2) / 2, (y + y2) / 2)
            pen.line([middle, (anchor.x, anchor.y)], fill=(*colour, 255), width=max(1, line // 2))
        pen.rectangle((x, y, x2, y2), fill=(0, 0, 0, 175), outline=(*colour, 255), width=line)
        pen.multiline_text((x + PAD_PX, y + PAD_PX), text, font=writer, fill=(255, 255, 255, 255))
    drawn = np.asarray(Pictures.alpha_composite(base, tint).convert("RGB"))
    return np.asarray(cv2.cvtColor(drawn, cv2.COLOR_RGB2BGR), dtype=np.uint8)


def _free_place(
    size: tuple[float, float],
    shape: Shape,
    taken: Sequence[shapely.Polygon],
    frame: tuple[int, int],
) -> shapely.Polygon:
    """A rectangle for a caption: inside its zone if it fits there, else beside it, hiding as little
    of other captions, then of the zone, as can be."""
    (w, h), (width, height) = size, frame
    middle, (x1, y1, x2, y2) = _heart(shape), shape.bounds
    spots = [(middle.x - w / 2, middle.y - h / 2)]
    for gap in (PAD_PX, PAD_PX + h, PAD_PX + 2 * h):
        spots += [(middle.x - w / 2, y2 + gap), (middle.x - w / 2, y1 - h - gap)]
        spots += [(x2 + gap, middle.y - h / 2), (x1 - w - gap, middle.y - h / 2)]

    def kept(x: float, y: float) -> shapely.Polygon:
        x = min(max(0.0, x), max(0.0, width - w - 1))
        y = min(max(0.0, y), max(0.0, height - h - 1))
        return shapely.box(x, y, x + w, y + h)

    def cost(rank: int, place: shapely.Polygon) -> tuple[float, float, int]:
        hidden = sum(place.intersection(other).area for other in taken)
        inside = rank == 0 and shape.contains(place)
        return (hidden, 0.0 if inside else place.intersection(shape).area, rank)

    places = [kept(x, y) for x, y in spots]
    return min(enumerate(places), key=lambda item: cost(*item))[1]


def _heart(shape: Shape) -> shapely.Point:
    """The point that lies farthest from the shape's edge."""
    return shapely.Point(shapely.get_coordinates(shapely.maximum_inscribed_circle(shape, 1.0))[0])


def _pixels(points: Iterable[Point], width: int, height: int) -> list[tuple[float, float]]:
    return [(x * width, y * height) for x, y in points]


def _caption(zone: Zone, kinds: Kinds, *, chinese: bool) -> str:
    rows = [f"{zone.name} {zone.id}".strip() if chinese else zone.id]
    for kind_id in zone.forbids:
        kind = kinds.by_id(kind_id)
        dwell_s = zone.dwell_for(kind_id, kind.dwell_s)
        rows.append(f"{kind.zh} {dwell_s:g} 秒" if chinese else f"{kind_id} {dwell_s:g} s")
    return "\n".join(rows)


def _front_name(frontage: Frontage, *, chinese: bool) -> str:
    return f"店面 {frontage.name or frontage.id}" if chinese else f"front {frontage.id}"
