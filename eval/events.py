"""How well reported incidents agree with true events: one-to-one, by kind and camera.

A report is a *hit* for a true event of its kind and clip when its onset is at most
`ONSET_TOLERANCE_S` away or the two intervals overlap with a temporal IoU of at least `MIN_IOU`.
"Onset" is the moment the situation began (`Incident.onset_at`), never the later moment at which
the dwell was over and it was reported (`opened_at`). Pairs are chosen by the Hungarian method: as
many hits as possible, and among those the smallest onset errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import chi2

ONSET_TOLERANCE_S = 10.0
MIN_IOU = 0.5
SECONDS_PER_DAY = 86_400.0
BOOTSTRAP_ROUNDS = 1000
# One hit more outweighs any sum of onset errors; a shared place outweighs a small onset error; what
# must be found comes before what may be.
_HIT_WORTH = 1e6
_PLACE_WORTH = 100.0

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class TrueEvent:
    """One real event of a clip; seconds from the clip's start.

    Attributes:
        box: where it is, 0–1 of the frame, if known.
        optional: careful people would differ about it: reporting it is no false alarm, and not
            reporting it is no miss. It counts for nothing at all.
    """

    kind: str
    zone: str
    start_s: float
    end_s: float
    box: Box | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """One incident that was opened; seconds from the clip's start."""

    id: str
    kind: str
    zone: str
    onset_s: float
    opened_s: float
    end_s: float
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class ClipResult:
    """One camera's clip: what is true, what was reported, and how long was watched."""

    name: str
    duration_s: float
    truth: tuple[TrueEvent, ...]
    reports: tuple[Report, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """`report` explains `event`."""

    event: TrueEvent
    report: Report

    @property
    def onset_error_s(self) -> float:
        return self.report.onset_s - self.event.start_s


@dataclass(frozen=True, slots=True)
class Judgement:
    """One clip's pairs and what is left over.

    Attributes:
        matches: hits.
        missed: true events without a report.
        extra: reports without a true event, second reports of a true event included.
        pieces: for each match, how many reports speak of its event and in how many separate
            stretches of time.
    """

    matches: tuple[Match, ...]
    missed: tuple[TrueEvent, ...]
    extra: tuple[Report, ...]
    pieces: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums over clips, from which every figure follows."""

    hits: int = 0
    misses: int = 0
    false_alarms: int = 0
    onset_errors_s: tuple[float, ...] = ()
    reports_of_events: int = 0
    extra_pieces: int = 0
    watched_s: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.hits + other.hits,
            self.misses + other.misses,
            self.false_alarms + other.false_alarms,
            self.onset_errors_s + other.onset_errors_s,
            self.reports_of_events + other.reports_of_events,
            self.extra_pieces + other.extra_pieces,
            self.watched_s + other.watched_s,
        )

    def figures(self) -> dict[str, Any]:
        """The report's numbers; None where nothing defines one."""
        days = self.watched_s / SECONDS_PER_DAY
        return {
            "precision": _ratio(self.hits, self.hits + self.false_alarms),
            "recall": _ratio(self.hits, self.hits + self.misses),
            "f1": _ratio(2 * self.hits, 2 * self.hits + self.misses + self.false_alarms),
            **onset_figures(self.onset_errors_s),
            "duplicates_per_event": _ratio(self.reports_of_events, self.hits),
            "fragmentation": _ratio(self.extra_pieces, self.hits),
            "false_alarms_per_camera_day": self.false_alarms / days if days else None,
            "false_alarms_per_camera_day_95": _poisson_interval(self.false_alarms, days),
            "events": self.hits + self.misses,
            "reports": self.hits + self.false_alarms,
            "hits": self.hits,
            "misses": self.misses,
            "false_alarms": self.false_alarms,
            "camera_hours": self.watched_s / 3600,
        }


@dataclass(frozen=True, slots=True)
class EventScore:
    """Figures of a whole suite."""

    overall: Tally
    per_kind: Mapping[str, Tally]
    per_clip: Mapping[str, Tally]
    judgements: Mapping[str, Judgement] = field(default_factory=dict)

    def to_dict(self, *, seed: int = 0) -> dict[str, Any]:
        """The JSON form: overall figures at the top, the same under `per_kind` and `per_clip`."""
        return {
            **self.overall.figures(),
            "interval_95": bootstrap(list(self.per_clip.values()), seed=seed),
            "per_kind": {name: tally.figures() for name, tally in self.per_kind.items()},
            "per_clip": {name: tally.figures() for name, tally in self.per_clip.items()},
        }


def score(clips: Iterable[ClipResult]) -> EventScore:
    """Judge every clip by itself and add up. Clip names must differ.

    Raises:
        ValueError: two clips of one name.
    """
    overall = Tally()
    per_kind: dict[str, Tally] = {}
    per_clip: dict[str, Tally] = {}
    judgements: dict[str, Judgement] = {}
    watched_s = 0.0
    for clip in clips:
        if clip.name in per_clip:
            raise ValueError(f"two clips are called {clip.name!r}")
        judgement = judge(clip.truth, clip.reports)
        judgements[clip.name] = judgement
        by_kind = _tallies(judgement)
        watched_s += clip.duration_s
        for kind, tally in by_kind.items():
            per_kind[kind] = per_kind.get(kind, Tally()) + tally
        per_clip[clip.name] = sum(by_kind.values(), Tally(watched_s=clip.duration_s))
    overall = sum(per_kind.values(), Tally(watched_s=watched_s))
    # Every clip was watched for every kind.
    timed = {kind: per_kind[kind] + Tally(watched_s=watched_s) for kind in sorted(per_kind)}
    return EventScore(overall, timed, per_clip, judgements)


def judge(truth: Sequence[TrueEvent], reports: Sequence[Report]) -> Judgement:
    """Pair one clip's reports with its true events. The order of neither matters."""
    events = sorted(truth, key=lambda e: (e.kind, e.start_s, e.end_s, e.zone, e.box or ()))
    told = sorted(reports, key=lambda r: (r.kind, r.onset_s, r.end_s, r.zone, r.id))
    worth = np.zeros((len(events), len(told)))
    for i, event in enumerate(events):
        for j, report in enumerate(told):
            worth[i, j] = _worth(event, report)
    rows, columns = linear_sum_assignment(-worth)
    pairs = {
        int(i): int(j) for i, j in zip(rows, columns, strict=True) if worth[i, j] >= _HIT_WORTH / 2
    }
    both = [Match(events[i], told[j]) for i, j in sorted(pairs.items())]
    matches = tuple(match for match in both if not match.event.optional)
    missed = tuple(e for i, e in enumerate(events) if i not in pairs and not e.optional)
    matched = set(pairs.values())
    free = [event for event in events if event.optional]
    extra = tuple(
        report
        for j, report in enumerate(told)
        if j not in matched and not any(_speaks_of(report, event) for event in free)
    )
    return Judgement(matches, missed, extra, tuple(_pieces(matches, extra)))


def onset_figures(errors_s: Sequence[float]) -> dict[str, Any]:
    """What hits' signed onset errors come to; None where there is none.

    `onset_rmse_s` is over all hits. `onset_rmse_within_10s` leaves out those that count by their
    interval alone, as the AI City Challenge's figure does.
    """
    errors = np.abs(np.array(errors_s, dtype=np.float64))
    near = errors[errors <= ONSET_TOLERANCE_S]
    some = len(errors) > 0
    return {
        "onset_rmse_s": _root_mean_square(errors),
        "onset_rmse_within_10s": _root_mean_square(near),
        "onset_error_median_s": float(np.median(errors)) if some else None,
        "onset_error_p95_s": float(np.percentile(errors, 95)) if some else None,
        "onset_within_10s": _ratio(len(near), len(errors)),
    }


def _root_mean_square(values: NDArray[np.float64]) -> float | None:
    return float(np.sqrt(np.mean(values**2))) if len(values) else None


def is_hit(event: TrueEvent, report: Report) -> bool:
    """Same kind, and onset within the tolerance or intervals that agree."""
    if event.kind != report.kind or not _may_share_place(event.box, report.box):
        return False
    near = abs(report.onset_s - event.start_s) <= ONSET_TOLERANCE_S
    return near or temporal_iou(event, report) >= MIN_IOU


def temporal_iou(event: TrueEvent, report: Report) -> float:
    """Overlap of two intervals over their union; 0 for two that do not touch."""
    shared = min(event.end_s, report.end_s) - max(event.start_s, report.onset_s)
    union = max(event.end_s, report.end_s) - min(event.start_s, report.onset_s)
    return max(shared, 0.0) / union if union > 0 else 0.0


def bootstrap(
    tallies: Sequence[Tally], *, rounds: int = BOOTSTRAP_ROUNDS, seed: int = 0
) -> dict[str, list[float] | None]:
    """95 % percentile intervals of precision, recall and F1 over clips drawn with replacement."""
    counts = np.array([(t.hits, t.misses, t.false_alarms) for t in tallies], dtype=np.float64)
    if not len(counts):
        return {"precision": None, "recall": None, "f1": None}
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=rounds)
    hits, misses, false_alarms = (drawn @ counts).T
    return {
        "precision": _interval(hits, hits + false_alarms),
        "recall": _interval(hits, hits + misses),
        "f1": _interval(2 * hits, 2 * hits + misses + false_alarms),
    }


def _interval(above: NDArray[np.float64], below: NDArray[np.float64]) -> list[float] | None:
    defined = below > 0
    if not defined.any():
        return None
    low, high = np.percentile(above[defined] / below[defined], [2.5, 97.5])
    return [float(low), float(high)]


def _poisson_interval(count: int, days: float) -> list[float] | None:
    """Exact 95 % interval of a rate when `count` were seen in `days` (Garwood, 1936)."""
    if not days:
        return None
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return [float(low / days), float(chi2.ppf(0.975, 2 * count + 2) / 2 / days)]


def _worth(event: TrueEvent, report: Report) -> float:
    if not is_hit(event, report):
        return 0.0
    bonus = _PLACE_WORTH * (box_iou(event.box, report.box) + (event.zone == report.zone))
    return (
        _HIT_WORTH * (0.75 if event.optional else 1.0)
        + bonus
        - min(abs(report.onset_s - event.start_s), 1000.0)
    )


def _pieces(matches: Sequence[Match], extra: Sequence[Report]) -> Iterable[tuple[int, int]]:
    """Per match: reports that speak of its event, and stretches of time they fall into."""
    owned: dict[int, list[Report]] = {i: [match.report] for i, match in enumerate(matches)}
    for report in extra:
        owner = max(
            (i for i in owned if _speaks_of(report, matches[i].event)),
            key=lambda i: temporal_iou(matches[i].event, report),
            default=None,
        )
        if owner is not None:
            owned[owner].append(report)
    for reports in owned.values():
        yield len(reports), _stretches(reports)


def _speaks_of(report: Report, event: TrueEvent) -> bool:
    """An unmatched report lies in an event when half of it does, at its place where known."""
    if report.kind != event.kind or not _may_share_place(event.box, report.box):
        return False
    shared = min(event.end_s, report.end_s) - max(event.start_s, report.onset_s)
    return shared >= 0.5 * (report.end_s - report.onset_s)


def _stretches(reports: Sequence[Report]) -> int:
    count, until = 0, -np.inf
    for report in sorted(reports, key=lambda r: r.onset_s):
        if report.onset_s > until:
            count += 1
        until = max(until, report.end_s)
    return count


def _may_share_place(a: Box | None, b: Box | None) -> bool:
    return a is None or b is None or box_iou(a, b) > 0


def box_iou(a: Box | None, b: Box | None) -> float:
    """Intersection over union of two boxes; 0 when either is unknown."""
    if a is None or b is None:
        return 0.0
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0.0) * max(height, 0.0)
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared
    return shared / union if union > 0 else 0.0


def _tallies(judgement: Judgement) -> dict[str, Tally]:
    tallies: dict[str, Tally] = {}

    def add(kind: str, tally: Tally) -> None:
        tallies[kind] = tallies.get(kind, Tally()) + tally

    for match, (reports, stretches) in zip(judgement.matches, judgement.pieces, strict=True):
        one = Tally(
            hits=1,
            onset_errors_s=(match.onset_error_s,),
            reports_of_events=reports,
            extra_pieces=stretches - 1,
        )
        add(match.event.kind, one)
    for event in judgement.missed:
        add(event.kind, Tally(misses=1))
    for report in judgement.extra:
        add(report.kind, Tally(false_alarms=1))
    return tallies


def _ratio(above: float, below: float) -> float | None:
    return above / below if below else None
