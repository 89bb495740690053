"""What keeps sun and rain off goods: market umbrellas, tent roofs and their patterns."""

from __future__ import annotations

import math

import numpy as np

from .meshes import Mesh, Vec3, lathe, quad, tube

PATTERNS = ("striped", "plain", "square", "faded")
_NEVER_STRIPED = "#1f5fa8"
_FADED = "#d9d2c2"


def umbrella(
    mesh: Mesh, at: Vec3, colour: str, radius: float, height: float, pattern: str = "striped"
) -> None:
    """Big market umbrella: sagging panels, valance, pole and foot.

    `pattern` of `PATTERNS`: every second panel pale, one colour, four-cornered, or bleached.
    """
    x, y, z = at
    tube(mesh, [(x, y, z), (x, y, z + height + 0.05)], 0.022, "metal#c8ccd0", 6)
    lathe(mesh, [(0.22, 0.0), (0.22, 0.08), (0.05, 0.12)], "plastic#3a3d40", (x, y, z), 12)
    segments, drop = (4, 0.5) if pattern == "square" else (8, 0.42)
    reach = radius * 1.18 if pattern == "square" else radius
    for k in range(segments):
        a, b = 2 * math.pi * (k + 0.5) / segments, 2 * math.pi * (k + 1.5) / segments
        if pattern != "square":
            a, b = a - math.pi / segments, b - math.pi / segments
        _panel(mesh, (x, y, z + height), (a, b), reach, drop, _tint(pattern, colour, k))


def _tint(pattern: str, colour: str, panel: int) -> str:
    if pattern == "striped":
        return colour if panel % 2 == 0 or colour == _NEVER_STRIPED else "#e8e4da"
    if pattern == "faded":
        return _mixed(colour, _FADED, 0.5)
    return colour


def _mixed(first: str, second: str, share: float) -> str:
    pairs = ((int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _panel(
    mesh: Mesh, top: Vec3, angles: tuple[float, float], radius: float, drop: float, tint: str
) -> None:
    x, y, z = top
    a, b = angles
    mid = (a + b) / 2
    inward = 0.95 if b - a < 1.0 else 0.72
    rows = []
    for share in np.linspace(0.02, 1.0, 5):
        sag = z - drop * share - 0.05 * math.sin(math.pi * share)
        out = radius * share
        rows.append(
            [
                (x + out * math.cos(a), y + out * math.sin(a), sag),
                (
                    x + out * inward * math.cos(mid),
                    y + out * inward * math.sin(mid),
                    sag - 0.03 * share,
                ),
                (x + out * math.cos(b), y + out * math.sin(b), sag),
            ]
        )
    edge = [(p[0], p[1], p[2] - 0.13) for p in rows[-1]]
    grid = np.array([*rows, edge])
    faces = [
        (r * 3 + c, r * 3 + c + 1, r * 3 + c + 4, r * 3 + c + 3) for r in range(5) for c in range(2)
    ]
    mesh.add(grid.reshape(-1, 3), faces, f"cloth{tint}")


def tent_roof(mesh: Mesh, colour: str, hx: float, hy: float, z: float, rise: float) -> None:
    """Pyramid roof of half sizes `hx`, `hy` with a valance, its eaves at `z`."""
    corners: list[Vec3] = [(hx, hy, z), (-hx, hy, z), (-hx, -hy, z), (hx, -hy, z)]
    top: Vec3 = (0.0, 0.0, z + rise)
    for k in range(4):
        a, b = corners[k], corners[(k + 1) % 4]
        quad(mesh, [a, b, top], f"cloth{colour}")
        quad(mesh, [(a[0], a[1], z - 0.2), (b[0], b[1], z - 0.2), b, a], f"cloth{colour}")
