"""Who and what stands in a random scene: free places, colours, dressed people."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from .description import Actor, Appearance, Key

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
class Cast:
    """Actors placed so far and the discs (x, y, radius) they occupy; `lit` where lamps burn."""

    rng: np.random.Generator
    lit: bool = False
    actors: list[Actor] = field(default_factory=list)
    discs: list[tuple[float, float, float]] = field(default_factory=list)

    def pick(self, options: tuple[str, ...]) -> str:
        """One of `options`."""
        return options[int(self.rng.integers(len(options)))]

    def free(self, x: float, y: float, radius: float) -> bool:
        """Whether a disc touches none that is taken."""
        return all(math.hypot(x - a, y - b) > radius + r for a, b, r in self.discs)

    def put(
        self, model: str, x: float, y: float, heading: float, radius: float, /, **style: str
    ) -> None:
        """Add an actor that stands still."""
        name = f"{model}-{len(self.actors)}"
        look = Appearance(-math.inf, model, tuple(sorted(style.items())))
        self.actors.append(Actor(name, (look,), (Key(0.0, x, y, heading),)))
        self.discs.append((x, y, radius))

    def spot(
        self, focus: float, y_range: tuple[float, float], radius: float, spread: float = 6.5
    ) -> tuple[float, float] | None:
        """A free place near `focus`, or None after twelve tries."""
        for _ in range(12):
            x = focus + float(self.rng.normal(0, spread / 2))
            y = float(self.rng.uniform(*y_range))
            if self.free(x, y, radius):
                return x, y
        return None

    def try_put(
        self, model: str, focus: float, y_range: tuple[float, float], radius: float, /, **style: str
    ) -> None:
        """Add an actor at any heading where there is room."""
        spot = self.spot(focus, y_range, radius)
        if spot is not None:
            self.put(model, *spot, float(self.rng.uniform(0, 360)), radius, **style)

    def seed(self) -> str:
        """A model seed."""
        return str(self.rng.integers(9999))

    def person(self, at: tuple[float, float], heading: float, pose: str, /, **style: str) -> None:
        """Somebody in random clothes."""
        look = {
            "top": self.pick(TOPS),
            "legs": self.pick(BOTTOMS),
            "height_m": f"{self.rng.normal(1.67, 0.07):.2f}",
            "hair": self.pick(("#15110f", "#1f1813", "#2c221b", "#6a6662")),
            "extra_colour": self.pick(SHADES),
            "hat_colour": self.pick(SHADES),
            "skin": self.pick(("#b98a6a", "#a97c5e", "#c49a7c")),
        }
        self.put("person", *at, heading, 0.35, **(look | style | {"pose": pose}))

    def beside(
        self,
        base: tuple[float, float, float],
        offset: tuple[float, float],
        turn: float,
        pose: str,
        /,
        **style: str,
    ) -> None:
        """Somebody at `offset` in the axes of `base` (x, y, heading)."""
        x, y, heading = base
        c, s = math.cos(math.radians(heading)), math.sin(math.radians(heading))
        at = (x + c * offset[0] - s * offset[1], y + s * offset[0] + c * offset[1])
        self.person(at, heading + turn + float(self.rng.normal(0, 15)), pose, **style)
