"""Sample clips: the truth file agrees with the descriptions, and the files are what they claim."""

from __future__ import annotations

import math
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from xiaozheng.datasets.scenes.choreography import FPS, Clip, walker, zone_polygon
from xiaozheng.datasets.scenes.clip_render import (
    Extents,
    changed_regions,
    merge,
    shown_at,
    with_shadow,
)
from xiaozheng.datasets.scenes.clips import all_clips
from xiaozheng.datasets.scenes.description import Light, label_of, place_at
from xiaozheng.datasets.scenes.event_clips import event_clips
from xiaozheng.datasets.scenes.suite import suite_data, write_suite

CLIPS = {clip.name: clip for clip in all_clips()}
EVERY = CLIPS | {clip.name: clip for clip in event_clips()}
TRUTHS = [(n, k) for n, clip in EVERY.items() for k in range(len(clip.truth))]
VEHICLES = {"car", "truck", "bus"}
SIGNS = {
    "bin_overflow": "overflowing_bin",
    "street_vending": "stall",
    "exposed_garbage": "garbage",
    "non_motor_clutter": "motorcycle",
}
CLUTTER = 3


@pytest.fixture(scope="module")
def samples(repo_dir: Path) -> Path:
    return repo_dir / "datasets" / "samples"


def moments(clip: Clip) -> list[float]:
    return [k / clip.fps for k in range(clip.frames)]


def at_rest(clip: Clip, zone_id: str, t_s: float) -> list[str]:
    """Labels of what stands still on the ground of a zone at `t_s`."""
    zone = next(z for z in clip.zones if z.id == zone_id)
    found = []
    for actor in clip.scene.actors:
        look, place = actor.looks_at(t_s), place_at(actor, t_s)
        inside = zone.x[0] <= place.x <= zone.x[1] and zone.y[0] <= place.y <= zone.y[1]
        if look and inside and not place.moving and (label := label_of(look)):
            found.append(label)
    return found


def holds(clip: Clip, kind: str, zone: str, t_s: float) -> bool:
    """Whether the situation really holds, read from the description alone."""
    labels = at_rest(clip, zone, t_s)
    if kind == "illegal_parking":
        return bool(VEHICLES & set(labels))
    return labels.count(SIGNS[kind]) >= (CLUTTER if kind == "non_motor_clutter" else 1)


@pytest.mark.parametrize(("name", "number"), TRUTHS)
def test_truth_begins_and_ends_with_the_situation(name: str, number: int) -> None:
    clip = EVERY[name]
    truth, step = clip.truth[number], 1 / clip.fps
    end_s = clip.duration_s if truth.end_s is None else truth.end_s
    held = [t for t in moments(clip) if holds(clip, truth.kind, truth.zone, t)]
    assert held[0] == pytest.approx(truth.start_s, abs=1.1 * step)
    assert held[-1] == pytest.approx(end_s, abs=1.1 * step)
    assert len(held) == pytest.approx((end_s - truth.start_s) / step, abs=2)


@pytest.mark.parametrize(("name", "number"), TRUTHS)
def test_truth_outlasts_the_dwell_time(name: str, number: int) -> None:
    clip = EVERY[name]
    truth = clip.truth[number]
    zone = next(z for z in clip.zones if z.id == truth.zone)
    assert truth.kind in zone.forbids
    assert (truth.end_s or clip.duration_s) - truth.start_s >= zone.dwell_s + 9
    assert truth.end_s is None or truth.end_s < clip.duration_s


@pytest.mark.parametrize("name", EVERY)
def test_what_is_no_truth_never_lasts_as_long_as_the_dwell_time(name: str) -> None:
    clip = EVERY[name]
    true = {(truth.kind, truth.zone) for truth in clip.truth}
    for zone in clip.zones:
        for kind in set(zone.forbids) - {k for k, z in true if z == zone.id}:
            run = longest = 0
            for t in moments(clip):
                run = run + 1 if holds(clip, kind, zone.id, t) else 0
                longest = max(longest, run)
            assert longest / clip.fps < 0.8 * zone.dwell_s


def test_ordinary_clip_has_all_zones_and_nothing_to_report() -> None:
    clip = CLIPS["ordinary"]
    kinds = {kind for zone in clip.zones for kind in zone.forbids}
    assert kinds == {"illegal_parking", "bin_overflow", "street_vending"}
    assert clip.truth == ()


def test_event_suite_has_every_kind_hour_and_weather_and_hard_negatives() -> None:
    clips = event_clips()
    assert {truth.kind for clip in clips for truth in clip.truth} == {"illegal_parking", *SIGNS}
    assert {clip.scene.light.hour for clip in clips} == {"day", "dusk", "night"}
    assert any(clip.scene.light.wet for clip in clips)
    assert sum(not clip.truth for clip in clips) >= 4
    assert len({clip.camera_id for clip in (*clips, *CLIPS.values())}) == len(EVERY)
    assert sum(clip.frames for clip in clips) < 1000


def test_a_car_waits_in_the_ordinary_clip() -> None:
    clip = CLIPS["ordinary"]
    waits = [t for t in moments(clip) if holds(clip, "illegal_parking", "kerb", t)]
    assert 3.0 <= len(waits) / FPS <= 5.0


def test_other_cars_pass_the_parked_one() -> None:
    clip = CLIPS["illegal_parking"]
    passing = [a for a in clip.scene.actors if a.keys[0].t_s != a.keys[-1].t_s]
    cars = [a for a in passing if (look := a.looks_at(a.keys[0].t_s)) and label_of(look) == "car"]
    assert len(cars) >= 4


@pytest.mark.parametrize("name", EVERY)
def test_nothing_jumps(name: str) -> None:
    clip = EVERY[name]
    for actor in clip.scene.actors:
        for t in moments(clip)[1:]:
            before, after = place_at(actor, t - 1 / clip.fps), place_at(actor, t)
            step = math.hypot(after.x - before.x, after.y - before.y)
            assert step * clip.fps < 14.0, (actor.name, t)


@pytest.mark.parametrize("name", EVERY)
def test_zones_lie_in_the_picture(name: str) -> None:
    clip = EVERY[name]
    assert re.fullmatch(r"\d{20}", clip.camera_id)
    for zone in clip.zones:
        corners = np.array(zone_polygon(clip.scene.camera, zone))
        assert corners.shape == (4, 2)
        assert (corners >= 0).all()
        assert (corners <= 1).all()
        assert cv2.contourArea(corners.astype(np.float32)) > 0.01


def test_camera_ids_differ_and_one_clip_is_at_dusk() -> None:
    assert len({clip.camera_id for clip in CLIPS.values()}) == len(CLIPS)
    assert len({clip.scene.camera.eye[2] for clip in CLIPS.values()}) == len(CLIPS)
    assert "dusk" in {clip.scene.light.hour for clip in CLIPS.values()}


def test_suite_file_is_what_the_descriptions_say(samples: Path, tmp_path: Path) -> None:
    written = tmp_path / "suite.yaml"
    write_suite(all_clips(), written)
    assert written.read_text("utf-8") == (samples / "suite.yaml").read_text("utf-8")
    assert yaml.safe_load(written.read_text("utf-8")) == suite_data(all_clips())


@pytest.mark.parametrize("name", CLIPS)
def test_clip_file_opens_with_opencv(samples: Path, name: str) -> None:
    clip = CLIPS[name]
    capture = cv2.VideoCapture(str(samples / "clips" / f"{name}.mp4"))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(FPS)
    count = 0
    while True:
        ok, frame = capture.read()
        if not ok:
            break
        assert frame.shape == (360, 640, 3)
        count += 1
    assert count == clip.frames
    assert 30 <= count / FPS <= 50


def test_clips_are_small(samples: Path) -> None:
    total = sum(path.stat().st_size for path in (samples / "clips").glob("*.mp4"))
    assert 0 < total <= 6_000_000


def test_unchanged_frames_need_no_rendering() -> None:
    clip = CLIPS["illegal_parking"]
    state = shown_at(clip.scene, 26.0)
    assert changed_regions(state, dict(state), clip.scene, Extents()) == []


def test_a_moving_car_redraws_only_its_surroundings() -> None:
    clip = CLIPS["illegal_parking"]
    before, after = shown_at(clip.scene, 6.6), shown_at(clip.scene, 6.8)
    regions = changed_regions(before, after, clip.scene, Extents())
    assert regions
    for x0, y0, x1, y1 in regions:
        assert 0 <= x0 < x1 <= 640
        assert 0 <= y0 < y1 <= 360
    assert sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in regions) < 0.6 * 640 * 360


def test_night_and_wet_ground_redraw_more_than_a_dry_noon() -> None:
    corners = np.array([[0.0, 0.0, 0.0], [0.4, 0.4, 1.7]])
    noon = with_shadow(corners, Light(sun_height_deg=80.0))
    night = with_shadow(corners, Light("night"))
    wet = with_shadow(corners, Light(sun_height_deg=80.0, wet=True))
    assert noon[:, 2].min() == 0.0
    assert wet[:, 2].min() == pytest.approx(-1.7)  # the image in a puddle
    assert night[:, 1].min() < noon[:, 1].min() - 0.4  # shop light throws towards the road


def test_overlapping_regions_merge_and_distant_ones_do_not() -> None:
    assert merge([(0, 0, 20, 20), (10, 0, 30, 20)]) == [(0, 0, 30, 20)]
    assert sorted(merge([(0, 0, 20, 20), (200, 100, 220, 120)])) == [
        (0, 0, 20, 20),
        (200, 100, 220, 120),
    ]


def test_walker_stops_poses_and_goes_on() -> None:
    actor = walker(
        "w", [(0.0, 0.0), (2.6, 0.0), (2.6, 2.6)], 1.0, {"top": "#203040"}, [(1, 3.0, "reach")]
    )
    halt = place_at(actor, 4.0)
    look = actor.looks_at(4.0)
    assert (halt.x, halt.y, halt.moving) == (2.6, 0.0, False)
    assert look is not None
    assert look.styles()["pose"] == "reach"
    later = actor.looks_at(7.0)
    assert later is not None
    assert "pose" not in later.styles()
    assert place_at(actor, 7.0).y > 0
