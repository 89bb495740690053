"""A video file through the whole path: decode → health → detect → track → incidents → evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from .appearance import looks_of
from .cameras import Camera
from .detections import Detections
from .detector import Detector
from .drawing import encode_jpeg
from .engine import CameraEngine, FrameOutcome
from .evidence import NO_LIMITS, Evidence, EvidenceRecorder, coarse
from .evidence_clip import ClipParts, ClipRecorder, clip_kinds
from .film import Film, film, require_encoder
from .frame import Frame
from .health import CameraHealth, HealthOutcome, thumbnail
from .health_signs import Grey
from .images import decode, probe
from .kinds import Kinds
from .video import EPOCH, read_video

BATCH = 8
# The engine carries known things on with boxes that no threshold would let begin anything.
CARRY_ON_SCORE = 0.1


@dataclass(frozen=True, slots=True)
class WatchStep:
    """What one sampled frame gave. While `health` suspends the zones, the engine sees nothing.

    `films` are the evidence clips that were whole with it; the last step has those cut short by
    the end of the file.
    """

    ts: datetime
    seq: int
    outcome: FrameOutcome
    evidence: tuple[Evidence, ...]
    health: HealthOutcome
    films: tuple[Film, ...] = ()


def watch_video(
    source: Path,
    camera: Camera,
    kinds: Kinds,
    detector: Detector,
    *,
    fps: float | None = 2.0,
    start: datetime = EPOCH,
    blur: bool = True,
    reference: Grey | None = None,
) -> Iterator[WatchStep]:
    """Watch a file as if `camera` had sent it, `fps` frames a second of media time.

    Args:
        blur: make heads and the places of plates coarse in the evidence.
        reference: thumbnail of the view that the zones were drawn on.

    Raises:
        SourceError: the file cannot be read as video.
        InputError: a clip is wanted and there is no encoder.
    """
    clips = ClipRecorder(clip_kinds(camera, kinds))
    if clips.kinds:
        require_encoder()

    def filmed(parts: list[ClipParts]) -> tuple[Film, ...]:
        return tuple(film(item, camera, kinds, blur=blur) for item in parts)

    last: WatchStep | None = None
    for step, frame in _steps(source, camera, kinds, detector, fps, start, blur, reference):
        if last is not None:
            yield last
        done = [] if step.health.zones_suspended else clips.collect(frame, step.outcome)
        last = replace(step, films=filmed(done))
    if last is not None:
        yield replace(last, films=last.films + filmed(clips.finish()))


def _steps(
    source: Path,
    camera: Camera,
    kinds: Kinds,
    detector: Detector,
    fps: float | None,
    start: datetime,
    blur: bool,
    reference: Grey | None,
) -> Iterator[tuple[WatchStep, Frame]]:
    engine = CameraEngine(camera, kinds, model_ref=detector.ref, thresholds=detector.thresholds)
    recorder = EvidenceRecorder(camera, kinds=kinds)
    health = CameraHealth(camera, reference)
    frames = read_video(source, fps, start)
    while batch := list(islice(frames, BATCH)):
        found = detector.detect([frame.image for frame in batch], min_score=CARRY_ON_SCORE)
        for frame, detections in zip(batch, found, strict=True):
            thumb = thumbnail(frame.image) if health.wants(frame.ts) else None
            state = health.look(frame.ts, thumb, frame.ts)
            encoded = Frame(camera.id, frame.ts, frame.seq, encode_jpeg(frame.image))
            if state.zones_suspended:
                outcome = FrameOutcome("accepted", (), detections)
                yield WatchStep(frame.ts, frame.seq, outcome, (), state), encoded
                continue
            outcome = engine.update(
                frame.ts, frame.seq, detections, looks_of(frame.image, detections)
            )
            evidence = recorder.collect(encoded, outcome)
            if blur:
                evidence = [
                    _blurred(item, camera, kinds, frame.ts, detections, detector)
                    for item in evidence
                ]
            yield WatchStep(frame.ts, frame.seq, outcome, tuple(evidence), state), encoded


def _blurred(
    item: Evidence,
    camera: Camera,
    kinds: Kinds,
    ts: datetime,
    detections: Detections,
    detector: Detector,
) -> Evidence:
    """The picture as it may be shown; an earlier frame is looked at once more."""
    if item.ts != ts:
        image = decode(item.frame.data, probe(item.frame.data, NO_LIMITS))
        (detections,) = detector.detect([image], min_score=CARRY_ON_SCORE)
    jpeg = coarse(item, camera, kinds, detections)
    return replace(item, jpeg=jpeg, sha256=hashlib.sha256(jpeg).hexdigest())
