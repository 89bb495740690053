"""A video file through the whole path: decode → detect → track → incidents → evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from .cameras import Camera
from .detector import Detector
from .drawing import encode_jpeg
from .engine import CameraEngine, FrameOutcome
from .evidence import Evidence, EvidenceRecorder
from .frame import Frame
from .kinds import Kinds
from .video import EPOCH, read_video

BATCH = 8
# The engine carries known things on with boxes that no threshold would let begin anything.
CARRY_ON_SCORE = 0.1


@dataclass(frozen=True, slots=True)
class WatchStep:
    """What one sampled frame gave."""

    ts: datetime
    seq: int
    outcome: FrameOutcome
    evidence: tuple[Evidence, ...]


def watch_video(
    source: Path,
    camera: Camera,
    kinds: Kinds,
    detector: Detector,
    *,
    fps: float | None = 2.0,
    start: datetime = EPOCH,
) -> Iterator[WatchStep]:
    """Watch a file as if `camera` had sent it, `fps` frames a second of media time.

    Raises:
        SourceError: the file cannot be read as video.
    """
    engine = CameraEngine(camera, kinds, model_ref=detector.ref, thresholds=detector.thresholds)
    recorder = EvidenceRecorder(camera, kinds=kinds)
    frames = read_video(source, fps, start)
    while batch := list(islice(frames, BATCH)):
        found = detector.detect([frame.image for frame in batch], min_score=CARRY_ON_SCORE)
        for frame, detections in zip(batch, found, strict=True):
            outcome = engine.update(frame.ts, frame.seq, detections)
            encoded = Frame(camera.id, frame.ts, frame.seq, encode_jpeg(frame.image))
            evidence = recorder.collect(encoded, outcome)
            yield WatchStep(frame.ts, frame.seq, outcome, tuple(evidence))
