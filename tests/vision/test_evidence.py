"""Evidence: three pictures per incident, drawn where they should be, from a bounded memory."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

import cv2
import numpy as np
import pytest
from vision_support import (
    KINDS,
    SIZE,
    START,
    Actor,
    camera,
    new_engine,
    scene,
    seconds,
    standing,
    zone,
)

from xiaozheng.config.errors import ImageError
from xiaozheng.vision.cameras import Camera
from xiaozheng.vision.drawing import contact_sheet, draw_detections, encode_jpeg
from xiaozheng.vision.evidence import Evidence, EvidenceRecorder, FrameHistory, draw
from xiaozheng.vision.frame import Frame
from xiaozheng.vision.incident import Incident, IncidentState

CAR = (500, 400, 680, 500)
LOWER_HALF = [(0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0)]
EYE = camera(zone(dwell_s=30, polygon=LOWER_HALF))


def frame(s: float, shade: int = 100, size: tuple[int, int] = SIZE) -> Frame:
    """A flat picture whose grey tells which one it is."""
    image = np.full((size[1], size[0], 3), shade, np.uint8)
    return Frame("cam-1", START + timedelta(seconds=s), round(s * 2), encode_jpeg(image))


def decoded(jpeg: bytes) -> np.ndarray:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image)


def some_incident(**changes: object) -> Incident:
    incident = Incident(
        id="0123456789abcdef",
        kind="illegal_parking",
        camera_id="cam-1",
        zone_id="z",
        state=IncidentState.OPEN,
        onset_at=START,
        opened_at=START,
        last_seen_at=START,
        ended_at=None,
        box=(0.4, 0.6, 0.6, 0.8),
        label="car",
        score=0.9,
        reasons=(),
        model="m@1.0.0",
        rule="r@1.0.0",
    )
    return replace(incident, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(320, 240), (640, 360), (1920, 1080), (64, 48)])
def test_zone_and_box_are_drawn_in_place_at_full_resolution(size: tuple[int, int]) -> None:
    width, height = size
    plain = np.full((height, width, 3), 100, np.uint8)
    picture = decoded(draw(plain, EYE, some_incident(), "at", START))
    assert picture.shape == plain.shape
    inside, outside = (
        picture[int(height * 0.9), width // 20],
        picture[int(height * 0.45), width // 2],
    )
    assert int(inside[2]) - int(inside[0]) > 20, "the zone is tinted red"
    assert np.ptp(outside.astype(int)) < 12, "outside the zone nothing is tinted"
    edge = picture[int(height * 0.6) - 2 : int(height * 0.6) + 3, width // 2]
    assert (edge[:, 1].astype(int) - edge[:, 0] > 60).any(), "the box's upper edge is yellow"
    assert (plain == 100).all(), "the picture given is left alone"


@pytest.mark.parametrize("size", [(320, 240), (1920, 1080)])
def test_the_banner_holds_readable_text_within_the_picture(size: tuple[int, int]) -> None:
    width, height = size
    long_names = Camera(id="4" * 20, zones=[zone(zone_id="a-rather-long-zone-name")])
    incident = some_incident(zone_id="a-rather-long-zone-name")
    plain = np.full((height, width, 3), 100, np.uint8)
    picture = decoded(
        draw(plain, long_names, incident, "before", START, kind=KINDS.by_id("illegal_parking"))
    )
    bright = np.argwhere(picture[: height // 4].min(axis=2) > 200)
    assert len(bright) > 100
    assert bright[:, 1].max() < width - 1
    letters = np.ptp(bright[:, 0])
    assert 14 <= letters <= height / 6


def test_time_and_kind_change_the_banner() -> None:
    plain = np.full((240, 320, 3), 100, np.uint8)
    first = draw(plain, EYE, some_incident(), "at", START)
    assert draw(plain, EYE, some_incident(), "at", START) == first
    assert draw(plain, EYE, some_incident(), "at", START + timedelta(seconds=1)) != first
    assert draw(plain, EYE, some_incident(kind="bin_overflow"), "at", START) != first
    assert draw(plain, EYE, some_incident(), "after", START) != first


def test_a_zone_that_is_gone_is_simply_not_drawn() -> None:
    plain = np.full((240, 320, 3), 100, np.uint8)
    picture = decoded(draw(plain, EYE, some_incident(zone_id="gone"), "at", START))
    assert np.ptp(picture[230, 10].astype(int)) < 12


def watch(duration_s: float, eye: Camera = EYE) -> tuple[list[Evidence], list[datetime]]:
    """A car stands from 20 s to 100 s; frame grey counts the seconds."""
    engine, recorder = new_engine(eye), EvidenceRecorder(eye, kinds=KINDS)
    found: list[Evidence] = []
    steps = scene([Actor(standing(CAR, 20, 100), ("car",))], duration_s, 2)
    for ts, seq, boxes in steps:
        outcome = engine.update(ts, seq, boxes)
        found += recorder.collect(frame(seconds(ts), shade=int(seconds(ts)) + 60), outcome)
    return found, [ts for ts, _, _ in steps]


def test_before_at_and_after() -> None:
    found, _ = watch(140)
    assert [item.moment for item in found] == ["before", "at", "after"]
    assert len({item.incident_id for item in found}) == 1
    before, at, after = found
    assert seconds(before.ts) == pytest.approx(18, abs=0.6), "two seconds before it came to rest"
    assert seconds(at.ts) == pytest.approx(50, abs=1)
    assert 100 < seconds(after.ts) < 125
    for item in found:
        assert item.sha256 == hashlib.sha256(item.jpeg).hexdigest()
        shade = decoded(item.jpeg)[300, 100].mean()
        assert shade == pytest.approx(int(seconds(item.ts)) + 60, abs=3), "its own frame"


def test_what_was_there_from_the_start_has_no_before() -> None:
    engine, recorder = new_engine(EYE), EvidenceRecorder(EYE)
    found: list[Evidence] = []
    for ts, seq, boxes in scene([Actor(standing(CAR), ("car",))], 60, 2):
        found += recorder.collect(frame(seconds(ts)), engine.update(ts, seq, boxes))
    assert [item.moment for item in found] == ["at"]


def test_a_mere_suspicion_leaves_no_picture() -> None:
    engine, recorder = new_engine(EYE), EvidenceRecorder(EYE)
    found: list[Evidence] = []
    for ts, seq, boxes in scene([Actor(standing(CAR, 10, 30), ("car",))], 90, 2):
        found += recorder.collect(frame(seconds(ts)), engine.update(ts, seq, boxes))
    assert found == []


def test_late_frames_are_not_kept() -> None:
    engine, recorder = new_engine(EYE), EvidenceRecorder(EYE)
    steps = scene([Actor(standing(CAR, 20), ("car",))], 60, 2)
    found: list[Evidence] = []
    for ts, seq, boxes in steps:
        found += recorder.collect(frame(seconds(ts), 90), engine.update(ts, seq, boxes))
        again = engine.update(steps[0][0], 0, boxes)
        assert recorder.collect(frame(0, 250), again) == []
    assert [item.moment for item in found] == ["before", "at"]
    assert decoded(found[0].jpeg)[300, 100].mean() == pytest.approx(90, abs=3)


def test_a_broken_frame_is_an_image_error() -> None:
    engine, recorder = new_engine(EYE), EvidenceRecorder(EYE)
    *steps, last = scene([Actor(standing(CAR), ("car",))], 30.5, 2)
    for ts, seq, boxes in steps:
        assert recorder.collect(frame(seconds(ts)), engine.update(ts, seq, boxes)) == []
    outcome = engine.update(*last)
    broken = replace(frame(seconds(last[0])), data=b"\xff\xd8\xff\xe0 cut")
    with pytest.raises(ImageError):
        recorder.collect(broken, outcome)


def test_history_is_bounded_by_age_bytes_and_step() -> None:
    history = FrameHistory(max_age_s=10, min_step_s=0.5)
    for i in range(200):
        history.add(frame(i * 0.1))
    assert len(history) == pytest.approx(21, abs=1)
    size = len(frame(0).data)
    small = FrameHistory(max_bytes=3 * size, max_age_s=1000)
    for i in range(50):
        small.add(frame(i))
    assert len(small) == 3
    assert small.bytes_held <= 3 * size
    tiny = FrameHistory(max_bytes=1)
    tiny.add(frame(0))
    assert (len(tiny), tiny.bytes_held) == (0, 0)


def test_history_gives_the_frame_before_a_moment() -> None:
    history = FrameHistory()
    for i in range(10):
        history.add(frame(i))

    def before(s: float) -> float | None:
        found = history.before(START + timedelta(seconds=s))
        return None if found is None else seconds(found.ts)

    assert [before(s) for s in (9, 5.5, 1.5, 0, -3)] == [7, 3, 0, None, None]


def test_detections_are_drawn_with_their_labels() -> None:
    (_, _, boxes), *_ = scene([Actor(standing(CAR), ("car",))], 1, 1)
    plain = np.full((360, 640, 3), 100, np.uint8)
    drawn = draw_detections(plain, boxes)
    changed = np.argwhere((drawn != plain).any(axis=2))
    assert changed[:, 1].min() == pytest.approx(250, abs=3)
    assert changed[:, 0].max() == pytest.approx(250, abs=3)
    assert changed[:, 0].min() < 200, "the label stands above the box"
    assert (plain == 100).all()


def test_a_contact_sheet_fits_all() -> None:
    pictures = [np.full((50 + i, 100, 3), 10 * i, np.uint8) for i in range(7)]
    assert contact_sheet(pictures, columns=3, cell_px=60).shape == (180, 180, 3)
    assert contact_sheet(pictures[:2], columns=5, cell_px=60).shape == (60, 120, 3)
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([])
    with pytest.raises(ValueError, match="cannot encode"):
        encode_jpeg(np.empty((0, 0, 3), np.uint8))
