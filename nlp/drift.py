"""Whether the calls of late are still those the router knows: PSI with its noise.

PSI = Σ over bins of (q − p) · ln(q / p), with shares p of a reference window and q of a recent one.
Under no change at all PSI is about χ²(bins − 1) · (1/n + 1/m), never 0: with 100 calls a window
and 25 departments its mean is .48, far over the alarm line. So each value comes with the level
that chance alone passes once in twenty, and nothing is an alarm that chance explains.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from scipy.stats import chi2

WATCH = 0.1
ALARM = 0.25
CONFIDENCE_LEVEL = 0.95
CONFIDENCE_BINS = 10
WORDS = 40
"""Commonest two-character runs of the reference that are counted; the others are one more bin."""
HALF = 0.5
"""Added to every bin's count, so that an empty one has no infinite say."""

Status = Literal["ok", "watch", "alarm", "too_few"]
STATUS_ZH = {"ok": "正常", "watch": "留意", "alarm": "报警", "too_few": "样本太少"}
MEASURES_ZH = {
    "labels": "部门构成",
    "confidence": "把握分布",
    "vocabulary": "用词",
    "decisions": "自动/建议/人工构成",
    "feedback": "采纳/改派/退回构成",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One routed call: the department it was first given to, with which probability and decision,
    the runs of its masked text, and what staff did with it (`accept`, `override`, `return`, or
    empty)."""

    department: str
    confidence: float
    decision: str
    words: frozenset[str]
    feedback: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """One comparison. `noise` is what chance alone exceeds in 5 % of cases, `bias` its mean;
    `value` − `bias` is the honest size of the change. None when a window is empty."""

    measure: str
    value: float | None
    bias: float | None
    noise: float | None
    n_reference: int
    n_recent: int
    bins: int
    status: Status


@dataclass(frozen=True, slots=True)
class Rate:
    """A share with its 95 % Wilson interval; all None without cases."""

    value: float | None
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Window:
    """Shares within one window."""

    n: int
    auto: Rate
    accepted: Rate


@dataclass(frozen=True, slots=True)
class DepartmentDrift:
    """One department: its share of calls, its confidence and what staff did with its calls."""

    department: str
    share_reference: float
    share_recent: float
    confidence: Shift
    feedback: Shift
    reference: Window
    recent: Window


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All comparisons; `status` is the worst of the whole city's."""

    reference: Window
    recent: Window
    shifts: tuple[Shift, ...]
    departments: tuple[DepartmentDrift, ...]
    status: Status


def psi(measure: str, reference: Mapping[str, int], recent: Mapping[str, int]) -> Shift:
    """Compare two counts by bin, each call counted once."""
    return _psi(measure, reference, recent, sum(reference.values()), sum(recent.values()))


def drift(reference: Sequence[Seen], recent: Sequence[Seen]) -> DriftReport:
    """The whole report; departments by their share of late, largest first."""
    shifts = (
        psi("labels", _count(reference, "department"), _count(recent, "department")),
        psi("confidence", _confidence(reference), _confidence(recent)),
        _vocabulary(reference, recent),
        psi("decisions", _count(reference, "decision"), _count(recent, "decision")),
        psi("feedback", _feedback(reference), _feedback(recent)),
    )
    codes = {seen.department for seen in (*reference, *recent)}
    departments = [_department(code, reference, recent) for code in sorted(codes)]
    departments.sort(key=lambda found: -found.share_recent)
    return DriftReport(
        window(reference), window(recent), shifts, tuple(departments), _worst(shifts)
    )


def window(seen: Sequence[Seen]) -> Window:
    """Auto share and accept rate of some calls."""
    judged = [call for call in seen if call.feedback]
    return Window(
        len(seen),
        wilson(sum(call.decision == "auto" for call in seen), len(seen)),
        wilson(sum(call.feedback == "accept" for call in judged), len(judged)),
    )


def wilson(hits: int, n: int) -> Rate:
    """A share and its 95 % interval (Wilson 1927)."""
    if not n:
        return Rate(None, None, None, 0)
    z, p = 1.96, hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Rate(round(p, 4), round(max(middle - half, 0), 4), round(min(middle + half, 1), 4), n)


def words_of(text: str) -> frozenset[str]:
    """Two-character runs of Chinese in a masked text."""
    return frozenset(
        text[at : at + 2]
        for at in range(len(text) - 1)
        if "\u4e00" <= text[at] <= "\u9fff" and "\u4e00" <= text[at + 1] <= "\u9fff"
    )


def _psi(
    measure: str, reference: Mapping[str, int], recent: Mapping[str, int], n: int, m: int
) -> Shift:
    """`n` and `m` are independent cases, fewer than counts where a call counts in many bins."""
    bins = [key for key in {*reference, *recent} if reference.get(key, 0) + recent.get(key, 0)]
    size = len(bins)
    if not (n and m) or size < 2:
        status: Status = "ok" if n and m else "too_few"
        return Shift(measure, 0.0 if n and m else None, None, None, n, m, size, status)
    whole_p = sum(reference.values()) + HALF * size
    whole_q = sum(recent.values()) + HALF * size
    value = 0.0
    for key in bins:
        p = (reference.get(key, 0) + HALF) / whole_p
        q = (recent.get(key, 0) + HALF) / whole_q
        value += (q - p) * math.log(q / p)
    unit = 1 / n + 1 / m
    noise = float(chi2.ppf(CONFIDENCE_LEVEL, size - 1)) * unit
    return Shift(
        measure,
        round(value, 4),
        round((size - 1) * unit, 4),
        round(noise, 4),
        n,
        m,
        size,
        _status(value, noise),
    )


def _status(value: float, noise: float) -> Status:
    """What chance may explain is no alarm; where chance alone reaches the alarm line, nothing can
    be said unless the change is beyond chance too."""
    if value > noise:
        return "alarm" if value >= ALARM else "watch" if value >= WATCH else "ok"
    return "too_few" if noise >= ALARM else "ok"


def _vocabulary(reference: Sequence[Seen], recent: Sequence[Seen]) -> Shift:
    common = Counter(word for seen in reference for word in seen.words).most_common(WORDS)
    known = {word for word, _ in common}

    def counted(calls: Sequence[Seen]) -> Counter[str]:
        # Runs of one call do not come independently: the noise is that of as many calls.
        return Counter(
            word if word in known else "*" for seen in calls for word in sorted(seen.words)
        )

    with_words = [sum(bool(seen.words) for seen in calls) for calls in (reference, recent)]
    return _psi("vocabulary", counted(reference), counted(recent), *with_words)


def _department(code: str, reference: Sequence[Seen], recent: Sequence[Seen]) -> DepartmentDrift:
    old = [seen for seen in reference if seen.department == code]
    new = [seen for seen in recent if seen.department == code]
    return DepartmentDrift(
        department=code,
        share_reference=round(len(old) / max(len(reference), 1), 4),
        share_recent=round(len(new) / max(len(recent), 1), 4),
        confidence=psi("confidence", _confidence(old), _confidence(new)),
        feedback=psi("feedback", _feedback(old), _feedback(new)),
        reference=window(old),
        recent=window(new),
    )


def _count(seen: Sequence[Seen], field: Literal["department", "decision"]) -> Counter[str]:
    return Counter(call.department if field == "department" else call.decision for call in seen)


def _confidence(seen: Sequence[Seen]) -> Counter[str]:
    top = CONFIDENCE_BINS - 1
    return Counter(str(min(int(call.confidence * CONFIDENCE_BINS), top)) for call in seen)


def _feedback(seen: Sequence[Seen]) -> Counter[str]:
    return Counter(call.feedback for call in seen if call.feedback)


def _worst(shifts: Sequence[Shift]) -> Status:
    for status in ("alarm", "watch"):
        if any(shift.status == status for shift in shifts):
            return status
    return "too_few" if all(shift.status == "too_few" for shift in shifts) else "ok"
