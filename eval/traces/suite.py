"""The trace suite as a whole: fixed seeds, one new seed, the score, and the engine's cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..events import EventScore, score
from ..events_suite import TraceSettings
from .clip import DENSE, ORDINARY, Mix, make_clip
from .failures import any_failure, write_failures
from .run import Job, Outcome, plan, run_jobs


@dataclass(frozen=True, slots=True)
class TraceRun:
    """What a run gave."""

    settings: TraceSettings
    random_seed: int
    outcomes: tuple[Outcome, ...]
    score: EventScore

    def to_dict(self) -> dict[str, Any]:
        """The report: figures, then how they came about."""
        fixed = [o for o in self.outcomes if o.job.seed != self.random_seed]
        fresh = [o for o in self.outcomes if o.job.seed == self.random_seed]
        return {
            **self.score.to_dict(),
            "parts": {part: _part(of) for part, of in _by(self.outcomes, lambda m: m.part)},
            "per_fps": {
                fps: _figures(of) for fps, of in _by(self.outcomes, lambda m: f"{m.fps:g}")
            },
            "fixed_seeds": _figures(fixed),
            "random_seed": _figures(fresh) | {"seed": self.random_seed},
            "seeds": list(self.settings.seeds),
            "looks": self.settings.looks,
            "engine": engine_figures(self.outcomes),
        }


def _by(
    outcomes: Sequence[Outcome], name: Callable[[Mix], str]
) -> Iterator[tuple[str, list[Outcome]]]:
    mixes = sorted({o.job.mix for o in outcomes}, key=lambda mix: (mix.part, mix.fps))
    for wanted in dict.fromkeys(name(mix) for mix in mixes):
        yield wanted, [o for o in outcomes if name(o.job.mix) == wanted]


def _figures(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    return score(outcome.result for outcome in outcomes).overall.figures()


def _part(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """A part's figures, as for the whole suite but for the single clips'."""
    figures = score(outcome.result for outcome in outcomes).to_dict()
    del figures["per_clip"]
    return figures


def jobs_of(settings: TraceSettings, random_seed: int) -> list[Job]:
    """Every clip of the suite: both parts of each seed."""
    share = 1 / len(settings.seeds)
    hours = {DENSE: settings.hours * share, ORDINARY: settings.days * share * 24}
    jobs = [
        job for seed in settings.seeds for part in hours for job in plan(hours[part], seed, part)
    ]
    random_hours = {DENSE: settings.random_hours, ORDINARY: settings.random_days * 24}
    for part, more in random_hours.items():
        jobs += plan(more, random_seed, part)
    return [replace(job, looks=settings.looks) for job in jobs]


def run_traces(
    settings: TraceSettings,
    random_seed: int,
    *,
    processes: int,
    failures: Path | None = None,
    progress: Callable[[float], None] = lambda hours: None,
) -> TraceRun:
    """Simulate, watch and score; with `failures`, write a timeline of everything that is wrong."""
    outcomes = run_jobs(jobs_of(settings, random_seed), processes, progress)
    result = score(outcome.result for outcome in outcomes)
    if failures is not None:
        _write_failures(failures, outcomes, result)
    return TraceRun(settings, random_seed, tuple(outcomes), result)


def engine_figures(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Processor time per frame within the engine, and the size of its state."""
    frames = sum(outcome.frames for outcome in outcomes)
    costs = np.array([cost for outcome in outcomes for cost in outcome.frame_ms])
    at_1_fps = [o.state_bytes for o in outcomes if o.job.mix.fps == 1.0]
    return {
        "frames": frames,
        "boxes_per_frame": sum(o.boxes for o in outcomes) / frames if frames else None,
        "mean_ms": sum(o.engine_s for o in outcomes) / frames * 1000 if frames else None,
        "median_ms": float(np.median(costs)) if len(costs) else None,
        "p99_ms": float(np.percentile(costs, 99)) if len(costs) else None,
        "state_bytes_max_1fps": max(at_1_fps, default=None),
        "state_bytes_max": max((o.state_bytes for o in outcomes), default=None),
    }


def _write_failures(folder: Path, outcomes: Sequence[Outcome], result: EventScore) -> None:
    for outcome in outcomes:
        judgement = result.judgements[outcome.result.name]
        if any_failure(judgement):
            job = outcome.job
            clip = make_clip(job.seed, job.index, job.mix)
            write_failures(folder, clip, judgement, outcome.result.reports)
