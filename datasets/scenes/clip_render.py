"""Render a clip frame by frame, redoing only the parts of the picture in which something changed.

The camera is fixed, so each frame starts from the one before it; the rectangles round the actors
that moved or changed, before and after, with their shadows, are rendered anew. Frames are kept as
linear light on disk: an interrupted run goes on at the first missing one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .catalogue import Part, mesh_of, parts_of
from .choreography import Clip
from .description import Camera, Light, Scene, ground_m, place_at, project

Region = tuple[int, int, int, int]
PLATE_SAMPLES = 16
FRAME_SAMPLES = 6
_PAD_PX = 10


class Shooter(Protocol):
    """What the renderer must offer; `blender.Stage` does."""

    def pose(self, scene: Scene, t_s: float) -> list[str | None]: ...
    def shoot(
        self, haze: float = 0.0, region: Region | None = None, samples: int | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int32]]: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """One actor as it stands in one frame; equal values look equal."""

    parts: tuple[Part, ...]
    x: float
    y: float
    z: float
    heading_deg: float


def shown_at(scene: Scene, t_s: float) -> dict[str, Shown]:
    """Every visible actor by name, coordinates rounded to the millimetre."""
    found = {}
    for actor in scene.actors:
        appearance = actor.looks_at(t_s)
        if appearance is None:
            continue
        place = place_at(actor, t_s)
        z = ground_m(scene.street, place.y)
        found[actor.name] = Shown(
            parts_of(appearance, place),
            round(place.x, 3),
            round(place.y, 3),
            z,
            round(place.heading_deg, 2),
        )
    return found


class Extents:
    """Local bounding boxes of part meshes, built once."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], NDArray[np.float64]] = {}

    def corners(self, shown: Shown) -> NDArray[np.float64]:
        """World corners (8·parts, 3) of an actor."""
        turn = math.radians(shown.heading_deg)
        c, s = math.cos(turn), math.sin(turn)
        blocks = []
        for part in shown.parts:
            if part.key not in self._known:
                points = mesh_of(part.key).points()
                low, high = points.min(axis=0), points.max(axis=0)
                grid = [
                    (x, y, z)
                    for x in (low[0], high[0])
                    for y in (low[1], high[1])
                    for z in (low[2], high[2])
                ]
                self._known[part.key] = np.array(grid)
            local = self._known[part.key]
            moved = np.stack(
                [
                    c * local[:, 0] - s * local[:, 1] + shown.x,
                    s * local[:, 0] + c * local[:, 1] + shown.y,
                    local[:, 2] + shown.z,
                ],
                axis=1,
            )
            blocks.append(moved)
        return np.concatenate(blocks)


def with_shadow(corners: NDArray[np.float64], light: Light) -> NDArray[np.float64]:
    """Corners, where light throws them on the ground, a margin for soft contact shade, and their
    image in wet ground."""
    height = np.maximum(corners[:, 2], 0.0)
    # After sunset the houses block the low sun and only the lamps overhead throw (short) shadows.
    reach = 0.5 if light.lamps_lit else 1 / math.tan(math.radians(light.sun_height_deg))
    turn = math.radians(light.sun_azimuth_deg)
    thrown = np.stack(
        [
            corners[:, 0] - math.sin(turn) * height * reach,
            corners[:, 1] + math.cos(turn) * height * reach,
            np.zeros(len(corners)),
        ],
        axis=1,
    )
    ground = corners * np.array([1.0, 1.0, 0.0])
    margin = 0.8 if light.lamps_lit else 0.35
    around = [
        ground + np.array([dx, dy, 0.0]) for dx in (-margin, margin) for dy in (-margin, margin)
    ]
    reached = [corners, thrown, *around]
    if light.hour == "night":  # lit shop windows throw shadows towards the carriageway
        reached.append(ground - np.stack([0 * height, 1.5 * height, 0 * height], axis=1))
    if light.wet:
        reached.append(corners * np.array([1.0, 1.0, -1.0]))
    return np.concatenate(reached)


def region_of(corners: NDArray[np.float64], camera: Camera) -> Region | None:
    """Padded pixel rectangle of world points; None when it lies outside the picture."""
    seen = np.array(project(camera, [(float(p[0]), float(p[1]), float(p[2])) for p in corners]))
    x0 = max(0, math.floor(seen[:, 0].min()) - _PAD_PX)
    y0 = max(0, math.floor(seen[:, 1].min()) - _PAD_PX)
    x1 = min(camera.width, math.ceil(seen[:, 0].max()) + _PAD_PX)
    y1 = min(camera.height, math.ceil(seen[:, 1].max()) + _PAD_PX)
    return (x0, y0, x1, y1) if x1 - x0 > 2 * _PAD_PX and y1 - y0 > 2 * _PAD_PX else None


def merge(regions: Sequence[Region]) -> list[Region]:
    """Join rectangles that overlap, or whose union is hardly larger than both."""
    pending, done = list(regions), []
    while pending:
        current = pending.pop()
        for k, other in enumerate(pending):
            union = (
                min(current[0], other[0]),
                min(current[1], other[1]),
                max(current[2], other[2]),
                max(current[3], other[3]),
            )
            if _area(union) <= 1.1 * (_area(current) + _area(other)):
                pending[k] = union
                break
        else:
            done.append(current)
    return done


def _area(region: Region) -> int:
    return (region[2] - region[0]) * (region[3] - region[1])


def changed_regions(
    before: dict[str, Shown], after: dict[str, Shown], scene: Scene, extents: Extents
) -> list[Region]:
    """Rectangles to redo between two states."""
    regions = []
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        for state in (old, new):
            if state is None:
                continue
            spot = region_of(with_shadow(extents.corners(state), scene.light), scene.camera)
            if spot is not None:
                regions.append(spot)
    return merge(sorted(regions))


def frame_path(folder: Path, number: int) -> Path:
    """Where frame `number` is kept; frames equal to their predecessor have no file."""
    return folder / f"{number:05d}.npz"


def render_clip(clip: Clip, stage: Shooter, folder: Path) -> Iterator[int]:
    """Render the missing frames of `clip` into `folder`; yields each frame number when done."""
    folder.mkdir(parents=True, exist_ok=True)
    scene, extents = clip.scene, Extents()
    before = shown_at(scene, 0.0)
    rgb: NDArray[np.float32] | None = None
    index: NDArray[np.int32] | None = None
    kept = sorted(int(p.stem) for p in folder.glob("*.npz"))
    for number in range(clip.frames):
        after = shown_at(scene, number / clip.fps)
        path = frame_path(folder, number)
        if number <= (kept[-1] if kept else -1):
            if path.exists() and number == kept[-1]:
                rgb, index = load_frame(path)
        elif rgb is None or index is None:
            stage.pose(scene, number / clip.fps)
            rgb, index = stage.shoot(scene.light.haze, None, PLATE_SAMPLES)
            save_frame(path, rgb, index)
        else:
            regions = changed_regions(before, after, scene, extents)
            if regions:
                stage.pose(scene, number / clip.fps)
                rgb, index = rgb.copy(), index.copy()
                for region in regions:
                    part, ids = stage.shoot(scene.light.haze, region, FRAME_SAMPLES)
                    _paste(rgb, index, part, ids, region)
                save_frame(path, rgb, index)
        before = after
        yield number


def _paste(
    rgb: NDArray[np.float32],
    index: NDArray[np.int32],
    part: NDArray[np.float32],
    ids: NDArray[np.int32],
    region: Region,
) -> None:
    """Lay a rendered rectangle into the picture, fading over its rim.

    The denoiser knows nothing beyond the rectangle, so its outermost pixels are a little off.
    """
    x0, y0, x1, y1 = region
    high, wide = index.shape
    fade_x = _fade(x1 - x0, x0 > 0, x1 < wide)
    fade_y = _fade(y1 - y0, y0 > 0, y1 < high)
    share = (fade_y[:, None] * fade_x[None, :])[..., None]
    rgb[y0:y1, x0:x1] += share * (part - rgb[y0:y1, x0:x1])
    index[y0:y1, x0:x1] = ids


def _fade(length: int, at_start: bool, at_end: bool) -> NDArray[np.float32]:
    """0 on the rim rising to 1 within `_PAD_PX` at the ends asked for."""
    steps = np.arange(length, dtype=np.float32)
    share = np.ones(length, np.float32)
    if at_start:
        share = np.minimum(share, np.clip((steps - 1) / (_PAD_PX - 2), 0, 1))
    if at_end:
        share = np.minimum(share, np.clip((length - 2 - steps) / (_PAD_PX - 2), 0, 1))
    return share


def save_frame(path: Path, rgb: NDArray[np.float32], index: NDArray[np.int32]) -> None:
    """Store a frame whole or not at all."""
    draft = path.with_suffix(".part")
    with draft.open("wb") as file:
        np.savez(file, rgb=np.clip(rgb, 0, 6e4).astype(np.float16), index=index.astype(np.int16))
    draft.replace(path)


def load_frame(path: Path) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Linear RGB and object index of a stored frame."""
    with np.load(path) as stored:
        return stored["rgb"].astype(np.float32), stored["index"].astype(np.int32)
