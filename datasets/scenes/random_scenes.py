"""Random street scenes for training stills: everything follows from one seed.

Five neighbouring seeds share one street, so that the renderer builds it once; cameras, actors and
camera character differ. Seeds below 10 000 are for training, 90 000 and above are held out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from .description import Actor, Appearance, Camera, Key, Light, Scene, Street
from .film import Film
from .stalls import STALL_KINDS

SCENES_PER_STREET = 5
STALL_SHARE = 0.78
CAR_COLOURS = (
    "#d8dadb",
    "#c9cccd",
    "#1c1e21",
    "#8d9296",
    "#5d6468",
    "#27364f",
    "#6a1f20",
    "#4a3a30",
    "#a89f8e",
    "#e4e3df",
    "#3c5570",
    "#7d2a24",
    "#33424a",
)
BIN_COLOURS = ("#2f6b3a", "#1f4f8f", "#565b60", "#8f2626", "#3c7d4c", "#2a5d8c", "#3f4246")
SHADES = (
    "#b02a2a",
    "#2a5aa0",
    "#1f5fa8",
    "#2f7a4a",
    "#c8882a",
    "#7a3a8a",
    "#c84a3a",
    "#3a8a9a",
    "#d8c890",
    "#4a5a6a",
)
TOPS = (
    "#b8b4aa",
    "#2a2e38",
    "#8a2f2f",
    "#3a5a8c",
    "#5f7a5a",
    "#c9a86a",
    "#6a5a7a",
    "#d4d0c8",
    "#404a58",
    "#a05a3a",
    "#7f8a94",
    "#23406a",
    "#c98a94",
)
BOTTOMS = ("#22262e", "#394a6a", "#4a4640", "#1a1a1e", "#6a6458", "#2c3a50", "#7d7a72")


@dataclass(slots=True)
class _Cast:
    """Actors placed so far and the discs they occupy."""

    rng: np.random.Generator
    actors: list[Actor] = field(default_factory=list)
    discs: list[tuple[float, float, float]] = field(default_factory=list)

    def pick(self, options: tuple[str, ...]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def free(self, x: float, y: float, radius: float) -> bool:
        return all(math.hypot(x - a, y - b) > radius + r for a, b, r in self.discs)

    def put(
        self, model: str, x: float, y: float, heading: float, radius: float, /, **style: str
    ) -> None:
        name = f"{model}-{len(self.actors)}"
        look = Appearance(-math.inf, model, tuple(sorted(style.items())))
        self.actors.append(Actor(name, (look,), (Key(0.0, x, y, heading),)))
        self.discs.append((x, y, radius))


def random_scene(seed: int) -> Scene:
    """The scene of `seed`; at media time 0 everything stands where it is shown."""
    shared = np.random.default_rng([seed // SCENES_PER_STREET, 7])
    street = Street(
        seed=int(shared.integers(1 << 30)),
        pavement_m=float(shared.uniform(3.8, 6.0)),
        lanes=int(shared.integers(2, 5)),
        trees=bool(shared.random() < 0.6),
        fence=bool(shared.random() < 0.25),
        yellow_line=bool(shared.random() < 0.6),
        parking_bays=bool(shared.random() < 0.2),
    )
    dusk = bool(shared.random() < 0.2)
    light = Light(
        "dusk" if dusk else "day",
        float(shared.uniform(-75, 75)),
        float(shared.uniform(4, 12) if dusk else shared.uniform(28, 72)),
        float(np.clip(shared.beta(1.5, 2.0), 0.02, 0.95)),
    )
    rng = np.random.default_rng([seed, 11])
    focus = float(rng.uniform(-12, 12))
    cast = _Cast(rng)
    camera = _camera(rng, street, focus)
    cast.discs.append((camera.eye[0], camera.eye[1], 2.2))
    _people_the_street(cast, street, focus)
    return Scene(camera, light, street, tuple(cast.actors), seed)


def random_film(seed: int) -> Film:
    """Camera character of `seed`; `exposure` is a factor on the metered value."""
    rng = np.random.default_rng([seed, 13])
    return Film(
        exposure=float(rng.uniform(0.75, 1.3)),
        vignette=float(rng.uniform(0.0, 0.35)),
        blur_px=float(rng.uniform(0.3, 1.0)),
        noise=float(rng.uniform(0.003, 0.022)),
        saturation=float(rng.uniform(0.72, 1.0)),
        warmth=float(rng.uniform(-0.02, 0.05)),
    )


def _camera(rng: np.random.Generator, street: Street, focus: float) -> Camera:
    way = rng.random()
    road = street.road_m
    fov = float(rng.uniform(50, 78))
    aim = (
        focus + float(rng.uniform(-1, 1)),
        float(rng.uniform(0.0, 2.2)),
        float(rng.uniform(0.5, 1.2)),
    )
    if way < 0.45:  # from a pole across the road
        eye = (
            focus + float(rng.uniform(-6, 6)),
            -float(rng.uniform(min(5.0, road - 0.6), road - 0.4)),
            float(rng.uniform(2.2, 7.5)),
        )
    elif way < 0.8:  # along the kerb
        side = -1 if rng.random() < 0.5 else 1
        eye = (
            focus + side * float(rng.uniform(7, 12)),
            float(rng.uniform(-3.2, -0.6)),
            float(rng.uniform(2.6, 8.0)),
        )
    elif way < 0.9:  # from the shop fronts outwards
        side = -1 if rng.random() < 0.5 else 1
        eye = (
            focus + side * float(rng.uniform(7, 11)),
            street.pavement_m - 0.5,
            float(rng.uniform(2.8, 3.4)),
        )
        aim = (aim[0], float(rng.uniform(-1.0, 1.2)), aim[2])
    else:  # eye level
        eye = (
            focus + float(rng.uniform(-5, 5)),
            -float(rng.uniform(4.5, 7.0)),
            float(rng.uniform(1.5, 2.0)),
        )
    return Camera(eye, aim, fov)


def _people_the_street(cast: _Cast, street: Street, focus: float) -> None:
    rng = cast.rng
    if rng.random() < STALL_SHARE:
        for _ in range(int(rng.choice([1, 1, 1, 2, 2, 3]))):
            _add_stall(cast, street, focus)
    else:
        _add_lookalikes(cast, street, focus)
    if rng.random() < 0.6:
        _add_bins(cast, street, focus)
    if rng.random() < 0.3:
        _try(
            cast,
            "heap",
            focus,
            (0.5, street.pavement_m - 0.8),
            0.9,
            seed=str(rng.integers(9999)),
            spread_m=f"{rng.uniform(0.5, 1.0):.2f}",
            bags=str(rng.integers(3, 9)),
        )
    if rng.random() < 0.35:
        _add_racks(cast, street, focus)
    for _ in range(int(rng.integers(1, 5))):
        _add_vehicle(cast, street, focus)
    for _ in range(int(rng.integers(0, 4))):
        _add_cycle(cast, street, focus)
    for _ in range(int(rng.integers(2, 8))):
        _add_walker(cast, street, focus)


def _spot(
    cast: _Cast, focus: float, y_range: tuple[float, float], radius: float, spread: float = 6.5
) -> tuple[float, float] | None:
    for _ in range(12):
        x = focus + float(cast.rng.normal(0, spread / 2))
        y = float(cast.rng.uniform(*y_range))
        if cast.free(x, y, radius):
            return x, y
    return None


def _try(
    cast: _Cast, model: str, focus: float, y_range: tuple[float, float], radius: float, **style: str
) -> None:
    spot = _spot(cast, focus, y_range, radius)
    if spot is not None:
        cast.put(model, *spot, float(cast.rng.uniform(0, 360)), radius, **style)


def _add_stall(cast: _Cast, street: Street, focus: float) -> None:
    rng = cast.rng
    kind = cast.pick(STALL_KINDS)
    on_road = kind in ("tricycle", "trolley") and rng.random() < 0.4
    y_range = (-1.6, -0.9) if on_road else (1.3, street.pavement_m - 1.2)
    spot = _spot(cast, focus, y_range, 1.5)
    if spot is None:
        return
    x, y = spot
    heading = float(rng.choice([90.0, -90.0, 90.0, -90.0, 0.0, 180.0])) + float(rng.normal(0, 12))
    if on_road:
        heading = 90.0 + float(rng.normal(0, 6))
    cast.put(
        "stall",
        x,
        y,
        heading,
        1.5,
        kind=kind,
        colour=cast.pick(SHADES),
        seed=str(rng.integers(9999)),
        goods=cast.pick(("fruit", "fruit", "fruit", "clothes", "books")),
        shade="yes" if rng.random() < 0.85 else "no",
    )
    if rng.random() < 0.92:
        pose = cast.pick(
            ("serve", "serve", "stand", "phone", "sit" if kind != "cloth" else "squat")
        )
        extra = cast.pick(("apron", "none", "apron", "vest"))
        _beside(
            cast,
            (x, y, heading),
            (-1.0, float(rng.uniform(-0.5, 0.5))),
            0.0,
            pose,
            extra=extra,
            hat=cast.pick(("none", "straw", "cap", "none")),
        )
    for _ in range(int(rng.choice([0, 0, 1, 1, 2, 3]))):
        _beside(
            cast,
            (x, y, heading),
            (float(rng.uniform(0.85, 1.5)), float(rng.uniform(-1.1, 1.1))),
            180.0,
            cast.pick(("reach", "wait", "stand", "bend", "phone")),
            extra=cast.pick(("none", "bag", "backpack")),
        )


def _beside(
    cast: _Cast,
    base: tuple[float, float, float],
    offset: tuple[float, float],
    turn: float,
    pose: str,
    **style: str,
) -> None:
    x, y, heading = base
    c, s = math.cos(math.radians(heading)), math.sin(math.radians(heading))
    at = (x + c * offset[0] - s * offset[1], y + s * offset[0] + c * offset[1])
    _person(cast, at, heading + turn + float(cast.rng.normal(0, 15)), pose, **style)


def _person(cast: _Cast, at: tuple[float, float], heading: float, pose: str, **style: str) -> None:
    rng = cast.rng
    look = {
        "top": cast.pick(TOPS),
        "legs": cast.pick(BOTTOMS),
        "height_m": f"{rng.normal(1.67, 0.07):.2f}",
        "hair": cast.pick(("#15110f", "#1f1813", "#2c221b", "#6a6662")),
        "extra_colour": cast.pick(SHADES),
        "hat_colour": cast.pick(SHADES),
        "skin": cast.pick(("#b98a6a", "#a97c5e", "#c49a7c")),
    }
    cast.put("person", *at, heading, 0.35, **(look | style | {"pose": pose}))


def _add_lookalikes(cast: _Cast, street: Street, focus: float) -> None:
    """Hard negatives: what resembles a stall and is none."""
    rng = cast.rng
    if rng.random() < 0.6:
        _try(cast, "umbrella", focus, (1.6, street.pavement_m - 1.2), 1.3, colour=cast.pick(SHADES))
    if rng.random() < 0.5:
        _try(cast, "cafe_table", focus, (1.6, street.pavement_m - 1.0), 0.9)
    if rng.random() < 0.6:
        lane = -street.lane_m * 0.5
        cast.put(
            "tricycle",
            focus + float(rng.uniform(-4, 4)),
            lane,
            180.0,
            1.6,
            colour=cast.pick(CAR_COLOURS),
            rider="yes",
            load=cast.pick(("boxes", "sacks", "none")),
            top=cast.pick(TOPS),
            hat="straw",
        )
    if rng.random() < 0.5:
        _try(cast, "carton", focus, (street.pavement_m - 0.9, street.pavement_m - 0.5), 0.5)
    if rng.random() < 0.7:
        _add_racks(cast, street, focus)
    if rng.random() < 0.7:
        _add_bins(cast, street, focus)


def _add_racks(cast: _Cast, street: Street, focus: float) -> None:
    for _ in range(int(cast.rng.integers(1, 4))):
        x = focus + float(cast.rng.uniform(-7, 7))
        y = street.pavement_m + 0.5
        if cast.free(x, y, 0.9):
            cast.put("goods_rack", x, y, -90.0, 0.9, seed=str(cast.rng.integers(9999)))


def _add_bins(cast: _Cast, street: Street, focus: float) -> None:
    rng = cast.rng
    spot = _spot(
        cast,
        focus,
        (0.55, 0.9) if rng.random() < 0.6 else (street.pavement_m - 0.7, street.pavement_m - 0.5),
        0.9,
        5.5,
    )
    if spot is None:
        return
    x, y = spot
    heading = -90.0 if rng.random() < 0.7 else 90.0
    full = rng.random() < 0.5
    for k in range(int(rng.integers(1, 5))):
        state = (
            "overflowing"
            if full and rng.random() < 0.7
            else cast.pick(("closed", "closed", "closed", "open", "filling"))
        )
        cast.put(
            "bin",
            x + 0.72 * k,
            y + float(rng.normal(0, 0.05)),
            heading + float(rng.normal(0, 7)),
            0.4,
            colour=cast.pick(BIN_COLOURS),
            state=state,
            seed=str(rng.integers(9999)),
        )
        if state == "overflowing" and rng.random() < 0.5:
            cast.put(
                "heap",
                x + 0.72 * k + float(rng.normal(0, 0.3)),
                y - 0.25 + 0.7 * float(rng.random()),
                0.0,
                0.3,
                seed=str(rng.integers(9999)),
                spread_m="0.6",
                bags=str(rng.integers(3, 7)),
            )


def _add_vehicle(cast: _Cast, street: Street, focus: float) -> None:
    rng = cast.rng
    model = str(
        rng.choice(["saloon", "suv", "van", "truck", "bus"], p=[0.42, 0.26, 0.18, 0.09, 0.05])
    )
    lane = int(rng.integers(street.lanes))
    y = -1.25 if lane == 0 and rng.random() < 0.6 else -(lane + 0.5) * street.lane_m
    x = focus + float(rng.normal(0, 8))
    radius = {"truck": 3.2, "bus": 5.4}.get(model, 2.4)
    if not cast.free(x, y, radius * 0.75):
        return
    heading = 180.0 if lane < (street.lanes + 1) // 2 else 0.0
    cast.put(
        model,
        x,
        y,
        heading + float(rng.normal(0, 2)),
        radius * 0.75,
        colour=cast.pick(CAR_COLOURS),
        plate="green" if rng.random() < 0.2 else "blue",
    )


def _add_cycle(cast: _Cast, street: Street, focus: float) -> None:
    rng = cast.rng
    model = str(rng.choice(["ebike", "bicycle", "tricycle"], p=[0.5, 0.3, 0.2]))
    parked = rng.random() < 0.45
    y_range = (0.4, 1.0) if parked else (-street.lane_m * 0.9, -0.8)
    spot = _spot(cast, focus, y_range, 0.9, 9.0)
    if spot is None:
        return
    colour = "#d8b42a" if model == "bicycle" and rng.random() < 0.5 else cast.pick(CAR_COLOURS)
    heading = float(rng.uniform(60, 120)) if parked else 180.0
    style = {
        "rider": "no" if parked else "yes",
        "top": cast.pick(TOPS),
        "legs": cast.pick(BOTTOMS),
        "hat": cast.pick(("helmet", "none", "helmet")),
        "hat_colour": cast.pick(SHADES),
    }
    if model == "tricycle":
        style["load"] = cast.pick(("none", "boxes", "sacks"))
    if model == "ebike" and rng.random() < 0.3:
        style["box"] = cast.pick(("#e0b020", "#2a6ac0"))
    count = int(rng.integers(1, 5)) if parked and model != "tricycle" else 1
    for k in range(count):
        cast.put(model, spot[0] + 0.65 * k, spot[1], heading, 0.8, colour=colour, **style)


def _add_walker(cast: _Cast, street: Street, focus: float) -> None:
    rng = cast.rng
    y_range = (0.4, street.pavement_m - 0.3) if rng.random() < 0.8 else (-street.road_m + 1, -0.6)
    spot = _spot(cast, focus, y_range, 0.4, 9.0)
    if spot is None:
        return
    pose = (
        f"walk:{rng.integers(8)}" if rng.random() < 0.7 else cast.pick(("stand", "phone", "wait"))
    )
    heading = float(rng.choice([0.0, 180.0])) + float(rng.normal(0, 25))
    _person(
        cast,
        spot,
        heading,
        pose,
        extra=cast.pick(("none", "bag", "backpack", "skirt", "none")),
        hat=cast.pick(("none", "none", "none", "cap", "straw")),
    )
