"""Rules beyond the plain case: queues, loading, two-wheelers, shop fronts, bins that are pushed."""

from __future__ import annotations

from itertools import pairwise

import pytest
from vision_support import (
    Actor,
    PixelBox,
    camera,
    new_engine,
    opened,
    parking,
    play,
    scene,
    seconds,
    standing,
    zone,
)

from xiaozheng.vision.cameras import Camera, Frontage
from xiaozheng.vision.engine import CameraEngine
from xiaozheng.vision.incident import IncidentState
from xiaozheng.vision.kinds import Tune

CAR: PixelBox = (500, 400, 680, 500)
STALL: PixelBox = (500, 350, 640, 480)
PAIR = zone(("street_vending", "shop_overflow"), dwell_s=60)


def bikes(count: int, begin_s: float, end_s: float = 1e9, every_s: float = 20.0) -> list[Actor]:
    return [
        Actor(
            standing((200 + 45 * k, 400, 260 + 45 * k, 480), begin_s + every_s * k, end_s),
            ("bicycle", "motorcycle"),
            miss=0.2,
            jitter=1,
        )
        for k in range(count)
    ]


@pytest.mark.parametrize("fps", [2, 0.5])
def test_enough_two_wheelers_in_a_zone_are_one_incident(fps: float) -> None:
    (incident,) = opened(scene(bikes(5, 20, 300), 420, fps, hides=False))
    assert incident.kind == "non_motor_clutter"
    assert seconds(incident.onset_at) == pytest.approx(60, abs=3 + 2 / fps)
    assert incident.state is IncidentState.ENDED
    assert seconds(incident.ended_at) == pytest.approx(300, abs=2 + 3 / fps)
    assert "区域内停放非机动车 5 辆" in incident.reasons


def test_two_bicycles_are_no_clutter_and_riders_are_not_counted() -> None:
    riders = [
        Actor(standing((205 + 45 * k, 360, 255 + 45 * k, 478)), ("person",)) for k in range(3)
    ]
    assert opened(scene(bikes(2, 0), 300, 2, hides=False)) == []
    assert opened(scene([*bikes(3, 0), *riders], 300, 2, hides=False)) == []


def test_a_zone_may_set_its_own_count() -> None:
    tuned = zone(("non_motor_clutter",), tune={"non_motor_clutter": Tune(min_count=2)})
    (incident,) = opened(scene(bikes(2, 0), 200, 2, hides=False), new_engine(camera(tuned)))
    assert seconds(incident.onset_at) == pytest.approx(20, abs=2)


@pytest.mark.parametrize("fps", [5, 1])
def test_a_queue_at_a_signal_is_not_parking(fps: float) -> None:
    """Four cars stop one behind the other within seconds, and go after 90 s; the dwell is 60 s."""
    places = [(900 - 220 * k, 400, 1080 - 220 * k, 500) for k in range(4)]
    queue = [
        Actor(parking(place, 20 + 3 * k, 110 + 2 * k), ("car",), jitter=2)
        for k, place in enumerate(places)
    ]
    assert opened(scene(queue, 180, fps)) == []
    alone = opened(scene(queue[:1], 180, fps))
    assert len(alone) == 1


def test_time_with_somebody_at_the_vehicle_is_forgiven_up_to_a_limit() -> None:
    car = Actor(parking(CAR, 10, 300), ("car",), jitter=2)
    loader = Actor(standing((690, 390, 730, 500), 15, 65), ("person",), jitter=2)
    eye = camera(zone(tune={"illegal_parking": Tune(attended_grace_s=30)}))
    steps = scene([car, loader], 300, 2, hides=False)
    (strict,), (lenient,) = opened(steps), opened(steps, new_engine(eye))
    assert seconds(strict.opened_at) == pytest.approx(70, abs=2)
    assert seconds(lenient.opened_at) == pytest.approx(100, abs=2)
    assert lenient.onset_at == strict.onset_at
    assert any("扣除车旁有人 30 秒" in reason for reason in lenient.reasons)


@pytest.mark.parametrize("fps", [2, 0.5])
@pytest.mark.parametrize("pushed_px", [25, 150])
def test_a_bin_that_is_pushed_aside_is_the_same_bin(fps: float, pushed_px: float) -> None:
    def where(s: float) -> PixelBox:
        x = 300 + min(max(s - 120, 0) * 40, pushed_px)
        return x, 300, x + 60, 400

    full = Actor(where, lambda s: "overflowing_bin" if 30 <= s < 300 else "bin", jitter=1)
    (incident,) = opened(scene([full], 400, fps))
    assert seconds(incident.onset_at) == pytest.approx(30, abs=2 / fps)
    assert incident.box[0] == pytest.approx((300 + pushed_px) / 1280, abs=0.01)
    assert incident.state is IncidentState.ENDED


FRONTS = {
    "polygon": Frontage(id="tea", name="茶铺", polygon=((0, 0), (1, 0), (1, 0.6), (0, 0.6))),
    "line": Frontage(id="tea", name="茶铺", line=((0, 0.6), (1, 0.6)), inside=(0.5, 0.1)),
}


def shop(shape: str) -> CameraEngine:
    return new_engine(Camera(id="cam-1", zones=(PAIR,), frontages=(FRONTS[shape],)))


def goods(foot_px: float) -> list[Actor]:
    """A stall whose ground line is at `foot_px`, kept by somebody."""
    return [
        Actor(standing((500, foot_px - 130, 640, foot_px), 10), ("stall",), jitter=2),
        Actor(standing((630, foot_px - 150, 670, foot_px), 10), ("person",), jitter=2),
    ]


@pytest.mark.parametrize("shape", FRONTS)
@pytest.mark.parametrize(
    ("foot_px", "kinds"),
    [(420, []), (470, ["shop_overflow"]), (700, ["street_vending"])],
    ids=["inside", "before it", "far from it"],
)
def test_goods_inside_before_and_far_from_a_shop(
    shape: str, foot_px: float, kinds: list[str]
) -> None:
    found = opened(scene(goods(foot_px), 200, 2, hides=False), shop(shape))
    assert [incident.kind for incident in found] == kinds


def test_goods_out_of_the_shop_need_no_keeper_and_name_the_shop() -> None:
    (incident,) = opened(scene(goods(470)[:1], 200, 2), shop("line"))
    assert seconds(incident.onset_at) == pytest.approx(10, abs=1)
    assert incident.reasons[0] == "物品超出“茶铺”门线"
    assert opened(scene(goods(470)[:1], 200, 2), new_engine(camera(PAIR))) == []


def test_the_gap_that_counts_towards_a_dwell_is_the_cameras_to_set() -> None:
    steps = scene([Actor(standing(CAR), ("car",))], 420, 2)
    broken = [step for step in steps if not 20 <= seconds(step[0]) < 320]
    opened_s = {
        gap_s: seconds(
            opened(broken, new_engine(Camera(id="c", zones=(zone(),), max_gap_credit_s=gap_s)))[
                0
            ].opened_at
        )
        for gap_s in (2.0, 30.0)
    }
    assert opened_s[2.0] - opened_s[30.0] == pytest.approx(28, abs=1)


def test_observations_are_the_first_each_change_and_one_in_ten_seconds() -> None:
    engine = new_engine(camera(zone(("bin_overflow",), dwell_s=30)))
    label = lambda s: "overflowing_bin" if 20 <= s < 100 else "bin"  # noqa: E731
    seen = [
        observation
        for step in scene([Actor(standing((300, 300, 360, 400)), label)], 160, 2)
        for observation in engine.update(*step).observations
    ]
    times = [(o.at.timestamp() - seen[0].at.timestamp()) for o in seen]
    assert {(o.camera_id, o.kind, o.zone_id) for o in seen} == {("cam-1", "bin_overflow", "z")}
    assert len({o.incident_id for o in seen}) == 1
    assert [o.holds for o in seen] == [True] * (len(seen) - 1) + [False]
    assert all(b - a >= 10 for a, b in pairwise(times[:-1]))
    assert 0 < seen[-1].strength <= 0.4 < seen[0].strength
    assert len(seen) == pytest.approx(9, abs=1)


def test_a_stop_for_passengers_is_discarded_though_others_follow_at_once() -> None:
    taxis = [Actor(parking(CAR, 10 + 60 * k, 45 + 60 * k), ("car",), jitter=2) for k in range(5)]
    assert {i.state for i in play(scene(taxis, 400, 2))} <= {IncidentState.DISCARDED}
