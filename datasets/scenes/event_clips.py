"""The rendered event suite: short clips of every kind, half of the cameras with hard negatives.

480×270 at 2 frames/s, so that the suite renders in minutes. Places, hours, bodies and vendors
differ from those of the sample clips; nothing here is used in training.
"""

from __future__ import annotations

from .choreography import Clip, GroundZone, Happening, Style, look, passing, standing, walker
from .description import Actor, Camera, Key, Light, Scene, Street

EVENT_FPS = 2
_SIZE = (480, 270)
_PARKING = ("illegal_parking",)
_VENDING = ("street_vending",)
_BINS = ("bin_overflow",)
_GARBAGE = ("exposed_garbage",)
_SHOPPER: Style = {"top": "#8a2f2f", "legs": "#22262e", "extra": "bag", "extra_colour": "#d8d2c0"}
_STUDENT: Style = {"top": "#23406a", "legs": "#394a6a", "extra": "backpack"}
_WOMAN: Style = {"top": "#c98a94", "legs": "#2c3a50", "height_m": "1.60", "hair": "#1f1813"}
_MAN: Style = {"top": "#7f8a94", "legs": "#4a4640"}
_CLEANER: Style = {
    "top": "#d8641c",
    "legs": "#d8641c",
    "extra": "vest",
    "extra_colour": "#e07020",
    "hat": "cap",
    "hat_colour": "#d8641c",
}


def event_clips() -> tuple[Clip, ...]:
    """The suite in its order."""
    return (
        parking_at_night(),
        parking_behind_a_bus(),
        queue_at_the_crossing(),
        container_overflows(),
        bins_stay_shut(),
        bags_dumped(),
        luggage_set_down(),
        food_trolley(),
        cloth_on_the_ground(),
        fruit_tricycle(),
        vendors_passing(),
        car_and_bin(),
        bikes_on_the_pavement(),
    )


def _camera(
    eye: tuple[float, float, float], target: tuple[float, float, float], fov_deg: float
) -> Camera:
    return Camera(eye, target, fov_deg, *_SIZE)


def _clip(
    number: int,
    name: str,
    place: str,
    scene: Scene,
    duration_s: float,
    zones: tuple[GroundZone, ...],
    truth: tuple[Happening, ...] = (),
) -> Clip:
    camera_id = f"4101050000132000{100 + number:04d}"
    return Clip(name, camera_id, place, scene, duration_s, zones, truth, EVENT_FPS)


def _parking(x: tuple[float, float], dwell_s: int = 9) -> GroundZone:
    return GroundZone("kerb", "路侧禁停区", x, (-2.9, 0.05), _PARKING, dwell_s)


def _pavement(
    x: tuple[float, float], kinds: tuple[str, ...], dwell_s: int = 8, deep: float = 4.3
) -> GroundZone:
    return GroundZone("pavement", "人行道", x, (0.15, deep), kinds, dwell_s)


def _stopper(
    name: str, model: str, x: float, stop_s: float, go_s: float | None, style: Style
) -> Actor:
    """A vehicle that comes along the kerb lane, stops at `x` at `stop_s`, and leaves at `go_s`."""
    keys = [
        Key(stop_s - 4.4, x + 26.0, -1.9, 180.0),
        Key(stop_s - 2.2, x + 8.0, -1.8, 178.0, "stop"),
        Key(stop_s, x, -1.25, 180.0),
    ]
    seen_s = (stop_s - 4.4, float("inf"))
    if go_s is not None:
        keys += [
            Key(go_s, x, -1.25, 180.0, "start"),
            Key(go_s + 2.6, x - 9.0, -1.8, 180.0),
            Key(go_s + 5.4, x - 33.0, -1.9, 180.0),
        ]
        seen_s = (stop_s - 4.4, go_s + 5.4)
    return Actor(name, (look(model, **style),), tuple(keys), seen_s)


def parking_at_night() -> Clip:
    """Under street lamps a van stops on the yellow line for 24 s, its lights on."""
    street = Street(seed=121, pavement_m=4.8, lanes=3, trees=False)
    actors = (
        _stopper("van", "van", 0.4, 7.0, 31.0, {"colour": "#e4e3df", "lamps": "on"}),
        passing("suv", "suv", 1.0, -5.1, 11.0, {"colour": "#27364f", "lamps": "on"}),
        passing("taxi", "saloon", 13.0, -5.1, -10.0, {"colour": "#3c5570", "lamps": "on"}),
        passing("late", "saloon", 24.0, -5.1, 11.0, {"colour": "#6a1f20", "lamps": "on"}),
        walker("woman", [(-11.0, 2.4), (12.0, 2.8)], 9.0, _WOMAN),
        standing("bin", "bin", -4.6, 4.3, -90.0, colour="#1f4f8f", state="closed"),
    )
    camera = _camera((7.6, -9.8, 5.2), (-0.4, -0.9, 0.4), 58.0)
    scene = Scene(camera, Light("night", 20.0, 9.0, 0.2), street, actors, 21)
    truth = (Happening("illegal_parking", "kerb", 7.0, 31.0),)
    return _clip(1, "parking_at_night", "金水路夜间", scene, 39.0, (_parking((-5.0, 5.0)),), truth)


def parking_behind_a_bus() -> Clip:
    """After rain an SUV stops and stays; a bus and a lorry pass before it."""
    street = Street(seed=134, pavement_m=5.0, lanes=3, trees=False)
    actors = (
        _stopper("suv", "suv", -0.5, 6.0, None, {"colour": "#8d9296"}),
        passing("bus", "bus", 12.0, -5.2, 7.0, {"colour": "#2f7a4a"}, 40.0),
        passing("lorry", "truck", 22.0, -5.1, 8.0, {"colour": "#c9cccd"}, 36.0),
        passing("car", "saloon", 1.0, -5.1, 10.0, {"colour": "#7d2a24"}),
        walker("man", [(12.0, 3.0), (-12.0, 2.6)], 14.0, _MAN),
    )
    camera = _camera((6.0, -10.0, 6.4), (-0.8, -1.2, 0.2), 60.0)
    scene = Scene(camera, Light("day", 30.0, 50.0, 0.4, 0.9, True), street, actors, 22)
    truth = (Happening("illegal_parking", "kerb", 6.0, None),)
    zones = (_parking((-5.5, 5.0)),)
    return _clip(2, "parking_behind_a_bus", "花园路雨后", scene, 36.0, zones, truth)


def _queueing(number: int, x: float, stop_s: float, go_s: float, style: Style) -> Actor:
    return Actor(
        f"queue{number}",
        (look(("saloon", "suv", "van")[number % 3], **style),),
        (
            Key(stop_s - 4.2, x + 30.0, -1.7, 180.0),
            Key(stop_s - 2.2, x + 9.0, -1.7, 180.0, "stop"),
            Key(stop_s, x, -1.7, 180.0),
            Key(go_s, x, -1.7, 180.0, "start"),
            Key(go_s + 2.6, x - 8.5, -1.7, 180.0),
            Key(go_s + 6.4, x - 40.0, -1.7, 180.0),
        ),
        (stop_s - 4.2, go_s + 6.4),
    )


def queue_at_the_crossing() -> Clip:
    """Nothing: three cars wait 9 s in a row before a crossing and drive on."""
    street = Street(seed=141, pavement_m=4.8, lanes=3, trees=False, zebra_x=-9.4)
    actors = (
        _queueing(0, -4.2, 8.0, 17.0, {"colour": "#33424a"}),
        _queueing(1, 1.4, 9.4, 17.8, {"colour": "#d8dadb"}),
        _queueing(2, 6.8, 10.8, 18.6, {"colour": "#a89f8e"}),
        walker("crossing", [(-7.6, 2.2), (-7.9, -11.4)], 8.4, _SHOPPER, speed_m_s=1.4),
        walker("student", [(11.0, 2.6), (-12.0, 2.4)], 2.0, _STUDENT),
        passing("other", "saloon", 24.0, -5.1, 10.0, {"colour": "#4a3a30"}),
    )
    camera = _camera((10.2, -9.6, 7.2), (-0.6, -1.4, 0.2), 60.0)
    scene = Scene(camera, Light("day", -25.0, 55.0, 0.2), street, actors, 23)
    return _clip(
        3, "queue_at_the_crossing", "东风路路口", scene, 32.0, (_parking((-6.5, 6.0), 14),)
    )


def container_overflows() -> Clip:
    """A container that is full to the lid gets more bags until they lie on top; it stays so."""
    street = Street(seed=152, pavement_m=4.8, lanes=2, trees=False, bollards=False)
    form: Style = {"form": "660", "colour": "#2f6b3a"}
    container = Actor(
        "container",
        (
            look("bin", **form, state="tight"),
            look("bin", 10.0, **form, state="overflowing", seed="4"),
        ),
        (Key(0.0, 0.0, 0.95, -90.0),),
    )
    bring: Style = {**_MAN, "extra": "bag", "extra_colour": "#20242c", "after_extra": "none"}
    actors = (
        container,
        standing("bin", "bin", 1.5, 0.9, -90.0, colour="#565b60", state="closed"),
        walker(
            "first",
            [(9.0, 2.8), (0.2, 2.2), (-9.0, 2.8)],
            2.4,
            bring,
            [(1, 2.0, "reach")],
            face={1: -90.0},
        ),
        walker("woman", [(-9.0, 3.2), (10.0, 3.4)], 17.0, _WOMAN),
        passing("car", "saloon", 22.0, -5.1, -9.0, {"colour": "#5d6468"}),
    )
    camera = _camera((-3.6, -5.2, 3.4), (0.4, 1.0, 0.6), 58.0)
    scene = Scene(camera, Light("day", 40.0, 46.0, 0.65), street, actors, 24)
    zone = GroundZone("bins", "垃圾桶点位", (-1.4, 2.4), (-0.1, 2.0), _BINS, 6)
    truth = (Happening("bin_overflow", "bins", 10.0, None),)
    return _clip(4, "container_overflows", "政七街垃圾箱", scene, 33.0, (zone,), truth)


def bins_stay_shut() -> Clip:
    """Nothing: low sun, long shadows, a bin opened, filled and shut again; one full to the rim."""
    street = Street(seed=163, pavement_m=4.8, lanes=2, trees=False, bollards=False)
    used = Actor(
        "used",
        (
            look("bin", colour="#8f2626", state="closed"),
            look("bin", 8.0, colour="#8f2626", state="open", seed="3"),
            look("bin", 9.0, colour="#8f2626", state="filling", seed="3"),
            look("bin", 12.0, colour="#8f2626", state="tight", seed="3"),
        ),
        (Key(0.0, 0.2, 0.85, -90.0),),
    )
    bring: Style = {**_WOMAN, "extra": "bag", "extra_colour": "#c23a34", "after_extra": "none"}
    actors = (
        used,
        standing("green", "bin", -0.6, 0.85, -92.0, colour="#2f6b3a", state="tight", seed="6"),
        standing("blue", "bin", 1.0, 0.86, -88.0, colour="#1f4f8f", state="closed"),
        standing("grey", "bin", 1.8, 0.85, -90.0, colour="#565b60", state="closed"),
        walker(
            "woman",
            [(9.0, 2.6), (0.3, 2.0), (9.0, 2.9)],
            1.6,
            bring,
            [(1, 4.2, "reach")],
            face={1: -90.0},
        ),
        walker("student", [(-9.0, 2.6), (9.5, 3.0)], 15.0, _STUDENT),
        passing("car", "suv", 20.0, -5.1, -9.0, {"colour": "#c9cccd"}),
    )
    camera = _camera((3.2, -5.4, 3.0), (0.4, 1.0, 0.6), 58.0)
    scene = Scene(camera, Light("day", -50.0, 26.0, 0.05), street, actors, 25)
    zone = GroundZone("bins", "垃圾桶点位", (-1.4, 2.6), (-0.1, 2.0), _BINS, 6)
    return _clip(5, "bins_stay_shut", "经五路垃圾桶", scene, 31.0, (zone,))


def bags_dumped() -> Clip:
    """At dusk rubbish bags are dumped on the pavement and lie there until a cleaner comes."""
    street = Street(seed=174, pavement_m=4.8, lanes=2, trees=False, bollards=False)
    heap = Actor(
        "heap",
        (
            look("heap", seed="8", spread_m="0.5", bags="4"),
            look("heap", 17.0, seed="8", spread_m="0.8", bags="8", kind="mixed"),
        ),
        (Key(0.0, 0.2, 1.4, 0.0),),
        (8.0, 33.0),
    )
    bring: Style = {**_MAN, "extra": "bag", "extra_colour": "#20242c", "after_extra": "none"}
    actors = (
        heap,
        walker(
            "man",
            [(9.0, 2.6), (0.9, 1.6), (9.5, 2.2)],
            1.0,
            bring,
            [(1, 1.8, "bend")],
            face={1: 190.0},
        ),
        walker(
            "second",
            [(-9.0, 2.8), (-0.7, 1.7), (-9.0, 3.2)],
            9.6,
            bring,
            [(1, 1.6, "bend")],
            face={1: 0.0},
        ),
        walker(
            "cleaner",
            [(9.0, 2.4), (1.1, 1.7), (9.0, 2.0)],
            24.4,
            _CLEANER,
            [(1, 4.4, "bend")],
            face={1: 190.0},
        ),
        standing("bin", "bin", -2.6, 0.85, -90.0, colour="#2f6b3a", state="closed"),
    )
    camera = _camera((-2.4, -6.0, 4.0), (0.2, 1.3, 0.3), 56.0)
    scene = Scene(camera, Light("dusk", 20.0, 9.0, 0.3), street, actors, 26)
    zone = _pavement((-2.2, 2.6), _GARBAGE, 7, 3.6)
    truth = (Happening("exposed_garbage", "pavement", 8.0, 33.0),)
    return _clip(6, "bags_dumped", "黄河路人行道", scene, 39.0, (zone,), truth)


def luggage_set_down() -> Clip:
    """Nothing: one waits beside a suitcase, another sets a bag down, telephones, takes it along."""
    street = Street(seed=185, pavement_m=5.0, lanes=2, trees=False, bollards=False)
    bag = Actor("bag", (look("bag", seed="5"),), (Key(0.0, 1.75, 1.5, 0.0),), (11.0, 20.0))
    suitcase: Style = {"colour": "#2a5aa0"}
    actors = (
        bag,
        standing("suitcase", "suitcase", -1.8, 2.3, 20.0, **suitcase),
        standing("traveller", "person", -1.3, 2.2, -80.0, **_WOMAN, pose="phone"),
        walker(
            "caller",
            [(10.0, 2.4), (2.3, 1.6), (-11.0, 3.4)],
            4.0,
            {**_MAN, "extra": "none"},
            [(1, 10.0, "phone")],
            face={1: -100.0},
        ),
        walker("shopper", [(-10.0, 3.6), (11.0, 3.2)], 15.0, _SHOPPER),
        standing("bin", "bin", 4.2, 4.4, -90.0, colour="#565b60", state="closed"),
    )
    camera = _camera((3.0, -6.2, 3.8), (0.3, 1.8, 0.5), 58.0)
    scene = Scene(camera, Light("day", 35.0, 60.0, 0.35), street, actors, 27)
    zone = _pavement((-3.0, 3.6), _GARBAGE, 12, 4.2)
    return _clip(7, "luggage_set_down", "二七广场站口", scene, 32.0, (zone,))


def food_trolley() -> Clip:
    """At night a food trolley is pushed up, its roof goes up, people queue; it stays."""
    street = Street(seed=196, pavement_m=5.2, lanes=2, trees=False, bollards=False)
    model: Style = {"kind": "trolley", "colour": "#c84a3a", "seed": "3"}
    way = (Key(1.0, 13.0, 2.0, 90.0), Key(11.5, 0.4, 2.0, 90.0))
    trolley = Actor(
        "trolley",
        (look("stall", **model, shade="no"), look("stall", 13.0, **model, shade="yes")),
        way,
        (1.0, float("inf")),
    )
    vendor: Style = {"top": "#d4d0c8", "legs": "#22262e", "extra": "apron", "hat": "cap"}
    keeper = Actor(
        "keeper",
        (look("person", **vendor, pose="push"), look("person", 12.5, **vendor, pose="serve")),
        (
            Key(1.0, 14.2, 2.0, 180.0),
            Key(11.5, 1.6, 2.0, 180.0),
            Key(12.5, 0.5, 3.1, -90.0),
        ),
        (1.0, float("inf")),
    )
    stand: list[tuple[int, float, str]] = [(1, 14.0, "wait")]
    actors = (
        trolley,
        keeper,
        walker(
            "guest1", [(-9.0, 1.4), (0.2, 0.75), (9.0, 1.0)], 9.0, _STUDENT, stand, face={1: 90}
        ),
        walker("guest2", [(9.0, 1.0), (0.9, 0.8), (9.0, 1.4)], 12.0, _WOMAN, stand, face={1: 95}),
        passing("car", "saloon", 6.0, -5.1, -9.0, {"colour": "#8d9296", "lamps": "on"}),
    )
    camera = _camera((4.2, -6.8, 4.0), (0.4, 1.7, 0.8), 56.0)
    scene = Scene(camera, Light("night", 20.0, 9.0, 0.15), street, actors, 28)
    zone = _pavement((-3.2, 3.6), _VENDING)
    truth = (Happening("street_vending", "pavement", 11.5, None),)
    return _clip(8, "food_trolley", "健康路夜市口", scene, 38.0, (zone,), truth)


def cloth_on_the_ground() -> Clip:
    """A vendor spreads a cloth with clothes, two customers stop, after 26 s all is packed."""
    street = Street(seed=207, pavement_m=5.2, lanes=2, trees=False, bollards=False)
    cloth = Actor(
        "cloth",
        (look("stall", kind="cloth", colour="#2a5aa0", goods="clothes", seed="4", shade="no"),),
        (Key(0.0, 0.0, 2.2, -90.0),),
        (9.0, 35.0),
    )
    dress: Style = {"top": "#6a5a7a", "legs": "#22262e", "hat": "straw"}
    vendor = Actor(
        "vendor",
        (
            look("person", **dress, extra="bag", extra_colour="#4a5a6a"),
            look("person", 8.0, **dress, pose="bend"),
            look("person", 11.0, **dress, pose="squat"),
            look("person", 33.0, **dress, pose="bend"),
            look("person", 35.0, **dress, extra="bag", extra_colour="#4a5a6a"),
        ),
        (
            Key(0.0, 10.5, 3.3, 180.0),
            Key(8.0, 0.1, 3.3, 180.0),
            Key(8.5, 0.1, 3.3, -90.0),
            Key(35.0, 0.1, 3.3, -90.0),
            Key(35.5, 0.1, 3.3, 180.0),
            Key(39.0, -4.6, 3.4, 180.0),
        ),
    )
    actors = (
        cloth,
        vendor,
        walker(
            "buyer1",
            [(-9.0, 1.0), (-0.5, 0.95), (9.0, 0.9)],
            8.6,
            _WOMAN,
            [(1, 9.0, "bend")],
            face={1: 85.0},
        ),
        walker(
            "buyer2",
            [(9.0, 1.2), (0.6, 0.9), (-9.0, 0.8)],
            14.0,
            _SHOPPER,
            [(1, 7.0, "wait")],
            face={1: 100.0},
        ),
        standing("parked", "ebike", 4.6, 0.9, 85.0, colour="#7d2a24"),
    )
    camera = _camera((-3.4, -6.4, 4.4), (0.2, 2.0, 0.4), 54.0)
    scene = Scene(camera, Light("day", -20.0, 52.0, 0.3), street, actors, 29)
    zone = _pavement((-3.2, 3.2), _VENDING)
    truth = (Happening("street_vending", "pavement", 9.0, 35.0),)
    return _clip(9, "cloth_on_the_ground", "大学路天桥下", scene, 40.0, (zone,), truth)


def fruit_tricycle() -> Clip:
    """Under clouds a tricycle with fruit stops at the kerb, its canopy goes up, it sells 25 s."""
    street = Street(seed=218, pavement_m=4.8, lanes=2, trees=False)
    rider: Style = {"top": "#5f7a5a", "legs": "#4a4640", "hat": "straw"}
    ride: Style = {"colour": "#2f6f4a", "load": "boxes"}
    cart = Actor(
        "cart",
        (
            look("tricycle", **ride, rider="yes", **rider),
            look("tricycle", 7.0, **ride, rider="no"),
            look("tricycle", 35.0, **ride, rider="yes", **rider),
        ),
        (
            Key(1.0, 18.0, -1.6, 180.0),
            Key(3.8, 6.0, -1.4, 180.0, "stop"),
            Key(6.0, 0.0, -1.0, 180.0),
            Key(35.5, 0.0, -1.0, 180.0, "start"),
            Key(38.0, -6.0, -1.4, 180.0),
            Key(41.0, -18.0, -1.6, 180.0),
        ),
    )
    # While it sells, the cart is a stall: the same tricycle, its flank to the pavement.
    hidden = Actor(cart.name, cart.appearances[:2], cart.keys[:3], (1.0, 9.0))
    leaving = Actor("cart_off", cart.appearances[2:], cart.keys[3:], (35.0, 41.0))
    stall = Actor(
        "stall",
        (look("stall", kind="tricycle", colour="#2f7a4a", seed="26", goods="fruit"),),
        (Key(0.0, -0.78, -1.0, 90.0),),
        (9.0, 35.0),
    )
    vendor = Actor(
        "vendor",
        (look("person", **rider, pose="bend"), look("person", 9.5, **rider, pose="serve")),
        (Key(7.0, -0.6, 0.2, -90.0), Key(34.5, -0.6, 0.2, -90.0)),
        (7.0, 35.0),
    )
    actors = (
        hidden,
        leaving,
        stall,
        vendor,
        walker(
            "buyer1",
            [(8.0, 1.8), (0.3, 0.5), (8.0, 2.2)],
            8.0,
            _SHOPPER,
            [(1, 10.0, "reach")],
            face={1: -100.0},
        ),
        walker(
            "buyer2",
            [(-8.0, 1.6), (-1.4, 0.5), (-8.0, 2.2)],
            15.0,
            _MAN,
            [(1, 8.0, "wait")],
            face={1: -80.0},
        ),
        passing("car", "saloon", 20.0, -5.1, -9.0, {"colour": "#6a1f20"}),
    )
    camera = _camera((4.4, -8.2, 4.8), (-0.4, -0.3, 0.7), 52.0)
    scene = Scene(camera, Light("day", 10.0, 50.0, 0.3, 0.85), street, actors, 30)
    zone = GroundZone("kerb", "路边禁止摆卖区", (-4.0, 3.6), (-2.4, 1.6), _VENDING, 8)
    truth = (Happening("street_vending", "kerb", 9.0, 35.0),)
    return _clip(10, "fruit_tricycle", "建设路路边", scene, 41.0, (zone,), truth)


def vendors_passing() -> Clip:
    """Nothing: loaded tricycles pass, people queue, an umbrella without goods, a shop's racks."""
    street = Street(seed=229, pavement_m=5.4, lanes=2, trees=False, bollards=False)
    roofed: Style = {
        "colour": "#1f4f8f",
        "canopy": "#c8882a",
        "load": "boxes",
        "rider": "yes",
        "top": "#6a6458",
        "hat": "straw",
    }
    loaded: Style = {"colour": "#2f6f4a", "load": "sacks", "rider": "yes", "hat": "cap"}
    queue = tuple(
        standing(
            f"waiting{k}",
            "person",
            -3.6 + 0.75 * k,
            1.0 + 0.1 * (k % 2),
            -95.0 + 8 * k,
            **style,
            pose=("stand", "phone", "wait", "stand")[k],
        )
        for k, style in enumerate((_STUDENT, _WOMAN, _MAN, _SHOPPER))
    )
    actors = (
        *queue,
        passing("roofed", "tricycle", 4.0, -1.7, 4.5, roofed, 22.0),
        passing("loaded", "tricycle", 17.0, -1.9, 5.0, loaded, 22.0),
        standing("umbrella", "umbrella", 1.6, 3.2, 0.0, colour="#b02a2a", seed="1"),
        standing("table", "cafe_table", 1.2, 3.0, 40.0),
        standing("rack1", "goods_rack", -1.6, 5.9, -90.0, seed="5"),
        standing("rack2", "shop_buckets", 4.4, 5.9, -90.0, seed="6"),
        walker("shopper", [(10.0, 2.2), (-10.0, 2.4)], 8.0, _SHOPPER),
        walker("woman", [(-10.0, 2.6), (10.0, 2.0)], 19.0, _WOMAN),
    )
    camera = _camera((3.6, -8.2, 4.6), (-0.4, 1.4, 0.7), 58.0)
    scene = Scene(camera, Light("day", -35.0, 46.0, 0.3), street, actors, 31)
    zones = (
        _pavement((-4.6, 4.2), _VENDING),
        GroundZone("road", "路边禁止摆卖区", (-4.6, 4.2), (-2.6, -0.05), _VENDING, 8),
    )
    return _clip(11, "vendors_passing", "陇海路公交站", scene, 34.0, zones)


def car_and_bin() -> Clip:
    """On a wet day a saloon parks for 23 s while a bin beside it overflows and stays so."""
    street = Street(seed=230, pavement_m=4.6, lanes=2, trees=False, bollards=False)
    green: Style = {"colour": "#1d7a3e"}
    full = Actor(
        "bin",
        (look("bin", **green, state="tight"), look("bin", 13.0, **green, state="overflowing")),
        (Key(0.0, 1.2, 2.4, -90.0),),
    )
    heap = Actor(
        "heap",
        (look("heap", seed="8", spread_m="0.45", bags="3"),),
        (Key(0.0, 0.5, 2.2, 0.0),),
        (15.0, float("inf")),
    )
    bring: Style = {**_WOMAN, "extra": "bag", "extra_colour": "#d9d6cc", "after_extra": "none"}
    actors = (
        _stopper("saloon", "saloon", -3.2, 7.0, 30.0, {"colour": "#1c1e21"}),
        full,
        heap,
        standing("bin2", "bin", 2.0, 2.4, -90.0, colour="#565b60", state="closed"),
        walker(
            "woman",
            [(9.0, 3.6), (1.1, 3.5), (9.0, 3.8)],
            6.0,
            bring,
            [(1, 2.0, "reach")],
            face={1: -90.0},
        ),
        passing("car", "suv", 16.0, -5.1, -9.0, {"colour": "#d8dadb"}),
    )
    camera = _camera((4.6, -7.4, 5.4), (-0.6, 0.3, 0.3), 62.0)
    scene = Scene(camera, Light("day", 15.0, 50.0, 0.5, 0.95, True), street, actors, 32)
    bins = GroundZone("bins", "垃圾桶点位", (-0.2, 2.9), (1.5, 3.3), _BINS, 6)
    truth = (
        Happening("illegal_parking", "kerb", 7.0, 30.0),
        Happening("bin_overflow", "bins", 13.0, None),
    )
    zones = (_parking((-7.5, 1.5)), bins)
    return _clip(12, "car_and_bin", "文化路雨天", scene, 36.0, zones, truth)


def _arriving(number: int, x: float, at_s: float, colour: str) -> Actor:
    """An e-bike ridden over the kerb and left standing across the pavement."""
    rider: Style = {"top": "#404a58", "legs": "#22262e", "hat": "helmet", "hat_colour": "#c0c4c8"}
    return Actor(
        f"bike{number}",
        (
            look("ebike", colour=colour, rider="yes", **rider),
            look("ebike", at_s + 0.5, colour=colour, rider="no"),
        ),
        (
            Key(at_s - 4.0, x + 12.0, -1.4, 180.0),
            Key(at_s - 1.8, x + 2.2, -0.8, 160.0, "stop"),
            Key(at_s, x, 1.8, 95.0 + 6 * number),
        ),
        (at_s - 4.0, float("inf")),
    )


def bikes_on_the_pavement() -> Clip:
    """One e-bike stands there, three more are left beside it; from the third on it is clutter."""
    street = Street(seed=241, pavement_m=5.0, lanes=2, trees=False, bollards=False)
    actors = (
        standing("bike0", "ebike", -1.6, 1.9, 92.0, colour="#3c5570"),
        _arriving(1, -0.6, 5.0, "#7d2a24"),
        _arriving(2, 0.4, 9.5, "#33424a"),
        _arriving(3, 1.4, 14.0, "#d8dadb"),
        walker("shopper", [(-10.0, 3.6), (10.0, 3.8)], 16.0, _SHOPPER),
    )
    camera = _camera((3.4, -6.8, 4.4), (0.0, 1.6, 0.5), 56.0)
    scene = Scene(camera, Light("day", 25.0, 58.0, 0.2), street, actors, 33)
    zone = _pavement((-2.8, 2.8), ("non_motor_clutter",), 9, 3.4)
    truth = (Happening("non_motor_clutter", "pavement", 9.5, None),)
    return _clip(13, "bikes_on_the_pavement", "嵩山路地铁口", scene, 34.0, (zone,), truth)
