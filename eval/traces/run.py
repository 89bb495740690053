"""Simulated clips through the real engine, over all processors."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np

from ...vision.engine import CameraEngine
from ...vision.incident import Incident
from ...vision.kinds import Kinds, load_kinds
from ..events import ClipResult, Report
from .clip import DENSE, MIXES, START, Mix, TraceClip, make_clip

MODEL_REF = "trace@1"


@dataclass(frozen=True, slots=True)
class Job:
    """Which clip to make, and whether its boxes come with appearance."""

    seed: int
    index: int
    mix: Mix
    looks: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """A clip's result and what the engine took for it.

    Attributes:
        engine_s: seconds within `CameraEngine.update`.
        frame_ms: cost of every 50th frame.
        state_bytes: size of the largest snapshot as JSON, of every 200th frame.
    """

    job: Job
    result: ClipResult
    frames: int
    boxes: int
    engine_s: float
    frame_ms: tuple[float, ...]
    state_bytes: int


def plan(hours: float, seed: int, part: str = DENSE) -> list[Job]:
    """Jobs for about `hours` camera-hours of a part, rates in their shares, dealt evenly.

    At least one clip of the most frequent rate.
    """
    jobs: list[tuple[float, Job]] = []
    index = 0
    for mix in MIXES[part]:
        count = round(hours * mix.share / mix.hours)
        if mix is MIXES[part][0] and hours > 0:
            count = max(count, 1)
        for k in range(count):
            jobs.append(((k + 0.5) / count, Job(seed, index, mix)))
            index += 1
    return [job for _, job in sorted(jobs, key=lambda pair: (pair[0], pair[1].index))]


def run_jobs(
    jobs: Sequence[Job], processes: int, progress: Callable[[float], None] = lambda hours: None
) -> list[Outcome]:
    """All outcomes in the order of the jobs; `progress` hears of camera-hours done."""
    return list(_outcomes(jobs, processes, progress))


def _outcomes(
    jobs: Sequence[Job], processes: int, progress: Callable[[float], None]
) -> Iterator[Outcome]:
    if processes <= 1:
        for job in jobs:
            yield run_job(job)
            progress(job.mix.hours)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for outcome in pool.map(run_job, jobs, chunksize=2):
            yield outcome
            progress(outcome.job.mix.hours)


def run_job(job: Job) -> Outcome:
    """Make one clip and send it through an engine."""
    return run_clip(job, make_clip(job.seed, job.index, job.mix, looks=job.looks), load_kinds())


def run_clip(job: Job, clip: TraceClip, kinds: Kinds) -> Outcome:
    """One clip through one engine, which is restarted where the clip says so."""
    engine = CameraEngine(clip.camera, kinds, model_ref=MODEL_REF)
    opened: dict[str, Incident] = {}
    costs: list[float] = []
    engine_s, state_bytes = 0.0, 0
    for position, (ts, seq, detections) in enumerate(clip.frames()):
        if position in clip.restarts:
            engine = restarted(engine, clip, kinds)
        began = time.thread_time()
        outcome = engine.update(ts, seq, detections, clip.looks(seq))
        cost = time.thread_time() - began
        engine_s += cost
        if position % 50 == 0:
            costs.append(cost * 1000)
        if position % 200 == 0:
            state_bytes = max(state_bytes, _size(engine))
        for transition in outcome.transitions:
            if transition.incident.opened_at is not None:
                opened[transition.incident.id] = transition.incident
    reports = tuple(report_of(incident, clip.duration_s) for incident in opened.values())
    return Outcome(
        job=job,
        result=ClipResult(clip.name, clip.duration_s, clip.truth, reports),
        frames=len(clip.delivery),
        boxes=len(clip.sightings.score),
        engine_s=engine_s,
        frame_ms=tuple(costs),
        state_bytes=max(state_bytes, _size(engine)),
    )


def _size(engine: CameraEngine) -> int:
    return len(json.dumps(engine.snapshot(), separators=(",", ":")))


def restarted(engine: CameraEngine, clip: TraceClip, kinds: Kinds) -> CameraEngine:
    """The engine after a death and a start from its last checkpoint, by way of JSON text."""
    saved = json.loads(json.dumps(engine.snapshot()))
    return CameraEngine.restore(clip.camera, kinds, saved, model_ref=MODEL_REF)


def report_of(incident: Incident, duration_s: float) -> Report:
    """An incident in the clip's own seconds; one still open lasts to the clip's end."""
    ended, opened = incident.ended_at, incident.opened_at or incident.onset_at
    return Report(
        id=incident.id,
        kind=incident.kind,
        zone=incident.zone_id,
        onset_s=(incident.onset_at - START).total_seconds(),
        opened_s=(opened - START).total_seconds(),
        end_s=duration_s if ended is None else (ended - START).total_seconds(),
        box=incident.box,
    )


def median(values: Sequence[float]) -> float:
    """0 for none."""
    return float(np.median(values)) if values else 0.0
