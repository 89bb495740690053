"""机动车违停: a motor vehicle at rest. Where and for how long is the zone's matter."""

from __future__ import annotations

from ..kinds import Kind
from ..scene import Stay
from .rule import Finding, Rule, View, label_zh

QUEUE_MEMORY_S = 30.0


def observe(stay: Stay, kind: Kind, view: View) -> Finding:
    """At rest is at rest: full strength whatever the vehicle is called in this frame.

    Two things buy time. Somebody at the vehicle, getting in or out or loading, is forgiven up to
    `attended_grace_s`. A vehicle that stopped together with others in one line waits for a signal
    until `queue_dwell_s` says otherwise.
    """
    reasons = [f"{label_zh(stay.label)}接地点位于管控区内", "位置未变"]
    if len(stay.votes) > 1:
        called = "、".join(label_zh(name) for name in sorted(stay.votes))
        reasons.append(f"同一车辆曾被识别为{called}")
    if stay.longest_gap_s > 0:
        reasons.append(f"最长漏检 {stay.longest_gap_s:.0f} 秒后在原位再次识别")
    forgiven_s = min(stay.attended.total_s, kind.attended_grace_s)
    if forgiven_s > 0:
        reasons.append(f"扣除车旁有人 {forgiven_s:.0f} 秒")
    queued = stay.queued_at is not None and view.t - stay.queued_at <= QUEUE_MEMORY_S
    return Finding(
        strength=1.0,
        since=stay.since,
        last=stay.last_seen,
        reasons=tuple(reasons),
        forgiven_s=forgiven_s,
        least_dwell_s=kind.queue_dwell_s if queued else 0.0,
    )


RULE = Rule("stationary_vehicle", "1.1.0", observe)
