"""What is in a street: things with a size, a path and the names a detector has for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .view import Floats

Span = tuple[float, float]
Size = tuple[float, float, float]

BRAKING_M_S2 = 2.0

# Length, width, height in metres; how often a vehicle is this; what a detector calls it.
VEHICLES: dict[str, tuple[Size, float, dict[str, float]]] = {
    "car": ((4.5, 1.8, 1.5), 0.68, {"car": 0.97, "truck": 0.03}),
    "van": ((5.2, 1.9, 2.1), 0.17, {"car": 0.55, "truck": 0.35, "bus": 0.10}),
    "truck": ((7.0, 2.3, 2.9), 0.10, {"truck": 0.9, "bus": 0.06, "car": 0.04}),
    "bus": ((11.0, 2.5, 3.1), 0.05, {"bus": 0.93, "truck": 0.07}),
}
SIZES: dict[str, Size] = {
    "person": (0.5, 0.5, 1.7),
    "bin": (0.65, 0.65, 1.1),
    "full_bin": (0.85, 0.8, 1.35),
    "garbage": (1.1, 0.8, 0.5),
    "bag": (0.45, 0.35, 0.4),
    "tricycle": (2.3, 1.1, 1.4),
    "goods": (2.0, 0.9, 0.9),
    "bicycle": (0.6, 1.7, 1.05),
    "umbrella": (2.2, 2.2, 2.4),
    "motorcycle": (1.8, 0.7, 1.2),
}


@dataclass(slots=True)
class Thing:
    """One thing (or one phase of it) from `t[0]` to `t[-1]`; between keyframes it moves straight.

    Attributes:
        t, along, across: keyframes: seconds and metres.
        names: what the detector calls it, with shares.
        score_bias: added to the detector's logit.
        wobble: standard deviation of its slow score noise.
        opacity: how much of what is behind it it hides; one sees through a rack or an umbrella.
        blind: spans in which the detector hardly sees it.
        swell: spans in which lights make its box larger, and by what shares (left, right, top).
        kin: the number of the thing that this is a later state or a part of, and looks like.
    """

    size: Size
    t: Sequence[float]
    along: Sequence[float]
    across: Sequence[float]
    names: dict[str, float]
    score_bias: float = 0.0
    wobble: float = 0.5
    opacity: float = 1.0
    blind: list[Span] = field(default_factory=list)
    swell: list[tuple[Span, tuple[float, float, float]]] = field(default_factory=list)
    kin: int | None = None


def still(
    size: Size, span: Span, along: float, across: float, names: dict[str, float], bias: float = 0.0
) -> Thing:
    """Something that does not move."""
    return Thing(size, span, (along, along), (across, across), names, bias)


def random_vehicle(rng: np.random.Generator) -> tuple[str, Size, dict[str, float]]:
    """Its type, its own size and its names."""
    types = list(VEHICLES)
    name = types[int(rng.choice(len(types), p=[VEHICLES[t][1] for t in types]))]
    size, _, names = VEHICLES[name]
    length, width, height = (float(v) for v in np.array(size) * rng.normal(1, 0.05, 3))
    return name, (length, width, height), names


@dataclass(slots=True)
class Drive:
    """Keyframes of a vehicle that drives, stops and drives on. `heading` is +1 or −1 along."""

    heading: int
    t: list[float] = field(default_factory=list)
    along: list[float] = field(default_factory=list)
    across: list[float] = field(default_factory=list)

    def _add(self, t: float, along: float, across: float) -> None:
        self.t.append(t)
        self.along.append(along)
        self.across.append(across)

    def arrive(self, stop_s: float, at: float, lane: float, slot: float, speed: float) -> None:
        """Comes along `lane` and is at rest from `stop_s` on, `at` along, `slot` across."""
        brake_s = speed / BRAKING_M_S2
        run_m = speed * brake_s / 2
        far_m = 70.0
        start_s = stop_s - brake_s - (far_m - run_m) / speed
        self._add(start_s, at - self.heading * far_m, lane)
        for share in np.linspace(0, 1, 6):
            left_s = brake_s * (1 - share)
            along = at - self.heading * BRAKING_M_S2 * left_s**2 / 2
            self._add(stop_s - left_s, along, lane + (slot - lane) * float(share))

    def leave(self, go_s: float, lane: float, speed: float) -> None:
        """Is at rest until `go_s`, then accelerates and is gone."""
        at, slot = self.along[-1], self.across[-1]
        gain_s = speed / BRAKING_M_S2
        for share in np.linspace(0, 1, 6):
            s = gain_s * share
            along = at + self.heading * BRAKING_M_S2 * s**2 / 2
            self._add(go_s + s, along, slot + (lane - slot) * float(share))
        self._add(
            go_s + gain_s + 60.0 / speed, self.along[-1] + self.heading * 60.0, self.across[-1]
        )

    def shift(self, begin_s: float, by_m: float, speed: float = 1.0) -> None:
        """At rest until `begin_s`, then creeps `by_m` forward."""
        at, slot = self.along[-1], self.across[-1]
        self._add(begin_s, at, slot)
        self._add(begin_s + by_m / speed, at + self.heading * by_m, slot)


def passing(
    size: Size,
    names: dict[str, float],
    t: float,
    heading: int,
    across: float,
    speed: float,
    reach: Span,
) -> Thing:
    """Goes straight through the picture; it is in the middle at `t`."""
    middle, half = (reach[0] + reach[1]) / 2, (reach[1] - reach[0]) / 2 + 18.0
    span_s = half / speed
    ends = (middle - heading * half, middle + heading * half)
    return Thing(size, (t - span_s, t + span_s), ends, (across, across), names)


def spans(rng: np.random.Generator, within: Span, per_hour: float, lasting: Span) -> list[Span]:
    """Random spans at a rate, each lasting between two lengths (log-uniform)."""
    length = within[1] - within[0]
    if length <= 0:
        return []
    count = int(rng.poisson(per_hour * length / 3600))
    starts = np.sort(rng.uniform(within[0], within[1], count))
    lasts = np.exp(rng.uniform(np.log(lasting[0]), np.log(lasting[1]), count))
    return [(float(a), float(a + b)) for a, b in zip(starts, lasts, strict=True)]


def inside(times: Floats, periods: Sequence[Span]) -> Floats:
    """1 where a time lies in one of the spans, else 0."""
    flags = np.zeros(len(times))
    for begin, end in periods:
        flags[np.searchsorted(times, begin) : np.searchsorted(times, end)] = 1.0
    return flags
