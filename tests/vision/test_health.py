"""Camera health: every fault found in time, told apart, ended; nothing said of ordinary streets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from xiaozheng.config.errors import InputError
from xiaozheng.vision.cameras import Camera
from xiaozheng.vision.drawing import encode_jpeg
from xiaozheng.vision.health import CameraHealth, HealthOutcome, read_reference, thumbnail
from xiaozheng.vision.images import Image
from xiaozheng.vision.video import read_video

START = datetime(2026, 5, 1, tzinfo=UTC)
EYE = Camera(id="cam-1")
Fault = Callable[[Image, int], Image]
Fact = tuple[str, float, float | None]


def street(seed: int = 7) -> Image:
    """A still scene with much structure: walls, windows, kerbs."""
    rng = np.random.default_rng(seed)
    picture = np.full((180, 320), 120, np.uint8)
    for _ in range(90):
        x, y, w, h = (int(v) for v in rng.integers((0, 0, 8, 8), (300, 170, 60, 40)))
        shade = int(rng.integers(40, 210))
        cv2.rectangle(picture, (x, y), (x + w, y + h), shade, cv2.FILLED)
    return picture


SCENE = street()
NOISE = np.random.default_rng(1).normal(0, 1, (7, *SCENE.shape)).astype(np.float32)


def live(i: int, light: float = 1.0, sigma: float = 3.0, scene: Image = SCENE) -> Image:
    """The scene as second `i` shows it: sensor noise, and a dark van that drives through."""
    picture = scene.copy()
    x = (i * 37) % 500 - 90
    cv2.rectangle(picture, (x, 90), (x + 80, 140), 40, cv2.FILLED)
    noise = NOISE[i % len(NOISE)] * np.float32(sigma)
    return np.clip(picture * np.float32(light) + noise, 0, 255).astype(np.uint8)


def moved(dx: float = 0.0, dy: float = 0.0, turn: float = 0.0) -> Fault:
    def warp(picture: Image, _: int) -> Image:
        height, width = picture.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
        matrix[:, 2] += (dx * width, dy * height)
        shifted = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
        return np.asarray(shifted, dtype=np.uint8)

    return warp


def with_clock(picture: Image, i: int) -> Image:
    stamped = picture.copy()
    cv2.putText(stamped, f"08:00:{i:02d}", (4, 14), 0, 0.4, 255, 1)
    return stamped


def played(
    health: CameraHealth, pictures: Iterable[tuple[float, Image]]
) -> tuple[list[Fact], list[float]]:
    """(kind, noticed, ended) of every change, in seconds; and the seconds of suspended zones."""
    told: list[Fact] = []
    suspended: list[float] = []
    for s, picture in pictures:
        ts = START + timedelta(seconds=s)
        outcome = health.look(ts, thumbnail(picture), ts)
        told += facts(outcome)
        if outcome.zones_suspended:
            suspended.append(s)
    return told, suspended


def facts(outcome: HealthOutcome) -> list[Fact]:
    def since(moment: datetime) -> float:
        return (moment - START).total_seconds()

    return [
        (f.kind, since(f.noticed_at), None if f.ended_at is None else since(f.ended_at))
        for f in outcome.changed
    ]


def story(fault: Fault, begin: int = 40, end: int = 100, stop: int = 130) -> list[Image]:
    """One picture a second; `fault` befalls those of `begin` to `end`."""
    return [fault(live(i), i) if begin <= i < end else live(i) for i in range(stop)]


FAULTS: dict[str, tuple[Fault, str, float]] = {
    "frozen": (lambda p, i: live(39), "camera_frozen", 18),
    "frozen under a running clock": (lambda p, i: with_clock(live(39), i), "camera_frozen", 18),
    "lens covered": (lambda p, i: live(i, light=0.02), "camera_black", 10),
    "no picture but a clock": (lambda p, i: with_clock(0 * p, i), "camera_black", 10),
    "burnt out": (lambda p, i: np.clip(p * 3.0 + 90, 0, 255).astype(np.uint8), "overexposed", 10),
    "out of focus": (lambda p, i: cv2.GaussianBlur(p, (0, 0), 3), "camera_blurred", 30),
    "fogged over": (lambda p, i: (p * 0.02 + 150).astype(np.uint8), "camera_blurred", 30),
    "turned a little": (moved(dx=0.05), "camera_moved", 13),
    "sunk": (moved(dy=0.08), "camera_moved", 13),
    "tilted": (moved(turn=12), "camera_moved", 13),
    "another street": (lambda p, i: live(i, scene=street(99)), "camera_moved", 13),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_noticed_in_time_named_and_ended(name: str) -> None:
    fault, kind, patience_s = FAULTS[name]
    told, suspended = played(CameraHealth(EYE), enumerate(story(fault)))
    assert len(told) == 2, told
    (begun, noticed, _), (over, _, ended) = told
    assert begun == over
    assert kind in begun
    # What is frozen is the picture of second 39.
    assert 39 + patience_s <= noticed <= 40 + patience_s + 6
    assert ended is not None
    assert 100 + EYE.health.recover_s <= ended <= 112
    assert set(range(int(noticed), 100)) <= set(suspended)
    assert min(suspended) >= 40
    assert max(suspended) < ended


BENIGN: dict[str, Fault] = {
    "nothing": lambda p, i: p,
    "dusk": lambda p, i: live(i, light=0.15, sigma=5),
    "glare": lambda p, i: np.clip(p * 1.4, 0, 255).astype(np.uint8),
    "lamp light": lambda p, i: 255 - p,
    "a shadow over half of it": lambda p, i: np.hstack(
        [(p[:, :160] * 0.4).astype(np.uint8), p[:, 160:]]
    ),
    "a bus that stops in front": lambda p, i: cv2.rectangle(
        p, (0, 60), (120, 179), (90, 60, 40), -1
    ),
    "sway": lambda p, i: moved(dx=0.01 * (i % 2))(p, i),
    "nobody about": lambda p, i: (
        live(0) + np.random.default_rng(i).integers(0, 2, p.shape, np.uint8)
    ),
}


@pytest.mark.parametrize("name", BENIGN)
def test_what_a_street_does_by_itself_is_no_fault(name: str) -> None:
    assert played(CameraHealth(EYE), enumerate(story(BENIGN[name]))) == ([], [])


def test_a_drawn_source_without_noise_is_not_called_frozen_in_a_hurry() -> None:
    told, _ = played(CameraHealth(EYE), ((s, SCENE) for s in range(0, 900, 2)))
    assert [kind for kind, *_ in told] == ["camera_frozen"]
    assert told[0][1] >= 600


@pytest.mark.parametrize("fps", [10, 2, 0.2])
def test_time_counts_not_frames(fps: float) -> None:
    black = ((i / fps, live(i, light=1.0 if i / fps < 60 else 0.0)) for i in range(int(100 * fps)))
    told, _ = played(CameraHealth(EYE), black)
    assert [kind for kind, *_ in told] == ["camera_black"]
    assert told[0][1] == pytest.approx(70, abs=1 / min(fps, 1) + 1)


def test_a_short_or_interrupted_fault_is_not_reported_but_not_trusted_either() -> None:
    told, suspended = played(CameraHealth(EYE), enumerate(story(FAULTS["lens covered"][0], 40, 48)))
    assert told == []
    assert suspended == list(range(40, 48))


def test_late_frames_are_not_judged() -> None:
    health = CameraHealth(EYE)
    played(health, enumerate(live(i) for i in range(30)))
    assert not health.wants(START + timedelta(seconds=10))
    assert played(health, [(10, 0 * SCENE)]) == ([], [])


def test_silence_is_judged_by_arrival() -> None:
    health = CameraHealth(EYE)
    assert facts(health.tick(START)) == []
    assert facts(health.tick(START + timedelta(seconds=17))) == []
    never_came = health.tick(START + timedelta(seconds=18))
    assert facts(never_came) == [("camera_no_signal", 18, None)]
    assert never_came.zones_suspended
    now = START + timedelta(seconds=30)
    seen = []
    for i in range(20):
        # The gateway delivers at once what it had buffered: media time lags, arrival counts.
        arrived = now + timedelta(seconds=i)
        outcome = health.look(arrived - timedelta(hours=1), thumbnail(live(i)), arrived)
        assert not outcome.zones_suspended
        seen += facts(outcome)
    assert seen == [("camera_no_signal", 18, 35)]
    assert facts(health.tick(now + timedelta(seconds=19 + 17.5))) == []
    (again,) = health.tick(now + timedelta(seconds=19 + 18)).changed
    assert (again.began_at, again.kind) == (now + timedelta(seconds=19), "camera_no_signal")


@pytest.mark.parametrize("interval_s", [0.2, 1, 4.5])
def test_a_dead_camera_is_noticed_within_20_s_by_a_tick_a_second(interval_s: float) -> None:
    health = CameraHealth(EYE)
    for i in range(round(60 / interval_s)):
        ts = START + timedelta(seconds=i * interval_s)
        health.look(ts, thumbnail(live(i)) if health.wants(ts) else None, ts)
    silence = ((s, health.tick(ts + timedelta(seconds=s))) for s in range(1, 30))
    assert next(s for s, outcome in silence if outcome.changed) <= 20


def test_a_camera_that_sends_seldom_is_not_silent() -> None:
    health = CameraHealth(EYE)
    told = []
    for s in range(0, 600, 1):
        ts = START + timedelta(seconds=s)
        told += facts(health.tick(ts) if s % 15 else health.look(ts, thumbnail(live(s)), ts))
    assert told == []
    assert facts(health.tick(START + timedelta(seconds=585 + 61)))


def test_checks_can_be_turned_off_and_timed() -> None:
    eye = Camera.model_validate({"id": "c", "health": {"black_s": None, "no_signal_s": None}})
    told, _ = played(CameraHealth(eye), enumerate(story(FAULTS["lens covered"][0])))
    assert told == []
    assert facts(CameraHealth(eye).tick(START)) == []
    eye = Camera.model_validate({"id": "c", "health": {"black_s": 3, "recover_s": 0}})
    told, _ = played(CameraHealth(eye), enumerate(story(FAULTS["lens covered"][0])))
    assert told == [("camera_black", 43, None), ("camera_black", 43, 100)]


@pytest.mark.parametrize("name", ["frozen", "lens covered", "turned a little", "out of focus"])
def test_a_restart_before_any_look_changes_nothing(name: str) -> None:
    pictures = list(enumerate(story(FAULTS[name][0])))
    whole = played(CameraHealth(EYE), pictures)
    told: list[Fact] = []
    suspended: list[float] = []
    health = CameraHealth(EYE)
    for look in pictures:
        saved = json.dumps(health.snapshot())
        assert len(saved) < 50_000
        again = CameraHealth.restore(EYE, json.loads(saved))
        assert (again.faults, again.zones_suspended) == (health.faults, health.zones_suspended)
        health = again
        begun, held = played(health, [look])
        told, suspended = told + begun, suspended + held
        assert health.zones_suspended == bool(held)
    assert (told, suspended) == whole
    # The time the process was down is not the camera's silence.
    late = CameraHealth.restore(EYE, health.snapshot())
    assert facts(late.tick(START + timedelta(hours=3))) == []


def test_a_snapshot_of_version_1_is_read() -> None:
    health = CameraHealth(EYE)
    pictures = list(enumerate(story(FAULTS["lens covered"][0])))
    first, _ = played(health, pictures[:60])
    old = health.snapshot() | {"version": 1}
    del old["distrusted"]
    for name in ("last", "checked_t", "viewed_t", "wary", "unwanted"):
        del old["judge"][name]
    again = CameraHealth.restore(EYE, json.loads(json.dumps(old)))
    assert again.faults == health.faults
    rest, _ = played(again, pictures[60:])
    assert first + rest == [("camera_black", 50, None), ("camera_black", 50, 105)]


@pytest.mark.parametrize("name", ["lens covered", "burnt out", "turned a little"])
def test_a_check_that_is_off_suspends_nothing_and_drops_its_fault(name: str) -> None:
    fault, kind, _ = FAULTS[name]
    off = dict.fromkeys(["black_s", "overexposed_s", "moved_s"])
    eye = Camera.model_validate({"id": "cam-1", "health": off})
    assert played(CameraHealth(eye), enumerate(story(fault))) == ([], [])
    health = CameraHealth(EYE)
    played(health, enumerate(story(fault, stop=90)))
    assert kind in health.faults[0].kind
    again = CameraHealth.restore(eye, health.snapshot())
    assert again.faults == ()
    assert played(again, [(91, live(91))]) == ([], [])


def test_a_black_stretch_breaks_a_frozen_run() -> None:
    """Ten seconds the same picture, five of darkness, ten the same: nothing stood still for 18."""
    scenes = [live(i) for i in range(30)] + [SCENE] * 10 + [0 * SCENE] * 5 + [SCENE] * 15
    health = CameraHealth(EYE)
    assert played(health, enumerate(scenes))[0] == []
    told, _ = played(health, ((60 + i, SCENE) for i in range(5)))
    assert told == [("camera_frozen", 63, None)]
    assert health.faults[0].began_at == START + timedelta(seconds=45)


def test_redrawn_zones_make_the_new_view_the_right_one() -> None:
    def eye(x: float) -> Camera:
        zone = {"id": "z", "polygon": [(0, 0), (x, 0), (x, 1)], "forbids": ["illegal_parking"]}
        return Camera.model_validate({"id": "c", "zones": [zone]})

    health = CameraHealth(eye(1.0))
    told, _ = played(health, enumerate(story(moved(dx=0.2), 40, 130)))
    assert [kind for kind, *_ in told] == ["camera_moved"]
    same = CameraHealth.restore(eye(1.0), health.snapshot())
    turned = [(140 + i, moved(dx=0.2)(live(i), i)) for i in range(60)]
    assert played(same, turned)[0] == []
    told, suspended = played(CameraHealth.restore(eye(0.8), health.snapshot()), turned)
    assert [(kind, end is not None) for kind, _, end in told] == [("camera_moved", True)]
    assert max(suspended) < 175


def test_a_view_is_forgotten_on_command_and_its_reference_stays_forgotten(tmp_path: Path) -> None:
    eye = Camera.model_validate({"id": "c", "health": {"reference": "view.jpg"}})
    reference = thumbnail(SCENE)
    health = CameraHealth(eye, reference)
    turned = [(i, moved(dx=0.2)(live(i), i)) for i in range(140)]
    played(health, turned[:40])
    assert health.zones_suspended
    outcome = health.forget_view()
    assert ([k for k, *_ in facts(outcome)], outcome.zones_suspended) == (["camera_moved"], False)
    assert played(health, turned[40:70]) == ([], [])
    again = CameraHealth.restore(eye, json.loads(json.dumps(health.snapshot())), reference)
    assert played(again, turned[70:100]) == ([], [])
    # A picture of the new view in its place counts again.
    newer = thumbnail(street(5))
    again = CameraHealth.restore(eye, json.loads(json.dumps(health.snapshot())), newer)
    assert played(again, [(i, street(5)) for i in range(100, 140)])[0] != []
    back = CameraHealth.restore(eye, json.loads(json.dumps(health.snapshot())), reference)
    told, _ = played(back, [(i, live(i)) for i in range(70, 100)])
    assert [kind for kind, *_ in told] == ["camera_moved"]


def test_a_reference_picture_tells_a_turn_before_the_start(tmp_path: Path) -> None:
    eye = Camera.model_validate({"id": "c", "health": {"reference": "view.jpg"}})
    (tmp_path / "view.jpg").write_bytes(encode_jpeg(SCENE))
    reference = read_reference(eye, tmp_path)
    told, _ = played(CameraHealth(eye, reference), enumerate(live(i) for i in range(60)))
    assert told == []
    turned = [(i, moved(dx=0.1)(live(i), i)) for i in range(60)]
    told, _ = played(CameraHealth(eye, reference), turned)
    assert [kind for kind, *_ in told] == ["camera_moved"]
    assert read_reference(EYE, tmp_path) is None
    (tmp_path / "view.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"camera c: reference picture .*view\.jpg"):
        read_reference(eye, tmp_path)


@pytest.mark.parametrize("junk", [{}, {"version": 9}, {"version": 1, "drawn": "x"}])
def test_a_snapshot_that_is_none_is_refused(junk: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        CameraHealth.restore(EYE, junk)
    assert caught.value.code == "bad_snapshot"


def no_alarm(paths: Iterable[Path]) -> None:
    for path in paths:
        health = CameraHealth(EYE)
        for frame in read_video(path, 1):
            outcome = health.look(frame.ts, thumbnail(frame.image), frame.ts)
            assert (outcome.changed, outcome.zones_suspended) == ((), False), path.name


def test_the_sample_clips_raise_no_health_alarm(repo_dir: Path) -> None:
    no_alarm(sorted((repo_dir / "datasets" / "samples" / "clips").glob("*.mp4")))


def test_real_clips_raise_no_health_alarm(shared_dir: Path) -> None:
    no_alarm(sorted((shared_dir / "data" / "vision" / "clips").glob("*.[am][vp]*")))
