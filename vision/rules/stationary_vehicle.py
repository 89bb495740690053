"""机动车违停: a motor vehicle at rest. Where and for how long is the zone's matter."""

from __future__ import annotations

from ..kinds import Kind
from ..scene import Stay
from .rule import Observation, Rule, label_zh


def observe(stay: Stay, kind: Kind, standing: bool) -> Observation:
    """At rest is at rest: full strength whatever the vehicle is called in this frame."""
    reasons = [f"{label_zh(stay.label)}接地点位于管控区内", "位置未变"]
    if len(stay.votes) > 1:
        called = "、".join(label_zh(name) for name in sorted(stay.votes))
        reasons.append(f"同一车辆曾被识别为{called}")
    if stay.longest_gap_s > 0:
        reasons.append(f"最长漏检 {stay.longest_gap_s:.0f} 秒后在原位再次识别")
    return Observation(1.0, stay.since, stay.last_seen, tuple(reasons))


RULE = Rule("stationary_vehicle", "1.0.0", observe)
