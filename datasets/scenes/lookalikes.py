"""Hard negatives: what resembles a stall, an overflowing bin or dumped rubbish and is none."""

from __future__ import annotations

from .cast import BOTTOMS, CAR_COLOURS, SHADES, TOPS, Cast
from .description import Street

_FRONTAGE = ("goods_rack", "goods_rack", "shop_rail", "shop_buckets", "drink_crates")
_FURNITURE = ("postbox", "cabinet", "bench", "planter", "closed_umbrella")


def add_lookalikes(cast: Cast, street: Street, focus: float) -> None:
    """Several of them in one scene."""
    rng, wide = cast.rng, street.pavement_m
    if rng.random() < 0.5:
        colour = cast.pick(SHADES)
        cast.try_put("umbrella", focus, (1.6, wide - 1.2), 1.3, colour=colour, seed=cast.seed())
    if rng.random() < 0.4:
        add_cafe(cast, street, focus)
    if rng.random() < 0.6:
        add_cargo(cast, street, focus)
    if rng.random() < 0.4:
        add_queue(cast, street, focus)
    if rng.random() < 0.35:
        add_courier(cast, street, focus)
    if rng.random() < 0.6:
        add_furniture(cast, street, focus)
    if rng.random() < 0.5:
        add_traveller(cast, street, focus)
    if rng.random() < 0.7:
        add_shop_goods(cast, street, focus)


def add_shop_goods(cast: Cast, street: Street, focus: float) -> None:
    """Racks, rails, flower buckets and drink crates inside the line of the shop fronts."""
    model = cast.pick(_FRONTAGE)
    for _ in range(int(cast.rng.integers(1, 4))):
        x = focus + float(cast.rng.uniform(-7, 7))
        y = street.pavement_m + 0.5
        if cast.free(x, y, 0.9):
            goods = cast.pick(("fruit", "fruit", "greens", "drinks", "shoes"))
            cast.put(model, x, y, -90.0, 0.9, seed=cast.seed(), goods=goods)


def add_furniture(cast: Cast, street: Street, focus: float) -> None:
    """Post box, switch cabinet, bench (with somebody on it), planter, folded umbrella."""
    model = cast.pick(_FURNITURE)
    spot = cast.spot(focus, (street.pavement_m - 1.6, street.pavement_m - 0.6), 0.8)
    if spot is None:
        return
    cast.put(model, *spot, -90.0, 0.6, colour=cast.pick(SHADES), seed=cast.seed())
    if model == "bench" and cast.rng.random() < 0.7:
        for side in (-0.4, 0.4):
            pose = "sit" if side < 0 else cast.pick(("sit", "stand"))
            cast.beside((*spot, -90.0), (0.05 if pose == "sit" else 0.7, side), 0.0, pose)


def add_cafe(cast: Cast, street: Street, focus: float) -> None:
    """Table and stools, often under an umbrella and with guests, nothing for sale."""
    spot = cast.spot(focus, (1.6, street.pavement_m - 1.0), 1.2)
    if spot is None:
        return
    heading = float(cast.rng.uniform(0, 360))
    cast.put("cafe_table", *spot, heading, 0.9)
    if cast.rng.random() < 0.5:
        shift = (spot[0] + 0.3, spot[1] + 0.3)
        cast.put("umbrella", *shift, 0.0, 0.5, colour=cast.pick(SHADES), seed=cast.seed())
    if cast.rng.random() < 0.6:
        cast.beside((*spot, heading), (0.0, 0.75), -90.0, "sit")
        cast.beside((*spot, heading), (0.0, -0.75), 90.0, "sit")


def add_cargo(cast: Cast, street: Street, focus: float) -> None:
    """A cargo tricycle riding by, loaded or roofed, its rider on it."""
    rng = cast.rng
    x, y = focus + float(rng.uniform(-5, 5)), -street.lane_m * float(rng.uniform(0.35, 0.65))
    if not cast.free(x, y, 1.4):
        return
    style = {
        "colour": cast.pick(CAR_COLOURS),
        "load": cast.pick(("boxes", "sacks", "none", "boxes")),
        "top": cast.pick(TOPS),
        "legs": cast.pick(BOTTOMS),
        "hat": cast.pick(("straw", "cap", "helmet")),
    }
    if rng.random() < 0.3:
        style["canopy"] = cast.pick(SHADES)
    cast.put("tricycle", x, y, 180.0 + float(rng.normal(0, 4)), 1.4, rider="yes", **style)


def add_queue(cast: Cast, street: Street, focus: float) -> None:
    """People in a line, as at a bus stop or a counter, without anything before them."""
    rng = cast.rng
    count = int(rng.integers(3, 8))
    spot = cast.spot(focus, (0.7, street.pavement_m - 1.0), 1.0)
    if spot is None:
        return
    for k in range(count):
        at = (spot[0] + 0.72 * k + float(rng.normal(0, 0.08)), spot[1] + float(rng.normal(0, 0.12)))
        if cast.free(*at, 0.3):
            pose = cast.pick(("stand", "wait", "phone", "stand"))
            extra = cast.pick(("none", "bag", "backpack", "none"))
            cast.person(at, 180.0 + float(rng.normal(0, 18)), pose, extra=extra)


def add_courier(cast: Cast, street: Street, focus: float) -> None:
    """A parcel tricycle or e-bike at the kerb with parcels on the ground and its courier."""
    spot = cast.spot(focus, (0.9, street.pavement_m - 1.4), 1.4)
    if spot is None:
        return
    x, y = spot
    cast.put("cartons", x, y, 0.0, 0.9, seed=cast.seed())
    if cast.free(x, -1.0, 1.2):
        cast.put("tricycle", x, -1.0, 180.0, 1.2, colour=cast.pick(CAR_COLOURS), load="boxes")
    cast.beside((x, y, -90.0), (-0.9, 0.2), 0.0, cast.pick(("bend", "phone")), extra="vest")


def add_traveller(cast: Cast, street: Street, focus: float) -> None:
    """Somebody standing beside a suitcase or a bag set down for a moment."""
    spot = cast.spot(focus, (0.6, street.pavement_m - 0.6), 0.7)
    if spot is None:
        return
    colour = cast.pick(SHADES)
    model = "suitcase" if cast.rng.random() < 0.7 else "carton"
    cast.put(model, spot[0] + 0.45, spot[1], 0.0, 0.3, colour=colour)
    cast.person(spot, float(cast.rng.uniform(0, 360)), cast.pick(("phone", "wait", "stand")))
