"""The four sample clips as descriptions: scene, zones on the ground, and what truly happens."""

from __future__ import annotations

from .choreography import Clip, GroundZone, Happening, look, passing, standing, walker
from .description import Actor, Camera, Key, Light, Scene, Street


def illegal_parking() -> Clip:
    """A saloon stops on the yellow line for 22 s while others drive past."""
    street = Street(seed=21, pavement_m=5.0, lanes=3, trees=True)
    camera = Camera((8.5, -10.2, 5.6), (-0.6, -1.2, 0.3), 58.0)
    culprit = Actor(
        "culprit",
        (look("saloon", colour="#c9cccd"),),
        (
            Key(3.0, 24.0, -1.9, 180.0),
            Key(5.0, 8.0, -1.8, 178.0, "stop"),
            Key(7.2, -0.4, -1.25, 180.0),
            Key(29.0, -0.4, -1.25, 180.0, "start"),
            Key(31.6, -9.0, -1.8, 180.0),
            Key(34.6, -33.0, -1.9, 180.0),
        ),
        (3.0, 34.6),
    )
    actors = (
        culprit,
        passing("suv", "suv", 0.2, -5.1, 11.0, {"colour": "#27364f"}),
        passing("van", "van", 12.0, -5.0, 10.0, {"colour": "#c0c4c6"}),
        passing("red", "saloon", 20.0, -5.1, 11.5, {"colour": "#6a1f20"}),
        passing("lorry", "truck", 24.4, -5.1, 10.0, {"colour": "#3c5570"}),
        passing("late", "suv", 33.0, -5.1, 10.5, {"colour": "#8d9296"}),
        passing(
            "courier",
            "ebike",
            15.4,
            -3.5,
            6.0,
            {
                "colour": "#3c5570",
                "rider": "yes",
                "box": "#e0b020",
                "top": "#c9a030",
                "hat": "helmet",
                "hat_colour": "#c9a030",
            },
            26.0,
        ),
        walker(
            "woman",
            [(-12.0, 2.2), (13.0, 2.6)],
            4.0,
            {
                "top": "#8a2f2f",
                "legs": "#22262e",
                "extra": "bag",
                "hair": "#1f1813",
                "height_m": "1.62",
            },
        ),
        walker(
            "man",
            [(14.0, 3.4), (-14.0, 3.0)],
            17.0,
            {"top": "#3a5a8c", "legs": "#4a4640", "extra": "backpack", "extra_colour": "#2a2e38"},
        ),
        standing("bike1", "bicycle", 3.6, 0.9, 80.0, colour="#d8b42a"),
        standing("bike2", "bicycle", 4.25, 0.9, 84.0, colour="#d8b42a"),
        standing("bin", "bin", -6.2, 4.4, -90.0, colour="#2f6b3a", state="closed"),
    )
    zone = GroundZone("kerb", "路侧禁停区", (-5.5, 5.5), (-2.9, 0.05), ("illegal_parking",), 8)
    return Clip(
        "illegal_parking",
        "41010500001320000001",
        "经三路路侧禁停",
        Scene(camera, Light("day", 35.0, 50.0, 0.15), street, actors, 1),
        38.0,
        (zone,),
        (Happening("illegal_parking", "kerb", 7.2, 29.0),),
    )


def _filling_bin() -> tuple[Actor, ...]:
    """The bin through its states, and the bags around it."""
    full = Actor(
        "bin",
        (
            look("bin", colour="#2f6b3a", state="closed"),
            look("bin", 7.6, colour="#2f6b3a", state="open", seed="3"),
            look("bin", 8.2, colour="#2f6b3a", state="filling", seed="3"),
            look("bin", 15.0, colour="#2f6b3a", state="overflowing", seed="4"),
            look("bin", 35.0, colour="#2f6b3a", state="open", seed="3"),
            look("bin", 37.0, colour="#2f6b3a", state="closed"),
        ),
        (Key(0.0, 0.0, 0.85, -90.0),),
    )
    heap = Actor(
        "heap",
        (
            look("heap", seed="8", spread_m="0.45", bags="3"),
            look("heap", 22.0, seed="8", spread_m="0.55", bags="5"),
        ),
        (Key(0.0, -0.55, 0.62, 0.0),),
        (15.4, 35.8),
    )
    return full, heap


def _bin_people() -> tuple[Actor, ...]:
    """Three who bring rubbish and the cleaner who takes it away."""
    dress = {"legs": "#22262e", "hair": "#1f1813"}
    return (
        walker(
            "first",
            [(8.0, 2.6), (0.4, 1.95), (-8.0, 2.6)],
            1.2,
            {
                **dress,
                "top": "#7f8a94",
                "extra": "bag",
                "extra_colour": "#20242c",
                "after_extra": "none",
            },
            [(1, 1.8, "reach")],
            face={1: -105.0},
        ),
        walker(
            "second",
            [(-8.0, 2.4), (-0.35, 1.95), (-8.0, 2.9)],
            8.2,
            {
                **dress,
                "top": "#8a2f2f",
                "extra": "bag",
                "extra_colour": "#c23a34",
                "after_extra": "none",
                "height_m": "1.60",
            },
            [(1, 1.8, "reach")],
            face={1: -80.0},
        ),
        walker(
            "third",
            [(8.0, 2.2), (-0.75, 1.75), (-9.0, 2.2)],
            14.4,
            {
                **dress,
                "top": "#3a5a8c",
                "extra": "bag",
                "extra_colour": "#d9d6cc",
                "after_extra": "none",
            },
            [(1, 1.6, "bend")],
            face={1: -90.0},
        ),
        walker(
            "cleaner",
            [(9.0, 2.0), (-0.15, 1.95), (9.0, 2.4)],
            26.0,
            {
                "top": "#d8641c",
                "legs": "#d8641c",
                "extra": "vest",
                "extra_colour": "#e07020",
                "hat": "cap",
                "hat_colour": "#d8641c",
            },
            [(1, 4.6, "bend")],
            face={1: -90.0},
        ),
    )


def bin_overflow() -> Clip:
    """At dusk a bin is filled until bags pile up on and around it; a cleaner empties it."""
    street = Street(seed=34, pavement_m=4.6, lanes=2, trees=True, bollards=False)
    camera = Camera((-3.4, -4.9, 3.3), (0.45, 1.0, 0.55), 56.0)
    actors = (
        *_filling_bin(),
        standing("bin2", "bin", 0.85, 0.85, -90.0, colour="#1f4f8f", state="closed"),
        standing("bin3", "bin", 1.65, 0.87, -93.0, colour="#565b60", state="closed"),
        *_bin_people(),
        passing("car", "saloon", 17.4, -5.1, -9.0, {"colour": "#5d6468", "lamps": "on"}),
    )
    zone = GroundZone("bins", "垃圾桶点位", (-1.3, 2.4), (-0.25, 1.9), ("bin_overflow",), 5)
    return Clip(
        "bin_overflow",
        "41010500001320000002",
        "纬五路垃圾桶",
        Scene(camera, Light("dusk", 30.0, 9.0, 0.4), street, actors, 2),
        42.0,
        (zone,),
        (Happening("bin_overflow", "bins", 15.0, 35.0),),
    )


_VENDOR = {"top": "#5f7a5a", "legs": "#4a4640", "hat": "straw"}


def _cart() -> Actor:
    """The tricycle that brings the goods and takes them away."""
    return Actor(
        "cart",
        (
            look("tricycle", colour="#1f4f8f", rider="yes", load="boxes", **_VENDOR),
            look("tricycle", 8.2, colour="#1f4f8f", rider="no", load="boxes"),
            look("tricycle", 12.4, colour="#1f4f8f", rider="no", load="none"),
            look("tricycle", 39.4, colour="#1f4f8f", rider="no", load="boxes"),
            look("tricycle", 41.0, colour="#1f4f8f", rider="yes", load="boxes", **_VENDOR),
        ),
        (
            Key(1.0, 17.0, -1.5, 180.0),
            Key(3.6, 6.5, -1.5, 178.0),
            Key(5.0, 3.0, 0.8, 140.0, "stop"),
            Key(7.0, -1.9, 2.9, 172.0),
            Key(41.4, -1.9, 2.9, 172.0, "start"),
            Key(43.4, -6.0, 1.2, 205.0),
            Key(45.4, -13.5, -1.5, 182.0),
            Key(48.0, -24.0, -1.5, 180.0),
        ),
        (1.0, 48.0),
    )


def _vendor() -> Actor:
    """The vendor between getting off and getting on again."""
    return Actor(
        "vendor",
        (
            look("person", **_VENDOR, pose="stand"),
            look("person", 9.0, **_VENDOR),
            look("person", 10.4, **_VENDOR, pose="bend"),
            look("person", 12.2, **_VENDOR, pose="reach"),
            look("person", 14.6, **_VENDOR, pose="serve", extra="apron"),
            look("person", 37.2, **_VENDOR, pose="reach"),
            look("person", 38.8, **_VENDOR),
        ),
        (
            Key(8.2, -1.7, 2.1, -20.0),
            Key(9.0, -1.7, 2.1, -20.0),
            Key(10.2, -0.45, 1.85, 0.0),
            Key(38.8, -0.45, 1.85, 0.0),
            Key(39.1, -0.45, 1.85, 170.0),
            Key(40.2, -1.7, 2.1, 170.0),
        ),
        (8.2, 41.0),
    )


def _goods() -> tuple[Actor, ...]:
    """Table and umbrella, and the cartons they come out of."""
    stall = Actor(
        "stall",
        (
            look("stall", kind="umbrella", colour="#b02a2a", seed="12", shade="no"),
            look("stall", 14.2, kind="umbrella", colour="#b02a2a", seed="12", shade="yes"),
            look("stall", 37.6, kind="umbrella", colour="#b02a2a", seed="12", shade="no"),
        ),
        (Key(0.0, 0.7, 1.8, 0.0),),
        (13.0, 38.8),
    )
    boxes = tuple(
        Actor(
            f"carton{k}",
            (look("carton"),),
            (Key(0.0, 0.5 + 0.5 * k, 1.5 + 0.3 * k, 15.0 * k),),
            (10.8 + 0.6 * k, 13.0),
        )
        for k in range(3)
    )
    return stall, *boxes


def _buyers() -> tuple[Actor, ...]:
    """Three customers."""
    return (
        walker(
            "buyer1",
            [(13.0, 2.4), (2.05, 2.1), (13.0, 3.0)],
            9.2,
            {
                "top": "#c9a86a",
                "legs": "#394a6a",
                "after_extra": "bag",
                "extra_colour": "#d8d2c0",
                "height_m": "1.60",
            },
            [(1, 12.0, "reach")],
            face={1: 180.0},
        ),
        walker(
            "buyer2",
            [(-10.0, 3.6), (0.9, 3.6), (1.95, 1.3), (12.0, 1.6)],
            12.6,
            {"top": "#3a5a8c", "legs": "#22262e", "after_extra": "bag", "extra_colour": "#b03030"},
            [(2, 10.0, "wait")],
            face={2: 170.0},
        ),
        walker(
            "buyer3",
            [(12.0, 3.2), (2.2, 1.75), (12.0, 1.2)],
            26.0,
            {"top": "#6a5a7a", "legs": "#2c3a50", "extra": "backpack"},
            [(1, 3.4, "phone")],
            face={1: 180.0},
        ),
    )


def street_vending() -> Clip:
    """A vendor rides up, puts up table and umbrella, sells for 25 s, packs and rides away."""
    street = Street(seed=58, pavement_m=5.4, lanes=3, trees=False)
    camera = Camera((5.6, -9.6, 4.6), (0.4, 1.7, 0.7), 49.0)
    actors = (
        _cart(),
        _vendor(),
        *_goods(),
        *_buyers(),
        passing("car1", "suv", 6.5, -5.1, 10.0, {"colour": "#e4e3df"}),
        passing("car2", "saloon", 22.0, -5.1, 11.0, {"colour": "#33424a"}),
        passing(
            "bike",
            "ebike",
            30.0,
            -2.2,
            6.0,
            {
                "colour": "#7d2a24",
                "rider": "yes",
                "top": "#404a58",
                "hat": "helmet",
                "hat_colour": "#d8d8d8",
            },
            24.0,
        ),
        standing("bin", "bin", 6.6, 4.7, -90.0, colour="#565b60", state="closed"),
        standing("rack", "goods_rack", -5.0, 5.9, -90.0, seed="5"),
    )
    zone = GroundZone(
        "pavement", "人行道禁止摆卖区", (-3.2, 4.2), (0.15, 4.4), ("street_vending",), 8
    )
    return Clip(
        "street_vending",
        "41010500001320000003",
        "农业路人行道",
        Scene(camera, Light("day", -30.0, 44.0, 0.25), street, actors, 3),
        48.0,
        (zone,),
        (Happening("street_vending", "pavement", 13.0, 38.8),),
    )


def _waiting_car() -> Actor:
    """Stops 4.3 s before the crossing, inside the no-parking zone."""
    return Actor(
        "waiting",
        (look("saloon", colour="#7d2a24"),),
        (
            Key(10.0, 26.0, -1.7, 180.0),
            Key(12.2, 8.0, -1.7, 180.0, "stop"),
            Key(14.7, -2.0, -1.7, 180.0),
            Key(19.0, -2.0, -1.7, 180.0, "start"),
            Key(21.6, -10.0, -1.7, 180.0),
            Key(25.2, -34.0, -1.7, 180.0),
        ),
        (10.0, 25.2),
    )


def _passers_by() -> tuple[Actor, ...]:
    """One who crosses and two who walk past."""
    return (
        walker(
            "crossing",
            [(-6.0, 2.0), (-6.2, -11.2)],
            9.6,
            {
                "top": "#d4d0c8",
                "legs": "#22262e",
                "extra": "bag",
                "extra_colour": "#3a8a9a",
                "height_m": "1.63",
            },
            speed_m_s=1.45,
        ),
        walker(
            "shopper",
            [(13.0, 2.4), (-13.0, 2.0)],
            1.0,
            {"top": "#8a2f2f", "legs": "#394a6a", "extra": "bag", "extra_colour": "#d8d2c0"},
        ),
        walker(
            "student",
            [(-12.0, 2.9), (13.0, 3.2)],
            20.0,
            {"top": "#23406a", "legs": "#22262e", "extra": "backpack", "extra_colour": "#a05a3a"},
            speed_m_s=1.5,
        ),
    )


def ordinary() -> Clip:
    """Nothing to report: passing traffic, one short wait at a crossing, shoppers, closed bins."""
    street = Street(seed=73, pavement_m=4.8, lanes=3, trees=True, zebra_x=-7.6)
    camera = Camera((9.0, -9.9, 7.0), (-0.8, -0.4, 0.2), 60.0)
    actors = (
        _waiting_car(),
        passing("first", "suv", 0.5, -1.7, 10.0, {"colour": "#8d9296"}),
        passing("second", "van", 6.0, -5.1, 9.0, {"colour": "#c9cccd"}),
        passing("third", "saloon", 28.5, -1.8, 10.0, {"colour": "#27364f"}),
        passing("fourth", "suv", 33.5, -5.1, 10.5, {"colour": "#e4e3df"}),
        passing(
            "cargo",
            "tricycle",
            22.6,
            -2.0,
            5.5,
            {
                "colour": "#2f6f4a",
                "rider": "yes",
                "load": "sacks",
                "top": "#6a6458",
                "hat": "straw",
            },
            24.0,
        ),
        *_passers_by(),
        standing("bin1", "bin", 3.2, 0.8, -90.0, colour="#2f6b3a", state="closed"),
        standing("bin2", "bin", 4.0, 0.8, -90.0, colour="#1f4f8f", state="closed"),
        standing("rack", "goods_rack", -1.6, 5.3, -90.0, seed="9"),
        standing("parked", "ebike", -3.4, 1.0, 80.0, colour="#33424a"),
    )
    zones = (
        GroundZone("kerb", "路侧禁停区", (-6.0, 5.5), (-2.9, 0.0), ("illegal_parking",), 8),
        GroundZone("bins", "垃圾桶点位", (2.4, 5.0), (0.1, 1.7), ("bin_overflow",), 5),
        GroundZone(
            "pavement", "人行道禁止摆卖区", (-5.0, 2.2), (0.15, 4.4), ("street_vending",), 8
        ),
    )
    return Clip(
        "ordinary",
        "41010500001320000004",
        "文化路路口",
        Scene(camera, Light("day", 20.0, 58.0, 0.45), street, actors, 4),
        40.0,
        zones,
        (),
    )


def all_clips() -> tuple[Clip, ...]:
    """The sample suite in its order."""
    return (illegal_parking(), bin_overflow(), street_vending(), ordinary())
