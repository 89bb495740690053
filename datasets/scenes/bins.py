"""240-litre wheelie bins (EN 840 size: 1.07 × 0.58 × 0.73 m) and loose rubbish."""

from __future__ import annotations

import math

import numpy as np

from .meshes import (
    Mesh,
    Vec3,
    box,
    ellipsoid,
    lathe,
    loft,
    rotation_x,
    rotation_y,
    rotation_z,
    rounded_ring,
    tube,
)

BIN_STATES = ("closed", "tight", "open", "filling", "full", "overflowing")
_RUBBISH = ("#1d1d1f", "#20242c", "#d9d6cc", "#b8c4cc", "#c9d2d6", "#2c2f36", "#c23a34", "#d8b24a")
_LID_DEG = {
    "closed": 0.0,
    "tight": 7.0,
    "open": 250.0,
    "filling": 250.0,
    "full": 34.0,
    "overflowing": 66.0,
}


def wheelie_bin(colour: str, state: str, seed: int = 0) -> Mesh:
    """One bin facing +x (hinge behind), in a state of `BIN_STATES`.

    `tight` is full to the rim under a lid that all but closes: not overflowing.
    """
    mesh = Mesh()
    _hull(mesh, f"plastic{colour}")
    hangs_open = state == "overflowing" and seed % 3 == 0
    _lid(mesh, f"plastic{colour}", 245.0 if hangs_open else _LID_DEG[state])
    if state == "closed":
        return mesh
    rng = np.random.default_rng(seed)
    level = {"tight": 0.78, "open": 0.45, "filling": 0.6, "full": 1.0, "overflowing": 1.02}[state]
    box(mesh, (0.0, 0, level - 0.05), (0.58, 0.46, 0.02), "plastic#2a2a26")
    if state == "tight":
        bag(mesh, (0.24, 0.0, 0.87), 0.12, seed)
    elif state != "open":
        _bags(mesh, rng, level, {"filling": 2, "full": 3, "overflowing": 6}[state])
    if state == "overflowing":
        _spill(mesh, rng, (-0.2, 0.32), (-0.24, 0.24), (1.12, 1.42))
    return mesh


def _spill(
    mesh: Mesh,
    rng: np.random.Generator,
    x: tuple[float, float],
    y: tuple[float, float],
    z: tuple[float, float],
) -> None:
    """Five single pieces lying on top."""
    for k in range(5):
        at = (float(rng.uniform(*x)), float(rng.uniform(*y)), float(rng.uniform(*z)))
        add_litter(mesh, rng, at, k)


def _hull(mesh: Mesh, mat: str) -> None:
    sections = (
        (0.05, 0.22, 0.19),
        (0.08, 0.24, 0.21),
        (0.30, 0.265, 0.226),
        (0.90, 0.325, 0.265),
        (0.90, 0.345, 0.285),
        (0.99, 0.352, 0.29),
        (0.99, 0.33, 0.268),
        (0.90, 0.315, 0.255),
    )
    rings = []
    for z, hx, hy in sections:
        ring = rounded_ring(hx, hy, 0.07)
        rings.append(np.column_stack([ring, np.full(len(ring), z)]))
    loft(mesh, np.array(rings), mat, caps=False)
    box(mesh, (0, 0, 0.07), (0.44, 0.38, 0.03), "black")
    for side in (-1, 1):
        turn = rotation_x(90.0)
        lathe(
            mesh,
            [(0.06, -0.03), (0.10, -0.03), (0.10, 0.03), (0.0, 0.035)],
            "tyre",
            (-0.27, side * 0.25, 0.10),
            14,
            turn,
        )
        box(mesh, (0.10, side * 0.245, 0.5), (0.03, 0.02, 0.7), mat, 0.005)
    tube(
        mesh,
        [(-0.34, -0.22, 0.97), (-0.42, -0.2, 0.98), (-0.42, 0.2, 0.98), (-0.34, 0.22, 0.97)],
        0.016,
        mat,
        6,
    )
    box(mesh, (0.335, 0, 0.62), (0.012, 0.24, 0.24), "plastic#e9ece8", 0.004, rotation_y(5.5))
    box(mesh, (0.343, 0, 0.65), (0.012, 0.12, 0.10), mat, 0.003, rotation_y(5.5))


def _lid(mesh: Mesh, mat: str, angle_deg: float) -> None:
    lid = Mesh()
    rings = []
    for z, hx, hy in (
        (0.0, 0.365, 0.30),
        (0.035, 0.368, 0.303),
        (0.06, 0.33, 0.27),
        (0.078, 0.16, 0.14),
    ):
        ring = rounded_ring(hx, hy, 0.06)
        rings.append(np.column_stack([ring[:, 0] + 0.36, ring[:, 1], np.full(len(ring), z)]))
    loft(lid, np.array(rings), mat)
    box(lid, (0.73, 0, 0.02), (0.05, 0.30, 0.03), mat, 0.01)
    # Hinged at the back rim; more than 180° means hanging down behind the bin.
    turned = lid.points() @ rotation_y(-angle_deg).T
    mesh.add_many(turned + np.array([-0.36, 0.0, 0.985]), lid.faces, lid.mats)


def _bags(mesh: Mesh, rng: np.random.Generator, level: float, count: int) -> None:
    for k in range(count):
        at = (
            float(rng.uniform(-0.18, 0.2)),
            float(rng.uniform(-0.15, 0.15)),
            level + 0.05 + 0.075 * k,
        )
        bag(mesh, at, float(rng.uniform(0.17, 0.25)), int(rng.integers(1 << 30)))


def bag(mesh: Mesh, at: Vec3, size: float, seed: int) -> None:
    """Tied rubbish bag: dented body, gathered neck with two ears."""
    rng = np.random.default_rng(seed)
    mat = f"bag{_RUBBISH[int(rng.integers(len(_RUBBISH)))]}"
    squash = float(rng.uniform(0.72, 0.95))
    ellipsoid(
        mesh,
        at,
        (size, size * float(rng.uniform(0.8, 1.0)), size * squash),
        mat,
        12,
        8,
        0.065,
        seed,
    )
    neck = at[2] + size * squash
    tilt = float(rng.uniform(-0.06, 0.06))
    lathe(
        mesh,
        [(size * 0.3, -0.06), (0.03, 0.02), (0.06, 0.08), (0.01, 0.10)],
        mat,
        (at[0] + tilt, at[1], neck),
        8,
    )


def add_litter(mesh: Mesh, rng: np.random.Generator, at: Vec3, kind: int) -> None:
    """One piece of litter: cup, carton, bottle or lunch box by `kind`."""
    turn = rotation_x(float(rng.uniform(-80, 80))) @ rotation_y(float(rng.uniform(-60, 60)))
    if kind % 4 == 0:
        lathe(
            mesh,
            [(0.028, -0.06), (0.042, 0.06), (0.0, 0.06)],
            "plastic#e6e2d8" if kind % 8 else "plastic#b5482c",
            at,
            10,
            turn,
        )
    elif kind % 4 == 1:
        box(mesh, at, (0.34, 0.24, 0.16), "cardboard", 0.006, turn)
    elif kind % 4 == 2:
        lathe(
            mesh,
            [(0.033, -0.11), (0.035, 0.04), (0.013, 0.10), (0.0, 0.11)],
            "plastic#a8d0c8",
            at,
            8,
            turn,
        )
    else:
        box(mesh, at, (0.20, 0.15, 0.06), "plastic#f0efe9", 0.02, turn)


HEAP_KINDS = ("bags", "cartons", "litter", "mixed")


def rubbish_heap(seed: int, radius_m: float = 0.8, bags: int = 7, kind: str = "bags") -> Mesh:
    """Loose rubbish on the ground, of `HEAP_KINDS`: piled bags with cups and cartons around,
    flattened and crumpled cartons, scattered single pieces, or bags with planks and foam boxes."""
    mesh = Mesh()
    rng = np.random.default_rng(seed)
    if kind in ("bags", "mixed"):
        _bag_pile(mesh, rng, radius_m, bags)
    if kind in ("cartons", "mixed"):
        _boxes(mesh, rng, radius_m, 3 + bags)
    for k in range(9 if kind != "litter" else 22):
        angle, ring = float(rng.uniform(0, 2 * math.pi)), radius_m * float(rng.uniform(0.4, 1.05))
        if kind == "litter":
            ring = radius_m * math.sqrt(float(rng.random()))
        height = 0.09 if k % 4 == 1 else 0.045
        add_litter(mesh, rng, (ring * math.cos(angle), ring * math.sin(angle), height), k)
    return mesh


def _bag_pile(mesh: Mesh, rng: np.random.Generator, radius_m: float, bags: int) -> None:
    for k in range(bags):
        ring = radius_m * (0.15 + 0.55 * math.sqrt(k / max(bags, 1)))
        angle = 2.4 * k + float(rng.uniform(0, 0.8))
        size = float(rng.uniform(0.18, 0.33))
        lift = 0.22 if k < bags // 3 else 0.0
        bag(
            mesh,
            (ring * math.cos(angle), ring * math.sin(angle), size * 0.7 + lift),
            size,
            int(rng.integers(1 << 30)),
        )


def _boxes(mesh: Mesh, rng: np.random.Generator, radius_m: float, count: int) -> None:
    for k in range(count):
        ring, angle = radius_m * 0.8 * math.sqrt(k / count), 2.4 * k + float(rng.uniform(0, 0.8))
        size = (
            float(rng.uniform(0.25, 0.55)),
            float(rng.uniform(0.2, 0.4)),
            float(rng.uniform(0.04, 0.36)),
        )
        turn = rotation_z(float(rng.uniform(0, 180))) @ rotation_x(float(rng.normal(0, 9)))
        at = (ring * math.cos(angle), ring * math.sin(angle), size[2] / 2 + 0.02 + 0.1 * (k % 2))
        mat = "cardboard" if rng.random() < 0.65 else _LOOSE[int(rng.integers(len(_LOOSE)))]
        box(mesh, at, size, mat, 0.006, turn)


_LOOSE = ("plastic#f2f2ee", "wood#9a7a52", "plastic#d8d2c0", "cloth#6a6a70")
