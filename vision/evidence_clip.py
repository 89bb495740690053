"""The seconds around the opening of an incident, kept as they came until they are whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from .cameras import Camera
from .detections import Detections
from .engine import FrameOutcome
from .frame import Frame
from .incident import Incident, IncidentState
from .kinds import Kinds

CLIP_BEFORE_S = CLIP_AFTER_S = 5.0
# Five pictures a second show what happens; more would fill the memory of what went before.
CLIP_STEP_S = 0.2
# One picture is no film.
MIN_FRAMES = 2


@dataclass(frozen=True, slots=True)
class ClipFrame:
    """One frame of a clip with all its boxes, weak ones included."""

    frame: Frame
    detections: Detections


@dataclass(frozen=True, slots=True)
class ClipParts:
    """What a clip is made of: the incident as it opened, and its frames in order of media time."""

    incident: Incident
    frames: tuple[ClipFrame, ...]


def clip_kinds(camera: Camera, kinds: Kinds) -> frozenset[str]:
    """Kinds of whose incidents this camera makes clips: what the camera says, else the kind."""
    wanted = camera.evidence_clip
    return frozenset(
        kind.id for kind in kinds.kinds if (kind.evidence_clip if wanted is None else wanted)
    )


class ClipRecorder:
    """Gathers the frames from 5 s before to 5 s after the opening of incidents of one camera.

    A clip is given out with the first frame that is later than its end, or when its incident is
    over before that. The frames' bytes are held as they came, shared with whoever holds them too.

    Args:
        kinds: ids of the kinds that get a clip, from `clip_kinds`.
        max_bytes: of encoded frames; the oldest make room, and a clip begins later.
    """

    def __init__(self, kinds: Iterable[str], *, max_bytes: int = 16 * 1024 * 1024) -> None:
        self.kinds = frozenset(kinds)
        self._max_bytes = max_bytes
        self._bytes = 0
        self._held: deque[ClipFrame] = deque()
        self._pending: dict[str, Incident] = {}

    @property
    def bytes_held(self) -> int:
        """Encoded bytes in memory."""
        return self._bytes

    def resume(self, active: Iterable[Incident], now: datetime) -> None:
        """Before the frames up to media time `now` are collected once more: await the clips of
        `active` incidents that were not whole then."""
        for incident in active:
            if incident.state is IncidentState.OPEN and _end(incident) >= now:
                self._await(incident)

    def collect(self, frame: Frame, outcome: FrameOutcome) -> list[ClipParts]:
        """Take a frame and what the engine made of it; give the clips that are whole now."""
        if not self.kinds or outcome.status != "accepted":
            return []
        done = [self._cut(i) for i in self._pending.values() if frame.ts > _end(i)]
        self._add(frame, outcome.detections)
        for step in outcome.transitions:
            incident = step.incident
            if incident.state is IncidentState.OPEN and incident.opened_at == frame.ts:
                self._await(incident)
            elif incident.state not in (IncidentState.OPEN, IncidentState.SUSPECTED):
                early = self._pending.get(incident.id)
                done += [self._cut(early)] if early is not None and frame.ts <= _end(early) else []
        for parts in done:
            del self._pending[parts.incident.id]
        self._trim(frame.ts)
        return [parts for parts in done if len(parts.frames) >= MIN_FRAMES]

    def finish(self) -> list[ClipParts]:
        """The source is over: the clips that were not whole yet."""
        done = [self._cut(incident) for incident in self._pending.values()]
        self._pending.clear()
        return [parts for parts in done if len(parts.frames) >= MIN_FRAMES]

    def _await(self, incident: Incident) -> None:
        if incident.kind in self.kinds:
            self._pending[incident.id] = incident

    def _add(self, frame: Frame, detections: Detections) -> None:
        held = self._held
        if held and (frame.ts - held[-1].frame.ts).total_seconds() < CLIP_STEP_S - 0.01:
            return
        held.append(ClipFrame(frame, detections))
        self._bytes += len(frame.data)

    def _trim(self, now: datetime) -> None:
        needed = [now, *(i.opened_at for i in self._pending.values() if i.opened_at is not None)]
        begin = min(needed) - timedelta(seconds=CLIP_BEFORE_S)
        while self._held and (self._held[0].frame.ts < begin or self._bytes > self._max_bytes):
            self._bytes -= len(self._held.popleft().frame.data)

    def _cut(self, incident: Incident) -> ClipParts:
        assert incident.opened_at is not None
        begin = incident.opened_at - timedelta(seconds=CLIP_BEFORE_S)
        frames = (item for item in self._held if begin <= item.frame.ts <= _end(incident))
        return ClipParts(incident, tuple(frames))


def _end(incident: Incident) -> datetime:
    assert incident.opened_at is not None
    return incident.opened_at + timedelta(seconds=CLIP_AFTER_S)
