"""How much of an object is seen: what hides behind others is no example of its class."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .catalogue import PARTS_PER_ACTOR, mesh_of, parts_of
from .description import Actor, Camera, Place, Scene, ground_m, place_at, project_all
from .meshes import Mesh

MIN_SEEN = 0.25  # of the object's own outline within the picture
MIN_INSIDE = 0.15  # of its whole outline, unless it fills
LARGE = 0.03  # of the picture all the same


class Outlines:
    """Outlines of part meshes seen by a camera; every mesh is built once."""

    def __init__(self) -> None:
        self._meshes: dict[tuple[str, ...], Mesh] = {}

    def seen(
        self, scene: Scene, t_s: float, index: NDArray[np.int32], labels: Sequence[str | None]
    ) -> list[str | None]:
        """`labels` with None for objects of which too little shows in the object index `index`."""
        counts = np.bincount(index.ravel(), minlength=len(labels) + 1)
        kept: list[str | None] = [None] * len(labels)
        for number, actor in enumerate(scene.actors):
            shown = actor.looks_at(t_s)
            if shown is None:
                continue
            place = place_at(actor, t_s)
            lift = ground_m(scene.street, place.y) + float(shown.styles().get("lift", "0"))
            for k, part in enumerate(parts_of(shown, place)):
                slot = PARTS_PER_ACTOR * number + k
                pixels = int(counts[slot + 1])
                if labels[slot] is None or pixels == 0:
                    continue
                mesh = self._mesh(part.key)
                points = project_all(scene.camera, _placed(mesh, place, lift))
                if _shows(points, mesh, pixels, scene.camera):
                    kept[slot] = labels[slot]
        return kept

    def _mesh(self, key: tuple[str, ...]) -> Mesh:
        if key not in self._meshes:
            self._meshes[key] = mesh_of(key)
        return self._meshes[key]


def _placed(mesh: Mesh, place: Place, lift: float) -> NDArray[np.float64]:
    turn = math.radians(place.heading_deg)
    c, s = math.cos(turn), math.sin(turn)
    points = mesh.points()
    return np.stack(
        [
            c * points[:, 0] - s * points[:, 1] + place.x,
            s * points[:, 0] + c * points[:, 1] + place.y,
            points[:, 2] + lift,
        ],
        axis=1,
    )


def _shows(points: NDArray[np.float64], mesh: Mesh, pixels: int, camera: Camera) -> bool:
    frame = np.array([camera.width, camera.height], dtype=np.float64)
    # Points behind the camera project far away; a bound keeps areas finite.
    points = np.clip(points, -3 * frame, 4 * frame)
    hull = cv2.convexHull(points.astype(np.float32))
    whole = float(cv2.contourArea(hull))
    if pixels >= max(MIN_SEEN, MIN_INSIDE) * whole:  # the hull is never smaller than the outline
        return True
    if pixels < MIN_SEEN * np.count_nonzero(_outline(points, mesh, camera)):
        return False
    inside = _hull_inside(hull, camera)
    return inside >= MIN_INSIDE * whole or pixels >= LARGE * camera.width * camera.height


def _hull_inside(hull: NDArray[np.float32], camera: Camera) -> float:
    w, h = float(camera.width), float(camera.height)
    frame = np.array([[[0.0, 0.0]], [[w, 0.0]], [[w, h]], [[0.0, h]]], np.float32)
    area, _ = cv2.intersectConvexConvex(hull, frame)
    return float(area)


def outline(scene: Scene, actor: Actor, t_s: float = 0.0) -> NDArray[np.uint8]:
    """Mask (h, w) of the pixels an actor without its rider would cover if nothing hid it."""
    shown, place = actor.looks_at(t_s), place_at(actor, t_s)
    if shown is None:
        return np.zeros((scene.camera.height, scene.camera.width), np.uint8)
    mesh = mesh_of(parts_of(shown, place)[0].key)
    world = _placed(mesh, place, ground_m(scene.street, place.y))
    return _outline(project_all(scene.camera, world), mesh, scene.camera)


def _outline(points: NDArray[np.float64], mesh: Mesh, camera: Camera) -> NDArray[np.uint8]:
    canvas = np.zeros((camera.height, camera.width), np.uint8)
    fixed = np.rint(points * 16).astype(np.int32)
    for face in mesh.faces:
        cv2.fillConvexPoly(canvas, fixed[list(face)], 1, shift=4)
    return canvas
