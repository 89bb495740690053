"""People with articulated limbs: a small skeleton posed by joint angles, skinned with lofts.

Facing +x, standing on z = 0; nominal height 1.70 m, scaled by `Look.height_m`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .meshes import Array, Mesh, Vec3, box, ellipsoid, lathe, loft, tube


@dataclass(frozen=True, slots=True)
class Look:
    """How one person is dressed; colours are #rrggbb."""

    top: str = "#3a5a8c"
    legs: str = "#22262e"
    hair: str = "#15110f"
    skin: str = "#b98a6a"
    shoes: str = "#2a2622"
    hat: str = "none"  # none, cap, straw, helmet
    hat_colour: str = "#b03020"
    extra: str = "none"  # none, bag, backpack, apron, skirt, vest
    extra_colour: str = "#c03030"
    height_m: float = 1.70


@dataclass(frozen=True, slots=True)
class Pose:
    """Joint angles in degrees, positive swings forward; (left, right)."""

    hips: tuple[float, float] = (2.0, -2.0)
    knees: tuple[float, float] = (0.0, 0.0)
    shoulders: tuple[float, float] = (4.0, -2.0)
    elbows: tuple[float, float] = (12.0, 12.0)
    lean: float = 2.0
    lift: float = 0.0


def walk(phase: float) -> Pose:
    """Walking pose; `phase` runs 0–1 over two steps."""
    swing = math.sin(2 * math.pi * phase)
    lift = math.cos(2 * math.pi * phase)
    return Pose(
        hips=(26 * swing, -26 * swing),
        knees=(8 + 42 * max(0.0, lift), 8 + 42 * max(0.0, -lift)),
        shoulders=(-24 * swing, 24 * swing),
        elbows=(22 + 8 * swing, 22 - 8 * swing),
        lean=4.0,
        lift=-0.03 * abs(swing),
    )


POSES = {
    "stand": Pose(),
    "wait": Pose(hips=(4.0, -4.0), elbows=(30.0, 14.0), shoulders=(10.0, 0.0)),
    "reach": Pose(shoulders=(58.0, 42.0), elbows=(32.0, 44.0), lean=14.0, hips=(8.0, -8.0)),
    "serve": Pose(shoulders=(40.0, 34.0), elbows=(58.0, 50.0), lean=7.0),
    "phone": Pose(shoulders=(38.0, 2.0), elbows=(86.0, 10.0), lean=3.0),
    "bend": Pose(
        shoulders=(68.0, 60.0),
        elbows=(12.0, 16.0),
        lean=48.0,
        hips=(14.0, -8.0),
        knees=(14.0, 10.0),
    ),
    "push": Pose(
        shoulders=(52.0, 52.0),
        elbows=(34.0, 34.0),
        lean=12.0,
        hips=(20.0, -18.0),
        knees=(10.0, 24.0),
    ),
    "squat": Pose(
        hips=(112.0, 104.0),
        knees=(128.0, 122.0),
        shoulders=(48.0, 40.0),
        elbows=(34.0, 48.0),
        lean=16.0,
        lift=-0.50,
    ),
    "sit": Pose(
        hips=(84.0, 80.0),
        knees=(84.0, 80.0),
        shoulders=(32.0, 24.0),
        elbows=(40.0, 52.0),
        lean=4.0,
        lift=-0.42,
    ),
}

_HIP, _THIGH, _SHIN, _TORSO, _UPPER, _FORE = 0.88, 0.42, 0.42, 0.54, 0.29, 0.26


def person(look: Look, pose: Pose) -> Mesh:
    """One posed person."""
    raw = Mesh()
    _legs(raw, look, pose)
    _torso(raw, look, pose)
    mesh = Mesh()
    mesh.put(raw, scale=look.height_m / 1.70)
    return mesh


def rider(look: Look, seat: float, reach: float, grip: float, feet: float) -> Mesh:
    """Seated rider whose hip sits at (0, 0, seat + 0.08); hands at (reach, ·, grip)."""
    mesh = Mesh()
    hip = seat + 0.10
    lean = 12.0
    for side in (-1, 1):
        knee = (0.42, side * 0.13, hip - 0.06)
        tube(mesh, [(0.0, side * 0.09, hip), knee], [0.09, 0.065], f"cloth{look.legs}", 8)
        foot = (0.40, side * 0.13, feet + 0.08)
        tube(mesh, [knee, foot], [0.062, 0.045], f"cloth{look.legs}", 8)
        _shoe(mesh, foot, 0.0, look)
        shoulder = (math.sin(math.radians(lean)) * 0.5, side * 0.19, hip + 0.48)
        elbow = (shoulder[0] + 0.16, side * 0.25, (shoulder[2] + grip) / 2 - 0.07)
        hand = (reach, side * 0.28, grip)
        tube(mesh, [shoulder, elbow, hand], [0.055, 0.045, 0.034], f"cloth{look.top}", 8)
        ellipsoid(mesh, hand, (0.05, 0.04, 0.04), f"skin{look.skin}", 6, 4)
    _upper_body(mesh, look, lean, (0.0, 0.0, hip))
    return mesh


def _swing(start: Vec3, angle_deg: float, length: float, sideways: float = 0.0) -> Vec3:
    a = math.radians(angle_deg)
    return (start[0] + length * math.sin(a), start[1] + sideways, start[2] - length * math.cos(a))


def _shoe(mesh: Mesh, ankle: Vec3, tilt: float, look: Look) -> None:
    ellipsoid(
        mesh,
        (ankle[0] + 0.06, ankle[1], ankle[2] - 0.035),
        (0.135, 0.05, 0.048),
        f"plastic{look.shoes}",
        8,
        5,
    )


def _legs(mesh: Mesh, look: Look, pose: Pose) -> None:
    for side, hip, knee in ((1, pose.hips[0], pose.knees[0]), (-1, pose.hips[1], pose.knees[1])):
        start = (0.0, side * 0.085, _HIP + pose.lift)
        joint = _swing(start, hip, _THIGH, side * 0.01)
        ankle = _swing(joint, hip - knee, _SHIN)
        middle = tuple((a + b) / 2 for a, b in zip(joint, ankle, strict=True))
        tube(
            mesh,
            [start, joint, (middle[0], middle[1], middle[2]), ankle],
            [0.088, 0.062, 0.058, 0.042],
            f"cloth{look.legs}",
            9,
        )
        _shoe(mesh, ankle, hip - knee, look)
    if look.extra == "skirt":
        lathe(
            mesh,
            [(0.14, 0.98), (0.20, 0.75), (0.26, 0.52), (0.25, 0.52)],
            f"cloth{look.extra_colour}",
            (0, 0, pose.lift),
            12,
        )


def _torso(mesh: Mesh, look: Look, pose: Pose) -> None:
    hip = (0.0, 0.0, _HIP + pose.lift)
    _upper_body(mesh, look, pose.lean, hip)
    up = _up(pose.lean)
    for side, swing, bend in (
        (1, pose.shoulders[0], pose.elbows[0]),
        (-1, pose.shoulders[1], pose.elbows[1]),
    ):
        top = np.array(hip) + up * (_TORSO - 0.05)
        shoulder = (float(top[0]), side * 0.195, float(top[2]))
        elbow = _swing(shoulder, swing, _UPPER, side * 0.045)
        hand = _swing(elbow, swing + bend, _FORE, side * 0.01)
        sleeve = f"cloth{look.top}"
        tube(mesh, [shoulder, elbow], [0.066, 0.05], sleeve, 8)
        tube(mesh, [elbow, hand], [0.05, 0.035], sleeve, 8)
        ellipsoid(
            mesh,
            (hand[0] + 0.01, hand[1], hand[2] - 0.045),
            (0.035, 0.025, 0.06),
            f"skin{look.skin}",
            6,
            5,
        )
        if look.extra == "bag" and side == 1:
            ellipsoid(
                mesh,
                (hand[0], hand[1] + 0.03, hand[2] - 0.30),
                (0.15, 0.085, 0.19),
                f"plastic{look.extra_colour}",
                9,
                6,
                0.06,
                3,
            )


def _up(lean_deg: float) -> Array:
    return np.array([math.sin(math.radians(lean_deg)), 0.0, math.cos(math.radians(lean_deg))])


def _upper_body(mesh: Mesh, look: Look, lean: float, hip: Vec3) -> None:
    up = _up(lean)
    ahead = np.array([up[2], 0.0, -up[0]])
    sections = (
        (-0.10, 0.085, 0.135),
        (0.0, 0.105, 0.165),
        (0.10, 0.10, 0.155),
        (0.22, 0.095, 0.145),
        (0.36, 0.115, 0.175),
        (0.46, 0.11, 0.205),
        (0.51, 0.09, 0.18),
        (0.56, 0.06, 0.08),
    )
    angles = np.linspace(0, 2 * math.pi, 14, endpoint=False)
    rings = np.array(
        [
            [
                np.array(hip)
                + up * height
                + ahead * depth * math.cos(a)
                + np.array([0.0, width * math.sin(a), 0.0])
                for a in angles
            ]
            for height, depth, width in sections
        ]
    )
    mats = [[f"cloth{look.legs if i == 0 else look.top}"] * 14 for i in range(len(sections) - 1)]
    loft(mesh, rings, mats)
    neck = np.array(hip) + up * 0.55
    head = neck + up * 0.165 + ahead * 0.015
    tube(mesh, [tuple(neck), tuple(neck + up * 0.10)], [0.06, 0.055], f"skin{look.skin}", 8)
    ellipsoid(mesh, tuple(head), (0.108, 0.086, 0.132), f"skin{look.skin}", 10, 8)
    ellipsoid(
        mesh,
        tuple(head + up * 0.028 - ahead * 0.022),
        (0.112, 0.095, 0.124),
        f"cloth{look.hair}",
        10,
        7,
    )
    _hat(mesh, look, head, up)
    _extra(mesh, look, np.array(hip), up, ahead)


def _hat(mesh: Mesh, look: Look, head: Array, up: Array) -> None:
    crown = head + up * 0.06
    at = (float(crown[0]), float(crown[1]), float(crown[2]))
    if look.hat == "cap":
        ellipsoid(mesh, at, (0.112, 0.098, 0.082), f"cloth{look.hat_colour}", 10, 6)
        box(mesh, (at[0] + 0.13, 0, at[2]), (0.12, 0.14, 0.012), f"cloth{look.hat_colour}", 0.004)
    elif look.hat == "straw":
        lathe(
            mesh,
            [(0.25, -0.02), (0.24, -0.01), (0.115, 0.02), (0.09, 0.10), (0, 0.11)],
            "cloth#c9ae72",
            at,
            14,
        )
    elif look.hat == "helmet":
        ellipsoid(
            mesh, (at[0], 0, at[2] - 0.01), (0.135, 0.12, 0.115), f"paint{look.hat_colour}", 12, 8
        )


def _extra(mesh: Mesh, look: Look, hip: Array, up: Array, ahead: Array) -> None:
    if look.extra == "backpack":
        spot = hip + up * 0.30 - ahead * 0.17
        ellipsoid(mesh, tuple(spot), (0.095, 0.145, 0.21), f"cloth{look.extra_colour}", 10, 7)
    elif look.extra == "apron":
        spot = hip + up * 0.08 + ahead * 0.115
        box(mesh, tuple(spot), (0.03, 0.28, 0.62), f"cloth{look.extra_colour}", 0.012)
    elif look.extra == "vest":
        for height, depth, width in ((0.30, 0.125, 0.175), (0.12, 0.115, 0.168)):
            spot = hip + up * height
            ellipsoid(mesh, tuple(spot), (depth, width, 0.15), f"cloth{look.extra_colour}", 12, 6)
        ellipsoid(mesh, tuple(hip + up * 0.20), (0.128, 0.178, 0.025), "cloth#d8dcc8", 12, 4)
