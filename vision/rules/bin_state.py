"""垃圾满溢: a bin seen as overflowing more often than misreading explains."""

from __future__ import annotations

from ..kinds import Kind
from ..scene import Stay, Vote
from .rule import Finding, Rule, View, percent

OVERFLOWING = "overflowing_bin"


def observe(stay: Stay, kind: Kind, view: View) -> Finding:
    """Strength is the evidence of all sightings since the bin most probably filled up."""
    vote = stay.votes.get(OVERFLOWING, Vote())
    reasons = (
        f"近期 {percent(vote.share)} 的时间被识别为满溢",
        f"累计满溢 {vote.total_s:.0f} 秒",
    )
    return Finding(vote.strength, vote.since, vote.last, reasons)


RULE = Rule("bin_state", "1.1.0", observe)
