"""A camera above a straight street: where things on the ground are seen in the picture.

World coordinates in metres: X right, Y ahead, Z up, the camera at (0, 0, height). Street
coordinates: `along` the kerb and `across` it; across > 0 is pavement, < 0 is carriageway.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]

WIDTH_PX, HEIGHT_PX = 1280, 720
MIN_DEPTH_M = 1.0
KERB_LANE = -1.25
LANES = (-4.3, -7.8)
OPPOSITE_KERB = -11.6
PAVEMENT = 1.6
FRAME = shapely.box(0.002, 0.002, 0.998, 0.998)
# Corners of a unit cuboid standing on the ground: along, across, up.
_CORNERS = np.array([(a, b, c) for a in (-0.5, 0.5) for b in (-0.5, 0.5) for c in (0.0, 1.0)])


@dataclass(frozen=True, slots=True)
class View:
    """One camera's place over its street. Angles in radians, lengths in metres.

    Attributes:
        height_m: of the camera above the ground.
        pitch: downwards from the horizon.
        focal_px: focal length.
        angle: of the street against the picture's horizontal.
        kerb_m: distance to the kerb straight ahead.
        side: +1 when the pavement lies beyond the carriageway, −1 when nearer.
    """

    height_m: float
    pitch: float
    focal_px: float
    angle: float
    kerb_m: float
    side: int

    def ground(self, along: Floats, across: Floats) -> tuple[Floats, Floats]:
        """World X and Y of street coordinates."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        away = across * self.side
        return along * cos - away * sin, self.kerb_m + along * sin + away * cos

    def project(self, x: Floats, y: Floats, z: Floats) -> tuple[Floats, Floats, Floats]:
        """Picture x, y in pixels, and the depth in metres; points behind are pushed in front."""
        cos, sin = np.cos(self.pitch), np.sin(self.pitch)
        up = z - self.height_m
        depth = np.maximum(y * cos - up * sin, MIN_DEPTH_M)
        u = self.focal_px * x / depth + WIDTH_PX / 2
        v = self.focal_px * (-y * sin - up * cos) / depth + HEIGHT_PX / 2
        return u, v, depth

    def boxes(self, along: Floats, across: Floats, sizes: Floats) -> tuple[Floats, Floats]:
        """Boxes (N, 4) in pixels, unclipped, and depths (N,) of cuboids `sizes` (N, 3)."""
        offsets = sizes[:, None, :] * _CORNERS[None, :, :]
        x, y = self.ground(along[:, None] + offsets[..., 0], across[:, None] + offsets[..., 1])
        u, v, depth = self.project(x, y, offsets[..., 2])
        boxes = np.stack([u.min(1), v.min(1), u.max(1), v.max(1)], axis=1)
        return boxes, depth.min(1)

    def box(self, along: float, across: float, size: tuple[float, float, float]) -> Box:
        """One thing's box in 0–1 of the frame, unclipped."""
        boxes, _ = self.boxes(np.array([along]), np.array([across]), np.array([size]))
        x1, y1, x2, y2 = (boxes[0] / [WIDTH_PX, HEIGHT_PX, WIDTH_PX, HEIGHT_PX]).tolist()
        return x1, y1, x2, y2

    def strip(
        self, along: tuple[float, float], across: tuple[float, float]
    ) -> tuple[tuple[float, float], ...]:
        """The polygon (0–1) in which a strip of ground is seen; empty when it is not."""
        (a1, a2), (c1, c2) = along, across
        corners = np.array([(a1, c1), (a2, c1), (a2, c2), (a1, c2)])
        x, y = self.ground(corners[:, 0], corners[:, 1])
        u, v, _ = self.project(x, y, np.zeros(4))
        whole = shapely.Polygon(np.stack([u / WIDTH_PX, v / HEIGHT_PX], 1)).buffer(0)
        seen = whole.intersection(FRAME)
        if seen.is_empty or not isinstance(seen, shapely.Polygon):
            return ()
        points = shapely.get_coordinates(seen.exterior)[:-1].round(4)
        return tuple((float(px), float(py)) for px, py in points)

    def reach(self) -> tuple[float, float]:
        """The stretch of kerb that is seen at a useful size (a car at least 24 px high)."""
        s = np.arange(-60.0, 60.5, 0.5)
        sizes = np.tile([4.5, 1.8, 1.5], (len(s), 1))
        boxes, depth = self.boxes(s, np.full(len(s), KERB_LANE), sizes)
        useful = (
            (boxes[:, 0] > 4)
            & (boxes[:, 2] < WIDTH_PX - 4)
            & (boxes[:, 1] > 4)
            & (boxes[:, 3] < HEIGHT_PX - 4)
            & (boxes[:, 3] - boxes[:, 1] > 24)
            & (depth > 3)
        )
        return (float(s[useful].min()), float(s[useful].max())) if useful.any() else (0.0, 0.0)


def ground_point(box: Box) -> tuple[float, float]:
    """Bottom centre of a box: the point by which zones hold a thing."""
    return (box[0] + box[2]) / 2, box[3] - 0.05 * (box[3] - box[1])


def random_view(rng: np.random.Generator) -> View:
    """A plausible street camera whose kerb is in view for at least 16 m."""
    while True:
        side = 1 if rng.random() < 0.6 else -1
        view = View(
            height_m=float(rng.uniform(4.5, 9.0)),
            pitch=float(np.deg2rad(rng.uniform(14, 32))),
            focal_px=float(rng.uniform(750, 1250)),
            angle=float(np.deg2rad(rng.uniform(-50, 50))),
            kerb_m=float(rng.uniform(14, 24) if side == 1 else rng.uniform(9, 16)),
            side=side,
        )
        low, high = view.reach()
        if high - low >= 16 and len(view.strip((low, high), (-3.0, 0.5))) >= 4:
            return view
