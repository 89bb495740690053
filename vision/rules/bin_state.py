"""垃圾满溢: a bin seen as overflowing more often than misreading explains."""

from __future__ import annotations

from ..families import OVERFLOWING
from ..kinds import Kind
from ..onset import began
from ..scene import Stay, Vote
from .rule import BEGINS_AT, Finding, Rule, View, percent


def observe(stay: Stay, kind: Kind, view: View) -> Finding:
    """Strength is the evidence of all sightings since the bin most probably filled up.

    When that was is estimated from what was kept of them, until the incident is reported.
    """
    vote = stay.votes.get(OVERFLOWING, Vote())
    reasons = (
        f"近期 {percent(vote.share)} 的时间被识别为满溢",
        f"累计满溢 {vote.total_s:.0f} 秒",
    )
    revised = None
    if not view.standing and vote.strength >= BEGINS_AT:
        revised = began(stay.filling)
    since = vote.since if revised is None else revised
    return Finding(vote.strength, since, vote.last, reasons, revised=revised)


RULE = Rule("bin_state", "1.2.0", observe)
