"""Order, repetition and restarts: nothing that happens to the stream may change the incidents."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vision_support import (
    KINDS,
    START,
    Actor,
    Step,
    camera,
    changes,
    detections,
    new_engine,
    opened,
    parking,
    passing,
    play,
    scene,
    seconds,
    standing,
    zone,
)

from xiaozheng.config.errors import FrameError, InputError
from xiaozheng.vision.cameras import Zone
from xiaozheng.vision.engine import CameraEngine
from xiaozheng.vision.incident import Incident


def busy_street(fps: float = 2.0) -> list[Step]:
    """A parked car behind traffic, a bin that fills, a kept stall, people."""
    actors = [
        Actor(parking((500, 400, 680, 500), 8, 95), ("car", "truck"), miss=0.2, jitter=2),
        Actor(
            standing((300, 300, 360, 400)),
            lambda s: "overflowing_bin" if 20 < s < 90 else "bin",
            miss=0.1,
            jitter=1,
        ),
        Actor(standing((900, 350, 1050, 480), 15), ("stall",), miss=0.2, jitter=3),
        Actor(standing((1040, 330, 1080, 480), 15), ("person",), miss=0.1, jitter=3),
        Actor(passing(520, (240, 130), 240, 9), ("bus", "truck"), miss=0.1, jitter=3),
    ]
    return scene(actors, 150, fps)


STEPS = busy_street()
EYE = camera(zone(dwell_s=30))


def listed(steps: list[Step]) -> list[Incident]:
    return play(steps, new_engine(EYE))


EXPECTED = listed(STEPS)


def test_the_street_has_its_three_events() -> None:
    reported = [i for i in EXPECTED if i.opened_at]
    assert sorted(i.kind for i in reported) == ["bin_overflow", "illegal_parking", "street_vending"]


@settings(max_examples=25, deadline=None)
@given(
    extras=st.lists(
        st.tuples(st.integers(0, len(STEPS) - 1), st.integers(0, len(STEPS) - 1)), max_size=60
    )
)
def test_late_and_repeated_frames_change_nothing(extras: list[tuple[int, int]]) -> None:
    """Frames sent again at any later point, in any order and number."""
    again: dict[int, list[Step]] = {}
    for a, b in extras:
        again.setdefault(max(a, b), []).append(STEPS[min(a, b)])
    disturbed: list[Step] = []
    for i, step in enumerate(STEPS):
        disturbed += [step, *again.get(i, [])]
    assert listed(disturbed) == EXPECTED


@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, len(STEPS)), max_size=6))
def test_a_restart_at_any_point_changes_nothing(cuts: list[int]) -> None:
    """State goes through JSON text, as a checkpoint would; ids and times are the same after."""
    told: dict[str, Incident] = {}
    engine = new_engine(EYE)
    for i, (ts, seq, found) in enumerate(STEPS):
        if i in cuts:
            text = json.dumps(engine.snapshot())
            engine = CameraEngine.restore(EYE, KINDS, json.loads(text), model_ref="test@1.0.0")
        for transition in engine.update(ts, seq, found).transitions:
            told[transition.incident.id] = transition.incident
    assert list(told.values()) == EXPECTED


@settings(max_examples=15, deadline=None)
@given(cut=st.integers(1, len(STEPS) - 1), again=st.integers(1, 40))
def test_frames_repeated_after_a_restart_open_nothing_twice(cut: int, again: int) -> None:
    """A gateway resends what it has no answer for: the frames before the crash come again."""
    engine = new_engine(EYE)
    outcomes = [engine.update(*step) for step in STEPS[:cut]]
    engine = CameraEngine.restore(EYE, KINDS, engine.snapshot(), model_ref="test@1.0.0")
    resent = [engine.update(*step) for step in STEPS[max(0, cut - again) : cut]]
    assert {outcome.status for outcome in resent} <= {"late", "duplicate"}
    outcomes += resent + [engine.update(*step) for step in STEPS[cut:]]
    undisturbed = new_engine(EYE)
    assert changes(outcomes) == changes(undisturbed.update(*step) for step in STEPS)


@settings(max_examples=20, deadline=None)
@given(chance=st.randoms(use_true_random=False))
def test_reordered_frames_keep_the_events(chance: Random) -> None:
    """Frames delayed by up to two seconds: what comes late is dropped, no event is lost."""
    delays = [chance.randint(0, 4) for _ in STEPS]
    delayed = sorted(range(len(STEPS)), key=lambda i: (i + delays[i], i))
    found = [i for i in listed([STEPS[i] for i in delayed]) if i.opened_at]
    reported = {i.kind: i for i in EXPECTED if i.opened_at}
    assert sorted(i.kind for i in found) == sorted(reported)
    for mine in found:
        assert abs(mine.onset_at - reported[mine.kind].onset_at) <= timedelta(seconds=10)


@settings(max_examples=15, deadline=None)
@given(
    dropped=st.sets(st.integers(0, len(STEPS) - 1), max_size=len(STEPS) // 3),
)
def test_lost_frames_make_no_second_incident(dropped: set[int]) -> None:
    kept = [step for i, step in enumerate(STEPS) if i not in dropped]
    kinds = [i.kind for i in listed(kept) if i.opened_at]
    assert len(kinds) == len(set(kinds))
    assert set(kinds) <= {"bin_overflow", "illegal_parking", "street_vending"}


@pytest.mark.parametrize("fps", [10, 5, 1, 0.5])
def test_resampling_keeps_the_events(fps: float) -> None:
    found = opened(busy_street(fps), new_engine(EYE))
    reported = {i.kind: i for i in EXPECTED if i.opened_at}
    assert sorted(i.kind for i in found) == sorted(reported)
    for incident in found:
        shift = incident.onset_at - reported[incident.kind].onset_at
        assert abs(shift) <= timedelta(seconds=4 + 2 / fps)


def test_replay_speed_does_not_matter() -> None:
    """Only media time is known: the same frames give byte-identical incidents."""
    assert repr(listed(STEPS)) == repr(EXPECTED)


def test_statuses_say_what_became_of_a_frame() -> None:
    engine = new_engine(EYE)
    statuses = [engine.update(*STEPS[i]).status for i in (0, 1, 1, 0, 2)]
    assert statuses == ["accepted", "accepted", "duplicate", "late", "accepted"]


def test_a_source_that_restarts_its_counter_is_not_late() -> None:
    engine = new_engine(EYE)
    engine.update(START, 5_000, STEPS[0][2])
    assert engine.update(START + timedelta(seconds=1), 0, STEPS[0][2]).status == "accepted"


def test_a_time_without_zone_is_refused_and_changes_nothing() -> None:
    engine = new_engine(EYE)
    engine.update(*STEPS[0])
    before = engine.snapshot()
    with pytest.raises(FrameError, match=r"frame 7.*time zone") as caught:
        engine.update(datetime(2026, 5, 1, 9, 0), 7, STEPS[0][2])
    assert caught.value.code == "bad_ts"
    assert engine.snapshot() == before


def test_the_same_moment_in_another_zone_is_a_duplicate() -> None:
    from zoneinfo import ZoneInfo

    engine = new_engine(EYE)
    ts, seq, found = STEPS[3]
    engine.update(ts, seq, found)
    assert engine.update(ts.astimezone(ZoneInfo("Asia/Tokyo")), 9, found).status == "duplicate"


def test_boxes_get_the_ids_of_their_tracks() -> None:
    engine = new_engine(EYE)
    ids = [engine.update(*step).detections.track_id.tolist() for step in STEPS[:20]]
    car_and_bin = scene([Actor(standing((500, 400, 680, 500)), ("car",))], 10, 2)
    engine = new_engine(EYE)
    ids = [engine.update(*step).detections.track_id.tolist() for step in car_and_bin]
    assert ids == [[1]] * 20


def test_an_empty_frame_is_a_frame() -> None:
    engine = new_engine(EYE)
    outcome = engine.update(START, 0, detections([]))
    assert (outcome.status, outcome.transitions, len(outcome.detections)) == ("accepted", (), 0)


def test_active_lists_what_is_suspected_and_open() -> None:
    engine = new_engine(EYE)
    for step in STEPS[:140]:
        engine.update(*step)
    assert sorted(i.kind for i in engine.active()) == [
        "bin_overflow",
        "illegal_parking",
        "street_vending",
    ]


@pytest.mark.parametrize(
    "damage",
    [
        {},
        {"version": 99},
        {"stays": [[1, 2]]},
        {"claims": None},
        {"tracks": [["x"] * 14]},
    ],
    ids=["empty", "version", "stay", "claims", "track"],
)
def test_a_damaged_snapshot_is_refused(damage: dict[str, object]) -> None:
    snapshot = new_engine(EYE).snapshot() | damage if damage else {}
    with pytest.raises(InputError) as caught:
        CameraEngine.restore(EYE, KINDS, snapshot, model_ref="test@1.0.0")
    assert caught.value.code == "bad_snapshot"


def test_a_snapshot_survives_new_zones() -> None:
    """The operator redraws zones: incidents of zones that are gone are dropped, others go on."""
    engine = new_engine(EYE)
    for step in STEPS[:140]:
        engine.update(*step)
    other = camera(zone(zone_id="another", dwell_s=30))
    resumed = CameraEngine.restore(other, KINDS, engine.snapshot(), model_ref="test@1.0.0")
    assert resumed.active() == []
    same = camera(zone(dwell_s=30), small_zone())
    resumed = CameraEngine.restore(same, KINDS, engine.snapshot(), model_ref="test@1.0.0")
    assert [i.id for i in resumed.active()] == [i.id for i in engine.active()]


def small_zone() -> Zone:
    return zone(("illegal_parking",), zone_id="small", polygon=[(0, 0), (0.1, 0), (0.1, 0.1)])


def test_state_stays_small_on_a_busy_road() -> None:
    engine = new_engine(EYE)
    lanes = [
        Actor(passing(100 + 60 * k, (180, 50), 150 + 20 * k, 3.1), ("car",), miss=0.2, jitter=3)
        for k in range(8)
    ]
    parked = [Actor(standing((20 + 120 * k, 620, 120 + 120 * k, 700)), ("car",)) for k in range(10)]
    sizes = []
    for step in scene(lanes + parked, 300, 1, hides=False):
        engine.update(*step)
        sizes.append(len(json.dumps(engine.snapshot())))
    assert max(sizes) < 64 * 1024


def test_ids_tell_camera_kind_place_and_onset_apart() -> None:
    steps = scene([Actor(standing((500, 400, 680, 500)), ("car",))], 60, 1)
    (first,) = listed(steps)
    (again,) = listed(steps)
    assert first.id == again.id
    moved = [(ts + timedelta(seconds=1), seq, found) for ts, seq, found in steps]
    elsewhere = scene([Actor(standing((100, 400, 280, 500)), ("car",))], 60, 1)
    other_eye = new_engine(EYE.model_copy(update={"id": "cam-2"}))
    others = [*listed(moved), *listed(elsewhere), *play(steps, other_eye)]
    assert len({first.id, *(i.id for i in others)}) == 4
    assert seconds(first.onset_at) == 0
    assert replace(first, id="") == replace(again, id="")
