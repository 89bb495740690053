"""Procedural mesh primitives: plain NumPy, no Blender needed.

A `Mesh` collects vertices (metres), polygon faces and one material name per face. Material
names read ``kind#rrggbb`` (for example ``paint#8a1c1c``); `blender.py` turns them into shaders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Vec3 = tuple[float, float, float]


@dataclass(slots=True)
class Mesh:
    """Growing polygon soup: `verts` blocks of shape (n, 3), `faces` indices, `mats` per face."""

    verts: list[Array] = field(default_factory=list)
    faces: list[tuple[int, ...]] = field(default_factory=list)
    mats: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, verts: Array, faces: Sequence[tuple[int, ...]], mat: str) -> None:
        """Append a block of vertices with its faces, all of one material."""
        self.add_many(verts, faces, [mat] * len(faces))

    def add_many(self, verts: Array, faces: Sequence[tuple[int, ...]], mats: Sequence[str]) -> None:
        """Append a block of vertices with one material per face."""
        base = self.count
        self.verts.append(np.asarray(verts, dtype=np.float64).reshape(-1, 3))
        self.faces.extend(tuple(base + i for i in face) for face in faces)
        self.mats.extend(mats)
        self.count += len(self.verts[-1])

    def put(
        self, other: Mesh, at: Vec3 = (0, 0, 0), turn_deg: float = 0.0, scale: float = 1.0
    ) -> None:
        """Append a copy of `other`, scaled, turned about z and moved."""
        turn = rotation_z(turn_deg)
        moved = other.points() * scale @ turn.T + np.array(at)
        self.add_many(moved, other.faces, other.mats)

    def points(self) -> Array:
        """All vertices, shape (n, 3)."""
        return np.concatenate(self.verts) if self.verts else np.zeros((0, 3))


def rotation_z(angle_deg: float) -> Array:
    """Rotation matrix about z."""
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def rotation_x(angle_deg: float) -> Array:
    """Rotation matrix about x."""
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return np.array([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]])


def rotation_y(angle_deg: float) -> Array:
    """Rotation matrix about y."""
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def box(
    mesh: Mesh, at: Vec3, size: Vec3, mat: str, bevel: float = 0.0, turn: Array | None = None
) -> None:
    """Box centred on `at`; `bevel` metres of chamfer on every edge; `turn` rotates it in place."""
    half = np.array(size) / 2
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=float)
    if bevel <= 0:
        verts, faces = signs * half, _CUBE_FACES
    else:
        verts, faces = _chamfered(signs, half, min(bevel, *(half * 0.9)))
    if turn is not None:
        verts = verts @ turn.T
    mesh.add(verts + np.array(at), faces, mat)


_CUBE_FACES: list[tuple[int, ...]] = [
    (0, 1, 3, 2),
    (4, 6, 7, 5),
    (0, 4, 5, 1),
    (2, 3, 7, 6),
    (0, 2, 6, 4),
    (1, 5, 7, 3),
]


def _chamfered(signs: Array, half: Array, bevel: float) -> tuple[Array, list[tuple[int, ...]]]:
    inner = half - bevel
    verts = []
    for sign in signs:
        for axis in range(3):
            point = sign * inner
            point[axis] = sign[axis] * half[axis]
            verts.append(point)
    axes = (0, 0, 1, 1, 2, 2)
    faces = [
        tuple(3 * corner + axis for corner in face)
        for face, axis in zip(_CUBE_FACES, axes, strict=True)
    ]
    for low in range(8):
        for bit, axis in ((4, 0), (2, 1), (1, 2)):
            if low & bit:
                continue
            high, (p, q) = low | bit, [a for a in range(3) if a != axis]
            faces.append((3 * low + p, 3 * high + p, 3 * high + q, 3 * low + q))
    faces.extend((3 * c, 3 * c + 1, 3 * c + 2) for c in range(8))
    return np.array(verts), faces


def loft(
    mesh: Mesh,
    rings: Array,
    mat: str | Sequence[Sequence[str]],
    closed: bool = True,
    caps: bool = True,
    cap_mat: str | None = None,
) -> None:
    """Skin over `rings` (n sections, m points, 3). `mat` is one name or names [n-1][edges]."""
    n, m, _ = rings.shape
    edges = m if closed else m - 1
    faces: list[tuple[int, ...]] = []
    mats: list[str] = []
    for i in range(n - 1):
        for j in range(edges):
            k = (j + 1) % m
            faces.append((i * m + j, i * m + k, (i + 1) * m + k, (i + 1) * m + j))
            mats.append(mat if isinstance(mat, str) else mat[i][j])
    if caps and closed:
        end = cap_mat or (mat if isinstance(mat, str) else mat[0][0])
        faces += [tuple(range(m))[::-1], tuple((n - 1) * m + j for j in range(m))]
        mats += [end, end]
    mesh.add_many(rings.reshape(-1, 3), faces, mats)


def lathe(
    mesh: Mesh,
    profile: Sequence[tuple[float, float]],
    mat: str,
    at: Vec3 = (0, 0, 0),
    segments: int = 12,
    turn: Array | None = None,
    caps: bool = True,
) -> None:
    """Surface of revolution of (radius, height) points about the local z axis."""
    angles = np.linspace(0, 2 * math.pi, segments, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    rings = np.zeros((len(profile), segments, 3))
    for i, (radius, height) in enumerate(profile):
        rings[i, :, :2], rings[i, :, 2] = circle * max(radius, 1e-4), height
    if turn is not None:
        rings = rings @ turn.T
    loft(mesh, rings + np.array(at), mat, caps=caps)


def tube(
    mesh: Mesh,
    path: Sequence[Vec3],
    radii: float | Sequence[float],
    mat: str,
    segments: int = 8,
    flatten: float = 1.0,
) -> None:
    """Round bar along `path`; `flatten` squeezes it in its second axis (limbs are not round)."""
    points = np.array(path, dtype=np.float64)
    sizes = [radii] * len(points) if isinstance(radii, int | float) else list(radii)
    angles = np.linspace(0, 2 * math.pi, segments, endpoint=False)
    rings = np.zeros((len(points), segments, 3))
    for i, point in enumerate(points):
        ahead = points[min(i + 1, len(points) - 1)] - points[max(i - 1, 0)]
        ahead = ahead / (np.linalg.norm(ahead) + 1e-9)
        helper = np.array([0.0, 1.0, 0.0]) if abs(ahead[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
        side = np.cross(ahead, helper)
        side /= np.linalg.norm(side)
        other = np.cross(ahead, side) * flatten
        rings[i] = point + sizes[i] * (
            np.outer(np.cos(angles), side) + np.outer(np.sin(angles), other)
        )
    loft(mesh, rings, mat)


def ellipsoid(
    mesh: Mesh,
    at: Vec3,
    radii: Vec3,
    mat: str,
    segments: int = 10,
    rows: int = 6,
    rough: float = 0.0,
    seed: int = 0,
    turn: Array | None = None,
) -> None:
    """Ellipsoid; `rough` dents it by that share of the radius (rubbish bags, leaf clumps)."""
    rng = np.random.default_rng(seed)
    lat = np.linspace(-math.pi / 2, math.pi / 2, rows + 1)
    lon = np.linspace(0, 2 * math.pi, segments, endpoint=False)
    rings = np.zeros((rows + 1, segments, 3))
    rings[..., 0] = np.outer(np.maximum(np.cos(lat), 1e-3), np.cos(lon))
    rings[..., 1] = np.outer(np.maximum(np.cos(lat), 1e-3), np.sin(lon))
    rings[..., 2] = np.sin(lat)[:, None]
    if rough:
        rings *= 1 + rng.normal(0, rough, (rows + 1, segments, 1))
    rings = rings * np.array(radii)
    if turn is not None:
        rings = rings @ turn.T
    loft(mesh, rings + np.array(at), mat)


def quad(mesh: Mesh, corners: Sequence[Vec3], mat: str) -> None:
    """One flat polygon."""
    mesh.add(np.array(corners), [tuple(range(len(corners)))], mat)


def smooth_curve(knots: Sequence[tuple[float, float]], at: Array) -> Array:
    """Monotone cubic through (x, y) knots sorted by rising x (Fritsch and Carlson 1980)."""
    x = np.array([k[0] for k in knots], dtype=np.float64)
    y = np.array([k[1] for k in knots], dtype=np.float64)
    step = np.diff(x)
    slope = np.diff(y) / step
    tangent = np.concatenate([slope[:1], (slope[:-1] + slope[1:]) / 2, slope[-1:]])
    flat = np.concatenate([[False], slope[:-1] * slope[1:] <= 0, [False]])
    tangent[flat] = 0.0
    bound = 3 * np.minimum(
        np.abs(np.append(slope, slope[-1])), np.abs(np.insert(slope, 0, slope[0]))
    )
    tangent = np.clip(tangent, -bound, bound)
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(step) - 1)
    t = np.clip((at - x[i]) / step[i], 0.0, 1.0)
    h00, h10 = 2 * t**3 - 3 * t**2 + 1, t**3 - 2 * t**2 + t
    h01, h11 = -2 * t**3 + 3 * t**2, t**3 - t**2
    result: Array = (
        h00 * y[i] + h10 * step[i] * tangent[i] + h01 * y[i + 1] + h11 * step[i] * tangent[i + 1]
    )
    return result


def rounded_ring(half_x: float, half_y: float, radius: float, steps: int = 3) -> Array:
    """Rounded rectangle in the xy plane, counter-clockwise, shape (4·(steps+1), 2)."""
    points = []
    for corner, (sx, sy) in enumerate(((1, 1), (-1, 1), (-1, -1), (1, -1))):
        centre = np.array([sx * (half_x - radius), sy * (half_y - radius)])
        for k in range(steps + 1):
            angle = math.pi / 2 * (corner + k / steps)
            points.append(centre + radius * np.array([math.cos(angle), math.sin(angle)]))
    return np.array(points)
