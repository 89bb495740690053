"""Video clips with marked truth through detector and engine, as `xiaozheng watch` does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ..vision.detector import Detector
from ..vision.drawing import draw_detections, draw_polygon, encode_jpeg
from ..vision.incident import Incident
from ..vision.kinds import Kinds
from ..vision.video import EPOCH, probe_video, read_video
from ..vision.watch import CARRY_ON_SCORE, watch_video
from .events import ClipResult, Report, TrueEvent, judge
from .events_suite import EventSuite, MarkedClip


@dataclass(frozen=True, slots=True)
class Still:
    """An annotated frame: `moment` is before, at (opened) or after (ended) an incident, or missed,
    the middle of a true event that was not reported, with all that the detector saw then."""

    clip: str
    kind: str
    incident_id: str
    moment: str
    at_s: float
    jpeg: bytes

    @property
    def name(self) -> str:
        """A file name that sorts by clip and incident."""
        stem = self.clip.replace("/", "_").rsplit(".", 1)[0]
        return f"{stem}_{self.kind}_{self.incident_id}_{self.moment}.jpg"


@dataclass(frozen=True, slots=True)
class ClipRun:
    """One clip's result and its pictures."""

    result: ClipResult
    stills: tuple[Still, ...]
    frames: int


def run_clips(
    suite: EventSuite,
    root: Path,
    detector: Detector,
    kinds: Kinds,
    *,
    fps: float,
    progress: Callable[[str], None] = lambda name: None,
) -> list[ClipRun]:
    """Every clip of a suite; files are looked for under `root`. `progress` hears each name.

    Raises:
        SourceError: a file is missing or is no video. It is known before the first clip is run.
    """
    for clip in suite.clips:
        probe_video(root / clip.file)
    runs: list[ClipRun] = []
    for clip in suite.clips:
        runs.append(run_clip(clip, root, detector, kinds, fps=fps))
        progress(clip.file)
    return runs


def run_clip(
    clip: MarkedClip, root: Path, detector: Detector, kinds: Kinds, *, fps: float
) -> ClipRun:
    """One clip, watched at `fps` frames a second of media time."""
    path = root / clip.file
    opened: dict[str, Incident] = {}
    kind_of: dict[str, str] = {}
    stills: list[Still] = []
    last_s, frames = 0.0, 0
    for step in watch_video(path, clip.camera, kinds, detector, fps=fps):
        frames += 1
        last_s = _seconds(step.ts)
        for transition in step.outcome.transitions:
            incident = transition.incident
            kind_of[incident.id] = incident.kind
            if incident.opened_at is not None:
                opened[incident.id] = incident
        stills += [
            Still(
                clip.file,
                kind_of[item.incident_id],
                item.incident_id,
                item.moment,
                _seconds(item.ts),
                item.jpeg,
            )
            for item in step.evidence
        ]
    duration_s = probe_video(path).duration_s or last_s
    result = ClipResult(
        name=clip.file,
        duration_s=duration_s,
        truth=_truth(clip, duration_s),
        reports=tuple(_report(incident, duration_s) for incident in opened.values()),
    )
    stills += _missed(clip, path, judge(result.truth, result.reports).missed, detector)
    return ClipRun(result, tuple(stills), frames)


def _missed(
    clip: MarkedClip, path: Path, events: Sequence[TrueEvent], detector: Detector
) -> Iterator[Still]:
    for number, event in enumerate(events):
        middle_s = (event.start_s + event.end_s) / 2
        frame = next((f for f in read_video(path, 2.0) if _seconds(f.ts) >= middle_s), None)
        if frame is None:
            continue
        found = detector.detect([frame.image], min_score=CARRY_ON_SCORE)[0]
        canvas = draw_detections(frame.image, found)
        draw_polygon(canvas, clip.camera.zone(event.zone).polygon)
        jpeg = encode_jpeg(canvas)
        yield Still(clip.file, event.kind, f"{number:02d}", "missed", middle_s, jpeg)


def _truth(clip: MarkedClip, duration_s: float) -> tuple[TrueEvent, ...]:
    return tuple(
        TrueEvent(e.kind, e.zone, e.start_s, duration_s if e.end_s is None else e.end_s)
        for e in clip.truth
    )


def _report(incident: Incident, duration_s: float) -> Report:
    ended, opened = incident.ended_at, incident.opened_at or incident.onset_at
    return Report(
        id=incident.id,
        kind=incident.kind,
        zone=incident.zone_id,
        onset_s=_seconds(incident.onset_at),
        opened_s=_seconds(opened),
        end_s=duration_s if ended is None else _seconds(ended),
        box=incident.box,
    )


def _seconds(moment: datetime) -> float:
    """Since the clip's first frame."""
    return (moment - EPOCH).total_seconds()
