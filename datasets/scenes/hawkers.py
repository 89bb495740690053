"""Stalls of vendors who travel light: clothes rail, shoulder baskets, flower buckets, handcart,
barbecue, crates on the ground, a board of small wares.

Axes as in `stalls.py`: the vendor stands at −x, the customers at +x; y runs along the goods.
"""

from __future__ import annotations

import math

import numpy as np

from .goods import CLOTHES, FRUIT, crate, lay, pick, pile, slot
from .meshes import Mesh, Vec3, box, ellipsoid, lathe, quad, rotation_x, rotation_y, tube

HAWKER_KINDS = ("rail", "baskets", "buckets", "handcart", "grill", "crates", "board")
_FLOWERS = ("#d83a5a", "#f0c030", "#e8e4ec", "#8a4ac0", "#f07aa0", "#d84020")


def hawker(mesh: Mesh, rng: np.random.Generator, kind: str, colour: str, goods: str) -> None:
    """Add one stall of `HAWKER_KINDS`. Raises KeyError for another kind."""
    if kind == "rail":
        clothes_rail(mesh, rng, 2.0)
    elif kind == "baskets":
        _baskets(mesh, rng)
    elif kind == "buckets":
        flower_buckets(mesh, rng, 3, 4)
    elif kind == "handcart":
        _handcart(mesh, rng, colour, goods)
    elif kind == "grill":
        _grill(mesh, rng, colour)
    elif kind == "crates":
        _crates(mesh, rng)
    elif kind == "board":
        _board(mesh, rng, colour, goods)
    else:
        raise KeyError(f"no such stall: {kind}")


def clothes_rail(mesh: Mesh, rng: np.random.Generator, wide: float) -> None:
    """Rail on two stands with garments of a few colours."""
    for y in (-wide / 2, wide / 2):
        tube(mesh, [(0, y, 0.04), (0, y, 1.62)], 0.016, "metal#b8bcc0", 6)
        tube(mesh, [(-0.3, y, 0.04), (0.3, y, 0.04)], 0.018, "metal#b8bcc0", 6)
    tube(mesh, [(0, -wide / 2, 1.6), (0, wide / 2, 1.6)], 0.016, "metal#b8bcc0", 6)
    for y in np.arange(-wide / 2 + 0.1, wide / 2 - 0.05, 0.11):
        long = float(rng.uniform(0.55, 1.05))
        turn = rotation_x(float(rng.normal(0, 3)))
        at = (float(rng.normal(0, 0.02)), float(y), 1.53 - long / 2)
        tint = f"cloth{pick(rng, CLOTHES)}"
        box(mesh, at, (0.42, 0.045, long), tint, 0.02, turn)
        tube(mesh, [(0, float(y), 1.6), (0, float(y), 1.52)], 0.006, "black", 3)


def flower_buckets(mesh: Mesh, rng: np.random.Generator, rows: int, columns: int) -> None:
    """Buckets of cut flowers in a block of rows × columns."""
    for r in range(rows):
        for c in range(columns):
            at = (-0.4 + 0.4 * r, -0.2 * (columns - 1) + 0.4 * c, 0.0)
            pail = pick(rng, ("#2a2c30", "#8a8e92", "#2f5fa0"))
            profile = [(0.11, 0), (0.15, 0.30), (0.14, 0.30), (0.13, 0.26), (0, 0.26)]
            lathe(mesh, profile, f"plastic{pail}", at, 10)
            tint = pick(rng, _FLOWERS)
            for k in range(7):
                angle, out = 0.9 * k, 0.13 * math.sqrt(k / 7)
                top = 0.52 + float(rng.uniform(0, 0.14))
                head = (at[0] + out * math.cos(angle), at[1] + out * math.sin(angle), top)
                tube(mesh, [(at[0], at[1], 0.25), head], 0.008, "leaf#3f6a2c", 3)
                ellipsoid(mesh, head, (0.055, 0.055, 0.045), f"plastic{tint}", 6, 4)


def _baskets(mesh: Mesh, rng: np.random.Generator) -> None:
    """Two woven baskets of a shoulder pole, heaped, with the pole laid behind and a scale."""
    for y in (-0.55, 0.55):
        profile = [(0.24, 0), (0.34, 0.28), (0.32, 0.28), (0.29, 0.22), (0, 0.22)]
        lathe(mesh, profile, "wood#a8844e", (0, y, 0), 14)
        if rng.random() < 0.5:
            for k in range(3):
                pile(mesh, rng, (0.12 * (k - 1), y + 0.1 * (k % 2), 0.26))
        else:
            tint = f"plastic{pick(rng, FRUIT)}"
            for k in range(19):
                angle, out = 2.4 * k, 0.27 * math.sqrt(k / 19)
                spot = (out * math.cos(angle), y + out * math.sin(angle), 0.33 - 0.25 * out)
                ellipsoid(mesh, spot, (0.06, 0.06, 0.055), tint, 6, 4)
    tube(mesh, [(-0.5, -0.9, 0.05), (-0.5, 0.0, 0.07), (-0.5, 0.9, 0.05)], 0.025, "wood#c0a06a", 6)
    box(mesh, (0.05, 0, 0.06), (0.28, 0.26, 0.12), "plastic#c8ccd0", 0.02)
    box(mesh, (0.05, 0, 0.14), (0.30, 0.28, 0.02), "metal#c8ccd0", 0.005)
    box(mesh, (0.42, 0.1, 0.2), (0.02, 0.4, 0.28), "cardboard", 0, rotation_y(-18))


def _handcart(mesh: Mesh, rng: np.random.Generator, colour: str, goods: str) -> None:
    """Flat two-wheeled cart; sometimes with the drum oven of a sweet-potato vendor."""
    box(mesh, (0, 0, 0.66), (0.95, 1.7, 0.05), "wood#8a6c48")
    for x in (-0.46, 0.46):
        box(mesh, (x, 0, 0.74), (0.03, 1.7, 0.14), f"paint{colour}", 0.005)
        rim = [(0.33, -0.03), (0.33, 0.03), (0.27, 0.03), (0.27, -0.03), (0.33, -0.03)]
        lathe(mesh, rim, "tyre", (x * 1.12, 0.1, 0.33), 16, rotation_y(90.0), caps=False)
        for k in range(6):
            c, s = 0.29 * math.cos(math.pi * k / 3), 0.29 * math.sin(math.pi * k / 3)
            tube(mesh, [(x * 1.12, 0.1, 0.33), (x * 1.12, 0.1 + c, 0.33 + s)], 0.01, "rim", 3)
    for x in (-0.35, 0.35):
        tube(mesh, [(x, 0.85, 0.68), (x, 1.35, 0.78)], 0.022, "wood#6a5238", 6)
        tube(mesh, [(x, -0.75, 0.65), (x, -0.75, 0.0)], 0.02, "metal#5a5d60", 5)
    if rng.random() < 0.35:
        drum = [(0.30, 0), (0.32, 0.4), (0.30, 0.8), (0.10, 0.84), (0.10, 0.86), (0, 0.86)]
        lathe(mesh, drum, "metal#5c4a3c", (0, -0.45, 0.69), 16)
        for k in range(6):
            spot = (0.16 * math.cos(k), -0.45 + 0.16 * math.sin(k), 1.58)
            ellipsoid(mesh, spot, (0.10, 0.05, 0.045), "plastic#8a3a28", 7, 4)
        lay(mesh, rng, goods, (0, 0.4, 0.69), 0.82, 0.8)
    else:
        lay(mesh, rng, goods, (0, 0, 0.69), 0.85, 1.6)


def _grill(mesh: Mesh, rng: np.random.Generator, colour: str) -> None:
    """Long charcoal trough with skewers, a side table with sauce pots, a gas bottle."""
    box(mesh, (0.1, -0.2, 0.80), (0.34, 1.3, 0.16), "metal#3a3634", 0.01)
    box(mesh, (0.1, -0.2, 0.885), (0.26, 1.22, 0.01), "emit#c03a10:0.8")
    for x in (0.0, 0.2):
        for y in (-0.8, 0.4):
            tube(mesh, [(x, y, 0), (x, y, 0.74)], 0.018, "metal#4a4d50", 5)
    for k in range(14):
        y = -0.78 + 0.085 * k
        tint = pick(rng, ("#8a4020", "#6a2f18", "#a85a28", "#c08a4a"))
        tube(mesh, [(-0.12, y, 0.92), (0.34, y, 0.92)], 0.006, "wood#c8b080", 3)
        box(mesh, (0.1, y, 0.925), (0.22, 0.04, 0.035), f"plastic{tint}", 0.01)
    box(mesh, (0.1, 0.85, 0.76), (0.6, 0.65, 0.04), "metal#b4b8bc", 0.01)
    box(mesh, (0.40, 0.85, 0.5), (0.02, 0.65, 0.5), f"cloth{colour}")
    for k in range(4):
        spot = (0.0 + 0.2 * (k % 2), 0.7 + 0.25 * (k // 2), 0.78)
        lathe(mesh, [(0.07, 0), (0.085, 0.1), (0, 0.09)], "metal#a0a4a8", spot, 10)
    lathe(
        mesh, [(0.16, 0), (0.16, 0.42), (0.06, 0.52), (0, 0.55)], "metal#4a6a8a", (-0.5, 1, 0), 12
    )
    box(mesh, (-0.45, -0.5, 0.2), (0.45, 0.4, 0.36), "plastic#e8e8e4", 0.02)


def _crates(mesh: Mesh, rng: np.random.Generator) -> None:
    """Crates of fruit straight on the ground, the back row on empty ones, a cardboard sign."""
    for c in range(4):
        for r in range(3):
            at = (-0.45 + 0.42 * r, -0.72 + 0.48 * c, 0.28 * (r == 0) + 0.14 * (r == 1))
            if r < 2:
                box(mesh, (at[0], at[1], at[2] / 2), (0.38, 0.44, at[2]), "wood#8a6c48")
            crate(mesh, rng, at, pick(rng, FRUIT), 0.38, 0.44)
    box(mesh, (0.62, 0.4, 0.22), (0.02, 0.5, 0.34), "cardboard", 0, rotation_y(-15))
    for k in range(2):
        box(
            mesh,
            (0.637, 0.4, 0.27 - 0.11 * k),
            (0.01, 0.34, 0.05),
            "plastic#b01818",
            0,
            rotation_y(-15),
        )


def _board(mesh: Mesh, rng: np.random.Generator, colour: str, goods: str) -> None:
    """Slanted panel of small wares on a folding stand, and a tray before it."""
    lean = rotation_y(-20.0)
    box(mesh, (-0.1, 0, 0.95), (0.04, 1.5, 1.1), f"cloth{colour}", 0.01, lean)
    gaudy = ("#e83a8a", "#f0d020", "#2ab0e0", "#40c050", "#f4f0e8", "#202428", "#c8ccd0")
    for r in range(6):
        for c in range(9):
            local = np.array([0.035, -0.64 + 0.16 * c, -0.44 + 0.175 * r])
            spot = lean @ local + np.array([-0.1, 0, 0.95])
            size = (0.02, float(rng.uniform(0.06, 0.12)), float(rng.uniform(0.08, 0.14)))
            at: Vec3 = (float(spot[0]), float(spot[1]), float(spot[2]))
            box(mesh, at, size, f"plastic{pick(rng, gaudy)}", 0.004, lean)
    for y in (-0.7, 0.7):
        tube(mesh, [(0.08, y, 0.0), (-0.3, y, 1.45)], 0.015, "metal#85888c", 5)
        tube(mesh, [(-0.6, y, 0.0), (-0.2, y, 1.2)], 0.015, "metal#85888c", 5)
    quad(
        mesh, [(0.2, -0.7, 0.3), (0.6, -0.7, 0.3), (0.6, 0.7, 0.3), (0.2, 0.7, 0.3)], "wood#8a6c48"
    )
    for y in (-0.65, 0.65):
        tube(mesh, [(0.4, y, 0.0), (0.4, y, 0.3)], 0.02, "metal#85888c", 5)
    for k in range(4):
        slot(
            mesh, rng, goods if goods != "fruit" else "toys", (0.4, -0.5 + 0.33 * k, 0.31), 0.3, 0.3
        )
