"""What a street scene is, in plain frozen values; the same description makes stills and clips.

World axes: x runs along the street, y from the carriageway (negative) over the kerb at y = 0 to
the shops (positive), z up; metres, degrees, seconds of media time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

KERB_HEIGHT_M = 0.14


@dataclass(frozen=True, slots=True)
class Camera:
    """Fixed camera: position, the point it looks at, horizontal field of view."""

    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    fov_deg: float = 62.0
    width: int = 640
    height: int = 360


@dataclass(frozen=True, slots=True)
class Light:
    """Sun, sky and weather. `hour` is day, dusk or night (street lamps burn at the latter two).

    `haze` 0–1 softens the shadows, greys the sky and veils what is far; `cloud` 0–1 takes the sun
    away (1: overcast); on a `wet` ground light mirrors and puddles shine.
    """

    hour: str = "day"
    sun_azimuth_deg: float = 25.0
    sun_height_deg: float = 48.0
    haze: float = 0.3
    cloud: float = 0.0
    wet: bool = False

    @property
    def lamps_lit(self) -> bool:
        """Whether street lamps, shop windows and head lamps burn."""
        return self.hour != "day"


@dataclass(frozen=True, slots=True)
class Street:
    """Layout of the static street; façades and planting follow `seed`, and so do a zebra
    crossing and bollards where they are None."""

    seed: int = 0
    pavement_m: float = 4.5
    lanes: int = 3
    lane_m: float = 3.4
    trees: bool = True
    fence: bool = False
    yellow_line: bool = True
    parking_bays: bool = False
    zebra_x: float | None = None
    bollards: bool | None = None

    @property
    def road_m(self) -> float:
        """Width of the carriageway."""
        return self.lanes * self.lane_m


@dataclass(frozen=True, slots=True)
class Key:
    """Where an actor is at media time `t_s`; `ease` shapes the way to the next key."""

    t_s: float
    x: float
    y: float
    heading_deg: float = 0.0
    ease: str = "linear"  # linear, start (from rest), stop (to rest), both


@dataclass(frozen=True, slots=True)
class Appearance:
    """From `from_s` on the actor shows `model` with these style settings."""

    from_s: float
    model: str
    style: tuple[tuple[str, str], ...] = ()

    def styles(self) -> Mapping[str, str]:
        """Style settings as a mapping."""
        return dict(self.style)


@dataclass(frozen=True, slots=True)
class Actor:
    """Anything that may be labelled or may move."""

    name: str
    appearances: tuple[Appearance, ...]
    keys: tuple[Key, ...]
    visible_s: tuple[float, float] = (-math.inf, math.inf)

    def looks_at(self, t_s: float) -> Appearance | None:
        """The appearance in force, or None while the actor is out of the scene."""
        if not self.visible_s[0] <= t_s < self.visible_s[1]:
            return None
        current = [a for a in self.appearances if a.from_s <= t_s]
        return current[-1] if current else None


@dataclass(frozen=True, slots=True)
class Place:
    """Interpolated position, heading, and the way walked or driven so far in metres."""

    x: float
    y: float
    heading_deg: float
    travelled_m: float
    moving: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """One camera, one street, the actors. Equal descriptions give equal renders."""

    camera: Camera
    light: Light
    street: Street
    actors: tuple[Actor, ...]
    seed: int = 0


def ease_share(ease: str, share: float) -> float:
    """Progress 0–1 along a segment for time share 0–1."""
    if ease == "start":
        return share * share
    if ease == "stop":
        return 1 - (1 - share) ** 2
    if ease == "both":
        return share * share * (3 - 2 * share)
    return share


def place_at(actor: Actor, t_s: float) -> Place:
    """Interpolate the keys at `t_s`; before the first and after the last key it stands still."""
    keys = actor.keys
    travelled = 0.0
    for left, right in pairwise(keys):
        length = math.hypot(right.x - left.x, right.y - left.y)
        if t_s < right.t_s and t_s >= left.t_s:
            share = ease_share(left.ease, (t_s - left.t_s) / (right.t_s - left.t_s))
            turn = (right.heading_deg - left.heading_deg + 180) % 360 - 180
            return Place(
                left.x + share * (right.x - left.x),
                left.y + share * (right.y - left.y),
                left.heading_deg + share * turn,
                travelled + share * length,
                length > 1e-6 or abs(turn) > 1e-6,
            )
        if t_s >= right.t_s:
            travelled += length
    edge = keys[0] if t_s < keys[0].t_s else keys[-1]
    return Place(edge.x, edge.y, edge.heading_deg, travelled, False)


def ground_m(street: Street, y: float) -> float:
    """Height of the ground at `y`: carriageway, or raised pavement on both sides."""
    return 0.0 if -street.road_m < y < 0.0 else KERB_HEIGHT_M


def label_of(appearance: Appearance) -> str | None:
    """Detector label of an appearance, None for unlabelled props."""
    model, style = appearance.model, appearance.styles()
    if model == "bin":
        return "overflowing_bin" if style.get("state") in ("overflowing",) else "bin"
    fixed = {
        "saloon": "car",
        "suv": "car",
        "van": "car",
        "truck": "truck",
        "bus": "bus",
        "ebike": "motorcycle",
        "tricycle": "motorcycle",
        "bicycle": "bicycle",
        "person": "person",
        "heap": "garbage",
        "stall": "stall",
    }
    return fixed.get(model)


def project(
    camera: Camera, points: Sequence[tuple[float, float, float]]
) -> list[tuple[float, float]]:
    """World points → pixels (x right, y down). Points must lie in front of the camera."""
    found = project_all(camera, np.array(points, dtype=np.float64))
    return [(float(x), float(y)) for x, y in found]


def project_all(camera: Camera, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """World points (n, 3) → pixels (n, 2); depth is held above 5 cm."""
    eye = np.array(camera.eye)
    ahead = np.array(camera.target) - eye
    ahead = ahead / np.linalg.norm(ahead)
    right = np.cross(ahead, np.array([0.0, 0.0, 1.0]))
    right = right / np.linalg.norm(right)
    up = np.cross(right, ahead)
    focal = camera.width / 2 / math.tan(math.radians(camera.fov_deg) / 2)
    way = points - eye
    scale = focal / np.maximum(way @ ahead, 0.05)
    seen = np.stack(
        [camera.width / 2 + scale * (way @ right), camera.height / 2 - scale * (way @ up)], axis=1
    )
    return np.asarray(seen, dtype=np.float64)
