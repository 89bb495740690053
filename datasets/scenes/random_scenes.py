"""Random street scenes for training stills: everything follows from one seed.

Five neighbouring seeds share one street, so that the renderer builds it once; cameras, actors and
camera character differ. Seeds below 10 000 are for training, 90 000 and above are held out.
"""

from __future__ import annotations

import numpy as np

from .bins import HEAP_KINDS
from .cast import BOTTOMS, CAR_COLOURS, SHADES, TOPS, Cast
from .description import Camera, Light, Scene, Street
from .film import Film
from .goods import GOODS
from .hawkers import HAWKER_KINDS
from .lookalikes import add_cargo, add_furniture, add_lookalikes, add_queue, add_shop_goods
from .stalls import STALL_KINDS

SCENES_PER_STREET = 5
STALL_SHARE = 0.72
BIN_COLOURS = (
    "#2f6b3a",
    "#1f4f8f",
    "#565b60",
    "#8f2626",
    "#3c7d4c",
    "#2a5d8c",
    "#3f4246",
    "#1d7a3e",
    "#a83030",
    "#7a7f84",
)
_STATES = ("closed", "closed", "closed", "tight", "open", "filling")


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
    light = _light(shared)
    rng = np.random.default_rng([seed, 11])
    focus = float(rng.uniform(-12, 12))
    cast = Cast(rng, light.hour != "day")
    camera = _camera(rng, street, focus)
    cast.discs.append((camera.eye[0], camera.eye[1], 2.2))
    _people_the_street(cast, street, focus)
    return Scene(camera, light, street, tuple(cast.actors), seed)


def _light(rng: np.random.Generator) -> Light:
    """Six days in ten, two dusks, two nights; every fourth day overcast, every sixth street wet."""
    chance = float(rng.random())
    hour = "night" if chance < 0.18 else "dusk" if chance < 0.36 else "day"
    azimuth = float(rng.uniform(-75, 75))
    height = float(rng.uniform(4, 12) if hour != "day" else rng.uniform(24, 72))
    haze = float(np.clip(rng.beta(1.5, 2.0), 0.02, 0.95))
    cloud = float(rng.uniform(0.6, 1.0)) if rng.random() < 0.25 else float(rng.uniform(0, 0.3))
    return Light(hour, azimuth, height, haze, cloud, bool(rng.random() < 0.16))


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
    fov = float(rng.uniform(40, 82))
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


def _people_the_street(cast: Cast, street: Street, focus: float) -> None:
    rng = cast.rng
    if rng.random() < STALL_SHARE:
        for _ in range(int(rng.choice([1, 1, 1, 2, 2, 3]))):
            _add_stall(cast, street, focus)
    else:
        add_lookalikes(cast, street, focus)
    if rng.random() < 0.72:
        _add_bins(cast, street, focus)
    if rng.random() < 0.35:
        _add_heap(cast, focus, (0.5, street.pavement_m - 0.8))
    if rng.random() < 0.35:
        add_shop_goods(cast, street, focus)
    for add, share in ((add_furniture, 0.25), (add_queue, 0.12), (add_cargo, 0.12)):
        if rng.random() < share:
            add(cast, street, focus)
    for _ in range(int(rng.integers(1, 5))):
        _add_vehicle(cast, street, focus)
    for _ in range(int(rng.integers(0, 4))):
        _add_cycle(cast, street, focus)
    for _ in range(int(rng.integers(1, 7))):
        _add_walker(cast, street, focus)


def _add_heap(cast: Cast, focus: float, y_range: tuple[float, float]) -> None:
    rng = cast.rng
    cast.try_put(
        "heap",
        focus,
        y_range,
        0.9,
        seed=cast.seed(),
        spread_m=f"{rng.uniform(0.4, 1.2):.2f}",
        bags=str(rng.integers(1, 10)),
        kind=cast.pick(("bags", *HEAP_KINDS)),
    )


def _add_stall(cast: Cast, street: Street, focus: float) -> None:
    rng = cast.rng
    kind = cast.pick(STALL_KINDS)
    on_road = kind in ("tricycle", "trolley", "handcart") and rng.random() < 0.4
    spot = cast.spot(focus, (-1.6, -0.9) if on_road else (1.3, street.pavement_m - 1.2), 1.5)
    if spot is None:
        return
    heading = float(rng.choice([90.0, -90.0, 90.0, -90.0, 0.0, 180.0])) + float(rng.normal(0, 12))
    if on_road:
        heading = 90.0 + float(rng.normal(0, 6))
    cast.put(
        "stall",
        *spot,
        heading,
        1.5,
        kind=kind,
        colour=cast.pick(SHADES),
        seed=cast.seed(),
        goods=cast.pick(("fruit", "fruit", *GOODS)),
        shade="yes" if rng.random() < 0.8 else "no",
    )
    # Buckets or a rail without anybody could as well be a shop's own.
    if kind in HAWKER_KINDS or rng.random() < 0.92:
        low = kind in ("cloth", "baskets", "crates", "board")
        pose = cast.pick(("serve", "serve", "stand", "phone", "squat" if low else "sit"))
        hat = cast.pick(("none", "straw", "cap", "none"))
        offset = (-1.0, float(rng.uniform(-0.5, 0.5)))
        extra = cast.pick(("apron", "none", "apron", "vest"))
        cast.beside((*spot, heading), offset, 0.0, pose, extra=extra, hat=hat)
    for _ in range(int(rng.choice([0, 0, 1, 1, 2, 3]))):
        offset = (float(rng.uniform(0.85, 1.5)), float(rng.uniform(-1.1, 1.1)))
        pose = cast.pick(("reach", "wait", "stand", "bend", "phone"))
        extra = cast.pick(("none", "bag", "backpack"))
        cast.beside((*spot, heading), offset, 180.0, pose, extra=extra)


def _add_bins(cast: Cast, street: Street, focus: float) -> None:
    rng = cast.rng
    form = str(rng.choice(["240", "660", "litter"], p=[0.72, 0.16, 0.12]))
    at_kerb = rng.random() < 0.6
    edge = street.pavement_m
    spot = cast.spot(focus, (0.55, 0.9) if at_kerb else (edge - 0.8, edge - 0.5), 0.9, 5.5)
    if spot is None:
        return
    heading = -90.0 if rng.random() < 0.7 else 90.0
    full = rng.random() < 0.5
    step = {"240": 0.72, "660": 1.45, "litter": 9.0}[form]
    count = int(rng.integers(1, {"240": 6, "660": 3, "litter": 2}[form]))
    for k in range(count):
        state = "overflowing" if full and rng.random() < 0.7 else cast.pick(_STATES)
        x, y = spot[0] + step * k, spot[1] + float(rng.normal(0, 0.05))
        turned = heading + float(rng.normal(0, 7))
        colour = cast.pick(BIN_COLOURS)
        cast.put("bin", x, y, turned, 0.4, form=form, colour=colour, state=state, seed=cast.seed())
        if state == "overflowing" and rng.random() < 0.5:
            cast.put(
                "heap",
                x + float(rng.normal(0, 0.3)),
                y - 0.25 + 0.7 * float(rng.random()),
                0.0,
                0.3,
                seed=cast.seed(),
                spread_m="0.6",
                bags=str(rng.integers(3, 7)),
                kind=cast.pick(("bags", "bags", "mixed")),
            )


def _add_vehicle(cast: Cast, street: Street, focus: float) -> None:
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
        lamps="on" if cast.lit and rng.random() < 0.8 else "off",
    )


def _add_cycle(cast: Cast, street: Street, focus: float) -> None:
    rng = cast.rng
    model = str(rng.choice(["ebike", "bicycle", "tricycle"], p=[0.5, 0.3, 0.2]))
    parked = rng.random() < 0.45
    y_range = (0.4, 1.0) if parked else (-street.lane_m * 0.9, -0.8)
    spot = cast.spot(focus, y_range, 0.9, 9.0)
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


def _add_walker(cast: Cast, street: Street, focus: float) -> None:
    rng = cast.rng
    y_range = (0.4, street.pavement_m - 0.3) if rng.random() < 0.8 else (-street.road_m + 1, -0.6)
    spot = cast.spot(focus, y_range, 0.4, 9.0)
    if spot is None:
        return
    pose = (
        f"walk:{rng.integers(8)}" if rng.random() < 0.7 else cast.pick(("stand", "phone", "wait"))
    )
    heading = float(rng.choice([0.0, 180.0])) + float(rng.normal(0, 25))
    cast.person(
        spot,
        heading,
        pose,
        extra=cast.pick(("none", "bag", "backpack", "skirt", "none")),
        hat=cast.pick(("none", "none", "none", "cap", "straw")),
    )
