"""Street stalls: the goods carrier with its umbrella or canopy, without the people around it.

The vendor stands at −x, the customers at +x; y runs along the counter.
"""

from __future__ import annotations

import numpy as np

from .cycles import tricycle
from .goods import lay, pile, slot
from .hawkers import HAWKER_KINDS, hawker
from .meshes import Mesh, box, ellipsoid, lathe, quad, rotation_y, tube
from .shades import PATTERNS, tent_roof, umbrella

STALL_KINDS = ("umbrella", "tricycle", "cloth", "trolley", "tent", *HAWKER_KINDS)


def stall(kind: str, colour: str, seed: int = 0, goods: str = "fruit", shade: bool = True) -> Mesh:
    """One stall of `STALL_KINDS`; `shade` off leaves umbrella or canopy folded away."""
    rng = np.random.default_rng(seed)
    mesh = Mesh()
    pattern = PATTERNS[seed // 13 % len(PATTERNS)]
    if kind == "umbrella":
        _table(mesh, rng, goods, colour)
        if shade:
            umbrella(mesh, (-0.35, 0.1, 0.0), colour, 1.25, 2.25, pattern)
    elif kind == "tricycle":
        _cart(mesh, rng, goods, colour, shade)
    elif kind == "cloth":
        _ground_cloth(mesh, rng, goods, colour)
        if shade and seed % 2:
            umbrella(mesh, (-0.8, 0.2, 0.0), colour, 1.1, 2.1, pattern)
    elif kind == "trolley":
        _trolley(mesh, rng, colour, shade)
    elif kind == "tent":
        _table(mesh, rng, goods, colour)
        _tent(mesh, colour)
    else:
        hawker(mesh, rng, kind, colour, goods)
        if shade and seed % 3 == 0:
            umbrella(mesh, (-0.75, 0.25, 0.0), colour, 1.1, 2.15, pattern)
    return mesh


def _table(mesh: Mesh, rng: np.random.Generator, goods: str, colour: str) -> None:
    cloth = ("#b8403a", "#3a6a52", "#d8d2c2", "#4a6a9a")[int(rng.integers(4))]
    box(mesh, (0.1, 0, 0.72), (0.85, 1.9, 0.04), "plastic#8a7a62", 0.01)
    box(mesh, (0.53, 0, 0.50), (0.012, 1.92, 0.44), f"cloth{cloth}")
    for y in (-0.955, 0.955):
        box(mesh, (0.1, y, 0.54), (0.86, 0.012, 0.36), f"cloth{cloth}")
    for x in (-0.28, 0.48):
        for y in (-0.9, 0.9):
            tube(mesh, [(x, y, 0), (x, y, 0.72)], 0.018, "metal#85888c", 5)
    lay(mesh, rng, goods, (0.1, 0.0, 0.74), 0.78, 1.8)
    for k in range(3):
        box(
            mesh, (-0.55 - 0.1 * (k % 2), -0.6 + 0.6 * k, 0.16), (0.4, 0.5, 0.30), "cardboard", 0.01
        )
    box(mesh, (0.55, 0.62, 0.98), (0.02, 0.34, 0.24), "plastic#f2f0e6", 0.005, rotation_y(-12))
    for k in range(3):
        box(
            mesh,
            (0.565, 0.62, 1.04 - 0.06 * k),
            (0.02, 0.24, 0.022),
            "plastic#c02020",
            0,
            rotation_y(-12),
        )


def _cart(mesh: Mesh, rng: np.random.Generator, goods: str, colour: str, shade: bool) -> None:
    paint = ("#1f4f8f", "#8f2320", "#2f6f4a")[int(rng.integers(3))]
    ride = Mesh()
    ride.put(tricycle(paint, "none", colour if shade else None), (0.78, 0, 0))
    box(ride, (0.0, 0, 0.96), (1.66, 1.16, 0.03), "wood#9a7a52")
    side = Mesh()
    lay(side, rng, goods, (0.0, 0.0, 0.97), 1.06, 1.58)
    ride.put(side, (0.0, 0.0, 0.0), 90.0)
    for k in range(2):
        box(ride, (-1.15, -0.25 + 0.5 * k, 0.15), (0.38, 0.42, 0.28), "cardboard", 0.01)
    # The cart stands along the kerb: its length becomes y, its flank faces the customers.
    mesh.put(ride, turn_deg=90.0)


def _ground_cloth(mesh: Mesh, rng: np.random.Generator, goods: str, colour: str) -> None:
    wide, deep = 2.3, 1.35
    grid = np.array(
        [
            [
                (x, y, 0.015 + 0.012 * float(rng.random()))
                for y in np.linspace(-wide / 2, wide / 2, 8)
            ]
            for x in np.linspace(-deep / 2, deep / 2, 6)
        ]
    )
    faces = [
        (r * 8 + c, r * 8 + c + 1, r * 8 + c + 9, r * 8 + c + 8) for r in range(5) for c in range(7)
    ]
    mesh.add(grid.reshape(-1, 3), faces, f"cloth{colour}")
    for r in range(4):
        for c in range(7):
            at = (-0.5 + 0.33 * r, -0.98 + 0.33 * c, 0.03)
            if goods == "fruit":
                pile(mesh, rng, at)
            else:
                slot(mesh, rng, goods, at, 0.30, 0.30)
    for k in range(2):
        ellipsoid(
            mesh, (-0.95, -0.5 + 0.9 * k, 0.22), (0.26, 0.30, 0.24), "cloth#8a9098", 10, 7, 0.06, k
        )


def _trolley(mesh: Mesh, rng: np.random.Generator, colour: str, shade: bool) -> None:
    box(mesh, (0, 0, 0.62), (0.72, 1.45, 0.62), "metal#b4b8bc", 0.02)
    box(mesh, (0.37, 0, 0.66), (0.02, 1.36, 0.44), f"plastic{colour}")
    for k in range(4):
        box(mesh, (0.385, -0.45 + 0.3 * k, 0.66), (0.02, 0.2, 0.2), "plastic#f4e8c0", 0.004)
    box(mesh, (0, 0, 0.945), (0.82, 1.55, 0.03), "metal#c8ccd0", 0.01)
    for y in (-0.45, 0.05):
        lathe(
            mesh,
            [(0.20, 0), (0.22, 0.22), (0.20, 0.23), (0.19, 0.2), (0, 0.2)],
            "metal#a0a4a8",
            (0.0, y, 0.96),
            14,
        )
        ellipsoid(mesh, (0, y, 1.18), (0.18, 0.18, 0.05), "plastic#e6d8b0", 10, 4, 0.05, 3)
    for k in range(5):
        lathe(
            mesh,
            [(0.03, 0), (0.04, 0.11), (0, 0.11)],
            "plastic#e8e6e0",
            (0.2, 0.45 + 0.07 * (k % 3), 0.96 + 0.05 * (k // 3)),
            8,
        )
    lathe(mesh, [(0.15, -0.22), (0.15, 0.22), (0.05, 0.26)], "metal#6a7478", (-0.1, 0.5, 0.26), 12)
    for x in (-0.28, 0.28):
        for y in (-0.6, 0.6):
            lathe(
                mesh,
                [(0.13, -0.03), (0.13, 0.03), (0, 0.03)],
                "tyre",
                (x, y, 0.13),
                12,
                np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]]),
            )
    glass = [(0.36, -0.7, 0.96), (0.36, 0.3, 0.96), (0.36, 0.3, 1.32), (0.36, -0.7, 1.32)]
    quad(mesh, glass, "glass")
    if shade:
        for x in (-0.34, 0.34):
            for y in (-0.7, 0.7):
                tube(mesh, [(x, y, 0.94), (x, y, 2.05)], 0.016, "metal#c8ccd0", 5)
        tent_roof(mesh, colour, 0.62, 0.95, 2.02, 0.28)
        box(mesh, (0.60, 0, 1.93), (0.02, 1.5, 0.24), f"plastic{colour}")
        for k in range(4):
            box(mesh, (0.615, -0.5 + 0.33 * k, 1.93), (0.02, 0.18, 0.15), "plastic#f8e060", 0.004)


def _tent(mesh: Mesh, colour: str) -> None:
    for x in (-0.95, 0.95):
        for y in (-1.2, 1.2):
            tube(mesh, [(x, y, 0), (x, y, 2.1)], 0.022, "metal#d4d8dc", 5)
    tent_roof(mesh, colour, 1.05, 1.3, 2.1, 0.6)
