"""Video clips with marked truth through detector and engine, as `xiaozheng watch` does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..vision.detector import Detector
from ..vision.incident import Incident
from ..vision.kinds import Kinds
from ..vision.video import EPOCH, probe_video
from ..vision.watch import watch_video
from .events import ClipResult, Report, TrueEvent
from .events_suite import EventSuite, MarkedClip


@dataclass(frozen=True, slots=True)
class Still:
    """An annotated frame of an incident: `moment` is before, at (opened) or after (ended)."""

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
        last_s = (step.ts - EPOCH).total_seconds()
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
                (item.ts - EPOCH).total_seconds(),
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
    return ClipRun(result, tuple(stills), frames)


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
        onset_s=(incident.onset_at - EPOCH).total_seconds(),
        opened_s=(opened - EPOCH).total_seconds(),
        end_s=duration_s if ended is None else (ended - EPOCH).total_seconds(),
        box=incident.box,
    )
