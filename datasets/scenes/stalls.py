"""Street stalls: the goods carrier with its umbrella or canopy, without the people around it.

The vendor stands at −x, the customers at +x; y runs along the counter.
"""

from __future__ import annotations

import math

import numpy as np

from .cycles import tricycle
from .meshes import Mesh, Vec3, box, ellipsoid, lathe, quad, rotation_y, tube

STALL_KINDS = ("umbrella", "tricycle", "cloth", "trolley", "tent")
_FRUIT = ("#d6302a", "#e88a1a", "#d8c832", "#5fa02c", "#7a1f3a", "#e8b04a", "#9ac040", "#c24a6a")
_CLOTHES = ("#c23a5a", "#3a6ac2", "#e0dccf", "#2a2c34", "#d8a03a", "#5a8a6a", "#8a5aa2", "#b0b4ba")


def stall(kind: str, colour: str, seed: int = 0, goods: str = "fruit", shade: bool = True) -> Mesh:
    """One stall of `STALL_KINDS`; `shade` off leaves umbrella or canopy folded away."""
    rng = np.random.default_rng(seed)
    mesh = Mesh()
    if kind == "umbrella":
        _table(mesh, rng, goods, colour)
        if shade:
            umbrella(mesh, (-0.35, 0.1, 0.0), colour, 1.25, 2.25)
    elif kind == "tricycle":
        _cart(mesh, rng, goods, colour, shade)
    elif kind == "cloth":
        _ground_cloth(mesh, rng, goods, colour)
        if shade and seed % 2:
            umbrella(mesh, (-0.8, 0.2, 0.0), colour, 1.1, 2.1)
    elif kind == "trolley":
        _trolley(mesh, rng, colour, shade)
    else:
        _table(mesh, rng, goods, colour)
        _tent(mesh, colour)
    return mesh


def umbrella(mesh: Mesh, at: Vec3, colour: str, radius: float, height: float) -> None:
    """Big market umbrella: eight sagging panels, some white, valance, pole and foot."""
    x, y, z = at
    tube(mesh, [(x, y, z), (x, y, z + height + 0.05)], 0.022, "metal#c8ccd0", 6)
    lathe(mesh, [(0.22, 0.0), (0.22, 0.08), (0.05, 0.12)], "plastic#3a3d40", (x, y, z), 12)
    segments, drop = 8, 0.42
    for k in range(segments):
        a, b = 2 * math.pi * k / segments, 2 * math.pi * (k + 1) / segments
        tint = colour if k % 2 == 0 or colour == "#1f5fa8" else "#e8e4da"
        rows = []
        for share in np.linspace(0.02, 1.0, 5):
            sag = height - drop * share - 0.05 * math.sin(math.pi * share)
            mid = (a + b) / 2
            rows.append(
                [
                    (x + radius * share * math.cos(a), y + radius * share * math.sin(a), z + sag),
                    (
                        x + radius * share * 0.95 * math.cos(mid),
                        y + radius * share * 0.95 * math.sin(mid),
                        z + sag - 0.03 * share,
                    ),
                    (x + radius * share * math.cos(b), y + radius * share * math.sin(b), z + sag),
                ]
            )
        edge = [(p[0], p[1], p[2] - 0.13) for p in rows[-1]]
        grid = np.array([*rows, edge])
        faces = [
            (r * 3 + c, r * 3 + c + 1, r * 3 + c + 4, r * 3 + c + 3)
            for r in range(5)
            for c in range(2)
        ]
        mesh.add(grid.reshape(-1, 3), faces, f"cloth{tint}")


def _table(mesh: Mesh, rng: np.random.Generator, goods: str, colour: str) -> None:
    cloth = ("#b8403a", "#3a6a52", "#d8d2c2", "#4a6a9a")[int(rng.integers(4))]
    box(mesh, (0.1, 0, 0.72), (0.85, 1.9, 0.04), "plastic#8a7a62", 0.01)
    box(mesh, (0.53, 0, 0.50), (0.012, 1.92, 0.44), f"cloth{cloth}")
    for y in (-0.955, 0.955):
        box(mesh, (0.1, y, 0.54), (0.86, 0.012, 0.36), f"cloth{cloth}")
    for x in (-0.28, 0.48):
        for y in (-0.9, 0.9):
            tube(mesh, [(x, y, 0), (x, y, 0.72)], 0.018, "metal#85888c", 5)
    _goods(mesh, rng, goods, (0.1, 0.0, 0.74), 0.78, 1.8)
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


def _goods(
    mesh: Mesh, rng: np.random.Generator, goods: str, at: Vec3, deep: float, wide: float
) -> None:
    x0, y0, z0 = at
    columns = max(2, round(wide / 0.45))
    for c in range(columns):
        for r in range(2):
            x = x0 + deep * (-0.25 + 0.5 * r)
            y = y0 + wide * ((c + 0.5) / columns - 0.5)
            lift = 0.10 * (1 - r)
            tint = _FRUIT[int(rng.integers(len(_FRUIT)))]
            if goods == "clothes":
                _folded(mesh, rng, (x, y, z0 + lift))
            elif goods == "books":
                for k in range(4):
                    box(
                        mesh,
                        (x, y, z0 + 0.02 + 0.035 * k),
                        (0.24, 0.17, 0.03),
                        f"plastic{_CLOTHES[int(rng.integers(8))]}",
                        0.003,
                    )
            else:
                _crate(mesh, rng, (x, y, z0 + lift), tint, deep * 0.46, wide / columns * 0.92)


def _crate(
    mesh: Mesh, rng: np.random.Generator, at: Vec3, tint: str, deep: float, wide: float
) -> None:
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


def _folded(mesh: Mesh, rng: np.random.Generator, at: Vec3) -> None:
    for k in range(int(rng.integers(3, 6))):
        box(
            mesh,
            (at[0], at[1], at[2] + 0.03 + 0.05 * k),
            (0.30, 0.34, 0.045),
            f"cloth{_CLOTHES[int(rng.integers(8))]}",
            0.018,
        )


def _cart(mesh: Mesh, rng: np.random.Generator, goods: str, colour: str, shade: bool) -> None:
    paint = ("#1f4f8f", "#8f2320", "#2f6f4a")[int(rng.integers(3))]
    ride = Mesh()
    ride.put(tricycle(paint, "none", colour if shade else None), (0.78, 0, 0))
    box(ride, (0.0, 0, 0.96), (1.66, 1.16, 0.03), "wood#9a7a52")
    side = Mesh()
    _goods(side, rng, goods, (0.0, 0.0, 0.97), 1.06, 1.58)
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
            if goods == "clothes":
                _folded(mesh, rng, at)
            elif goods == "books":
                box(mesh, at, (0.22, 0.16, 0.05), f"plastic{_CLOTHES[int(rng.integers(8))]}", 0.004)
            else:
                _pile(mesh, rng, at)
    for k in range(2):
        ellipsoid(
            mesh, (-0.95, -0.5 + 0.9 * k, 0.22), (0.26, 0.30, 0.24), "cloth#8a9098", 10, 7, 0.06, k
        )


def _pile(mesh: Mesh, rng: np.random.Generator, at: Vec3) -> None:
    tint = ("#4f8a2c", "#d8d4b8", "#c84a28", "#7aa83a", "#e0a030", "#6a2a5a")[int(rng.integers(6))]
    for _ in range(9):
        spot = (
            at[0] + float(rng.normal(0, 0.06)),
            at[1] + float(rng.normal(0, 0.06)),
            at[2] + abs(float(rng.normal(0.04, 0.04))),
        )
        ellipsoid(mesh, spot, (0.085, 0.04, 0.04), f"plastic{tint}", 6, 4)


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
        _tent_roof(mesh, colour, 0.62, 0.95, 2.02, 0.28)
        box(mesh, (0.60, 0, 1.93), (0.02, 1.5, 0.24), f"plastic{colour}")
        for k in range(4):
            box(mesh, (0.615, -0.5 + 0.33 * k, 1.93), (0.02, 0.18, 0.15), "plastic#f8e060", 0.004)


def _tent(mesh: Mesh, colour: str) -> None:
    for x in (-0.95, 0.95):
        for y in (-1.2, 1.2):
            tube(mesh, [(x, y, 0), (x, y, 2.1)], 0.022, "metal#d4d8dc", 5)
    _tent_roof(mesh, colour, 1.05, 1.3, 2.1, 0.6)


def _tent_roof(mesh: Mesh, colour: str, hx: float, hy: float, z: float, rise: float) -> None:
    corners: list[Vec3] = [(hx, hy, z), (-hx, hy, z), (-hx, -hy, z), (hx, -hy, z)]
    top: Vec3 = (0.0, 0.0, z + rise)
    for k in range(4):
        a, b = corners[k], corners[(k + 1) % 4]
        quad(mesh, [a, b, top], f"cloth{colour}")
        quad(mesh, [(a[0], a[1], z - 0.2), (b[0], b[1], z - 0.2), b, a], f"cloth{colour}")


def goods_row(mesh: Mesh, rng: np.random.Generator, at: Vec3) -> None:
    """A row of small crates along y, for the racks shops keep inside their own frontage."""
    for k in range(4):
        tint = _FRUIT[int(rng.integers(len(_FRUIT)))]
        _crate(mesh, rng, (at[0], at[1] - 0.63 + 0.42 * k, at[2]), tint, 0.28, 0.38)


def cafe_table(mesh: Mesh) -> None:
    """Round table with two stools: pavement furniture without goods."""
    lathe(mesh, [(0.42, 0.72), (0.42, 0.75), (0, 0.75)], "plastic#e6e4de", (0, 0, 0), 18)
    tube(mesh, [(0, 0, 0), (0, 0, 0.72)], 0.03, "metal#888c90", 6)
    for y in (-0.75, 0.75):
        lathe(
            mesh,
            [(0.19, 0.0), (0.15, 0.44), (0.17, 0.46), (0, 0.46)],
            "plastic#b8302a",
            (0, y, 0),
            12,
        )
