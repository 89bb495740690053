"""The scene description: time, place, labels and the camera's projection."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiaozheng.datasets.labels import DETECTOR_LABELS
from xiaozheng.datasets.scenes.description import (
    KERB_HEIGHT_M,
    Actor,
    Appearance,
    Camera,
    Key,
    Street,
    ease_share,
    ground_m,
    label_of,
    place_at,
    project,
)

CAMERA = Camera((0.0, -10.0, 4.0), (0.0, 0.0, 1.0), 60.0)
EASES = ("linear", "start", "stop", "both")


def mover(*keys: Key) -> Actor:
    return Actor("mover", (Appearance(-math.inf, "saloon"),), keys)


def test_place_is_linear_between_keys() -> None:
    actor = mover(Key(0.0, 0.0, 0.0), Key(2.0, 8.0, -4.0))
    place = place_at(actor, 0.5)
    assert (place.x, place.y) == (2.0, -1.0)
    assert place.moving


def test_actor_stands_before_the_first_and_after_the_last_key() -> None:
    actor = mover(Key(1.0, 3.0, 0.0, 10.0), Key(2.0, 5.0, 0.0, 20.0))
    before, after = place_at(actor, 0.0), place_at(actor, 9.0)
    assert (before.x, before.heading_deg, before.moving) == (3.0, 10.0, False)
    assert (after.x, after.heading_deg, after.moving) == (5.0, 20.0, False)


def test_waiting_between_equal_keys_is_not_moving() -> None:
    actor = mover(Key(0.0, 1.0, 1.0), Key(5.0, 1.0, 1.0), Key(6.0, 2.0, 1.0))
    assert not place_at(actor, 3.0).moving
    assert place_at(actor, 5.5).moving


def test_travelled_length_adds_up_over_corners() -> None:
    actor = mover(Key(0.0, 0.0, 0.0), Key(1.0, 3.0, 0.0), Key(2.0, 3.0, 4.0))
    assert place_at(actor, 1.5).travelled_m == pytest.approx(5.0)
    assert place_at(actor, 2.0).travelled_m == pytest.approx(7.0)


def test_heading_turns_the_short_way() -> None:
    actor = mover(Key(0.0, 0.0, 0.0, 170.0), Key(1.0, 1.0, 0.0, -170.0))
    assert place_at(actor, 0.5).heading_deg == pytest.approx(180.0)


@pytest.mark.parametrize("ease", EASES)
def test_easing_joins_its_ends(ease: str) -> None:
    assert ease_share(ease, 0.0) == 0.0
    assert ease_share(ease, 1.0) == 1.0


@given(ease=st.sampled_from(EASES), a=st.floats(0, 1), b=st.floats(0, 1))
def test_easing_never_runs_backwards(ease: str, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert ease_share(ease, low) <= ease_share(ease, high) + 1e-12


def test_stopping_slows_down_and_starting_speeds_up() -> None:
    assert ease_share("stop", 0.5) > 0.5 > ease_share("start", 0.5)


def test_appearance_follows_time_and_visibility() -> None:
    actor = Actor(
        "bin",
        (
            Appearance(0.0, "bin", (("state", "closed"),)),
            Appearance(4.0, "bin", (("state", "overflowing"),)),
        ),
        (Key(0.0, 0.0, 1.0),),
        (1.0, 9.0),
    )
    assert actor.looks_at(0.5) is None
    assert actor.looks_at(9.0) is None
    shown = [actor.looks_at(t) for t in (1.0, 3.9, 4.0)]
    assert [s and s.styles()["state"] for s in shown] == ["closed", "closed", "overflowing"]


@pytest.mark.parametrize(
    ("model", "style", "label"),
    [
        ("saloon", (), "car"),
        ("van", (), "car"),
        ("tricycle", (), "motorcycle"),
        ("ebike", (), "motorcycle"),
        ("bin", (("state", "filling"),), "bin"),
        ("bin", (("state", "overflowing"),), "overflowing_bin"),
        ("heap", (), "garbage"),
        ("stall", (), "stall"),
        ("goods_rack", (), None),
        ("umbrella", (), None),
    ],
)
def test_labels(model: str, style: tuple[tuple[str, str], ...], label: str | None) -> None:
    found = label_of(Appearance(0.0, model, style))
    assert found == label
    assert found is None or found in DETECTOR_LABELS


def test_ground_is_raised_on_both_pavements() -> None:
    street = Street(lanes=2, lane_m=3.5)
    assert ground_m(street, -3.0) == 0.0
    assert ground_m(street, 1.0) == KERB_HEIGHT_M
    assert ground_m(street, -8.0) == KERB_HEIGHT_M


def test_target_is_seen_in_the_middle() -> None:
    assert project(CAMERA, [CAMERA.target])[0] == pytest.approx((320.0, 180.0))


def test_right_is_right_and_up_is_up() -> None:
    (x, y) = project(CAMERA, [(1.0, 0.0, 2.0)])[0]
    assert x > 320.0
    assert y < 180.0


def test_field_of_view_touches_the_edge() -> None:
    level = Camera((0.0, 0.0, 2.0), (0.0, 10.0, 2.0), 90.0)
    assert project(level, [(10.0, 10.0, 2.0)])[0] == pytest.approx((640.0, 180.0))
