"""Video files: media time, sampling, and files that are none; then the whole path on one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from vision_support import KINDS, SHELF, camera, zone

from xiaozheng.config.errors import SourceError
from xiaozheng.models.registry import Registry
from xiaozheng.vision.detector import Detector
from xiaozheng.vision.incident import Incident, IncidentState
from xiaozheng.vision.video import EPOCH, frame_count, probe_video, read_video
from xiaozheng.vision.watch import watch_video

RED, BLUE, CYAN = (0, 0, 255), (255, 0, 0), (255, 255, 0)


def write(path: Path, seconds: float, fps: float = 10.0, codec: str = "MJPG") -> Path:
    """A red car stands from 3 s to 15 s; a blue bin is full (cyan) from 6 s on."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, (320, 192))
    assert writer.isOpened()
    for i in range(round(seconds * fps)):
        s = i / fps
        image = np.full((192, 320, 3), 128, np.uint8)
        if 3 <= s < 15:
            cv2.rectangle(image, (96, 96), (175, 143), RED, cv2.FILLED)
        cv2.rectangle(image, (256, 64), (287, 111), CYAN if s >= 6 else BLUE, cv2.FILLED)
        writer.write(image)
    writer.release()
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("video") / "street.avi", 24)


@pytest.mark.parametrize(("suffix", "codec"), [(".avi", "MJPG"), (".mp4", "mp4v")])
def test_time_comes_from_the_container(tmp_path: Path, suffix: str, codec: str) -> None:
    path = write(tmp_path / f"a{suffix}", 3, 8.0, codec)
    info = probe_video(path)
    assert (info.width, info.height) == (320, 192)
    assert info.duration_s == pytest.approx(3, abs=0.2)
    frames = list(read_video(path))
    assert [frame.seq for frame in frames] == list(range(24))
    assert frames[0].ts == EPOCH
    gaps = [(b.ts - a.ts) / timedelta(seconds=1) for a, b in pairwise(frames)]
    assert gaps == pytest.approx([0.125] * 23, abs=0.01)
    assert frames[5].image.shape == (192, 320, 3)


@pytest.mark.parametrize(("fps", "count"), [(1, 24), (2, 48), (0.5, 12), (3, 72), (50, 240)])
def test_sampling_keeps_to_media_time(clip: Path, fps: float, count: int) -> None:
    frames = list(read_video(clip, fps))
    assert len(frames) == pytest.approx(count, abs=1)
    assert frame_count(clip, fps) == pytest.approx(count, abs=1)
    for i, frame in enumerate(frames[:10]):
        due_s = i / min(fps, 10)
        assert (frame.ts - EPOCH) / timedelta(seconds=1) == pytest.approx(due_s, abs=0.11)


def test_a_start_shifts_all(clip: Path) -> None:
    start = datetime(2026, 5, 1, 8, tzinfo=UTC)
    first = next(read_video(clip, 1, start))
    assert first.ts == start


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.mp4", None, "no such file"),
        ("text.mp4", b"this is not a video\n" * 50, "not a readable video"),
        ("empty.avi", b"", "not a readable video"),
        ("cut.mp4", b"\0\0\0\x20ftypisom" + b"\0" * 500, "not a readable video"),
    ],
)
def test_what_is_no_video_is_named(
    tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    for read in (lambda: probe_video(path), lambda: list(read_video(path))):
        with pytest.raises(SourceError, match=says) as caught:
            read()
        assert str(path) in str(caught.value)
        assert str(path) in caught.value.message_zh


def test_a_folder_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a folder"):
        probe_video(tmp_path)


def test_a_file_cut_in_the_middle_is_read_as_far_as_it_goes(clip: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.avi"
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    assert 20 < len(list(read_video(cut))) < 200


@pytest.mark.parametrize("fps", [5, 2, 1])
def test_the_whole_path_finds_the_car_and_the_bin(clip: Path, fps: float) -> None:
    detector = Detector.open(Registry(SHELF), "colours", threads=1)
    eye = camera(zone(dwell_s=5))
    told: dict[str, Incident] = {}
    moments: dict[str, list[str]] = {}
    for step in watch_video(clip, eye, KINDS, detector, fps=fps):
        for transition in step.outcome.transitions:
            told[transition.incident.id] = transition.incident
        for item in step.evidence:
            moments.setdefault(item.incident_id, []).append(item.moment)
    opened = {i.kind: i for i in told.values() if i.opened_at}
    assert sorted(opened) == ["bin_overflow", "illegal_parking"]
    assert len(opened) == len([i for i in told.values() if i.opened_at])
    car = opened["illegal_parking"]
    assert (car.onset_at - EPOCH) / timedelta(seconds=1) == pytest.approx(3, abs=1 + 1 / fps)
    assert car.box == pytest.approx((0.3, 0.5, 0.55, 0.75), abs=0.02)
    assert car.state is IncidentState.OPEN, "24 s end before its place has been empty for 20 s"
    assert moments[car.id] == ["before", "at"]
    assert opened["bin_overflow"].model == "colours@1.0.0"


def test_what_a_covered_lens_hides_neither_opens_nor_ends_anything(tmp_path: Path) -> None:
    """The car of `write` parks at 3 s; the lens is covered from 6 s to 26 s; dwell 10 s."""
    path = tmp_path / "covered.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 2, (320, 192))
    for i in range(80):
        image = np.full((192, 320, 3), 128, np.uint8)
        if i >= 6:
            cv2.rectangle(image, (96, 96), (175, 143), RED, cv2.FILLED)
        writer.write(np.zeros_like(image) if 12 <= i < 52 else image)
    writer.release()
    detector = Detector.open(Registry(SHELF), "colours", threads=1)
    steps = list(watch_video(path, camera(zone(dwell_s=25)), KINDS, detector, fps=2))
    faults = [fault for step in steps for fault in step.health.changed]
    assert [(f.kind, f.ended_at is None) for f in faults] == [
        ("camera_black", True),
        ("camera_black", False),
    ]
    dark = [(step.ts - EPOCH).total_seconds() for step in steps if step.health.zones_suspended]
    assert dark[0] == pytest.approx(6, abs=1)
    assert dark[-1] == pytest.approx(30, abs=2)
    opened = [
        (step.ts - EPOCH).total_seconds()
        for step in steps
        for t in step.outcome.transitions
        if t.changed and t.incident.state is IncidentState.OPEN
    ]
    assert opened == [] or opened[0] > 31, "the dark does not count as dwell beyond its bound"
