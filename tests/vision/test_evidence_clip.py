"""Clips round an opening: the right seconds, media time in the file, private places coarse."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
import pytest

from xiaozheng.vision.cameras import Camera
from xiaozheng.vision.detections import Detections
from xiaozheng.vision.drawing import encode_jpeg
from xiaozheng.vision.engine import FrameOutcome
from xiaozheng.vision.evidence_clip import ClipParts, ClipRecorder, clip_kinds
from xiaozheng.vision.film import film
from xiaozheng.vision.frame import Frame
from xiaozheng.vision.incident import Incident, IncidentState, Transition
from xiaozheng.vision.kinds import load_kinds

av = pytest.importorskip("av", reason="needs PyAV")

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
KINDS = load_kinds()
ZONE = {"id": "kerb", "polygon": [[0, 0.5], [1, 0.5], [1, 1]], "forbids": ["illegal_parking"]}
EYE = Camera.model_validate({"id": "cam-1", "evidence_clip": True, "zones": [ZONE]})
PERSON = Detections.of([(40.0, 60.0, 100.0, 160.0)], [0.1], ["person"], ("person",), (322, 181))


def incident(state: IncidentState, opened_s: float | None) -> Incident:
    return Incident(
        id="abc",
        kind="illegal_parking",
        camera_id="cam-1",
        zone_id="kerb",
        state=state,
        onset_at=T0 + timedelta(seconds=8),
        opened_at=None if opened_s is None else T0 + timedelta(seconds=opened_s),
        last_seen_at=T0,
        ended_at=None,
        box=(0.5, 0.5, 0.8, 0.9),
        label="car",
        score=0.9,
        reasons=(),
        model="m@1",
        rule="r@1",
    )


def picture(second: float) -> bytes:
    image = np.full((181, 322, 3), 90, np.uint8)
    image[60:90, 40:100:4] = 250  # a face of stripes
    return encode_jpeg(cv2.circle(image, (round(5 * second) % 300, 150), 8, (0, 255, 0), -1))


def played(
    recorder: ClipRecorder, seconds: list[float], opened_s: float, ended_s: float | None = None
) -> list[tuple[float, ClipParts]]:
    """(second at which it was given out, clip) of every clip."""
    found = []
    for s in seconds:
        steps = []
        if s == opened_s:
            steps.append(Transition(incident(IncidentState.OPEN, opened_s), True))
        if s == ended_s:
            steps.append(Transition(incident(IncidentState.ENDED, opened_s), True))
        frame = Frame("cam-1", T0 + timedelta(seconds=s), round(s * 10), picture(s))
        outcome = FrameOutcome("accepted", tuple(steps), PERSON)
        found += [(s, parts) for parts in recorder.collect(frame, outcome)]
    return found


def seconds_of(parts: ClipParts) -> list[float]:
    return [(item.frame.ts - T0).total_seconds() for item in parts.frames]


@pytest.mark.parametrize(
    ("fps", "shown"),
    [(25, [15 + i / 5 for i in range(51)]), (1, list(range(15, 26))), (0.2, [15, 20, 25])],
)
def test_a_clip_is_ten_seconds_of_media_time_at_the_rate_of_its_source(
    fps: float, shown: list[float]
) -> None:
    recorder = ClipRecorder({"illegal_parking"})
    clips = played(recorder, [round(i / fps, 2) for i in range(int(60 * fps))], 20)
    ((given_at, parts),) = clips
    assert seconds_of(parts) == pytest.approx(shown)
    assert given_at == pytest.approx(25 + 1 / fps, abs=0.01)
    made = film(parts, EYE, KINDS, blur=True)
    assert made.began_at == T0 + timedelta(seconds=15)
    with av.open(io.BytesIO(made.mp4)) as container:
        assert container.metadata["creation_time"].startswith("2026-03-01T08:00:15")
        stream: Any = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        stamps = [float(f.pts * f.time_base) for f in container.decode(stream)]
    assert stamps == pytest.approx([s - 15 for s in shown], abs=0.001)
    assert film(parts, EYE, KINDS, blur=True).mp4 == made.mp4, "the same frames, the same bytes"


def test_heads_are_coarse_in_what_leaves_and_whole_in_what_stays() -> None:
    ((_, parts),) = played(ClipRecorder({"illegal_parking"}), list(range(30)), 20)

    def stripes(*, blur: bool) -> float:
        with av.open(io.BytesIO(film(parts, EYE, KINDS, blur=blur).mp4)) as container:
            grey = [f.to_ndarray(format="gray") for f in container.decode(video=0)]
        return min(float(np.abs(np.diff(g[66:84, 44:96].astype(int), axis=1)).mean()) for g in grey)

    assert stripes(blur=False) > 20
    assert stripes(blur=True) < 8


def test_a_clip_ends_with_its_incident_and_a_gap_does_not_stretch_it() -> None:
    ((given_at, parts),) = played(ClipRecorder({"illegal_parking"}), list(range(40)), 20, 22)
    assert (given_at, seconds_of(parts)) == (22, list(range(15, 23)))
    silent = [*range(22), 4000, 4001]
    ((given_at, parts),) = played(ClipRecorder({"illegal_parking"}), silent, 20)
    assert (given_at, seconds_of(parts)) == (4000, list(range(15, 22)))
    recorder = ClipRecorder({"illegal_parking"})
    assert played(recorder, list(range(23)), 20) == []
    assert [seconds_of(parts) for parts in recorder.finish()] == [list(range(15, 23))]
    assert played(ClipRecorder({"illegal_parking"}), [20, 4000], 20) == [], "no film in one picture"


def test_the_memory_is_bounded_and_costs_the_oldest() -> None:
    one = len(picture(0))
    recorder = ClipRecorder({"illegal_parking"}, max_bytes=round(6.5 * one))
    ((_, parts),) = played(recorder, list(range(30)), 20)
    assert seconds_of(parts) == list(range(20, 26))
    assert recorder.bytes_held <= 6.5 * one


def test_the_camera_decides_before_the_kind_and_both_are_off_by_default() -> None:
    films = KINDS.model_copy(
        update={"kinds": tuple(k.model_copy(update={"evidence_clip": True}) for k in KINDS.kinds)}
    )
    plain = Camera(id="c")
    assert clip_kinds(plain, KINDS) == frozenset()
    assert "illegal_parking" in clip_kinds(plain, films)
    assert clip_kinds(Camera(id="c", evidence_clip=False), films) == frozenset()
    assert clip_kinds(EYE, KINDS) == {kind.id for kind in KINDS.kinds}
    assert played(ClipRecorder(()), list(range(30)), 20) == []
