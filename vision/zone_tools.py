"""Tools for whoever draws zones: what is doubtful about them, how they lie on a picture, and where
things stand for long, as a first proposal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
import shapely
from numpy.typing import NDArray

from ..config.yamlfile import KeyPath
from .cameras import Camera, Cameras, Point, Zone
from .detections import Detections
from .families import family_of
from .geometry import iou
from .kinds import Kind, Kinds

SHARED_DOUBTFUL, SHARED_SAME = 0.5, 0.95
SMALL_AREA, HIGH_PLACE = 0.002, 0.15
SHORT_DWELL_S, LONG_DWELL_S = 5.0, 3600.0
HEAT_SIZE = (128, 72)
STILL_IOU = 0.6
FOOT_SHARE = 0.35
MIN_CELLS = 6


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something about a zone that is allowed and yet probably not meant; `line` is 0 if unknown."""

    line: int
    camera_id: str
    zone_id: str
    text_zh: str


def doubts(cameras: Cameras, kinds: Kinds, lines: Mapping[KeyPath, int]) -> list[Doubt]:
    """What a person should look at again in a file that is valid; `lines` from the YAML parser."""
    found: list[Doubt] = []
    for i, camera in enumerate(cameras.cameras):
        at = {zone.id: ("cameras", i, "zones", j) for j, zone in enumerate(camera.zones)}

        def note(
            zone: Zone,
            field: str,
            text: str,
            camera: Camera = camera,
            at: Mapping[str, KeyPath] = at,
        ) -> None:
            key = at[zone.id]
            line = lines.get((*key, field)) or lines.get(key, 0)
            found.append(Doubt(line, camera.id, zone.id, text))

        if not camera.zones:
            found.append(
                Doubt(lines.get(("cameras", i), 0), camera.id, "", "没有区域，不会产生事件")
            )
        for zone in camera.zones:
            shape = shapely.Polygon(zone.polygon)
            if shape.area < SMALL_AREA:
                note(zone, "polygon", f"区域只占画面 {shape.area:.2%}，可能漏检")
            if shape.bounds[3] < HIGH_PLACE:
                note(zone, "polygon", "整个区域都在画面顶部，区域应画在地面上")
            for kind_id in zone.forbids:
                dwell_s = zone.dwell_for(kind_id, kinds.by_id(kind_id).dwell_s)
                if not SHORT_DWELL_S <= dwell_s <= LONG_DWELL_S:
                    note(zone, "dwell_s", f"{kind_id} 停留 {dwell_s:g} 秒，单位是秒，请确认")
            shops = [k for k in zone.forbids if kinds.by_id(k).rule == "shop_overflow"]
            if shops and not camera.frontages:
                note(zone, "forbids", f"{shops[0]} 需要 frontages（店面线），否则不会产生事件")
            unused = set(zone.dwell_s if isinstance(zone.dwell_s, dict) else ()) - set(zone.forbids)
            for kind_id in sorted(unused):
                note(zone, "dwell_s", f"给出了 {kind_id} 的停留时间，但 forbids 中没有它")
        for a, b in combinations(camera.zones, 2):
            shared = sorted(set(a.forbids) & set(b.forbids))
            one, two = shapely.Polygon(a.polygon), shapely.Polygon(b.polygon)
            part = one.intersection(two).area / min(one.area, two.area)
            same = one.intersection(two).area / one.union(two).area
            if shared and same >= SHARED_SAME:
                note(b, "polygon", f"与区域 {a.id} 几乎相同，且同为 {'、'.join(shared)}")
            elif shared and part >= SHARED_DOUBTFUL and same > 0.3:
                note(
                    b, "polygon", f"与区域 {a.id} 重叠 {part:.0%}（{'、'.join(shared)}），小者优先"
                )
    return found


class StandingMap:
    """Where things of one kind stand, as seconds per cell of the picture's ground.

    A thing stands when the frame before had it at the same place; what counts is the foot of its
    box, where it touches the ground.
    """

    def __init__(self, kind: Kind) -> None:
        self.seconds: NDArray[np.float32] = np.zeros(HEAT_SIZE[::-1], np.float32)
        self._families = {family_of(label) for label in kind.labels} - {"person"}
        self._before: NDArray[np.float64] = np.zeros((0, 4))
        self._last_s: float | None = None

    def add(self, at_s: float, found: Detections) -> None:
        """Take the boxes of the next frame, at media second `at_s`."""
        size = np.array([found.width, found.height] * 2, dtype=np.float64)
        mine = np.array([family_of(name) in self._families for name in found.names()], dtype=bool)
        boxes = found.xyxy[mine].astype(np.float64) / size
        step_s = 0.0 if self._last_s is None else at_s - self._last_s
        if len(boxes) and len(self._before):
            stood = np.zeros(self.seconds.shape, dtype=bool)
            for box in boxes[iou(boxes, self._before).max(axis=1) >= STILL_IOU]:
                stood[_foot(box.tolist())] = True
            self.seconds[stood] += step_s
        self._before, self._last_s = boxes, at_s

    def polygons(self, min_s: float) -> list[tuple[float, tuple[Point, ...]]]:
        """(longest seconds, polygon) of each place where things stood `min_s`, longest first."""
        often = (self.seconds >= min_s).astype(np.uint8)
        joined = cv2.morphologyEx(often, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        places: list[tuple[float, tuple[Point, ...]]] = []
        for i in range(1, count):
            if stats[i, cv2.CC_STAT_AREA] >= MIN_CELLS:
                longest_s = float(self.seconds[labels == i].max())
                places.append((longest_s, _hull(np.argwhere(labels == i))))
        return sorted(places, key=lambda place: (-place[0], place[1]))


def _foot(box: Sequence[float]) -> tuple[slice, slice]:
    x1, y1, x2, y2 = box
    top = y2 - FOOT_SHARE * (y2 - y1)
    columns, rows = HEAT_SIZE
    return (
        slice(int(top * rows), max(int(top * rows) + 1, round(y2 * rows))),
        slice(int(x1 * columns), max(int(x1 * columns) + 1, round(x2 * columns))),
    )


def _hull(cells: NDArray[np.intp]) -> tuple[Point, ...]:
    """The convex hull of cells (row, column), a little widened, as 0–1 points."""
    columns, rows = HEAT_SIZE
    boxes = [
        shapely.box(x / columns, y / rows, (x + 1) / columns, (y + 1) / rows)
        for y, x in cells.tolist()
    ]
    wide = shapely.unary_union(boxes).convex_hull.buffer(0.01, join_style="mitre")
    inside = wide.simplify(0.006).intersection(shapely.box(0, 0, 1, 1))
    # The outline's last point is its first again.
    corners = shapely.get_coordinates(inside).tolist()[:-1]
    return tuple((round(x, 4), round(y, 4)) for x, y in corners)


def suggested(camera_id: str, kind: Kind, polygons: Iterable[Sequence[Point]]) -> Camera:
    """A camera with one zone of `kind` per polygon, named by number."""
    zones = [
        Zone(
            id=f"{kind.id.replace('_', '-')}-{i}",
            name=f"{kind.zh}建议区域{i}",
            polygon=tuple(polygon),
            forbids=(kind.id,),
        )
        for i, polygon in enumerate(polygons, 1)
    ]
    return Camera(id=camera_id, zones=tuple(zones))
