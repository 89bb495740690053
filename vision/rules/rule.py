"""What a rule is: a pure look at one stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..kinds import Kind
from ..scene import Stay

BEGINS_AT = 0.6
HOLDS_AT = 0.4


@dataclass(frozen=True, slots=True)
class Observation:
    """A kind holds at a stay, more or less.

    Attributes:
        strength: 0–1. A situation begins at `BEGINS_AT` and holds down to `HOLDS_AT`.
        since: media time at which it began.
        last: media time at which it was last seen to hold.
        reasons: what a person can check in the picture, in Chinese.
    """

    strength: float
    since: float
    last: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A named, versioned rule.

    `observe(stay, kind, standing)` judges a stay that is in view now; `standing` says whether its
    incident is already open.
    """

    name: str
    version: str
    observe: Callable[[Stay, Kind, bool], Observation]

    @property
    def ref(self) -> str:
        """`name@version`, as written into incidents."""
        return f"{self.name}@{self.version}"


LABEL_ZH = {
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
