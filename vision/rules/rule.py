"""What a rule is: a pure look at one thing at rest, or at all of a family in one zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..cameras import Frontage, Zone
from ..kinds import Kind
from ..scene import Stay

BEGINS_AT = 0.6
HOLDS_AT = 0.4


@dataclass(frozen=True, slots=True)
class View:
    """What a rule may know besides the stay.

    Attributes:
        t: media time of the frame.
        watched_since: media time of the camera's first frame.
        zone: the zone that speaks for the stay.
        frontages: the camera's shop fronts.
        standing: whether the incident is already open.
    """

    t: float
    watched_since: float
    zone: Zone
    frontages: tuple[Frontage, ...]
    standing: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """A kind holds at a stay, more or less.

    Attributes:
        strength: 0–1. A situation begins at `BEGINS_AT` and holds down to `HOLDS_AT`.
        since: media time at which it began.
        last: media time at which it was last seen to hold.
        reasons: what a person can check in the picture, in Chinese.
        forgiven_s: seconds by which this one may last longer than the dwell.
        least_dwell_s: this one must last at least so long, whatever the zone's dwell.
        revised: `since` where it is an estimate that later evidence improves: what is about to be
            reported then began at its latest value.
    """

    strength: float
    since: float
    last: float
    reasons: tuple[str, ...]
    forgiven_s: float = 0.0
    least_dwell_s: float = 0.0
    revised: float | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A named, versioned rule.

    `observe(stay, kind, view)` judges what is in view now. With scope `zone` the stay stands for
    all of its family that rest in the zone (`vision.groups`).
    """

    name: str
    version: str
    observe: Callable[[Stay, Kind, View], Finding]
    scope: Literal["stay", "zone"] = "stay"

    @property
    def ref(self) -> str:
        """`name@version`, as written into incidents."""
        return f"{self.name}@{self.version}"


LABEL_ZH = {
    "bicycle": "自行车",
    "motorcycle": "电动车",
    "car": "小汽车",
    "bus": "大客车",
    "truck": "货车",
    "bin": "垃圾桶",
    "overflowing_bin": "满溢垃圾桶",
    "garbage": "垃圾",
    "stall": "摊位",
    "person": "人员",
}


def label_zh(label: str) -> str:
    """Chinese name of a label for reasons; the label itself when it has none."""
    return LABEL_ZH.get(label, label)


def percent(share: float) -> str:
    """`0.254` → `25%`."""
    return f"{share:.0%}"
