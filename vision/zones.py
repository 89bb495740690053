"""Which zone a place belongs to, and since when the zone counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .cameras import Point, Zone


def contains(polygon: Sequence[Point], point: Point) -> bool:
    """Even–odd rule. Plain Python: for one point a geometry library costs more in calls."""
    x, y = point
    inside = False
    x1, y1 = polygon[-1]
    for x2, y2 in polygon:
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
        x1, y1 = x2, y2
    return inside


def polygon_area(polygon: Sequence[Point]) -> float:
    """Shoelace formula."""
    pairs = zip(polygon, (*polygon[1:], polygon[0]), strict=True)
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairs)) / 2


def zone_of(zones: Iterable[Zone], kind_id: str, point: Point) -> Zone | None:
    """The one zone that speaks for a kind at a point.

    Of nested or overlapping zones the smallest does: it was drawn with this place in mind. So one
    car in two zones is one incident.
    """
    holding = [z for z in zones if kind_id in z.forbids and contains(z.polygon, point)]
    return min(holding, key=lambda z: (polygon_area(z.polygon), z.id), default=None)
