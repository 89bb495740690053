"""Simulated camera-hours: the same for a seed, physically sound, and restarts change nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xiaozheng.eval.traces.checks import at_rates, many_cameras
from xiaozheng.eval.traces.clip import (
    DENSE,
    MIXES,
    ORDINARY,
    Faults,
    Mix,
    TraceClip,
    make_clip,
)
from xiaozheng.eval.traces.run import Job, plan, run_clip, run_jobs
from xiaozheng.eval.traces.view import random_view
from xiaozheng.vision.appearance import similarity
from xiaozheng.vision.kinds import load_kinds

KINDS = load_kinds()
SHORT = Mix(fps=1.0, share=1.0, hours=0.25)


def clip(index: int, mix: Mix = SHORT, seed: int = 5) -> TraceClip:
    return make_clip(seed, index, mix)


def test_a_seed_and_an_index_always_give_the_same_clip() -> None:
    once, again, other = clip(3), clip(3), clip(4)
    assert once.truth == again.truth
    assert once.delivery == again.delivery
    np.testing.assert_array_equal(once.sightings.xyxy, again.sightings.xyxy)
    assert once.camera != other.camera


def test_what_is_true_lies_in_its_zone_and_lasts_well_beyond_the_dwell() -> None:
    marked = [(c, e) for c in (clip(i, Mix(0.2, 1.0, 1.0)) for i in range(12)) for e in c.truth]
    marked = [(made, event) for made, event in marked if not event.optional]
    assert len(marked) >= 12
    for made, event in marked:
        zone = made.camera.zone(event.zone)
        assert event.kind in zone.forbids
        assert 0 <= event.start_s < event.end_s <= made.duration_s
        assert event.end_s - event.start_s >= 1.3 * zone.dwell_for(event.kind, 0.0)


def test_boxes_lie_in_the_frame_and_frames_in_order() -> None:
    made = clip(1)
    seen = made.sightings
    assert len(seen.score) > 500
    assert (seen.xyxy[:, :2] < seen.xyxy[:, 2:]).all()
    assert seen.xyxy.min() >= 0
    assert (seen.xyxy <= [1280, 720, 1280, 720]).all()
    assert (np.diff(made.times_s) > 0).all()
    assert len(made.delivery) > len(set(made.delivery)), "some frames arrive twice"
    assert list(made.delivery) != sorted(made.delivery), "some arrive late"


def test_farther_things_are_smaller_and_higher_in_the_picture() -> None:
    view = random_view(np.random.default_rng(1))
    size = (4.5, 1.8, 1.5)
    near = view.box(0.0, -8.0 * view.side, size)
    far = view.box(0.0, 4.0 * view.side, size)
    assert near[3] - near[1] > far[3] - far[1]
    assert near[3] > far[3]


@pytest.mark.parametrize("index", [0, 2])
def test_restarts_before_every_frame_change_nothing(index: int) -> None:
    made = clip(index)
    never = replace(made, restarts=frozenset())
    always = replace(made, restarts=frozenset(range(len(made.delivery))))
    job = Job(5, index, SHORT)
    assert run_clip(job, never, KINDS).result == run_clip(job, always, KINDS).result


def test_repeated_frames_change_nothing() -> None:
    made = make_clip(5, 2, SHORT, Faults(repeated=0.0, swapped=0.0))
    thrice = replace(made, delivery=tuple(np.repeat(made.delivery, 3).tolist()))
    job = Job(5, 2, SHORT)
    assert run_clip(job, made, KINDS).result == run_clip(job, thrice, KINDS).result


def test_looks_tell_things_apart_and_change_nothing_else() -> None:
    made, plain = clip(2), make_clip(5, 2, SHORT, looks=False)
    assert plain.looks(5) is None
    np.testing.assert_array_equal(made.sightings.xyxy, plain.sightings.xyxy)
    assert made.appearance is not None
    known = np.flatnonzero(made.appearance.any(axis=1))
    thing = made.sightings.thing[known]
    pairs = np.random.default_rng(1).choice(len(known), (3000, 2))
    alike: dict[bool, list[float | None]] = {True: [], False: []}
    for a, b in pairs[pairs[:, 0] != pairs[:, 1]]:
        value = similarity(made.appearance[known[a]], made.appearance[known[b]])
        alike[bool(thing[a] == thing[b])].append(value)
    # As measured on real clips: .95 for one thing over a minute, .61 for two of one street.
    assert np.median(alike[True]) > 0.9
    assert 0.4 < np.median(alike[False]) < 0.75


def test_an_ordinary_day_is_long_and_empty_beside_a_dense_hour() -> None:
    days = [make_clip(5, index, MIXES[ORDINARY][0], looks=False) for index in range(6)]
    hours = [make_clip(5, index, MIXES[DENSE][0], looks=False) for index in range(24)]
    a_day = sum(not event.optional for day in days for event in day.truth) / 6
    an_hour = sum(not event.optional for hour in hours for event in hour.truth) / 24
    assert all(day.duration_s == 86_400 for day in days)
    assert 0 < a_day < 8 < 24 * an_hour
    nights = sum(end - begin for begin, end in days[0].nights)
    assert nights == pytest.approx(10.5 * 3600)


def test_a_plan_deals_the_rates_in_their_shares() -> None:
    jobs = plan(200, seed=1)
    hours = {fps: 0.0 for fps in (0.2, 0.5, 1.0, 5.0, 25.0)}
    for job in jobs:
        hours[job.mix.fps] += job.mix.hours
    assert sum(hours.values()) == pytest.approx(200, rel=0.02)
    assert hours[0.2] / 200 == pytest.approx(0.8, abs=0.02)
    assert hours[25.0] > 0
    assert len({job.index for job in jobs}) == len(jobs)


def test_processes_give_what_one_process_gives() -> None:
    jobs = [Job(5, i, Mix(0.2, 1.0, 0.25)) for i in range(4)]
    alone, shared = run_jobs(jobs, 1), run_jobs(jobs, 2)
    assert [o.result for o in alone] == [o.result for o in shared]


def test_many_cameras_keep_state_of_their_own() -> None:
    figures = many_cameras(30)
    assert figures["cameras"] == 30
    assert figures["times_real_time"] > 0
    assert figures["frames_per_s"] == pytest.approx(3 * figures["times_real_time"])


def test_one_trace_at_four_rates_gives_the_same_incidents() -> None:
    found = at_rates(Job(11, 4, Mix(25.0, 1.0, 0.05)))
    assert set(found) == {25.0, 5.0, 1.0, 0.5}
    kinds = [sorted(report.kind for report in reports) for reports in found.values()]
    assert kinds[0] == kinds[1] == kinds[2] == kinds[3] != []
