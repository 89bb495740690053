"""Which zone a place belongs to, and on which side of a shop front it lies."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from .cameras import Frontage, Point, Zone


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


def shop_side(frontage: Frontage, point: Point) -> tuple[bool, float]:
    """Whether a point is inside the shop, and how far it is from the shop's front (0 inside).

    Distances are in frame widths or heights, whichever way they run. Behind a `line` is inside
    when one gets from there to the frontage's `inside` point without crossing the line.
    """
    if frontage.polygon is not None:
        if contains(frontage.polygon, point):
            return True, 0.0
        ring = (*frontage.polygon, frontage.polygon[0])
        return False, _distance(ring, point)
    line, heart = frontage.line or (), frontage.inside or point
    before = _beside(line, point)
    crosses = any(_crossing(a, b, heart, point) for a, b in pairwise(line))
    return (True, 0.0) if before and not crosses else (False, _distance(line, point))


def _beside(line: Sequence[Point], point: Point) -> bool:
    """Whether the point lies between the two ends of a front, seen square to it."""
    (x1, y1), (x2, y2) = line[0], line[-1]
    dx, dy = x2 - x1, y2 - y1
    along = ((point[0] - x1) * dx + (point[1] - y1) * dy) / max(dx * dx + dy * dy, 1e-12)
    return 0.0 <= along <= 1.0


def _distance(line: Sequence[Point], point: Point) -> float:
    """From a point to the nearest place of a polyline."""
    best = math.inf
    for (x1, y1), (x2, y2) in pairwise(line):
        dx, dy = x2 - x1, y2 - y1
        along = ((point[0] - x1) * dx + (point[1] - y1) * dy) / max(dx * dx + dy * dy, 1e-12)
        along = min(1.0, max(0.0, along))
        best = min(best, math.hypot(point[0] - x1 - along * dx, point[1] - y1 - along * dy))
    return best


def _crossing(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether segments a–b and c–d cross."""

    def turn(p: Point, q: Point, r: Point) -> bool:
        return (q[0] - p[0]) * (r[1] - p[1]) > (q[1] - p[1]) * (r[0] - p[0])

    return turn(a, b, c) != turn(a, b, d) and turn(c, d, a) != turn(c, d, b)
