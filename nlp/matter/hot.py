"""Hot issues of a day: groups of calls with a title, a size, a trend and a heat.

    heat  = Σ over the calls of the window of 2^(−age / 48 h), age counted back from the day's end
    trend = (calls on the day + 1) / (mean calls a day over the days before + 1)

A matter with five calls today is as hot as one with ten two days ago.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from .groups import JOIN, Pair, group
from .index import CallIndex, Weighed
from .title import title_of

HALF_LIFE_H = 48.0
DAYS_BEFORE = 7
LEAST_CALLS = 2
RISING = 1.5
FALLING = 0.67
FORMULA_ZH = "热度 = 八天内各来电 2^(−距当日结束小时数 ÷ 48) 之和"
TRENDS_ZH = {"new": "新出现", "rising": "上升", "steady": "持平", "falling": "下降"}


@dataclass(frozen=True, slots=True)
class HotIssue:
    """One matter of a day. `members` are call ids, oldest first; `daily` counts calls on each day
    of the window, the day itself last."""

    title: str
    members: tuple[str, ...]
    on_day: int
    daily: tuple[int, ...]
    trend: str
    trend_ratio: float
    heat: float
    departments: tuple[str, ...]
    places: tuple[str, ...]
    first_at: datetime
    last_at: datetime

    @property
    def size(self) -> int:
        return len(self.members)


def hot_issues(
    calls: Sequence[Weighed],
    index: CallIndex,
    day_end: datetime,
    *,
    join: float = JOIN,
    together: Collection[Pair] = (),
    apart: Collection[Pair] = (),
    limit: int = 20,
) -> list[HotIssue]:
    """Hottest first: groups of at least two calls, at least one of them on the day.

    Args:
        calls: those to look at; any outside the eight days up to `day_end` are left out.
        day_end: midnight that ends the day, aware, in the city's time zone.
    """
    begin = day_end - timedelta(days=DAYS_BEFORE + 1)
    within = [call for call in calls if begin <= call.call.at < day_end]
    found = group(within, index, join=join, together=together, apart=apart)
    issues = [
        _issue(members, day_end)
        for members in found
        if len(members) >= LEAST_CALLS and _days_ago(members[-1], day_end) == 0
    ]
    return sorted(issues, key=lambda issue: (-issue.heat, issue.members))[:limit]


def heat(ages_h: Sequence[float]) -> float:
    """Σ 2^(−age / 48 h)."""
    return float(sum(2.0 ** (-age / HALF_LIFE_H) for age in ages_h))


def _issue(members: Sequence[Weighed], day_end: datetime) -> HotIssue:
    daily = [0] * (DAYS_BEFORE + 1)
    for member in members:
        daily[DAYS_BEFORE - _days_ago(member, day_end)] += 1
    on_day, before = daily[-1], sum(daily[:-1])
    ratio = (on_day + 1) / (before / DAYS_BEFORE + 1)
    ages = [(day_end - member.call.at).total_seconds() / 3600 for member in members]
    return HotIssue(
        title=title_of(members),
        members=tuple(member.call.id for member in members),
        on_day=on_day,
        daily=tuple(daily),
        trend=_trend(before, ratio),
        trend_ratio=round(ratio, 2),
        heat=round(heat(ages), 2),
        departments=_counted(member.call.department for member in members),
        places=_counted(name for member in members for name in member.call.place.names),
        first_at=members[0].call.at,
        last_at=members[-1].call.at,
    )


def _trend(before: int, ratio: float) -> str:
    if before == 0:
        return "new"
    if ratio >= RISING:
        return "rising"
    return "falling" if ratio <= FALLING else "steady"


def _counted(values: Iterable[str]) -> tuple[str, ...]:
    """Distinct non-empty values, commonest first, at most five."""
    return tuple(value for value, _ in Counter(v for v in values if v).most_common(5))


def _days_ago(member: Weighed, day_end: datetime) -> int:
    return int((day_end - member.call.at - timedelta(microseconds=1)) / timedelta(days=1))
