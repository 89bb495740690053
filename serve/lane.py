"""One camera inside the service: its engine, its evidence, and where its database stands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..config.errors import InputError
from ..vision.cameras import Camera
from ..vision.detections import Detections
from ..vision.engine import CameraEngine, FrameOutcome
from ..vision.evidence import Evidence, EvidenceRecorder
from ..vision.frame import Frame
from ..vision.incident import Incident
from ..vision.kinds import Kinds
from .changes import CameraChange, StoredEvidence
from .records import Checkpoint


class Seer(Protocol):
    """What a lane must know of a detector."""

    @property
    def ref(self) -> str: ...

    @property
    def thresholds(self) -> Mapping[str, float]: ...


@dataclass(frozen=True, slots=True)
class SeenFrame:
    """A frame with what a detector saw in it."""

    frame: Frame
    detections: Detections
    detector: Seer


@dataclass(frozen=True, slots=True)
class Step:
    """What frames of one request did to the camera: an outcome or exception for each, in the
    order given, and the change to store; None when no frame counted."""

    outcomes: list[FrameOutcome | Exception]
    change: CameraChange | None


class CameraLane:
    """Hold `turn` from `advance` to `commit` or `roll_back`; `advance` blocks, so run it in a
    thread."""

    def __init__(
        self,
        camera: Camera,
        kinds: Kinds,
        *,
        detector: Seer,
        checkpoint: Checkpoint | None,
        save: Callable[[Evidence], StoredEvidence],
        history_bytes: int,
    ) -> None:
        self.camera = camera
        self.turn = asyncio.Lock()
        self.last_frame_at: datetime | None = checkpoint.frame_at if checkpoint else None
        self._kinds = kinds
        self._detector = detector
        self._save = save
        self._stored: dict[str, Any] | None = checkpoint.snapshot if checkpoint else None
        self._engine = self._restored()
        self._history_bytes = history_bytes
        self._recorder = self._new_recorder()

    def active(self) -> list[Incident]:
        """Suspected and open incidents."""
        return self._engine.active()

    def advance(self, seen: Sequence[SeenFrame]) -> Step:
        """Take frames in the order given, which should be that of media time.

        A frame at which the engine breaks off is left out and the others are taken as if it had
        never come.
        """
        broken: dict[int, Exception] = {}
        while True:
            outcomes: list[FrameOutcome | Exception] = []
            evidence: list[Evidence] = []
            for index, item in enumerate(seen):
                if index in broken:
                    outcomes.append(broken[index])
                    continue
                try:
                    self._see_with(item.detector)
                    outcome = self._engine.update(item.frame.ts, item.frame.seq, item.detections)
                    evidence += self._recorder.collect(item.frame, outcome)
                except Exception as error:  # its frame alone fails, and it is logged there
                    broken[index] = error
                    self.roll_back()
                    break
                outcomes.append(outcome)
            else:
                return Step(outcomes, self._change(seen, outcomes, evidence))

    def commit(self, change: CameraChange) -> None:
        """The change is stored: go on from there."""
        self._stored = change.snapshot
        self.last_frame_at = change.frame_at

    def roll_back(self) -> None:
        """Forget what was not stored."""
        self._engine = self._restored()
        self._recorder = self._new_recorder()

    def _see_with(self, detector: Seer) -> None:
        """The engine's state goes on; what begins from now on is the new detector's."""
        if detector.ref != self._detector.ref:
            self._detector = detector
            self._engine = self._engine_of(self._engine.snapshot())

    def _new_recorder(self) -> EvidenceRecorder:
        return EvidenceRecorder(self.camera, kinds=self._kinds, max_bytes=self._history_bytes)

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
    ) -> CameraChange | None:
        accepted = [
            (item.frame, outcome)
            for item, outcome in zip(seen, outcomes, strict=True)
            if isinstance(outcome, FrameOutcome) and outcome.status == "accepted"
        ]
        if not accepted:
            return None
        last = accepted[-1][0]
        return CameraChange(
            camera_id=self.camera.id,
            frame_at=last.ts,
            frame_seq=last.seq,
            snapshot=self._engine.snapshot(),
            transitions=tuple(step for _, outcome in accepted for step in outcome.transitions),
            evidence=tuple(self._save(picture) for picture in evidence),
        )
