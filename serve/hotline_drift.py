"""Drift of the router, read from stored calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ..nlp.drift import DriftReport, Seen, drift, words_of
from .hotline_store import HotlineStore, StoredCall
from .metrics import Metrics

REFERENCE_TIMES = 4
"""The reference window is this many times as long as the recent one."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Two spans that touch: the reference, then the recent one up to `until`."""

    reference_since: datetime
    recent_since: datetime
    until: datetime


def windows(until: datetime, recent_days: float, reference_days: float) -> Windows:
    """The two spans up to `until`."""
    recent = until - timedelta(days=recent_days)
    return Windows(recent - timedelta(days=reference_days), recent, until)


def measure_drift(store: HotlineStore, spans: Windows) -> DriftReport:
    """Compare the two spans. Blocking."""
    reference = [seen_of(c) for c in store.between(spans.reference_since, spans.recent_since)]
    recent = [seen_of(c) for c in store.between(spans.recent_since, spans.until)]
    return drift(reference, recent)


def seen_of(call: StoredCall) -> Seen:
    """A call as the report counts it: by the model's own first choice, and staff's first word."""
    return Seen(
        department=call.model_department,
        confidence=call.confidence,
        decision=call.decision,
        words=words_of(f"{call.title}\n{call.text}"),
        feedback=call.decisions[0].action if call.decisions else "",
    )


def show_drift(metrics: Metrics, report: DriftReport) -> None:
    """Set the gauges; a measure without enough calls has no value."""
    for shift in report.shifts:
        metrics.drift_alarm.labels(shift.measure).set(shift.status == "alarm")
        for gauge, value in (
            (metrics.drift_psi, shift.value),
            (metrics.drift_noise, shift.noise),
        ):
            gauge.labels(shift.measure).set(float("nan") if value is None else value)
