"""Who stands there: the same object after an absence, or another one in its place."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from vision_support import (
    KINDS,
    START,
    Actor,
    PixelBox,
    Step,
    camera,
    new_engine,
    opened,
    scene,
    seconds,
    standing,
    zone,
)

from xiaozheng.config.errors import FrameError, InputError
from xiaozheng.vision.appearance import LOOK_BYTES, descriptors, similarity
from xiaozheng.vision.engine import CameraEngine
from xiaozheng.vision.incident import Incident

CAR: PixelBox = (500, 400, 680, 500)
NEXT: PixelBox = (512, 394, 680, 502)
OLD_SNAPSHOT = Path(__file__).parent / "snapshot_v1.json"


@pytest.mark.parametrize("fps", [1, 0.5, 0.2])
@pytest.mark.parametrize("gap_s", [35, 60, 90])
def test_a_similar_car_in_a_freed_place_is_a_second_incident(fps: float, gap_s: float) -> None:
    """Nobody saw either drive: one frame it was there, some frames later another one is."""
    first = Actor(standing(CAR, 0, 200), ("car",), jitter=2)
    second = Actor(standing(NEXT, 200 + gap_s, 500), ("car",), jitter=2)
    found = opened(scene([first, second], 560, fps))
    assert [round(seconds(i.onset_at)) for i in found] == [
        pytest.approx(0, abs=1),
        pytest.approx(200 + gap_s, abs=1 / fps + 1),
    ]
    assert seconds(found[0].ended_at) == pytest.approx(200, abs=1 / fps + 1)


@pytest.mark.parametrize("fps", [5, 1, 0.5])
def test_cars_of_one_make_at_a_signal_are_not_one_parked_car(fps: float) -> None:
    """They stop at the same line in every cycle, to within a few pixels."""
    line = [(CAR[0] + dx, CAR[1], CAR[2] + dx, CAR[3]) for dx in (0, 3, -2, 4, 1, -3)]

    def where(s: float) -> PixelBox | None:
        cycle, phase = divmod(s, 110)
        return line[int(cycle)] if phase < 70 else None

    queue = Actor(where, ("car",), jitter=2)
    assert opened(scene([queue], 660, fps), new_engine(camera(zone(dwell_s=120)))) == []


def looked(steps: list[Step], look_at: dict[int, int]) -> list[Incident]:
    """Play with appearances: from each second on, all boxes look like that number."""
    engine, told = new_engine(), {}
    for ts, seq, found in steps:
        s = (ts - START).total_seconds()
        number = [n for begin, n in look_at.items() if s >= begin][-1]
        rng = np.random.default_rng(number)
        noise = np.random.default_rng([number, seq]).integers(0, 3, LOOK_BYTES)
        row = rng.integers(0, 2, LOOK_BYTES) * 80 + noise
        looks = np.tile(row.astype(np.uint8), (len(found), 1))
        for transition in engine.update(ts, seq, found, looks).transitions:
            told[transition.incident.id] = transition.incident
    return [i for i in told.values() if i.opened_at is not None]


def test_appearance_tells_two_cars_of_one_shape_apart() -> None:
    actors = [
        Actor(standing(CAR, 0, 200), ("car",), jitter=1),
        Actor(standing(CAR, 240, 500), ("car",), jitter=1),
    ]
    steps = scene(actors, 500, 0.5)
    assert len(looked(steps, {0: 1})) == 1
    assert len(looked(steps, {0: 1, 240: 2})) == 2


def test_appearance_keeps_a_car_whose_lights_change_its_box() -> None:
    actors = [
        Actor(standing(CAR, 0, 200), ("car",), jitter=1),
        Actor(standing((470, 396, 700, 502), 240, 500), ("car",), jitter=1),
    ]
    steps = scene(actors, 500, 0.5)
    assert len(opened(steps)) == 2
    assert len(looked(steps, {0: 1})) == 1


def test_descriptors_tell_colours_apart_and_bear_a_change_of_light() -> None:
    rng = np.random.default_rng(0)
    image = np.full((200, 600, 3), 90, np.uint8)
    image[40:160, 20:180] = (200, 40, 30)
    image[40:160, 220:380] = (30, 40, 200)
    image[60:90, 40:160], image[60:90, 240:360] = 250, 250
    image = np.clip(image + rng.normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    boxes = np.array([(20, 40, 180, 160), (220, 40, 380, 160), (590, 0, 592, 2)], float)
    blue, red, tiny = descriptors(image, boxes)
    dusk = descriptors((image * 0.6).astype(np.uint8), boxes)
    assert similarity(blue, dusk[0]) > 0.8 > 0.6 > similarity(blue, red)
    assert similarity(blue, tiny) is None


@pytest.mark.parametrize(("rows", "dtype"), [(3, np.uint8), (1, np.float32)])
def test_looks_that_do_not_fit_are_refused(rows: int, dtype: type) -> None:
    (ts, seq, found), *_ = scene([Actor(standing(CAR), ("car",))], 1, 1)
    with pytest.raises(FrameError, match="looks") as caught:
        new_engine().update(ts, seq, found, np.zeros((rows, LOOK_BYTES), dtype))
    assert caught.value.code == "bad_looks"


def test_a_checkpoint_of_version_1_is_read_and_goes_on() -> None:
    saved = json.loads(OLD_SNAPSHOT.read_text(encoding="utf-8"))
    eye = camera(zone(dwell_s=30))
    engine = CameraEngine.restore(eye, KINDS, saved, model_ref="test@1.0.0")
    assert sorted(i.kind for i in engine.active()) == [
        "bin_overflow",
        "illegal_parking",
        "street_vending",
    ]
    assert engine.snapshot()["version"] == 3
    empty = scene([], 1, 1)[0][2]
    later = [engine.update(START + timedelta(seconds=s), s, empty) for s in range(71, 140)]
    assert {t.incident.id for o in later for t in o.transitions} <= {
        i.id for i in CameraEngine.restore(eye, KINDS, saved, model_ref="x@1").active()
    }
    with pytest.raises(InputError, match=r"version 4; this release reads 1 to 3"):
        CameraEngine.restore(eye, KINDS, saved | {"version": 4}, model_ref="test@1.0.0")
