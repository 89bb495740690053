"""What stalls and shops sell, one slot of about 0.4 m at a time."""

from __future__ import annotations

import math

import numpy as np

from .meshes import Mesh, Vec3, box, ellipsoid, lathe, rotation_z, tube

GOODS = ("fruit", "greens", "clothes", "books", "toys", "drinks", "shoes", "snacks")
FRUIT = ("#d6302a", "#e88a1a", "#d8c832", "#5fa02c", "#7a1f3a", "#e8b04a", "#9ac040", "#c24a6a")
CLOTHES = ("#c23a5a", "#3a6ac2", "#e0dccf", "#2a2c34", "#d8a03a", "#5a8a6a", "#8a5aa2", "#b0b4ba")
_GREENS = ("#3f7a2a", "#5a9a34", "#7aae4a", "#d8d4b8", "#c84a28", "#6a2a5a", "#e0902c")
_GAUDY = ("#e83a8a", "#f0d020", "#2ab0e0", "#40c050", "#f07020", "#b050e0", "#f4f0e8")


def pick(rng: np.random.Generator, tints: tuple[str, ...]) -> str:
    """One colour of `tints`."""
    return tints[int(rng.integers(len(tints)))]


def slot(
    mesh: Mesh, rng: np.random.Generator, kind: str, at: Vec3, deep: float, wide: float
) -> None:
    """Goods of `kind` (of `GOODS`) on a spot of `deep` × `wide` metres."""
    if kind == "clothes":
        folded(mesh, rng, at)
    elif kind == "books":
        tint = [f"plastic{pick(rng, CLOTHES)}" for _ in range(4)]
        for k in range(4):
            box(mesh, (at[0], at[1], at[2] + 0.02 + 0.035 * k), (0.24, 0.17, 0.03), tint[k], 0.003)
    elif kind == "greens":
        _bundles(mesh, rng, at, deep, wide)
    elif kind == "toys":
        _toys(mesh, rng, at, deep, wide)
    elif kind == "drinks":
        _bottles(mesh, rng, at, deep, wide)
    elif kind == "shoes":
        _shoes(mesh, rng, at)
    elif kind == "snacks":
        _trays(mesh, rng, at, deep, wide)
    else:
        crate(mesh, rng, at, pick(rng, FRUIT), deep, wide)


def lay(
    mesh: Mesh, rng: np.random.Generator, kind: str, at: Vec3, deep: float, wide: float
) -> None:
    """Two rows of slots on a counter of `deep` × `wide` metres, the back row raised."""
    columns = max(2, round(wide / 0.45))
    for c in range(columns):
        for r in range(2):
            spot = (
                at[0] + deep * (-0.25 + 0.5 * r),
                at[1] + wide * ((c + 0.5) / columns - 0.5),
                at[2] + 0.10 * (1 - r),
            )
            slot(mesh, rng, kind, spot, deep * 0.46, wide / columns * 0.92)


def shelf_row(mesh: Mesh, rng: np.random.Generator, kind: str, at: Vec3) -> None:
    """A row of four slots along y, for the racks shops keep inside their own frontage."""
    for k in range(4):
        slot(mesh, rng, kind, (at[0], at[1] - 0.63 + 0.42 * k, at[2]), 0.28, 0.38)


def crate(
    mesh: Mesh, rng: np.random.Generator, at: Vec3, tint: str, deep: float, wide: float
) -> None:
    """Open crate heaped with round fruit of colour `tint`."""
    x, y, z = at
    mat = ("plastic#2f5fa0", "plastic#b8452c", "plastic#d8d4c8", "wood#a8845a")[
        int(rng.integers(4))
    ]
    for dx, dy, sx, sy in (
        (deep / 2, 0, 0.02, wide),
        (-deep / 2, 0, 0.02, wide),
        (0, wide / 2, deep, 0.02),
        (0, -wide / 2, deep, 0.02),
    ):
        box(mesh, (x + dx, y + dy, z + 0.07), (sx, sy, 0.14), mat)
    box(mesh, (x, y, z + 0.06), (deep, wide, 0.04), f"plastic{tint}")
    size = float(rng.uniform(0.042, 0.065))
    for i in np.arange(-deep / 2 + size, deep / 2 - size * 0.5, size * 2):
        for j in np.arange(-wide / 2 + size, wide / 2 - size * 0.5, size * 2):
            spot = (
                x + float(i) + float(rng.normal(0, 0.006)),
                y + float(j),
                z + 0.125 + 0.04 * math.cos(3 * float(i)) * math.cos(3 * float(j)),
            )
            ellipsoid(mesh, spot, (size, size, size * 0.95), f"plastic{tint}", 6, 4)


def folded(mesh: Mesh, rng: np.random.Generator, at: Vec3) -> None:
    """A pile of folded clothes."""
    for k in range(int(rng.integers(3, 6))):
        box(
            mesh,
            (at[0], at[1], at[2] + 0.03 + 0.05 * k),
            (0.30, 0.34, 0.045),
            f"cloth{pick(rng, CLOTHES)}",
            0.018,
        )


def pile(mesh: Mesh, rng: np.random.Generator, at: Vec3) -> None:
    """Loose vegetables on a cloth."""
    tint = ("#4f8a2c", "#d8d4b8", "#c84a28", "#7aa83a", "#e0a030", "#6a2a5a")[int(rng.integers(6))]
    for _ in range(9):
        spot = (
            at[0] + float(rng.normal(0, 0.06)),
            at[1] + float(rng.normal(0, 0.06)),
            at[2] + abs(float(rng.normal(0.04, 0.04))),
        )
        ellipsoid(mesh, spot, (0.085, 0.04, 0.04), f"plastic{tint}", 6, 4)


def _bundles(mesh: Mesh, rng: np.random.Generator, at: Vec3, deep: float, wide: float) -> None:
    tint = pick(rng, _GREENS)
    for k in range(6):
        spot = (
            at[0] + deep * (-0.3 + 0.3 * (k % 3)),
            at[1] + wide * (-0.22 + 0.44 * (k // 3)),
            at[2] + 0.06 + float(rng.uniform(0, 0.03)),
        )
        length = float(rng.uniform(0.11, 0.17))
        ellipsoid(
            mesh, spot, (length, 0.055, 0.055), f"leaf{tint}", 7, 4, 0.12, k, rotation_z(12.0 * k)
        )


def _toys(mesh: Mesh, rng: np.random.Generator, at: Vec3, deep: float, wide: float) -> None:
    for k in range(5):
        spot = (
            at[0] + float(rng.uniform(-0.35, 0.35)) * deep,
            at[1] + float(rng.uniform(-0.4, 0.4)) * wide,
            at[2] + 0.07,
        )
        tint = f"plastic{pick(rng, _GAUDY)}"
        if k % 2:
            ellipsoid(mesh, spot, (0.06, 0.06, 0.08), tint, 7, 5)
        else:
            box(mesh, spot, (0.10, 0.12, 0.13), tint, 0.01)


def _bottles(mesh: Mesh, rng: np.random.Generator, at: Vec3, deep: float, wide: float) -> None:
    tint = f"plastic{pick(rng, ('#c02a20', '#e8a020', '#3a8a3a', '#d8e4ec', '#5a3018'))}"
    for k in range(6):
        spot = (
            at[0] + deep * (-0.2 + 0.4 * (k % 2)),
            at[1] + wide * (-0.3 + 0.3 * (k // 2)),
            at[2],
        )
        lathe(mesh, [(0.036, 0), (0.036, 0.15), (0.014, 0.20), (0, 0.22)], tint, spot, 7)


def _shoes(mesh: Mesh, rng: np.random.Generator, at: Vec3) -> None:
    tint = f"plastic{pick(rng, CLOTHES)}"
    for side in (-0.055, 0.055):
        ellipsoid(mesh, (at[0], at[1] + side, at[2] + 0.045), (0.13, 0.045, 0.05), tint, 8, 5)
    box(mesh, (at[0], at[1] + 0.17, at[2] + 0.05), (0.28, 0.10, 0.10), "cardboard", 0.004)


def _trays(mesh: Mesh, rng: np.random.Generator, at: Vec3, deep: float, wide: float) -> None:
    box(mesh, (at[0], at[1], at[2] + 0.03), (deep * 0.9, wide * 0.9, 0.06), "metal#b4b8bc", 0.008)
    tint = f"plastic{pick(rng, ('#8a4a20', '#c8882a', '#e8d8a8', '#a83018', '#5a7a2a'))}"
    for k in range(8):
        spot = (
            at[0] + deep * (-0.3 + 0.2 * (k % 4)),
            at[1] + wide * (-0.2 + 0.4 * (k // 4)),
            at[2] + 0.075,
        )
        ellipsoid(mesh, spot, (0.05, 0.05, 0.035), tint, 6, 4)
    if rng.random() < 0.4:
        top = at[2] + 0.30
        tube(mesh, [(at[0], at[1], at[2] + 0.06), (at[0], at[1], top)], 0.006, "wood#b89a6a", 4)
