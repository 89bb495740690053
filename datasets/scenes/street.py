"""The static street: carriageway, kerb, pavement, shop fronts, trees and street furniture."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from .description import KERB_HEIGHT_M, Street
from .meshes import Mesh, Vec3, box, ellipsoid, lathe, quad, tube

REACH_M = 46.0
SIGN_TEXTS = (
    "便民超市",
    "小郑烩面",
    "五金建材",
    "兰州拉面",
    "水果生鲜",
    "药房",
    "理发店",
    "手机维修",
    "烟酒茶叶",
    "早餐包子",
    "童装童鞋",
    "打印复印",
    "干洗店",
    "房产中介",
    "奶茶",
    "馒头房",
    "文具玩具",
    "眼镜店",
    "粮油店",
    "羊肉汤",
)
_WALLS = ("#b8aa94", "#a89888", "#c8bfae", "#9a8f86", "#b49a84", "#a9aca8", "#c4b49a", "#8f7464")
_SIGNS = ("#a8201c", "#1f4a8f", "#e0a020", "#1f7040", "#e8e4dc", "#7a1a4a", "#202428", "#d85a1a")


@dataclass(slots=True)
class SignText:
    """Lettering on a signboard; `facing` is the heading its front looks to."""

    text: str
    at: Vec3
    size_m: float
    facing_deg: float
    colour: str


@dataclass(slots=True)
class StreetMeshes:
    """Static geometry: one mesh, the lettering, and where trees and lamp heads stand."""

    mesh: Mesh = field(default_factory=Mesh)
    signs: list[SignText] = field(default_factory=list)
    trees: list[tuple[Vec3, float]] = field(default_factory=list)
    lamps: list[Vec3] = field(default_factory=list)


def build_street(street: Street, lit: bool) -> StreetMeshes:
    """All static parts of `street`; lit windows and lamp heads where `lit`."""
    rng = np.random.default_rng(street.seed)
    built = StreetMeshes()
    _surroundings(built.mesh, street, rng)
    _carriageway(built.mesh, street, rng)
    for near in (True, False):
        _pavement(built.mesh, street, near)
        _front(built, street, rng, near, lit)
    _furniture(built, street, rng, lit)
    return built


def _slab(mesh: Mesh, x: tuple[float, float], y: tuple[float, float], z: float, mat: str) -> None:
    quad(mesh, [(x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z), (x[0], y[1], z)], mat)


def _surroundings(mesh: Mesh, street: Street, rng: np.random.Generator) -> None:
    """Ground and taller buildings beyond the modelled street, so that no view ends in nothing."""
    _slab(mesh, (-220, 220), (-220, 220), -0.02, "wall#6f6d6a")
    _slab(mesh, (-200, 200), (-street.road_m, 0), -0.01, "asphalt")
    for side, y in ((1, street.pavement_m + 13.0), (-1, -street.road_m - street.pavement_m - 13.0)):
        box(mesh, (0, y + side * 3, 5.0), (2 * REACH_M + 60, 6, 10.0), "wall#8d857b")
    for end in (-1, 1):
        for k in range(-4, 5):
            wall = f"wall{_WALLS[int(rng.integers(len(_WALLS)))]}"
            far, high = float(rng.uniform(70, 110)), float(rng.uniform(9, 38))
            spot = (end * far, -street.road_m / 2 + 14.0 * k, high / 2)
            box(mesh, spot, (16, 13.0, high), wall)
            for floor in np.arange(2.0, high - 2, 3.0):
                for j in range(4):
                    box(
                        mesh,
                        (spot[0] - end * 8.0, spot[1] - 4.8 + 3.2 * j, floor),
                        (0.1, 1.8, 1.5),
                        "glass",
                    )


def _carriageway(mesh: Mesh, street: Street, rng: np.random.Generator) -> None:
    road = street.road_m
    _slab(mesh, (-REACH_M, REACH_M), (-road, 0), 0.0, "asphalt")
    for lane in range(1, street.lanes):
        y = -lane * street.lane_m
        centre = lane == (street.lanes + 1) // 2
        for x in np.arange(-REACH_M, REACH_M, 3.0 if centre else 6.0):
            _slab(
                mesh,
                (x, x + (3.0 if centre else 2.4)),
                (y - 0.07, y + 0.07),
                0.004,
                "marking#c9a33a" if centre else "marking#d6d6d0",
            )
    for side, y in ((1, -0.28), (-1, -road + 0.28)):
        if street.yellow_line:
            _slab(mesh, (-REACH_M, REACH_M), (y - 0.08, y + 0.08), 0.004, "marking#d0a020")
        else:
            _slab(mesh, (-REACH_M, REACH_M), (y - 0.06, y + 0.06), 0.004, "marking#cfcfca")
        _slab(mesh, (-REACH_M, REACH_M), (y + side * 0.1, y + side * 0.28), 0.003, "gutter")
    if street.parking_bays:
        for x in np.arange(-18, 18.1, 6.0):
            _slab(mesh, (x - 0.05, x + 0.05), (-2.4, -0.3), 0.005, "marking#e0e0da")
        _slab(mesh, (-18, 18), (-2.45, -2.35), 0.005, "marking#e0e0da")
    for _ in range(9):
        x, y = float(rng.uniform(-22, 22)), float(rng.uniform(-road + 1, -1))
        wide, deep = float(rng.uniform(0.8, 3.5)), float(rng.uniform(0.5, 1.6))
        _slab(mesh, (x, x + wide), (y, y + deep), 0.002, "patch")
    for _ in range(5):
        x, y = float(rng.uniform(-20, 20)), float(rng.uniform(-road + 1, -1))
        lathe(mesh, [(0.36, 0.002), (0.36, 0.007), (0.0, 0.008)], "iron", (x, y, 0), 20)
    for x in np.arange(-30, 30, 12.0):
        _slab(mesh, (x, x + 0.6), (-0.5, -0.14), 0.006, "iron")
    zebra = street.zebra_x
    if zebra is None and rng.random() < 0.35:
        zebra = float(rng.uniform(-14, 14))
    if zebra is not None:
        for y in np.arange(-road + 0.5, -0.6, 0.9):
            _slab(mesh, (zebra, zebra + 3.2), (y, y + 0.45), 0.005, "marking#d8d8d2")


def _pavement(mesh: Mesh, street: Street, near: bool) -> None:
    sign = 1 if near else -1
    edge = 0.0 if near else -street.road_m
    width = street.pavement_m
    for x in np.arange(-REACH_M, REACH_M, 1.0):
        box(
            mesh,
            (x + 0.5, edge + sign * 0.07, KERB_HEIGHT_M / 2),
            (0.985, 0.14, KERB_HEIGHT_M + 0.004),
            "kerb",
            0.02,
        )
    ys = sorted((edge + sign * 0.14, edge + sign * width))
    _slab(mesh, (-REACH_M, REACH_M), (ys[0], ys[1]), KERB_HEIGHT_M, "paving")
    strip = sorted((edge + sign * (width * 0.55), edge + sign * (width * 0.55 + 0.4)))
    _slab(mesh, (-REACH_M, REACH_M), (strip[0], strip[1]), KERB_HEIGHT_M + 0.004, "tactile")


def _front(
    built: StreetMeshes, street: Street, rng: np.random.Generator, near: bool, lit: bool
) -> None:
    """A row of buildings with shops at street level, facing the carriageway."""
    x = -REACH_M
    while x < REACH_M:
        wide = float(rng.choice([10.5, 14.0, 17.5]))
        house = Mesh()
        signs: list[SignText] = []
        _house(house, signs, rng, wide, lit)
        # Built facing −y with its front at y = 0; the far row is turned about.
        if near:
            at, turn = (x, street.pavement_m, KERB_HEIGHT_M), 0.0
        else:
            at, turn = (x + wide, -street.road_m - street.pavement_m, KERB_HEIGHT_M), 180.0
        built.mesh.put(house, at, turn)
        for sign in signs:
            sx, sy, sz = sign.at
            place = (
                (at[0] + sx, at[1] + sy, at[2] + sz)
                if near
                else (at[0] - sx, at[1] - sy, at[2] + sz)
            )
            built.signs.append(SignText(sign.text, place, sign.size_m, turn, sign.colour))
        x += wide + float(rng.choice([0.0, 0.0, 2.5]))


def _house(
    mesh: Mesh, signs: list[SignText], rng: np.random.Generator, wide: float, lit: bool
) -> None:
    wall = f"wall{_WALLS[int(rng.integers(len(_WALLS)))]}"
    floors = int(rng.integers(2, 7))
    height = 3.9 + 3.0 * floors
    box(mesh, (wide / 2, 4.6, 3.9 + 1.5 * floors), (wide, 8.4, 3.0 * floors), wall)
    box(mesh, (wide / 2, 5.2, 1.95), (wide, 7.6, 3.9), wall)
    box(mesh, (wide / 2, 0.3, 3.78), (wide, 0.5, 0.24), wall, 0.03)
    box(mesh, (wide / 2, 0.35, height + 0.1), (wide + 0.2, 0.4, 0.3), wall, 0.03)
    shops = round(wide / 3.5)
    for k in range(shops):
        _shop(mesh, signs, rng, k * 3.5, 3.5, lit)
    for k in range(shops + 1):
        box(mesh, (min(max(k * 3.5, 0.15), wide - 0.15), 0.75, 1.95), (0.34, 1.1, 3.9), wall, 0.02)
    style = int(rng.integers(3))
    for floor in range(floors):
        z = 4.5 + 3.0 * floor
        for k in range(shops):
            _window(mesh, rng, k * 3.5 + 1.75, z, style, lit)
        if style == 2:
            box(mesh, (wide / 2, 0.32, z - 0.55), (wide, 0.12, 0.10), "plastic#8f8a82")


def _shop(
    mesh: Mesh, signs: list[SignText], rng: np.random.Generator, x: float, wide: float, lit: bool
) -> None:
    mid = x + wide / 2
    colour = _SIGNS[int(rng.integers(len(_SIGNS)))]
    box(mesh, (mid, 0.22, 3.25), (wide - 0.08, 0.30, 0.92), f"plastic{colour}", 0.03)
    box(mesh, (mid, 0.05, 3.25), (wide - 0.3, 0.04, 0.76), f"sign{colour}")
    text = SIGN_TEXTS[int(rng.integers(len(SIGN_TEXTS)))]
    light = colour in ("#e8e4dc", "#e0a020")
    signs.append(SignText(text, (mid, 0.02, 3.0), 0.52, 0.0, "#b01818" if light else "#f8f0d8"))
    kind = int(rng.integers(5))
    if kind == 0 and not lit:
        for k in range(14):
            box(mesh, (mid, 1.25, 0.1 + 0.2 * k), (wide - 0.5, 0.05, 0.185), "metal#9aa0a4", 0.02)
    else:
        _glass_front(mesh, rng, mid, wide, lit)
    if kind == 2 or kind == 3:
        tint = ("#a82a24", "#2a5a8a", "#2f7048", "#c8a03a")[int(rng.integers(4))]
        quad(
            mesh,
            [
                (x + 0.15, 0.1, 2.78),
                (x + wide - 0.15, 0.1, 2.78),
                (x + wide - 0.15, -1.15, 2.36),
                (x + 0.15, -1.15, 2.36),
            ],
            f"cloth{tint}",
        )
        quad(
            mesh,
            [
                (x + 0.15, -1.15, 2.36),
                (x + wide - 0.15, -1.15, 2.36),
                (x + wide - 0.15, -1.17, 2.12),
                (x + 0.15, -1.17, 2.12),
            ],
            f"cloth{tint}",
        )
    if rng.random() < 0.4:
        box(mesh, (x + 0.55, 0.12, 0.42), (0.78, 0.3, 0.62), "plastic#d8d8d2", 0.03)
        lathe(
            mesh,
            [(0.24, 0), (0.22, 0.02), (0.05, 0.02)],
            "black",
            (x + 0.55, -0.03, 0.44),
            14,
            np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]]),
        )
    if rng.random() < 0.3:
        for k in range(2):
            lathe(
                mesh,
                [(0.16, 0), (0.2, 0.36), (0.17, 0.36), (0.0, 0.32)],
                "plastic#8a4a34",
                (x + 0.5 + (wide - 1.0) * k, -0.1, 0),
                12,
            )
            for j in range(5):
                ellipsoid(
                    mesh,
                    (
                        x + 0.5 + (wide - 1.0) * k + 0.12 * math.cos(j * 1.3),
                        -0.1 + 0.12 * math.sin(j * 1.3),
                        0.55 + 0.09 * j,
                    ),
                    (0.2, 0.2, 0.16),
                    "leaf#3a5a2c",
                    8,
                    5,
                    0.2,
                    j,
                )


def _glass_front(mesh: Mesh, rng: np.random.Generator, mid: float, wide: float, lit: bool) -> None:
    left, right = mid - wide / 2 + 0.25, mid + wide / 2 - 0.25
    back = "emit#ffdfb4:0.7" if lit else "inside#6a5f52"
    quad(mesh, [(left, 1.38, 0.0), (right, 1.38, 0.0), (right, 1.38, 2.8), (left, 1.38, 2.8)], back)
    for k in range(6):
        tint = ("#8a5a3a", "#3a5a7a", "#9a8a5a", "#7a3a3a", "#4a6a4a", "#b0a890")[
            int(rng.integers(6))
        ]
        x = left + 0.25 + (right - left - 0.5) * k / 5
        box(
            mesh,
            (x, 1.36, float(rng.uniform(0.5, 1.2))),
            (0.42, 0.02, float(rng.uniform(0.5, 1.3))),
            f"plastic{tint}",
        )
    quad(
        mesh,
        [(left, 1.22, 0.45), (right, 1.22, 0.45), (right, 1.22, 2.75), (left, 1.22, 2.75)],
        "window",
    )
    box(mesh, (mid, 1.25, 0.24), (right - left, 0.1, 0.44), "wall#77716a")
    frame = ("metal#3a3d40", "metal#b8bcc0", "plastic#6a2a24")[int(rng.integers(3))]
    for x in np.linspace(left, right, 5):
        box(mesh, (float(x), 1.2, 1.4), (0.06, 0.07, 2.75), frame)
    box(mesh, (mid, 1.2, 2.15), (right - left, 0.07, 0.06), frame)
    box(mesh, (mid + 0.38, 1.15, 1.05), (0.03, 0.05, 0.5), "chrome", 0.01)
    for _ in range(2):
        if rng.random() < 0.6:
            x = float(rng.uniform(left + 0.4, right - 0.4))
            box(mesh, (x, 1.19, 1.6), (0.5, 0.02, 0.7), f"plastic{_SIGNS[int(rng.integers(8))]}")


def _window(
    mesh: Mesh, rng: np.random.Generator, x: float, z: float, style: int, lit: bool
) -> None:
    wide, high = (1.5, 1.5) if style != 1 else (2.0, 1.7)
    lit = lit and rng.random() < 0.35
    pane = "emit#ffd8a0:0.6" if lit else "window"
    quad(
        mesh,
        [
            (x - wide / 2, 0.385, z),
            (x + wide / 2, 0.385, z),
            (x + wide / 2, 0.385, z + high),
            (x - wide / 2, 0.385, z + high),
        ],
        pane,
    )
    frame = "plastic#d8d6d0" if style else "metal#5a5d60"
    for k in range(3):
        box(mesh, (x - wide / 2 + wide * k / 2, 0.37, z + high / 2), (0.06, 0.06, high), frame)
    for k in range(2):
        box(mesh, (x, 0.37, z + high * k), (wide + 0.06, 0.08, 0.07), frame)
    if rng.random() < 0.45:
        ax = x + wide / 2 + 0.55
        box(mesh, (ax, 0.12, z - 0.1), (0.8, 0.32, 0.58), "plastic#cfcdc6", 0.03)
        lathe(
            mesh,
            [(0.22, 0), (0.2, 0.02), (0.05, 0.02)],
            "black",
            (ax - 0.1, -0.04, z - 0.1),
            12,
            np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]]),
        )
        tube(
            mesh,
            [(ax, 0.2, z - 0.4), (ax, 0.3, z - 1.2), (ax, 0.36, z - 1.6)],
            0.02,
            "plastic#cfcdc6",
            4,
        )
    if style == 1 and rng.random() < 0.5:
        for k in range(9):
            bx = x - wide / 2 + wide * k / 8
            tube(mesh, [(bx, 0.05, z - 0.1), (bx, 0.05, z + high)], 0.012, "metal#a8acb0", 3)
        for k in range(4):
            box(mesh, (x, 0.05, z - 0.1 + (high + 0.1) * k / 3), (wide, 0.02, 0.03), "metal#a8acb0")


def _furniture(built: StreetMeshes, street: Street, rng: np.random.Generator, lit: bool) -> None:
    mesh = built.mesh
    offset = float(rng.uniform(0, 6))
    for k, x in enumerate(np.arange(-REACH_M + offset, REACH_M, 6.5)):
        if street.trees:
            for y in (0.75, -street.road_m - 0.75):
                built.trees.append(((float(x), y, KERB_HEIGHT_M), float(rng.uniform(0.85, 1.2))))
                _slab(
                    mesh, (x - 0.55, x + 0.55), (y - 0.55, y + 0.55), KERB_HEIGHT_M + 0.006, "soil"
                )
        if k % 3 == 1:
            _lamp(built, (float(x) + 3.2, 0.45), -1, lit)
    if street.fence:
        y = -street.lane_m * ((street.lanes + 1) // 2)
        for x in np.arange(-REACH_M, REACH_M, 2.4):
            box(mesh, (x, y, 0.45), (0.08, 0.08, 0.9), "plastic#e4e6e4", 0.01)
            for z in (0.25, 0.8):
                box(mesh, (x + 1.2, y, z), (2.3, 0.04, 0.05), "plastic#e4e6e4")
            for j in range(9):
                box(mesh, (x + 0.24 * (j + 1), y, 0.52), (0.025, 0.025, 0.55), "plastic#e4e6e4")
    chance = rng.random() < 0.4
    if chance if street.bollards is None else street.bollards:
        for x in np.arange(-20, 20, 1.8):
            lathe(
                mesh,
                [(0.06, 0), (0.06, 0.62), (0.03, 0.68), (0, 0.69)],
                "plastic#c8b040",
                (float(x), 0.3, KERB_HEIGHT_M),
                10,
            )
    x = float(rng.uniform(-12, 12))
    box(mesh, (x, street.pavement_m - 0.9, 0.85), (1.0, 0.45, 1.35), "metal#6f7f78", 0.03)
    x += float(rng.uniform(4, 9))
    tube(mesh, [(x, 0.35, 0.1), (x, 0.35, 2.5)], 0.035, "metal#a0a4a8", 8)
    lathe(
        mesh,
        [(0.3, -0.01), (0.3, 0.01), (0, 0.012)],
        "plastic#1f4f9f",
        (x, 0.32, 2.3),
        20,
        np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]]),
    )
    lathe(
        mesh,
        [(0.3, 0.012), (0.24, 0.016), (0.24, 0.012)],
        "plastic#c02020",
        (x, 0.32, 2.3),
        20,
        np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]]),
    )


def _lamp(built: StreetMeshes, at: tuple[float, float], towards: int, lit: bool) -> None:
    x, y = at
    tube(
        built.mesh,
        [
            (x, y, KERB_HEIGHT_M),
            (x, y, 1.2),
            (x, y, 7.0),
            (x, y + towards * 0.5, 7.7),
            (x, y + towards * 1.9, 7.95),
        ],
        [0.10, 0.08, 0.06, 0.05, 0.04],
        "metal#8a9094",
        8,
    )
    head = (x, y + towards * 2.1, 7.93)
    box(built.mesh, head, (0.26, 0.7, 0.10), "metal#8a9094", 0.03)
    box(
        built.mesh,
        (head[0], head[1], 7.87),
        (0.2, 0.6, 0.02),
        "emit#ffd8a0:12" if lit else "plastic#e8e8e0",
    )
    built.lamps.append((head[0], head[1], 7.8))


def tree(seed: int, height_m: float = 7.0) -> Mesh:
    """Plane-like street tree: bent trunk, limbs, and a crown of leaf cards in clumps."""
    rng = np.random.default_rng(seed)
    mesh = Mesh()
    fork = height_m * 0.42
    tube(
        mesh,
        [(0, 0, 0), (0.03, 0.02, fork * 0.5), (-0.02, 0.04, fork)],
        [0.17, 0.14, 0.12],
        "bark",
        9,
    )
    tube(mesh, [(0, 0, 0), (0.02, 0.01, 1.1)], [0.178, 0.163], "whitewash", 9)
    leaves: list[np.ndarray] = []
    for k in range(9):
        angle, spread = (
            2 * math.pi * k / 9 + float(rng.uniform(-0.3, 0.3)),
            float(rng.uniform(0.8, 2.1)),
        )
        tip = np.array(
            [
                spread * math.cos(angle),
                spread * math.sin(angle),
                fork + float(rng.uniform(0.9, height_m * 0.5)),
            ]
        )
        tube(
            mesh,
            [
                (-0.02, 0.04, fork - 0.1),
                tuple(tip * np.array([0.45, 0.45, 1]) - np.array([0, 0, 0.4])),
                tuple(tip),
            ],
            [0.08, 0.05, 0.02],
            "bark",
            5,
        )
        for _ in range(150):
            leaves.append(tip + rng.normal(0, 1, 3) * np.array([0.62, 0.62, 0.48]))
    _leaf_cards(mesh, rng, np.array(leaves))
    return mesh


def _leaf_cards(mesh: Mesh, rng: np.random.Generator, at: np.ndarray) -> None:
    count = len(at)
    first = rng.normal(0, 1, (count, 3))
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(first, rng.normal(0, 1, (count, 3)))
    second /= np.linalg.norm(second, axis=1, keepdims=True)
    size = rng.uniform(0.09, 0.17, (count, 1))
    verts = np.stack(
        [at - first * size, at - second * size * 0.6, at + first * size, at + second * size * 0.6],
        axis=1,
    )
    tints = ("leaf#3f5f26", "leaf#4f7030", "leaf#35521f", "leaf#5d7a38")
    mats = [tints[int(i)] for i in rng.integers(0, 4, count)]
    mesh.add_many(
        verts.reshape(-1, 3), [(4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3) for i in range(count)], mats
    )
