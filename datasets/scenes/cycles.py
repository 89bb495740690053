"""Two- and three-wheelers: e-bike, bicycle, cargo tricycle (三轮车), and their riders."""

from __future__ import annotations

import math

from .meshes import Mesh, Vec3, box, ellipsoid, lathe, quad, rotation_x, rotation_y, tube
from .people import Look, rider


def _spoked(mesh: Mesh, at: Vec3, radius: float, fat: float) -> None:
    turn = rotation_x(90.0)
    lathe(
        mesh,
        [
            (radius - fat, -fat * 0.6),
            (radius, -fat * 0.4),
            (radius, fat * 0.4),
            (radius - fat, fat * 0.6),
            (radius - fat, -fat * 0.6),
        ],
        "tyre",
        at,
        18,
        turn,
        caps=False,
    )
    lathe(mesh, [(radius * 0.18, -0.04), (radius * 0.18, 0.04), (0.0, 0.04)], "rim", at, 8, turn)
    for k in range(8):
        c, s = math.cos(math.pi * k / 4), math.sin(math.pi * k / 4)
        end = (at[0] + (radius - fat) * c, at[1], at[2] + (radius - fat) * s)
        tube(mesh, [at, end], 0.005 + fat * 0.1, "rim", 3)


def ebike(colour: str, box_colour: str | None = None) -> Mesh:
    """Step-through electric scooter (电动车); a courier box when `box_colour` is given."""
    mesh = Mesh()
    paint = f"paint{colour}"
    for x in (0.62, -0.58):
        _spoked(mesh, (x, 0, 0.24), 0.24, 0.075)
    tube(mesh, [(0.62, 0, 0.42), (0.52, 0, 0.62), (0.44, 0, 0.98)], [0.05, 0.045, 0.03], "black", 8)
    ellipsoid(mesh, (0.62, 0, 0.44), (0.22, 0.085, 0.07), paint, 10, 5)
    box(mesh, (0.42, 0, 0.66), (0.10, 0.36, 0.56), paint, 0.05, rotation_y(-14))
    ellipsoid(mesh, (0.52, 0, 0.86), (0.08, 0.11, 0.09), "lamp", 8, 5)
    box(mesh, (0.10, 0, 0.30), (0.66, 0.30, 0.10), "black", 0.04)
    tube(mesh, [(-0.12, 0, 0.34), (-0.3, 0, 0.52), (-0.85, 0, 0.60)], [0.13, 0.17, 0.11], paint, 10)
    ellipsoid(mesh, (-0.36, 0, 0.74), (0.40, 0.14, 0.075), "plastic#1a1614", 12, 6)
    ellipsoid(mesh, (-0.88, 0, 0.62), (0.05, 0.09, 0.05), "tail", 8, 5)
    tube(
        mesh,
        [(0.40, -0.33, 1.02), (0.44, -0.1, 1.0), (0.44, 0.1, 1.0), (0.40, 0.33, 1.02)],
        0.02,
        "black",
        6,
    )
    for side in (-1, 1):
        tube(mesh, [(0.42, side * 0.24, 1.02), (0.42, side * 0.30, 1.18)], 0.008, "black", 4)
        ellipsoid(mesh, (0.42, side * 0.31, 1.22), (0.015, 0.06, 0.045), "chrome", 8, 5)
    if box_colour is None:
        box(mesh, (0.62, 0, 0.80), (0.24, 0.30, 0.22), "black", 0.02)
    else:
        box(mesh, (-0.78, 0, 0.98), (0.46, 0.46, 0.46), f"plastic{box_colour}", 0.03)
    return mesh


def bicycle(colour: str) -> Mesh:
    """Shared-bike style bicycle with basket."""
    mesh = Mesh()
    paint = f"paint{colour}"
    for x in (0.52, -0.52):
        _spoked(mesh, (x, 0, 0.32), 0.32, 0.035)
    frame: list[list[Vec3]] = [
        [(0.52, 0, 0.32), (0.40, 0, 0.82), (0.36, 0, 0.98)],
        [(0.42, 0, 0.74), (0.05, 0, 0.32), (-0.52, 0, 0.32)],
        [(0.05, 0, 0.32), (-0.18, 0, 0.88)],
        [(-0.52, 0, 0.32), (-0.13, 0, 0.72)],
        [(0.40, 0, 0.66), (-0.10, 0, 0.56)],
    ]
    for path in frame:
        tube(mesh, path, 0.024, paint, 6)
    tube(
        mesh,
        [(0.26, -0.28, 1.0), (0.36, -0.06, 1.0), (0.36, 0.06, 1.0), (0.26, 0.28, 1.0)],
        0.015,
        "black",
        6,
    )
    ellipsoid(mesh, (-0.20, 0, 0.91), (0.14, 0.085, 0.045), "black", 8, 5)
    box(mesh, (0.56, 0, 0.84), (0.24, 0.32, 0.22), "black", 0.02)
    for side in (-1, 1):
        box(mesh, (0.05 + 0.1 * side, 0.10 * side, 0.28), (0.1, 0.08, 0.03), "black")
    for x in (0.52, -0.52):
        arc = [
            (x + 0.36 * math.cos(a), 0.0, 0.32 + 0.36 * math.sin(a))
            for a in (0.5, 1.0, 1.57, 2.2, 2.9)
        ]
        tube(mesh, arc, 0.022, paint, 5)
    return mesh


def tricycle(colour: str, load: str = "none", canopy: str | None = None) -> Mesh:
    """Electric cargo tricycle; `load` none, boxes or sacks; `canopy` colour for a roofed bed."""
    mesh = Mesh()
    paint = f"paint{colour}"
    _spoked(mesh, (1.15, 0, 0.28), 0.28, 0.08)
    for side in (-1, 1):
        _spoked(mesh, (-0.75, side * 0.46, 0.29), 0.29, 0.09)
        box(mesh, (-0.75, side * 0.50, 0.62), (0.72, 0.14, 0.04), paint, 0.015)
    tube(mesh, [(1.15, 0, 0.45), (1.02, 0, 0.75), (0.94, 0, 1.02)], [0.06, 0.05, 0.03], "black", 8)
    ellipsoid(mesh, (1.13, 0, 0.52), (0.26, 0.11, 0.07), paint, 10, 5)
    box(mesh, (0.98, 0, 0.80), (0.10, 0.52, 0.56), paint, 0.05, rotation_y(-12))
    ellipsoid(mesh, (1.08, 0, 0.92), (0.08, 0.13, 0.10), "lamp", 8, 5)
    tube(
        mesh,
        [(0.88, -0.36, 1.05), (0.94, -0.1, 1.03), (0.94, 0.1, 1.03), (0.88, 0.36, 1.05)],
        0.02,
        "black",
        6,
    )
    box(mesh, (0.45, 0, 0.36), (0.9, 0.4, 0.09), "black", 0.03)
    box(mesh, (0.22, 0, 0.58), (0.44, 0.46, 0.38), paint, 0.05)
    box(mesh, (0.22, 0, 0.80), (0.46, 0.48, 0.08), "plastic#1a1614", 0.03)
    box(mesh, (-0.78, 0, 0.55), (1.62, 1.0, 0.06), "metal#4a4d50")
    for y in (-0.5, 0.5):
        box(mesh, (-0.78, y, 0.75), (1.62, 0.03, 0.36), paint, 0.01)
        for k in range(4):
            box(mesh, (-1.45 + 0.45 * k, y * 1.03, 0.75), (0.05, 0.03, 0.36), paint)
    for x in (0.02, -1.58):
        box(mesh, (x, 0, 0.75), (0.03, 1.0, 0.36), paint, 0.01)
    for side in (-1, 1):
        box(mesh, (-1.60, side * 0.42, 0.66), (0.03, 0.1, 0.08), "tail")
    _load(mesh, load)
    if canopy is not None:
        tricycle_canopy(mesh, canopy)
    return mesh


def _load(mesh: Mesh, load: str) -> None:
    if load == "boxes":
        for k in range(5):
            box(
                mesh,
                (-0.25 - 0.5 * (k % 3), 0.22 * (-1) ** k, 0.78 + 0.3 * (k // 3)),
                (0.44, 0.40, 0.34),
                "cardboard",
                0.01,
            )
    elif load == "sacks":
        for k in range(6):
            ellipsoid(
                mesh,
                (-0.3 - 0.45 * (k % 3), 0.24 * (-1) ** k, 0.78 + 0.2 * (k // 3)),
                (0.30, 0.24, 0.18),
                "cloth#d8d2c0",
                10,
                6,
                0.05,
                k,
            )


def tricycle_canopy(mesh: Mesh, colour: str) -> None:
    """Four posts and a sagging cloth roof above the bed."""
    for x in (0.0, -1.56):
        for y in (-0.48, 0.48):
            tube(mesh, [(x, y, 0.6), (x, y, 1.92)], 0.018, "metal#70757a", 5)
    for y in (-1, 1):
        quad(
            mesh,
            [(0.12, 0, 2.06), (-1.70, 0, 2.06), (-1.74, y * 0.72, 1.88), (0.16, y * 0.72, 1.88)],
            f"cloth{colour}",
        )
        quad(
            mesh,
            [
                (0.16, y * 0.72, 1.88),
                (-1.74, y * 0.72, 1.88),
                (-1.74, y * 0.73, 1.72),
                (0.16, y * 0.73, 1.72),
            ],
            f"cloth{colour}",
        )


def rider_on(model: str, look: Look) -> Mesh:
    """The rider of an ebike, bicycle or tricycle, placed on its saddle."""
    mesh = Mesh()
    if model == "ebike":
        mesh.put(rider(look, seat=0.78, reach=0.70, grip=1.03, feet=0.36), (-0.30, 0, 0))
    elif model == "bicycle":
        mesh.put(rider(look, seat=0.93, reach=0.55, grip=1.02, feet=0.33), (-0.20, 0, 0))
    else:
        mesh.put(rider(look, seat=0.84, reach=0.68, grip=1.05, feet=0.42), (0.20, 0, 0))
    return mesh
