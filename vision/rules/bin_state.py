"""垃圾满溢: a bin seen as overflowing for most of the recent time."""

from __future__ import annotations

from ..kinds import Kind
from ..scene import Stay, Vote
from .rule import Finding, Rule, View, percent

OVERFLOWING = "overflowing_bin"


def observe(stay: Stay, kind: Kind, view: View) -> Finding:
    """Strength is the time-weighted share of recent sightings as overflowing."""
    vote = stay.votes.get(OVERFLOWING, Vote())
    reasons = (
        f"近期 {percent(vote.share)} 的时间被识别为满溢",
        f"累计满溢 {vote.total_s:.0f} 秒",
    )
    return Finding(vote.share, vote.since, vote.last, reasons)


RULE = Rule("bin_state", "1.0.0", observe)
