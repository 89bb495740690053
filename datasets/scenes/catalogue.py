"""From an appearance to labelled meshes: the only place that knows every model's style settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from . import bins, containers, cycles, people, stalls, vehicles
from .description import Appearance, Place, label_of
from .meshes import Mesh
from .ware import ware

STRIDE_M = 1.45
WALK_PHASES = 8
PARTS_PER_ACTOR = 2  # a vehicle and its rider
_BIN_FORMS = {
    "240": bins.wheelie_bin,
    "660": containers.container,
    "litter": containers.litter_bin,
}


@dataclass(frozen=True, slots=True)
class Part:
    """One object to render: its label (None: a prop) and the key under which its mesh is cached."""

    label: str | None
    key: tuple[str, ...]


def parts_of(appearance: Appearance, place: Place) -> tuple[Part, ...]:
    """The objects an appearance consists of at `place`; a rider is a person on a vehicle."""
    model, style = appearance.model, appearance.styles()
    flat = tuple(f"{k}={v}" for k, v in sorted(style.items()))
    if model == "person":
        pose = style.get("pose", "walk" if place.moving else "stand")
        if pose in ("walk", "push") and place.moving:
            phase = int(place.travelled_m / STRIDE_M * WALK_PHASES) % WALK_PHASES
            pose = f"{pose}:{phase}"
        return (Part("person", (model, f"pose={pose}", *flat)),)
    found = [Part(label_of(appearance), (model, *flat))]
    if model in ("ebike", "bicycle", "tricycle") and style.get("rider") == "yes":
        found.append(Part("person", ("rider", f"on={model}", *flat)))
    return tuple(found)


def mesh_of(key: tuple[str, ...]) -> Mesh:
    """Build the mesh of a part key."""
    model = key[0]
    # The pose comes first in a person's key and must win over a style of the same name.
    style = dict(item.split("=", 1) for item in reversed(key[1:]))
    colour = style.get("colour", "#b0b4b8")
    seed = int(style.get("seed", "0"))
    if model in ("saloon", "suv", "van"):
        return vehicles.car(model, colour, style.get("lamps") == "on", style.get("plate", "blue"))
    if model == "truck":
        return vehicles.truck(colour)
    if model == "bus":
        return vehicles.bus(colour)
    if model == "ebike":
        return cycles.ebike(colour, style.get("box"))
    if model == "bicycle":
        return cycles.bicycle(colour)
    if model == "tricycle":
        return cycles.tricycle(colour, style.get("load", "none"), style.get("canopy"))
    if model == "rider":
        return cycles.rider_on(style["on"], look_from(style))
    if model == "person":
        return people.person(look_from(style), _pose(style["pose"]))
    if model == "bin":
        build = _BIN_FORMS[style.get("form", "240")]
        return build(colour, style.get("state", "closed"), seed)
    if model == "heap":
        return bins.rubbish_heap(
            seed,
            float(style.get("spread_m", "0.8")),
            int(style.get("bags", "7")),
            style.get("kind", "bags"),
        )
    if model == "stall":
        return stalls.stall(
            style.get("kind", "umbrella"),
            colour,
            seed,
            style.get("goods", "fruit"),
            style.get("shade", "yes") == "yes",
        )
    return ware(model, colour, seed, style.get("goods", "fruit"))


def look_from(style: Mapping[str, str]) -> people.Look:
    """Clothing from style settings; unknown keys belong to the vehicle and are ignored."""
    known = {f.name for f in fields(people.Look)} - {"height_m"}
    picked = {name: value for name, value in style.items() if name in known}
    return people.Look(**picked, height_m=float(style.get("height_m", "1.70")))


def _pose(name: str) -> people.Pose:
    if ":" not in name:
        return people.POSES[name] if name != "walk" else people.walk(0.1)
    kind, phase = name.split(":")
    step = people.walk(int(phase) / WALK_PHASES)
    if kind == "walk":
        return step
    hold = people.POSES["push"]
    return people.Pose(step.hips, step.knees, hold.shoulders, hold.elbows, hold.lean, step.lift)
