"""Rubbish containers beside the wheelie bin: 660-litre four-wheelers and twin litter bins."""

from __future__ import annotations

import numpy as np

from .bins import add_litter, bag
from .meshes import Mesh, box, lathe, loft, rotation_x, rotation_y, rounded_ring, tube

BIN_FORMS = ("240", "660", "litter")


def container(colour: str, state: str, seed: int = 0) -> Mesh:
    """660-litre container on four castors, 1.26 × 0.78 × 1.2 m; states as for the wheelie bin."""
    mesh, mat = Mesh(), f"plastic{colour}"
    rings = []
    for z, hx, hy in (
        (0.16, 0.28, 0.52),
        (0.22, 0.30, 0.55),
        (0.98, 0.36, 0.62),
        (0.98, 0.39, 0.65),
        (1.05, 0.39, 0.65),
        (1.05, 0.35, 0.61),
        (0.94, 0.34, 0.60),
    ):
        ring = rounded_ring(hx, hy, 0.08)
        rings.append(np.column_stack([ring, np.full(len(ring), z)]))
    loft(mesh, np.array(rings), mat, caps=False)
    box(mesh, (0, 0, 0.18), (0.5, 1.0, 0.03), "black")
    for x in (-0.24, 0.24):
        for y in (-0.46, 0.46):
            wheel = [(0.09, -0.025), (0.09, 0.025), (0, 0.025)]
            lathe(mesh, wheel, "tyre", (x, y, 0.09), 12, rotation_x(90.0))
    for y in (-0.35, 0.0, 0.35):
        box(mesh, (0.335, y, 0.6), (0.03, 0.05, 0.66), mat, 0.01, rotation_y(4.5))
    box(mesh, (0.345, 0.17, 0.72), (0.012, 0.22, 0.22), "plastic#e9ece8", 0.003, rotation_y(4.5))
    lid = Mesh()
    box(lid, (0.39, 0, 0.035), (0.82, 1.34, 0.07), mat, 0.03)
    angle = {"closed": 0.0, "tight": 6.0, "full": 30.0, "overflowing": 58.0}.get(state, 215.0)
    if state == "overflowing" and seed % 3 == 0:
        angle = 215.0
    mesh.add_many(
        lid.points() @ rotation_y(-angle).T + np.array([-0.39, 0.0, 1.06]), lid.faces, lid.mats
    )
    if state == "closed":
        return mesh
    rng = np.random.default_rng(seed)
    level = {"open": 0.5, "filling": 0.62, "tight": 0.85, "full": 1.02}.get(state, 1.06)
    box(mesh, (0, 0, level - 0.06), (0.62, 1.14, 0.02), "plastic#2a2a26")
    for k in range({"open": 0, "tight": 0, "filling": 4, "full": 6}.get(state, 12)):
        at = (
            float(rng.uniform(-0.2, 0.24)),
            float(rng.uniform(-0.45, 0.45)),
            level + 0.05 + 0.035 * k * (state == "overflowing"),
        )
        bag(mesh, at, float(rng.uniform(0.17, 0.26)), int(rng.integers(1 << 30)))
    if state == "overflowing":
        for k in range(7):
            at = (float(rng.uniform(-0.3, 0.34)), float(rng.uniform(-0.5, 0.5)), 1.3)
            add_litter(mesh, rng, at, k)
    return mesh


def litter_bin(colour: str, state: str, seed: int = 0) -> Mesh:
    """Pedestrians' twin litter bin (果皮箱): two lockers under one roof, mouths to +x."""
    mesh = Mesh()
    rng = np.random.default_rng(seed)
    tints = (colour, "#565b60" if colour != "#565b60" else "#1f4f8f")
    for side, tint in zip((-1, 1), tints, strict=True):
        y = 0.27 * side
        box(mesh, (0, y, 0.47), (0.36, 0.46, 0.74), f"plastic{tint}", 0.02)
        box(mesh, (0, y, 0.10), (0.30, 0.40, 0.04), "black")
        box(mesh, (0.175, y, 0.70), (0.03, 0.30, 0.16), "black", 0.01)
        box(mesh, (0.183, y, 0.42), (0.01, 0.2, 0.2), "plastic#e9ece8", 0.003)
        if state == "overflowing":
            for k in range(3):
                at = (0.22, y + float(rng.uniform(-0.1, 0.1)), 0.68 + 0.05 * k)
                add_litter(mesh, rng, at, int(rng.integers(8)))
            bag(mesh, (0.30, y, 0.16), float(rng.uniform(0.16, 0.22)), int(rng.integers(1 << 30)))
    for y in (-0.52, 0.0, 0.52):
        tube(mesh, [(-0.05, y, 0), (-0.05, y, 1.05)], 0.025, "metal#85888c", 6)
    box(mesh, (0, 0, 1.06), (0.44, 1.16, 0.05), "metal#9a9ea2", 0.015, rotation_y(6))
    box(mesh, (0, 0, 0.05), (0.36, 1.1, 0.06), "metal#5a5d60", 0.01)
    return mesh
