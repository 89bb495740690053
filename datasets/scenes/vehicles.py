"""Four-wheeled vehicles: a lofted body with real wheel arches, glass, lights and plates.

All meshes stand on z = 0 and drive towards +x. Side outlines are (x, z) knots in metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .meshes import Array, Mesh, box, ellipsoid, lathe, loft, quad, rotation_x, smooth_curve, tube

Knots = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class CarShape:
    """Side and plan outlines of one body type; x falls from nose to tail in the tuples' reverse."""

    top: Knots
    belt: Knots
    width: Knots
    axles: tuple[float, float]
    wheel_radius: float
    sill: float
    glass_side: tuple[tuple[float, float], ...]
    windscreen: tuple[float, float]
    rear_glass: tuple[float, float]
    roof_share: float = 0.74


SALOON = CarShape(
    top=(
        (-2.33, 0.78),
        (-2.30, 0.93),
        (-2.15, 1.05),
        (-1.72, 1.09),
        (-0.98, 1.40),
        (-0.3, 1.47),
        (0.35, 1.40),
        (1.12, 0.97),
        (1.6, 0.90),
        (2.08, 0.80),
        (2.28, 0.68),
        (2.34, 0.55),
    ),
    belt=(
        (-2.33, 0.74),
        (-2.2, 0.92),
        (-1.7, 0.99),
        (0.0, 0.93),
        (1.12, 0.89),
        (2.0, 0.73),
        (2.34, 0.52),
    ),
    width=(
        (-2.33, 0.66),
        (-2.24, 0.78),
        (-1.95, 0.86),
        (-1.2, 0.90),
        (1.2, 0.90),
        (1.85, 0.86),
        (2.18, 0.75),
        (2.34, 0.58),
    ),
    axles=(1.40, -1.33),
    wheel_radius=0.325,
    sill=0.24,
    glass_side=((-1.42, -1.02), (-0.94, -0.22), (-0.14, 0.98)),
    windscreen=(0.42, 1.08),
    rear_glass=(-1.66, -1.02),
)
SUV = CarShape(
    top=(
        (-2.28, 0.8),
        (-2.25, 1.08),
        (-2.08, 1.36),
        (-1.75, 1.62),
        (-0.6, 1.70),
        (0.3, 1.62),
        (1.02, 1.14),
        (1.5, 1.08),
        (2.05, 0.98),
        (2.24, 0.84),
        (2.30, 0.6),
    ),
    belt=((-2.28, 0.78), (-2.2, 1.02), (-1.5, 1.12), (1.02, 1.06), (2.0, 0.90), (2.30, 0.58)),
    width=(
        (-2.28, 0.74),
        (-2.2, 0.84),
        (-1.8, 0.91),
        (1.2, 0.93),
        (1.9, 0.88),
        (2.18, 0.78),
        (2.30, 0.64),
    ),
    axles=(1.38, -1.36),
    wheel_radius=0.36,
    sill=0.30,
    glass_side=((-1.72, -1.12), (-1.04, -0.24), (-0.16, 0.88)),
    windscreen=(0.36, 1.0),
    rear_glass=(-2.2, -1.84),
    roof_share=0.78,
)
VAN = CarShape(
    top=(
        (-1.98, 0.7),
        (-1.97, 1.1),
        (-1.93, 1.62),
        (-1.86, 1.80),
        (-1.7, 1.86),
        (-0.4, 1.90),
        (0.75, 1.82),
        (1.42, 1.18),
        (1.70, 1.05),
        (1.92, 0.90),
        (1.98, 0.55),
    ),
    belt=((-1.98, 0.68), (-1.92, 0.98), (0.5, 1.02), (1.42, 1.00), (1.8, 0.88), (1.98, 0.5)),
    width=((-1.98, 0.72), (-1.88, 0.78), (0.9, 0.80), (1.5, 0.78), (1.85, 0.70), (1.98, 0.60)),
    axles=(1.22, -1.25),
    wheel_radius=0.29,
    sill=0.24,
    glass_side=((-1.78, -0.98), (-0.9, -0.08), (0.0, 0.55), (0.62, 1.15)),
    windscreen=(0.80, 1.40),
    rear_glass=(-1.95, -1.88),
    roof_share=0.86,
)
SHAPES = {"saloon": SALOON, "suv": SUV, "van": VAN}


def car(shape_name: str, colour: str, lamps_on: bool = False, plate: str = "blue") -> Mesh:
    """Saloon, suv or van with `colour` (#rrggbb) paint; standing on z = 0, nose to +x."""
    shape = SHAPES[shape_name]
    mesh = Mesh()
    body_stations = _stations(shape)
    _body(mesh, shape, f"paint{colour}", body_stations)
    for x in shape.axles:
        half = float(smooth_curve(shape.width, np.array([x]))[0])
        for side in (-1, 1):
            wheel(mesh, (x, side * (half - 0.115), shape.wheel_radius), shape.wheel_radius, side)
    _trim(mesh, shape, f"paint{colour}")
    _ends(mesh, shape, lamps_on, plate)
    return mesh


def _stations(shape: CarShape) -> Array:
    marks = [k[0] for k in shape.top] + [k[0] for k in shape.belt]
    marks += [x for pair in shape.glass_side for x in pair]
    marks += list(shape.windscreen) + list(shape.rear_glass)
    reach = shape.wheel_radius + 0.055
    for axle in shape.axles:
        marks += [axle + reach * math.cos(a) for a in np.linspace(0, math.pi, 9)]
    marks += list(np.linspace(shape.top[0][0], shape.top[-1][0], 19))
    kept: list[float] = []
    for mark in sorted(marks):
        if not kept or mark - kept[-1] > 0.012:
            kept.append(float(mark))
    return np.array(kept)


def _lower_edge(shape: CarShape, x: Array) -> Array:
    edge = np.full_like(x, shape.sill)
    nose, tail = shape.top[-1][0], shape.top[0][0]
    edge = edge + 0.05 * np.exp(-(nose - x) / 0.12) + 0.09 * np.exp(-(x - tail) / 0.15)
    reach = shape.wheel_radius + 0.055
    for axle in shape.axles:
        inside = np.clip(reach**2 - (x - axle) ** 2, 0, None)
        arch = shape.wheel_radius * 0.98 + np.sqrt(inside)
        edge = np.where(inside > 0, np.maximum(edge, arch), edge)
    return edge


def _body(mesh: Mesh, shape: CarShape, paint: str, x: Array) -> None:
    top, belt = smooth_curve(shape.top, x), smooth_curve(shape.belt, x)
    half, low = smooth_curve(shape.width, x), _lower_edge(shape, x)
    belt = np.minimum(belt, top - 0.02)
    low = np.minimum(low, belt - 0.03)
    cabin = np.clip((top - belt - 0.05) / 0.38, 0, 1)
    roof = half * (0.90 * (1 - cabin) + shape.roof_share * cabin)
    gap = top - belt
    side = np.stack(
        [
            _pt(x, 0 * half, low),
            _pt(x, half * 0.88, low),
            _pt(x, half * 0.975, low + 0.015),
            _pt(x, half * 1.0, low + (belt - low) * 0.35),
            _pt(x, half * 1.005, low + (belt - low) * 0.62),
            _pt(x, half * 0.985, belt),
            _pt(x, half * 0.945, belt + np.minimum(0.035, gap * 0.3)),
            _pt(x, roof * 1.03, belt + gap * 0.86),
            _pt(x, roof * 0.93, belt + gap * 0.955),
            _pt(x, roof * 0.55, top - 0.006),
            _pt(x, 0 * half, top),
        ],
        axis=1,
    )
    mirrored = side[:, -2:0:-1] * np.array([1.0, -1.0, 1.0])
    rings = np.concatenate([side, mirrored], axis=1)
    mats = [_face_mats(shape, (x[i] + x[i + 1]) / 2, paint) for i in range(len(x) - 1)]
    loft(mesh, rings, mats, cap_mat=paint)


def _pt(x: Array, y: Array, z: Array) -> Array:
    return np.stack([x, y, z], axis=1)


def _face_mats(shape: CarShape, x: float, paint: str) -> list[str]:
    """Material of each of the 20 ring edges at station `x`."""
    side = [paint] * 10
    side[0] = side[1] = "black"
    if x < shape.windscreen[1] and x > shape.glass_side[0][0]:
        side[6] = "black"
    if any(a < x < b for a, b in shape.glass_side):
        side[6] = "glass"
    for low, high in (shape.windscreen, shape.rear_glass):
        if low < x < high:
            side[8] = side[9] = "glass"
    return side + side[::-1]


def wheel(mesh: Mesh, at: tuple[float, float, float], radius: float, side: int) -> None:
    """Tyre, rim with five spokes and hub; the outer face looks along side·y."""
    turn = rotation_x(-90.0 * side)
    tyre = [
        (radius * 0.62, -0.10),
        (radius * 0.94, -0.10),
        (radius, -0.06),
        (radius, 0.06),
        (radius * 0.94, 0.10),
        (radius * 0.66, 0.105),
        (radius * 0.64, 0.06),
    ]
    lathe(mesh, tyre, "tyre", at, 20, turn)
    lathe(mesh, [(radius * 0.64, 0.05), (0.0, 0.05)], "black", at, 16, turn)
    lathe(
        mesh,
        [(radius * 0.68, 0.075), (radius * 0.66, 0.108), (radius * 0.58, 0.085)],
        "rim",
        at,
        20,
        turn,
    )
    for k in range(5):
        angle = 2 * math.pi * k / 5
        c, s = math.cos(angle), math.sin(angle)
        inner, outer, wide = radius * 0.08, radius * 0.62, radius * 0.11
        corners = np.array(
            [
                (inner * c - wide * s, inner * s + wide * c, 0.095),
                (outer * c - wide * s, outer * s + wide * c, 0.085),
                (outer * c + wide * s, outer * s - wide * c, 0.085),
                (inner * c + wide * s, inner * s - wide * c, 0.095),
            ]
        )
        mesh.add(corners @ turn.T + np.array(at), [(0, 1, 2, 3)], "rim")
    lathe(mesh, [(radius * 0.16, 0.09), (radius * 0.14, 0.11), (0, 0.112)], "rim", at, 10, turn)


def _trim(mesh: Mesh, shape: CarShape, paint: str) -> None:
    """Door lines, handles, mirrors and sill strip."""
    for side in (-1, 1):
        for x in [pair[1] + 0.04 for pair in shape.glass_side] + [shape.glass_side[0][0] + 0.3]:
            zs = np.linspace(shape.sill + 0.1, float(smooth_curve(shape.belt, np.array([x]))[0]), 5)
            half = float(smooth_curve(shape.width, np.array([x]))[0])
            if any(abs(x - axle) < shape.wheel_radius + 0.1 for axle in shape.axles):
                zs = zs[2:]
            tube(
                mesh, [(x, side * (half * 1.004 - 0.004), float(z)) for z in zs], 0.007, "black", 4
            )
        for low, _ in shape.glass_side[1:]:
            half = float(smooth_curve(shape.width, np.array([low]))[0])
            z = float(smooth_curve(shape.belt, np.array([low]))[0]) - 0.11
            box(mesh, (low + 0.12, side * (half + 0.012), z), (0.17, 0.03, 0.03), "chrome", 0.01)
        x = shape.glass_side[-1][1] - 0.12
        half = float(smooth_curve(shape.width, np.array([x]))[0])
        z = float(smooth_curve(shape.belt, np.array([x]))[0]) + 0.09
        ellipsoid(mesh, (x, side * (half + 0.09), z), (0.07, 0.11, 0.075), paint, 8, 5)


def _ends(mesh: Mesh, shape: CarShape, lamps_on: bool, plate: str) -> None:
    nose, tail = shape.top[-1][0], shape.top[0][0]
    lamp = "emit#fff4d8:6" if lamps_on else "lamp"
    rear = "emit#ff1808:3" if lamps_on else "tail"
    z_front = shape.belt[-1][1]
    half = shape.width[-1][1]
    for side in (-1, 1):
        ellipsoid(
            mesh,
            (nose - 0.13, side * (half + 0.06), z_front + 0.085),
            (0.17, 0.17, 0.065),
            lamp,
            10,
            6,
        )
        ellipsoid(
            mesh,
            (tail + 0.07, side * (shape.width[0][1] + 0.03), shape.belt[0][1] + 0.08),
            (0.12, 0.13, 0.10),
            rear,
            10,
            6,
        )
    box(mesh, (nose - 0.02, 0, z_front + 0.03), (0.07, half * 1.15, 0.10), "black", 0.02)
    box(mesh, (nose - 0.05, 0, shape.sill + 0.14), (0.12, half * 1.7, 0.10), "black", 0.03)
    box(mesh, (tail + 0.05, 0, shape.sill + 0.16), (0.13, half * 1.7, 0.10), "black", 0.03)
    tint = {"blue": "plastic#12409a", "green": "plastic#3fa878"}[plate]
    for x, z in ((nose + 0.025, z_front - 0.10), (tail - 0.03, shape.belt[0][1] - 0.04)):
        box(mesh, (x, 0, z), (0.02, 0.44, 0.14), tint)
        for k in range(6):
            box(mesh, (x, -0.165 + 0.066 * k, z), (0.026, 0.036, 0.08), "plastic#e8eef5")


def truck(colour: str, load: str = "#c8ccd0") -> Mesh:
    """Small box lorry: tilted cab, white cargo box, dual-size wheels (6 m long)."""
    mesh = Mesh()
    cab = [(0.0, 0.55), (0.03, 1.2), (0.25, 1.95), (0.45, 2.12), (1.45, 2.12), (1.5, 0.55)]
    rings = np.array(
        [
            [(2.95 - x, y * (0.90 if z > 1.3 else 0.98), z) for x, z in cab]
            for y in (-1.0, -0.97, 0.97, 1.0)
        ]
    )
    loft(mesh, rings, f"paint{colour}")
    _pane(mesh, [(2.91, -0.82, 1.26), (2.91, 0.82, 1.26), (2.72, 0.80, 1.92), (2.72, -0.80, 1.92)])
    for side in (-1, 1):
        _pane(
            mesh,
            [
                (2.75, side * 0.985, 1.28),
                (1.75, side * 0.985, 1.28),
                (1.80, side * 0.915, 1.9),
                (2.55, side * 0.915, 1.9),
            ],
        )
        ellipsoid(mesh, (2.97, side * 0.75, 0.78), (0.06, 0.16, 0.09), "lamp", 8, 5)
        box(mesh, (2.85, side * 1.12, 1.6), (0.08, 0.16, 0.32), "black", 0.03)
        for x in (2.2, -1.7):
            wheel(mesh, (x, side * 0.86, 0.40), 0.40, side)
        box(mesh, (-3.02, side * 0.8, 0.62), (0.05, 0.3, 0.12), "tail", 0.02)
    box(mesh, (2.97, 0, 0.5), (0.1, 1.8, 0.22), "black", 0.04)
    box(mesh, (3.03, 0, 0.52), (0.02, 0.44, 0.14), "plastic#e2b21c")
    box(mesh, (-0.3, 0, 0.62), (5.6, 0.8, 0.2), "black")
    box(mesh, (-0.85, 0, 1.80), (4.3, 2.05, 2.1), f"plastic{load}", 0.05)
    for k in range(9):
        for side in (-1, 1):
            box(mesh, (-2.8 + 0.49 * k, side * 1.03, 1.8), (0.05, 0.03, 2.0), f"plastic{load}")
    return mesh


def bus(colour: str) -> Mesh:
    """City bus, 10.5 m: white or coloured flanks, ribbon windows, doors on the kerb side."""
    mesh = Mesh()
    outline = [
        (-1.2, 0.45),
        (-1.25, 1.3),
        (-1.2, 2.6),
        (-1.0, 2.98),
        (1.0, 2.98),
        (1.2, 2.6),
        (1.25, 1.3),
        (1.2, 0.45),
    ]
    xs = ((-5.25, 0.9), (-5.2, 0.97), (-5.0, 1.0), (4.9, 1.0), (5.15, 0.97), (5.25, 0.9))
    rings = np.array(
        [[(x, y * k, 0.45 + (z - 0.45) * (0.94 + 0.06 * k)) for y, z in outline] for x, k in xs]
    )
    loft(mesh, rings, f"paint{colour}")
    for side in (-1, 1):
        for k in range(8):
            x = -4.75 + 1.16 * k
            _pane(
                mesh,
                [
                    (x, side * 1.252, 1.38),
                    (x + 1.08, side * 1.252, 1.38),
                    (x + 1.08, side * 1.222, 2.4),
                    (x, side * 1.222, 2.4),
                ],
            )
        box(mesh, (0, side * 1.245, 0.9), (10.0, 0.02, 0.16), "plastic#e8e8e4")
        for x in (3.2, -2.9):
            lathe(
                mesh,
                [(0.58, -0.02), (0.58, 0.02), (0, 0.02)],
                "black",
                (x, side * 1.22, 0.6),
                18,
                rotation_x(-90.0 * side),
            )
            wheel(mesh, (x, side * 1.16, 0.48), 0.48, side)
        ellipsoid(mesh, (5.2, side * 0.9, 0.8), (0.08, 0.2, 0.1), "lamp", 8, 5)
        box(mesh, (-5.27, side * 0.95, 1.0), (0.04, 0.16, 0.5), "tail", 0.02)
    _pane(mesh, [(5.27, -1.05, 1.15), (5.27, 1.05, 1.15), (5.21, 1.02, 2.45), (5.21, -1.02, 2.45)])
    box(mesh, (5.24, 0, 2.68), (0.08, 1.5, 0.26), "emit#ff8a1c:1.5")
    for x in (4.3, -0.4):
        _pane(
            mesh,
            [
                (x - 0.55, -1.26, 0.6),
                (x + 0.55, -1.26, 0.6),
                (x + 0.55, -1.23, 2.45),
                (x - 0.55, -1.23, 2.45),
            ],
        )
        box(mesh, (x, -1.26, 1.5), (0.05, 0.03, 1.9), "black")
    return mesh


def _pane(mesh: Mesh, corners: list[tuple[float, float, float]]) -> None:
    quad(mesh, corners, "glass")
