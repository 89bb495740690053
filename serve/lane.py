"""One camera inside the service: its engine, its evidence, and where its database stands."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from ..config.errors import InputError
from ..vision.appearance import Looks
from ..vision.cameras import Camera
from ..vision.detections import Detections
from ..vision.engine import CameraEngine, FrameOutcome
from ..vision.evidence import Evidence, EvidenceRecorder
from ..vision.evidence_clip import ClipParts, ClipRecorder, clip_kinds
from ..vision.frame import Frame
from ..vision.health_signs import Grey
from ..vision.incident import Incident, IncidentState, Transition
from ..vision.kinds import Kinds
from .changes import CameraChange, HealthChange
from .evidence_files import EvidenceKeeper
from .lane_health import LaneHealth
from .recent_frames import RecentFrames
from .records import Checkpoint


class Seer(Protocol):
    """What a lane must know of a detector."""

    @property
    def ref(self) -> str: ...

    @property
    def thresholds(self) -> Mapping[str, float]: ...


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A frame with what a detector saw in it.

    `arrived_at` is wall-clock time; `looks` tell objects apart; `thumb` is for the camera's
    health, where that wanted one.
    """

    frame: Frame
    detections: Detections
    detector: Seer
    arrived_at: datetime
    looks: Looks | None = None
    thumb: Grey | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What frames of one request did to the camera: an outcome or exception for each, in the
    order given, and the change to store; None when no frame counted. `suspended` are the places of
    frames that were kept from the engine, because the picture cannot be trusted."""

    outcomes: list[FrameOutcome | Exception]
    change: CameraChange | None
    suspended: frozenset[int] = frozenset()


class CameraLane:
    """Hold `turn` from `advance` to `commit` or `roll_back`; `advance` blocks, so run it in a
    thread."""

    def __init__(
        self,
        camera: Camera,
        kinds: Kinds,
        *,
        detector: Seer,
        health: LaneHealth,
        recent: RecentFrames,
        checkpoint: Checkpoint | None,
        keeper: EvidenceKeeper,
        history_bytes: int,
    ) -> None:
        self.camera = camera
        self.turn = asyncio.Lock()
        self.last_frame_at: datetime | None = checkpoint.frame_at if checkpoint else None
        self.health = health
        self._recent = recent
        self._kinds = kinds
        self._detector = detector
        self._keeper = keeper
        self._clip_kinds = clip_kinds(camera, kinds)
        self._stored: dict[str, Any] | None = checkpoint.snapshot if checkpoint else None
        self._engine = self._restored()
        self._history_bytes = history_bytes
        self._recorder, self._clips = self._new_recorders()

    def active(self) -> list[Incident]:
        """Suspected and open incidents."""
        return self._engine.active()

    def advance(self, seen: Sequence[SeenFrame]) -> Step:
        """Take frames in the order given, which should be that of media time.

        A frame at which the engine breaks off is left out and the others are taken as if it had
        never come.
        """
        broken: dict[int, Exception] = {}
        while (step := self._try(seen, broken)) is None:
            self.roll_back()
        return step

    def _try(self, seen: Sequence[SeenFrame], broken: dict[int, Exception]) -> Step | None:
        """Take the frames but for the broken ones; None when another one broke."""
        outcomes: list[FrameOutcome | Exception] = []
        evidence: list[Evidence] = []
        clips: list[ClipParts] = []
        suspended: set[int] = set()
        last_at = self.last_frame_at
        for index, item in enumerate(seen):
            if index in broken:
                outcomes.append(broken[index])
                continue
            try:
                outcome = _out_of_order(item, last_at)
                if outcome is None:
                    if self.health.look(item.frame.ts, item.thumb, item.arrived_at):
                        outcome = self._update(item)
                        evidence += self._recorder.collect(item.frame, outcome)
                        clips += self._clips.collect(item.frame, outcome)
                        self._recent.add(item.frame, outcome.detections, outcome.transitions)
                    else:
                        suspended.add(index)
                        outcome = FrameOutcome("accepted", (), item.detections)
                    last_at = item.frame.ts
            except Exception as error:  # its frame alone fails, and it is logged there
                broken[index] = error
                return None
            outcomes.append(outcome)
        return Step(outcomes, self._change(seen, outcomes, evidence, clips), frozenset(suspended))

    def tick(self, now: datetime) -> HealthChange | None:
        """Judge the camera's silence; what to store of it."""
        self.health.tick(now)
        return self.health.change()

    def commit(self, change: CameraChange | HealthChange) -> None:
        """The change is stored: go on from there."""
        if isinstance(change, HealthChange):
            self.health.commit(change)
            return
        self._stored = change.snapshot
        self.last_frame_at = change.frame_at
        self._recent.commit(change.transitions)
        self.health.commit(change.health)

    def roll_back(self) -> None:
        """Forget what was not stored."""
        self._engine = self._restored()
        self._recorder, self._clips = self._new_recorders()
        self.health.roll_back()

    def _update(self, item: SeenFrame) -> FrameOutcome:
        self._see_with(item.detector)
        return self._engine.update(item.frame.ts, item.frame.seq, item.detections, item.looks)

    def _see_with(self, detector: Seer) -> None:
        """The engine's state goes on; what begins from now on is the new detector's."""
        if detector.ref != self._detector.ref:
            self._detector = detector
            self._engine = self._engine_of(self._engine.snapshot())

    def _new_recorders(self) -> tuple[EvidenceRecorder, ClipRecorder]:
        """Recorders that remember what those before them did when the last frame was stored."""
        recorder = EvidenceRecorder(self.camera, kinds=self._kinds, max_bytes=self._history_bytes)
        clips = ClipRecorder(self._clip_kinds, max_bytes=self._history_bytes)
        if self.last_frame_at is not None:
            clips.resume(self.active(), self.last_frame_at)
        suspected = {i.id: i for i in self.active() if i.state is IncidentState.SUSPECTED}
        for kept in self._recent.read(self.last_frame_at, suspected):
            outcome = FrameOutcome("accepted", (), kept.detections)
            recorder.collect(kept.frame, outcome)
            if kept.incident_id:
                begun = Transition(suspected[kept.incident_id], True)
                recorder.collect(kept.frame, replace(outcome, transitions=(begun,)))
            else:
                clips.collect(kept.frame, outcome)
        return recorder, clips

    def _restored(self) -> CameraEngine:
        if self._stored is None:
            return CameraEngine(
                self.camera,
                self._kinds,
                model_ref=self._detector.ref,
                thresholds=self._detector.thresholds,
            )
        try:
            return self._engine_of(self._stored)
        except InputError as error:
            raise InputError(
                f"camera {self.camera.id}: the state in the database cannot be restored: {error}",
                message_zh=f"摄像机 {self.camera.id}：数据库中的状态无法恢复",
                code=error.code,
            ) from error

    def _engine_of(self, snapshot: Mapping[str, Any]) -> CameraEngine:
        return CameraEngine.restore(
            self.camera,
            self._kinds,
            snapshot,
            model_ref=self._detector.ref,
            thresholds=self._detector.thresholds,
        )

    def _change(
        self,
        seen: Sequence[SeenFrame],
        outcomes: Sequence[FrameOutcome | Exception],
        evidence: Sequence[Evidence],
        clips: Sequence[ClipParts],
    ) -> CameraChange | None:
        accepted = [
            (item.frame, outcome)
            for item, outcome in zip(seen, outcomes, strict=True)
            if isinstance(outcome, FrameOutcome) and outcome.status == "accepted"
        ]
        if not accepted:
            return None
        last = accepted[-1][0]
        boxes = {frame.ts: outcome.detections for frame, outcome in accepted}
        return CameraChange(
            camera_id=self.camera.id,
            frame_at=last.ts,
            frame_seq=last.seq,
            snapshot=self._engine.snapshot(),
            transitions=tuple(step for _, outcome in accepted for step in outcome.transitions),
            observations=tuple(seen for _, outcome in accepted for seen in outcome.observations),
            evidence=tuple(
                self._keeper.picture(
                    picture,
                    boxes[picture.ts] if picture.ts in boxes else self._recent.boxes(picture.ts),
                )
                for picture in evidence
            )
            + tuple(self._keeper.clip(parts) for parts in clips),
            health=self.health.change(),
        )


def _out_of_order(item: SeenFrame, last_at: datetime | None) -> FrameOutcome | None:
    """The engine is not asked: it does not know of frames that were kept from it."""
    ts = item.frame.ts
    if last_at is None or ts.tzinfo is None or ts > last_at:
        return None
    return FrameOutcome("duplicate" if ts == last_at else "late", (), item.detections)
