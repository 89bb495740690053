"""Parked cars: one real event is one incident, whatever the detector and the stream do."""

from __future__ import annotations

import pytest
from vision_support import (
    Actor,
    PixelBox,
    camera,
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

from xiaozheng.vision.incident import IncidentState

CAR: PixelBox = (500, 400, 680, 500)
VEHICLES = ("car", "truck", "bus")
RATES = [25, 5, 2, 1, 0.5, 0.2]


@pytest.mark.parametrize("fps", RATES)
def test_a_parked_car_is_one_incident_at_every_frame_rate(fps: float) -> None:
    car = Actor(parking(CAR, arrive_s=10, leave_s=140), VEHICLES, miss=0.15, jitter=2)
    found = opened(scene([car], 220, fps))
    assert len(found) == 1
    (incident,) = found
    sample_s = 1 / fps
    assert seconds(incident.onset_at) == pytest.approx(10, abs=max(1.5, sample_s + 0.5))
    waited = seconds(incident.opened_at) - seconds(incident.onset_at)
    assert 60 - 0.01 <= waited <= 60 + max(2.0, 2 * sample_s)
    assert incident.state is IncidentState.ENDED
    assert seconds(incident.ended_at) == pytest.approx(140, abs=max(2.0, 2 * sample_s))
    assert incident.kind == "illegal_parking"


@pytest.mark.parametrize("fps", [10, 2, 0.5])
@pytest.mark.parametrize(("miss", "jitter"), [(0.0, 0.0), (0.7, 3.0), (0.2, 6.0)], ids=str)
def test_misses_and_jitter_do_not_split_it(fps: float, miss: float, jitter: float) -> None:
    # At one frame in two seconds seven misses in ten leave gaps of half a minute.
    car = Actor(standing(CAR), VEHICLES, miss=miss if fps > 1 else min(miss, 0.6), jitter=jitter)
    for seed in range(2):
        assert len(opened(scene([car], 300 if fps > 1 else 900, fps, seed))) == 1


@pytest.mark.parametrize("fps", [10, 2, 0.5, 0.2])
def test_traffic_passing_before_it_does_not_split_it(fps: float) -> None:
    car = Actor(standing(CAR), ("car",), miss=0.1, jitter=2)
    buses = Actor(passing(380, (330, 190), 130, every_s=23), ("bus",), jitter=2)
    cars = Actor(passing(430, (200, 110), 260, every_s=9), ("car", "truck"), jitter=2)
    assert len(opened(scene([car, cars, buses], 240 if fps > 1 else 900, fps))) == 1


@pytest.mark.parametrize("hidden_s", [30, 120, 600])
@pytest.mark.parametrize("fps", [2, 0.5])
def test_minutes_behind_a_standing_bus_are_one_incident(hidden_s: float, fps: float) -> None:
    car = Actor(standing(CAR), ("car",), jitter=2)
    bus = Actor(parking((430, 350, 800, 560), 100, 100 + hidden_s), ("bus",), jitter=2)
    eye = camera(zone(("illegal_parking",), dwell_s=60, polygon=_around(CAR)))
    found = opened(scene([car, bus], 300 + hidden_s, fps), new_engine(eye))
    mine = [i for i in found if i.box[1] == pytest.approx(400 / 720, abs=0.02)]
    assert len(mine) == 1
    assert mine[0].state is IncidentState.OPEN


def _around(box: PixelBox) -> list[tuple[float, float]]:
    x1, y1, x2, y2 = box[0] / 1280, box[1] / 720, box[2] / 1280, box[3] / 720
    return [(x1, y1), (x2, y1), (x2, y2 + 0.01), (x1, y2 + 0.01)]


@pytest.mark.parametrize("fps", [5, 1, 0.2])
@pytest.mark.parametrize("blind_s", [10, 45, 75])
def test_a_blind_detector_does_not_report_it_again(fps: float, blind_s: float) -> None:
    """Glare: nothing is seen for a while, though nothing moved."""
    car = Actor(lambda s: None if 120 <= s < 120 + blind_s else CAR, ("car",), jitter=2)
    found = opened(scene([car], 280, fps))
    assert len(found) == 1
    assert found[0].state is IncidentState.OPEN


@pytest.mark.parametrize("fps", [5, 1])
def test_headlights_that_swell_the_box_do_not_split_it(fps: float) -> None:
    glow: PixelBox = (440, 360, 760, 520)
    car = Actor(lambda s: glow if 150 <= s < 260 else CAR, ("car",), jitter=2)
    assert len(opened(scene([car], 420, fps))) == 1


def test_weak_boxes_carry_a_known_car_but_begin_nothing() -> None:
    dusk = Actor(standing(CAR), ("car",), score=0.15, jitter=2)
    assert opened(scene([dusk], 300, 2)) == []
    day = Actor(standing(CAR, 0, 30), ("car",), jitter=2)
    night = Actor(standing(CAR, 30), ("car",), score=0.15, jitter=2)
    found = opened(scene([day, night], 300, 2))
    assert [i.state for i in found] == [IncidentState.OPEN]


@pytest.mark.parametrize("fps", [10, 2, 1, 0.5, 0.2])
@pytest.mark.parametrize("every_s", [7.3, 4.1])
def test_passing_traffic_opens_nothing(fps: float, every_s: float) -> None:
    lanes = [
        Actor(passing(400, (180, 100), 300, every_s), VEHICLES, miss=0.1, jitter=3),
        Actor(passing(520, (240, 130), 240, every_s, 2.7), VEHICLES, miss=0.1, jitter=3),
    ]
    assert opened(scene(lanes, 240 if fps > 1 else 900, fps)) == []


@pytest.mark.parametrize("every_s", [2.3, 2.5, 3.1])
@pytest.mark.parametrize("fps", [12, 2, 1, 0.5])
def test_a_platoon_in_step_with_the_sampling_opens_nothing(fps: float, every_s: float) -> None:
    """Cars follow each other so that every few samples one is just where another one was."""
    cars = Actor(passing(400, (180, 100), 500, every_s), ("car",), miss=0.2, jitter=3)
    eye = camera(zone(dwell_s=5))
    assert opened(scene([cars], 120, fps), new_engine(eye)) == []


@pytest.mark.parametrize("fps", [5, 0.5])
def test_a_stop_shorter_than_the_dwell_is_discarded(fps: float) -> None:
    car = Actor(parking(CAR, 10, 55), ("car",), jitter=2)
    found = play(scene([car], 140, fps))
    assert [i.state for i in found] == [IncidentState.DISCARDED]


@pytest.mark.parametrize("fps", [10, 1])
def test_a_creeping_van_is_not_parked(fps: float) -> None:
    def creep(s: float) -> PixelBox:
        return 100 + 4 * s, 400, 280 + 4 * s, 500

    assert opened(scene([Actor(creep, ("truck",), jitter=2)], 240, fps)) == []


@pytest.mark.parametrize("fps", [25, 5, 2])
def test_a_second_car_at_the_same_place_is_a_second_incident(fps: float) -> None:
    first = Actor(parking(CAR, 10, 120), ("car",), jitter=2)
    second = Actor(parking(CAR, 150, 400), ("car",), jitter=2)
    found = opened(scene([first, second], 300, fps))
    assert len(found) == 2
    assert len({i.id for i in found}) == 2
    assert seconds(found[1].onset_at) == pytest.approx(150, abs=2)


def test_two_cars_one_behind_the_other_are_two_incidents() -> None:
    behind = Actor(standing((500, 330, 640, 430)), ("car",), jitter=1)
    before = Actor(standing((480, 390, 690, 530)), ("car",), jitter=1)
    assert len(opened(scene([behind, before], 120, 2, hides=False))) == 2


def test_one_car_boxed_twice_is_one_incident() -> None:
    whole = Actor(standing((400, 300, 800, 500)), ("truck",), jitter=1)
    cab = Actor(standing((600, 310, 800, 500)), ("car",), jitter=1)
    assert len(opened(scene([whole, cab], 200, 2, hides=False))) == 1
    sometimes = Actor(lambda s: (600, 310, 800, 500) if s % 30 > 15 else None, ("car",))
    assert len(opened(scene([whole, sometimes], 300, 2, hides=False))) == 1


def test_nested_zones_make_one_incident_in_the_inner_one() -> None:
    inner = [(0.3, 0.4), (0.7, 0.4), (0.7, 0.9), (0.3, 0.9)]
    eye = camera(zone(zone_id="outer"), zone(zone_id="inner", polygon=inner, dwell_s=30))
    found = opened(scene([Actor(standing(CAR), ("car",))], 120, 2), new_engine(eye))
    assert [(i.zone_id, seconds(i.opened_at)) for i in found] == [("inner", 30)]


def test_only_the_ground_point_decides_the_zone() -> None:
    upper = [(0.0, 0.0), (1.0, 0.0), (1.0, 0.66), (0.0, 0.66)]
    eye = camera(zone(polygon=upper))
    assert opened(scene([Actor(standing(CAR), ("car",))], 120, 2), new_engine(eye)) == []


def test_zone_hours_are_kept_in_local_time() -> None:
    """The scene starts at 09:00 in Shanghai; the zone counts from 09:02 to 09:05."""
    eye = camera(zone(active=["09:02-09:05"]))
    (incident,) = opened(scene([Actor(standing(CAR), ("car",))], 600, 1), new_engine(eye))
    assert seconds(incident.onset_at) == 120
    assert seconds(incident.opened_at) == 180
    assert incident.state is IncidentState.ENDED
    assert seconds(incident.ended_at) == pytest.approx(300, abs=1)


def test_time_not_seen_earns_no_dwell() -> None:
    """The stream breaks off for five minutes; 20 s before and 20 s after are not 60 s."""
    steps = scene([Actor(standing(CAR), ("car",))], 340, 2)
    broken = [step for step in steps if not 20 <= seconds(step[0]) < 320]
    assert opened(broken) == []
    longer = scene([Actor(standing(CAR), ("car",))], 420, 2)
    broken = [step for step in longer if not 20 <= seconds(step[0]) < 320]
    (incident,) = opened(broken)
    assert seconds(incident.opened_at) == pytest.approx(320 + 60 - 20 - 10, abs=1)


def test_a_change_of_resolution_moves_nothing() -> None:
    from dataclasses import replace

    steps = scene([Actor(standing(CAR), ("car",))], 120, 2)
    halved = [
        (ts, seq, replace(d, xyxy=d.xyxy / 2, width=640, height=360)) if seq > 100 else (ts, seq, d)
        for ts, seq, d in steps
    ]
    assert [i.id for i in opened(halved)] == [i.id for i in opened(steps)]
