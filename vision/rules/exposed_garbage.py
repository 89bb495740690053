"""暴露垃圾: garbage that lies there by itself; somebody's bags beside him are not."""

from __future__ import annotations

from ..kinds import Kind
from ..scene import Stay
from .rule import Finding, Rule, View, percent

ATTENDED_WEIGHT = 0.7


def observe(stay: Stay, kind: Kind, view: View) -> Finding:
    """Full strength unattended, too weak with somebody near it all the time.

    Once reported, passers-by no longer weaken it: only its removal ends it.
    """
    strength = 1.0 if view.standing else 1.0 - ATTENDED_WEIGHT * stay.attended.share
    reasons = ("垃圾在原地未移动", f"近期 {percent(1 - stay.attended.share)} 的时间无人看管")
    return Finding(strength, stay.since, stay.last_seen, reasons)


RULE = Rule("exposed_garbage", "1.0.0", observe)
