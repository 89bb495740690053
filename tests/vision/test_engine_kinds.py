"""Bins, garbage and stalls: the hard negatives beside the true events."""

from __future__ import annotations

import pytest
from vision_support import Actor, PixelBox, opened, play, scene, seconds, standing

from xiaozheng.vision.incident import IncidentState

BIN: PixelBox = (300, 300, 360, 400)
HEAP: PixelBox = (600, 500, 700, 550)
STALL: PixelBox = (500, 350, 700, 480)
RATES = [5, 1, 0.2]


def filling(full_s: float, emptied_s: float, wrong: float = 0.0) -> Actor:
    """A bin that is overflowing from `full_s` to `emptied_s`; `wrong` of the frames lie."""

    def label(s: float) -> str:
        full = full_s <= s < emptied_s
        lies = (s * 7.31) % 1.0 < wrong
        return "overflowing_bin" if full != lies else "bin"

    return Actor(standing(BIN), label, miss=0.1, jitter=1.5)


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("wrong", [0.0, 0.15])
def test_a_bin_that_fills_and_is_emptied_is_one_incident(fps: float, wrong: float) -> None:
    (incident,) = opened(scene([filling(60, 260, wrong)], 360, fps))
    sample_s = 1 / fps
    assert incident.kind == "bin_overflow"
    assert seconds(incident.onset_at) == pytest.approx(60, abs=6 + 2 * sample_s)
    assert incident.state is IncidentState.ENDED
    assert seconds(incident.ended_at) == pytest.approx(260, abs=15 + 2 * sample_s)


@pytest.mark.parametrize("fps", RATES)
def test_an_ordinary_bin_is_none_though_it_is_misread_now_and_then(fps: float) -> None:
    assert opened(scene([filling(1e9, 1e9, wrong=0.2)], 600, fps)) == []


def test_a_bin_overflowing_from_the_start_dates_from_the_start() -> None:
    (incident,) = opened(scene([filling(0, 1e9)], 120, 2))
    assert seconds(incident.onset_at) == pytest.approx(0, abs=1)
    assert incident.state is IncidentState.OPEN


def test_a_bin_taken_away_ends_it() -> None:
    full = Actor(standing(BIN, 0, 150), ("overflowing_bin",))
    (incident,) = opened(scene([full], 220, 2))
    assert incident.state is IncidentState.ENDED
    assert seconds(incident.ended_at) == pytest.approx(150, abs=1)


@pytest.mark.parametrize("fps", RATES)
def test_garbage_left_alone_is_one_incident(fps: float) -> None:
    heap = Actor(standing(HEAP, 20, 300), ("garbage",), miss=0.3, jitter=4)
    walkers = Actor(lambda s: ((s * 90) % 1400, 420, (s * 90) % 1400 + 40, 540), ("person",))
    (incident,) = opened(scene([heap, walkers], 420, fps, hides=False))
    assert incident.kind == "exposed_garbage"
    assert seconds(incident.onset_at) == pytest.approx(20, abs=3 + 2 / fps)
    assert incident.state is IncidentState.ENDED


def test_bags_with_their_owner_beside_them_are_none() -> None:
    bags = Actor(standing(HEAP), ("garbage",), jitter=2)
    owner = Actor(standing((700, 420, 740, 545)), ("person",), jitter=2)
    assert opened(scene([bags, owner], 400, 2)) == []


def test_a_bag_that_is_carried_is_none() -> None:
    bag = Actor(lambda s: (100 + 15 * s % 900, 500, 150 + 15 * s % 900, 540), ("garbage",))
    assert play(scene([bag], 200, 2)) == []


def test_one_heap_boxed_in_parts_is_one_incident() -> None:
    parts = [
        Actor(standing((600, 500, 660, 550)), ("garbage",), jitter=1),
        Actor(standing((655, 505, 720, 550)), ("garbage",), jitter=1),
        Actor(standing((600, 500, 720, 552)), ("garbage",), jitter=1, miss=0.6),
    ]
    assert len(opened(scene(parts, 300, 2, hides=False))) == 1


@pytest.mark.parametrize("fps", RATES)
def test_a_kept_stall_is_one_incident(fps: float) -> None:
    stall = Actor(standing(STALL, 20, 320), ("stall",), miss=0.2, jitter=4)
    vendor = Actor(standing((690, 330, 730, 480), 20, 320), ("person",), miss=0.2, jitter=3)
    (incident,) = opened(scene([stall, vendor], 400, fps, hides=False))
    assert incident.kind == "street_vending"
    assert seconds(incident.onset_at) == pytest.approx(20, abs=5 + 2 / fps)
    assert incident.state is IncidentState.ENDED


def test_a_vendor_who_steps_away_does_not_end_it() -> None:
    stall = Actor(standing(STALL), ("stall",), jitter=2)
    vendor = Actor(
        lambda s: None if 150 <= s < 300 else (690, 330, 730, 480), ("person",), jitter=2
    )
    (incident,) = opened(scene([stall, vendor], 500, 2, hides=False))
    assert incident.state is IncidentState.OPEN


@pytest.mark.parametrize("fps", RATES)
def test_a_stall_nobody_keeps_is_none(fps: float) -> None:
    umbrella = Actor(standing(STALL), ("stall",), jitter=2)
    walkers = Actor(lambda s: ((s * 90) % 2600, 330, (s * 90) % 2600 + 40, 470), ("person",))
    assert opened(scene([umbrella, walkers], 400, fps, hides=False)) == []


@pytest.mark.parametrize("fps", RATES)
def test_a_vendor_walking_past_with_a_cart_is_none(fps: float) -> None:
    def cart(s: float) -> PixelBox | None:
        return (8 * s, 350, 8 * s + 150, 470) if s < 140 else None

    def man(s: float) -> PixelBox | None:
        return (8 * s + 150, 330, 8 * s + 190, 475) if s < 140 else None

    actors = [Actor(cart, ("stall",), jitter=3), Actor(man, ("person",), jitter=3)]
    assert opened(scene(actors, 200, fps, hides=False)) == []


def test_kinds_a_zone_does_not_forbid_are_not_reported() -> None:
    from vision_support import camera, new_engine, zone

    stall = Actor(standing(STALL), ("stall",))
    vendor = Actor(standing((690, 330, 730, 480)), ("person",))
    steps = scene([stall, vendor, filling(0, 1e9)], 200, 1, hides=False)
    only_bins = new_engine(camera(zone(("bin_overflow",))))
    assert [i.kind for i in opened(steps, only_bins)] == ["bin_overflow"]


def test_reasons_are_given_in_chinese() -> None:
    (incident,) = opened(scene([filling(0, 1e9)], 120, 2))
    assert any("满溢" in reason for reason in incident.reasons)
    assert (incident.model, incident.rule) == ("test@1.0.0", "bin_state@1.2.0")
    assert incident.label == "overflowing_bin"
    assert 0 < incident.score <= 1


def test_a_vendors_tricycle_and_stall_are_one_incident_whichever_leaves_first() -> None:
    tricycle = Actor(standing((400, 340, 540, 450), 10, 260), ("stall",), jitter=2)
    umbrella = Actor(standing(STALL, 20, 400), ("stall",), jitter=2)
    vendor = Actor(standing((560, 330, 600, 480), 10, 400), ("person",), jitter=2)
    (incident,) = opened(scene([tricycle, umbrella, vendor], 460, 2, hides=False))
    assert seconds(incident.onset_at) == pytest.approx(10, abs=6)
    assert incident.state is IncidentState.ENDED
    assert seconds(incident.ended_at) == pytest.approx(400, abs=6)


def test_stalls_that_stand_apart_are_one_incident_each() -> None:
    stalls = [
        Actor(standing(STALL), ("stall",), jitter=2),
        Actor(standing((900, 350, 1100, 480)), ("stall",), jitter=2),
    ]
    vendors = [
        Actor(standing((690, 330, 730, 480)), ("person",), jitter=2),
        Actor(standing((1090, 330, 1130, 480)), ("person",), jitter=2),
    ]
    assert len(opened(scene([*stalls, *vendors], 300, 2, hides=False))) == 2
