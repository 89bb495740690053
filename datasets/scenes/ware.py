"""Street things without a label that resemble something with one: racks before shops, umbrellas,
tables, cartons, cabinets, post boxes, benches, planters, suitcases."""

from __future__ import annotations

import numpy as np

from .bins import bag
from .goods import shelf_row
from .hawkers import clothes_rail, flower_buckets
from .meshes import Mesh, box, ellipsoid, lathe, tube
from .shades import PATTERNS, umbrella

WARE = (
    "goods_rack",
    "shop_rail",
    "shop_buckets",
    "drink_crates",
    "umbrella",
    "closed_umbrella",
    "cafe_table",
    "carton",
    "cartons",
    "bag",
    "suitcase",
    "postbox",
    "cabinet",
    "bench",
    "planter",
)


def ware(model: str, colour: str, seed: int, goods: str = "fruit") -> Mesh:
    """One of `WARE`. Raises KeyError for another model."""
    mesh = Mesh()
    rng = np.random.default_rng(seed)
    if model == "goods_rack":  # a shop's own goods inside its frontage: lawful, not a stall
        for row in range(3):
            box(mesh, (0.25 - 0.25 * row, 0, 0.25 + 0.27 * row), (0.30, 1.7, 0.05), "wood#8a6a48")
            shelf_row(mesh, rng, goods, (0.25 - 0.25 * row, 0.0, 0.28 + 0.27 * row))
        box(mesh, (-0.1, 0, 0.2), (0.7, 1.7, 0.4), "plastic#6a6460")
    elif model == "shop_rail":
        clothes_rail(mesh, rng, 1.4)
    elif model == "shop_buckets":
        flower_buckets(mesh, rng, 2, 3)
    elif model == "drink_crates":
        _drink_crates(mesh, rng)
    elif model == "umbrella":
        umbrella(mesh, (0.0, 0.0, 0.0), colour, 1.25, 2.25, PATTERNS[seed % len(PATTERNS)])
    elif model == "closed_umbrella":
        tube(mesh, [(0, 0, 0.1), (0, 0, 0.5), (0, 0, 1.9)], [0.03, 0.10, 0.04], f"cloth{colour}")
    elif model == "cafe_table":
        _cafe_table(mesh)
    elif model == "carton":
        box(mesh, (0, 0, 0.16), (0.42, 0.36, 0.32), "cardboard", 0.01)
    elif model == "cartons":
        _parcels(mesh, rng)
    elif model == "bag":
        bag(mesh, (0.0, 0.0, 0.2), 0.27, seed)
    else:
        _furniture(mesh, model, colour, seed)
    return mesh


def _furniture(mesh: Mesh, model: str, colour: str, seed: int) -> None:
    if model == "suitcase":
        box(mesh, (0, 0, 0.36), (0.26, 0.44, 0.62), f"plastic{colour}", 0.05)
        for y in (-0.14, 0.14):
            tube(mesh, [(-0.1, y, 0.66), (-0.1, y, 1.0)], 0.01, "metal#85888c", 4)
            box(mesh, (0, y, 0.03), (0.2, 0.04, 0.06), "tyre", 0.01)
        tube(mesh, [(-0.1, -0.14, 1.0), (-0.1, 0.14, 1.0)], 0.015, "black", 5)
    elif model == "postbox":
        box(mesh, (0, 0, 0.72), (0.42, 0.5, 1.0), "plastic#1f6b3f", 0.06)
        box(mesh, (0.22, 0, 1.0), (0.02, 0.34, 0.05), "black")
        box(mesh, (0.22, 0, 0.7), (0.012, 0.3, 0.2), "plastic#e8d048", 0.004)
        box(mesh, (0, 0, 0.11), (0.34, 0.42, 0.22), "metal#3a3d40", 0.02)
    elif model == "cabinet":
        box(mesh, (0, 0, 0.72), (0.42, 0.9, 1.24), "metal#8a948e", 0.03)
        box(mesh, (0.215, 0, 0.74), (0.012, 0.012, 1.1), "black")
        box(mesh, (0, 0, 0.06), (0.46, 0.94, 0.12), "kerb")
    elif model == "bench":
        for k in range(4):
            box(mesh, (-0.18 + 0.12 * k, 0, 0.44), (0.09, 1.6, 0.04), "wood#8a6238", 0.008)
        for k in range(3):
            box(mesh, (-0.26, 0, 0.58 + 0.12 * k), (0.03, 1.6, 0.09), "wood#8a6238", 0.008)
        for y in (-0.65, 0.65):
            box(mesh, (0, y, 0.22), (0.44, 0.06, 0.44), "iron", 0.01)
    elif model == "planter":
        box(mesh, (0, 0, 0.25), (0.6, 1.4, 0.5), "wood#8a7a68", 0.02)
        for k in range(5):
            at = (0.0, -0.5 + 0.25 * k, 0.62)
            ellipsoid(mesh, at, (0.26, 0.22, 0.2), "leaf#3a5a2c", 9, 6, 0.2, seed + k)
    else:
        raise KeyError(f"no such model: {model}")


def _cafe_table(mesh: Mesh) -> None:
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


def _drink_crates(mesh: Mesh, rng: np.random.Generator) -> None:
    for c in range(2):
        for k in range(int(rng.integers(2, 6))):
            tint = ("#b8302a", "#2f7a4a", "#2a5aa0", "#d8b02a")[int(rng.integers(4))]
            box(
                mesh,
                (0, -0.28 + 0.56 * c, 0.14 + 0.28 * k),
                (0.36, 0.5, 0.26),
                f"plastic{tint}",
                0.01,
            )


def _parcels(mesh: Mesh, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(5, 11))):
        size = tuple(float(rng.uniform(0.2, 0.5)) for _ in range(3))
        at = (float(rng.normal(0, 0.35)), float(rng.normal(0, 0.55)), size[2] / 2)
        tint = "cardboard" if rng.random() < 0.8 else "plastic#e8e6e0"
        box(mesh, at, (size[0], size[1], size[2]), tint, 0.01)
