"""What clips are made of: zones on the ground, truth, and ready-made ways of moving.

Traffic keeps right: vehicles in the lane beside the kerb y = 0 head towards −x (180°).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from .description import Actor, Appearance, Camera, Key, Scene, project

FPS = 5
Style = dict[str, str]


@dataclass(frozen=True, slots=True)
class GroundZone:
    """A zone as a rectangle on the ground (metres); `dwell_s` before an incident opens."""

    id: str
    name: str
    x: tuple[float, float]
    y: tuple[float, float]
    forbids: tuple[str, ...]
    dwell_s: int


@dataclass(frozen=True, slots=True)
class Happening:
    """One true situation of the clip, in seconds from its start."""

    kind: str
    zone: str
    start_s: float
    end_s: float | None  # None: still going on when the clip ends


@dataclass(frozen=True, slots=True)
class Clip:
    """A scene on a media-time axis with its camera identity, zones and truth."""

    name: str
    camera_id: str
    camera_name: str
    scene: Scene
    duration_s: float
    zones: tuple[GroundZone, ...]
    truth: tuple[Happening, ...]
    fps: int = FPS

    @property
    def frames(self) -> int:
        """Number of pictures."""
        return round(self.duration_s * self.fps)


def zone_polygon(camera: Camera, zone: GroundZone) -> list[list[float]]:
    """The zone's corners in the picture, normalised and clipped to 0–1."""
    (x0, x1), (y0, y1) = zone.x, zone.y
    height = 0.14 if y0 >= 0 else 0.0
    corners = [(x0, y0, height), (x1, y0, height), (x1, y1, height), (x0, y1, height)]
    return [
        [
            round(min(max(x / camera.width, 0.0), 1.0), 4),
            round(min(max(y / camera.height, 0.0), 1.0), 4),
        ]
        for x, y in project(camera, corners)
    ]


def look(model: str, from_s: float = -math.inf, /, **style: str) -> Appearance:
    """An appearance from keyword style settings."""
    return Appearance(from_s, model, tuple(sorted(style.items())))


def passing(
    name: str,
    model: str,
    enter_s: float,
    y: float,
    speed_m_s: float,
    style: Style,
    reach_m: float = 34.0,
) -> Actor:
    """Something driving by at constant speed; the lane decides the direction."""
    sign = -1.0 if speed_m_s > 0 else 1.0
    heading = 180.0 if sign < 0 else 0.0
    time = 2 * reach_m / abs(speed_m_s)
    keys = (
        Key(enter_s, -sign * reach_m, y, heading),
        Key(enter_s + time, sign * reach_m, y, heading),
    )
    return Actor(name, (look(model, **style),), keys, (enter_s, enter_s + time))


def standing(name: str, model: str, x: float, y: float, heading: float, **style: str) -> Actor:
    """Something that stays where it is for the whole clip."""
    return Actor(name, (look(model, **style),), (Key(0.0, x, y, heading),))


def walker(
    name: str,
    path: Sequence[tuple[float, float]],
    start_s: float,
    style: Style,
    stops: Sequence[tuple[int, float, str]] = (),
    speed_m_s: float = 1.3,
    face: dict[int, float] | None = None,
) -> Actor:
    """A person walking `path`; `stops` are (corner, seconds, pose); `face` turns at a stop."""
    halts = {corner: (wait, pose) for corner, wait, pose in stops}
    base = {k: v for k, v in style.items() if k != "after_extra"}
    keys: list[Key] = []
    looks = [look("person", **base)]
    now, heading = start_s, 0.0
    for k, (x, y) in enumerate(path):
        if k + 1 < len(path):
            ahead = math.degrees(math.atan2(path[k + 1][1] - y, path[k + 1][0] - x))
        if k == 0:
            heading = ahead
        keys.append(Key(now, x, y, heading))
        if k in halts:
            wait, pose = halts[k]
            facing = (face or {}).get(k, heading)
            keys.append(Key(now + 0.4, x, y, facing))
            looks.append(look("person", now + 0.2, **base, pose=pose))
            now += wait
            if "after_extra" in style:
                base["extra"] = style["after_extra"]
            looks.append(look("person", now, **base))
            keys.append(Key(now, x, y, facing))
            heading = facing
        if k + 1 < len(path):
            if heading != ahead:
                now += 0.4
                keys.append(Key(now, x, y, ahead))
                heading = ahead
            now += math.dist((x, y), path[k + 1]) / speed_m_s
    return Actor(name, tuple(looks), tuple(keys), (start_s, now))
