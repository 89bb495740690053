"""占道经营: a stall at rest with somebody near it for a good share of the time."""

from __future__ import annotations

from ..kinds import Kind
from ..scene import Stay
from .rule import HOLDS_AT, Observation, Rule, percent

FULL_ATTENDANCE = 0.6


def observe(stay: Stay, kind: Kind, standing: bool) -> Observation:
    """Evidence of both: goods that stay, and somebody who keeps them.

    An umbrella or a parked tricycle with nobody near gives nothing; passers-by give little. Once
    reported, a vendor who steps away does not end it: only the stall's leaving does.
    """
    strength = min(1.0, stay.attended.share / FULL_ATTENDANCE)
    if standing:
        strength = max(strength, HOLDS_AT)
    since = max(stay.since, stay.attended.since)
    reasons = ("摊位在原地未移动", f"近期 {percent(stay.attended.share)} 的时间有人在旁")
    return Observation(strength, since, stay.last_seen, reasons)


RULE = Rule("street_vending", "1.0.0", observe)
