"""What must hold of the engine whatever the score: the same incidents at any sampling rate, at any
speed of replay and over any restart; its cost; and ten thousand cameras in one process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from ...vision.cameras import Camera, Zone
from ...vision.engine import CameraEngine
from ...vision.kinds import load_kinds
from ..events import Report, box_iou, judge
from .clip import Faults, Mix, TraceClip, make_clip
from .run import MODEL_REF, Job, report_of, run_clip

SEED = 11
CLEAN = Faults(dropped=0, repeated=0, swapped=0, gaps_per_hour=0, restarts_per_hour=0)
RATES = (25.0, 5.0, 1.0, 0.5)
RATE_CLIPS, RATE_HOURS = 8, 0.1
RESTART_CLIPS = 8
REPLAY_S = 40.0
CAMERAS, CAMERA_PERIOD_S, CAMERA_ROUNDS, CAMERA_TRACES = 10_000, 10.0, 12, 50


def run_checks(processes: int, cameras: int = CAMERAS) -> dict[str, Any]:
    """All of them, over all processors."""
    rates = [Job(SEED, index, Mix(RATES[0], 1.0, RATE_HOURS)) for index in range(RATE_CLIPS)]
    restarts = [Job(SEED, 100 + index, Mix(1.0, 1.0, 0.25)) for index in range(RESTART_CLIPS)]
    with ProcessPoolExecutor(max(processes, 1), mp_context=get_context("spawn")) as pool:
        replay = pool.submit(same_at_any_speed)
        many = pool.submit(many_cameras, cameras)
        by_rate = list(pool.map(at_rates, rates))
        kept = list(pool.map(same_over_restarts, restarts))
        return {
            "sampling": _rate_figures(by_rate),
            "replay_1x_60x_identical": replay.result(),
            "restart_before_every_frame": {"clips": len(kept), "identical": sum(kept)},
            "many_cameras": many.result(),
        }


def at_rates(job: Job) -> dict[float, tuple[Report, ...]]:
    """One 25-fps trace, and what is reported of every nth frame of it.

    Situations about which people would differ are left out: a frame more or less decides them.
    """
    clip = make_clip(job.seed, job.index, job.mix, CLEAN)
    found: dict[float, tuple[Report, ...]] = {}
    for fps in RATES:
        some = replace(clip, delivery=clip.delivery[:: round(RATES[0] / fps)])
        result = run_clip(job, some, load_kinds()).result
        judgement = judge(result.truth, result.reports)
        found[fps] = (*(match.report for match in judgement.matches), *judgement.extra)
    return found


def _rate_figures(clips: Sequence[dict[float, tuple[Report, ...]]]) -> dict[str, Any]:
    """How far what is reported at lower rates agrees with what is at the highest."""
    figures: dict[str, Any] = {f"incidents_{RATES[0]:g}fps": sum(len(c[RATES[0]]) for c in clips)}
    for fps in RATES[1:]:
        pairs = [pair for clip in clips for pair in _pairs(clip[RATES[0]], clip[fps])]
        shifts = [b.onset_s - a.onset_s for a, b in pairs]
        within = sum(abs(shift) <= 1 / fps + 1e-3 for shift in shifts)
        figures[f"{fps:g}fps"] = {
            "incidents": sum(len(clip[fps]) for clip in clips),
            "same": len(pairs),
            "onset_within_one_sample": within,
            "onset_shift_max_s": max((abs(shift) for shift in shifts), default=0.0),
            "onset_shift_rms_s": float(np.sqrt(np.mean(np.square(shifts)))) if shifts else 0.0,
            "onset_shifts_s": sorted(round(shift, 2) for shift in shifts),
        }
    return figures


def _pairs(some: Iterable[Report], others: Iterable[Report]) -> list[tuple[Report, Report]]:
    """Reports of one kind, zone and place whose intervals overlap."""
    left = list(others)
    pairs: list[tuple[Report, Report]] = []
    for a in some:
        same = [b for b in left if _same(a, b)]
        if same:
            best = min(same, key=lambda b: abs(b.onset_s - a.onset_s))
            left.remove(best)
            pairs.append((a, best))
    return pairs


def _same(a: Report, b: Report) -> bool:
    overlap = min(a.end_s, b.end_s) > max(a.onset_s, b.onset_s)
    return (a.kind, a.zone) == (b.kind, b.zone) and overlap and box_iou(a.box, b.box) > 0.3


def same_over_restarts(job: Job) -> bool:
    """Whether an engine restarted before every frame reports the same, ids included."""
    clip = make_clip(job.seed, job.index, job.mix)
    never = run_clip(job, replace(clip, restarts=frozenset()), load_kinds())
    always = replace(clip, restarts=frozenset(range(len(clip.delivery))))
    return never.result.reports == run_clip(job, always, load_kinds()).result.reports


def same_at_any_speed() -> bool:
    """Whether 40 s of media time give the same incidents played at once, at 60× and at 1×.

    Dwells are cut to 5 s, so that there are incidents in so short a time.
    """
    found = [_replayed(speed) for speed in (None, 60.0, 1.0)]
    return bool(found[0]) and all(some == found[0] for some in found)


def _replayed(speed: float | None) -> tuple[Report, ...]:
    for index in range(200, 220):
        clip = _hurried(make_clip(SEED, index, Mix(2.0, 1.0, 0.25), CLEAN))
        reports = run_clip(Job(SEED, index, Mix(2.0, 1.0, 0.25)), clip, load_kinds()).result.reports
        if reports:
            return reports if speed is None else _paced(clip, speed)
    return ()


def _hurried(clip: TraceClip) -> TraceClip:
    zones = tuple(zone.model_copy(update={"dwell_s": 5.0}) for zone in clip.camera.zones)
    short = tuple(k for k in clip.delivery if clip.times_s[k] <= REPLAY_S)
    return replace(clip, camera=clip.camera.model_copy(update={"zones": zones}), delivery=short)


def _paced(clip: TraceClip, speed: float) -> tuple[Report, ...]:
    """As `run_clip`, but each frame comes when a clock running `speed` times as fast says so."""

    def due(k: int) -> None:
        time.sleep(max(0.0, clip.times_s[k] / speed - (time.monotonic() - began)))

    began = time.monotonic()
    return _watched(clip, due)


def _watched(clip: TraceClip, before: Callable[[int], None]) -> tuple[Report, ...]:
    engine = CameraEngine(clip.camera, load_kinds(), model_ref=MODEL_REF)
    opened: dict[str, Report] = {}
    for ts, k, detections in clip.frames():
        before(k)
        for transition in engine.update(ts, k, detections, clip.looks(k)).transitions:
            if transition.incident.opened_at is not None:
                opened[transition.incident.id] = report_of(transition.incident, clip.duration_s)
    return tuple(opened.values())


def many_cameras(cameras: int) -> dict[str, Any]:
    """Engines of many cameras in one process, a frame of each in ten seconds of media time."""
    hours = CAMERA_PERIOD_S * (CAMERA_ROUNDS + 90) / 3600
    mix = Mix(1 / CAMERA_PERIOD_S, 1.0, hours)
    clips = [make_clip(SEED, 300 + i, mix, CLEAN) for i in range(min(CAMERA_TRACES, cameras))]
    kinds = load_kinds()
    before = _resident_bytes()
    engines = [
        CameraEngine(_own_camera(clips[n % len(clips)], n), kinds, model_ref=MODEL_REF)
        for n in range(cameras)
    ]
    # Processor time: what the process would need by itself, however busy the machine is.
    busy_s, slowest_s = 0.0, 0.0
    for k in range(CAMERA_ROUNDS):
        began = time.process_time()
        for n, engine in enumerate(engines):
            clip = clips[n % len(clips)]
            # Cameras of one trace see different parts of it.
            part = k + n // len(clips) % 80
            engine.update(clip.moment(k), k, clip.sightings.frame(part), clip.looks(part))
        took_s = time.process_time() - began
        busy_s, slowest_s = busy_s + took_s, max(slowest_s, took_s)
    return {
        "cameras": cameras,
        "frame_every_s": CAMERA_PERIOD_S,
        "times_real_time": CAMERA_PERIOD_S * CAMERA_ROUNDS / busy_s,
        "slowest_round_cpu_s": slowest_s,
        "frames_per_s": cameras * CAMERA_ROUNDS / busy_s,
        "resident_mib": (_resident_bytes() - before) / 2**20,
    }


def _own_camera(clip: TraceClip, number: int) -> Camera:
    """A camera of its own, zones and all, as ten thousand real ones would have."""
    zones = tuple(Zone.model_validate(zone.model_dump()) for zone in clip.camera.zones)
    return Camera(id=f"camera-{number:05d}", zones=zones)


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
