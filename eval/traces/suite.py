"""The trace suite as a whole: fixed seeds, one new seed, the score, and the engine's cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..events import EventScore, score
from ..events_suite import TraceSettings
from .clip import make_clip
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
        by_fps: dict[str, EventScore] = {}
        for fps in sorted({outcome.job.mix.fps for outcome in self.outcomes}):
            some = [o.result for o in self.outcomes if o.job.mix.fps == fps]
            by_fps[f"{fps:g}"] = score(some)
        fixed = [o.result for o in self.outcomes if o.job.seed != self.random_seed]
        fresh = [o.result for o in self.outcomes if o.job.seed == self.random_seed]
        return {
            **self.score.to_dict(),
            "per_fps": {fps: part.overall.figures() for fps, part in by_fps.items()},
            "fixed_seeds": score(fixed).overall.figures(),
            "random_seed": score(fresh).overall.figures() | {"seed": self.random_seed},
            "seeds": list(self.settings.seeds),
            "engine": engine_figures(self.outcomes),
        }


def jobs_of(settings: TraceSettings, random_seed: int) -> list[Job]:
    """Every clip of the suite."""
    share = settings.hours / len(settings.seeds)
    jobs = [job for seed in settings.seeds for job in plan(share, seed)]
    return jobs + plan(settings.random_hours, random_seed)


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
