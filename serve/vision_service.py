"""Frames in, stored incidents out.

Headers are checked, all callers' frames are merged into detector batches, each camera's frames go
through its engine in the order of media time, and what changed is stored before it is answered.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..config.errors import FrameError, ImageError
from ..models.registry import Registry
from ..vision.cameras import Camera, Cameras
from ..vision.detections import Detections
from ..vision.detector import Detector
from ..vision.engine import FrameOutcome, FrameStatus
from ..vision.evidence_clip import CLIP_AFTER_S, CLIP_BEFORE_S, clip_kinds
from ..vision.film import require_encoder
from ..vision.frame import Frame
from ..vision.health import HealthIncident, HealthKind, read_reference
from ..vision.images import ImageLimits, probe
from ..vision.incident import Incident, IncidentState, Transition
from ..vision.kinds import Kinds
from .batcher import Batcher, BatchLimits, RunBatch
from .changes import Change, HealthChange, IncidentChange
from .disk_guard import DiskGuard
from .errors import UnavailableError
from .evidence_files import EvidenceFiles, EvidenceKeeper
from .finisher import Finisher
from .lane import CameraLane, SeenFrame, Step
from .lane_health import LaneHealth
from .metrics import Metrics
from .model_slot import ModelSlot
from .recent_frames import RecentFrames
from .records import REPORTED, Checkpoint
from .seeing import Picture, Seen, counting, detector_runner
from .settings import Settings

log = logging.getLogger(__name__)

WARM_UP = np.full((360, 640, 3), 114, np.uint8)
MAX_HISTORY_BYTES = 16 * 1024 * 1024

NOT_STORED = UnavailableError(
    "the frame was not stored; send it again",
    message_zh="结果未能入库，请重新提交该帧",
    code="not_stored",
)

Now = Callable[[], datetime]


@dataclass(slots=True)
class FrameResult:
    """What became of one frame; `incidents` are those it opened or ended."""

    status: FrameStatus | None = None
    detections: Detections | None = None
    detector: Detector | None = None
    incidents: list[Incident] = field(default_factory=list)
    zones_suspended: bool = False
    error: Exception | None = None

    @property
    def name(self) -> Literal["ok", "late", "duplicate", "error"]:
        """The status as callers and metrics see it."""
        if self.error is not None or self.status is None:
            return "error"
        return "ok" if self.status == "accepted" else self.status


class VisionService:
    """Owns the detector's queue and one lane per camera. Belongs to one event loop."""

    def __init__(
        self,
        settings: Settings,
        cameras: Cameras,
        kinds: Kinds,
        *,
        registry: Registry,
        writer: Batcher[Change, None],
        checkpoints: Mapping[str, Checkpoint],
        health: Mapping[str, Mapping[str, Any]],
        metrics: Metrics,
        disk: DiskGuard,
        now: Now,
    ) -> None:
        """Raises ModelError when the detector cannot be loaded."""
        self.cameras = cameras
        self.kinds = kinds
        self.files = EvidenceFiles(settings.evidence_folder)
        self._settings = settings
        self.slot = ModelSlot(
            "detector",
            registry,
            settings.detector,
            load=lambda ref: Detector.open(registry, ref, settings.backend, settings.threads),
            warm_up=lambda detector: detector.detect([WARM_UP]),
        )
        self._writer = writer
        self._metrics = metrics
        self._disk = disk
        self._finisher = Finisher()
        self._now = now
        self._limits = ImageLimits(
            max_bytes=settings.max_image_bytes, max_pixels=settings.max_pixels
        )
        self.batcher = Batcher(
            "detector",
            self._open_runner,
            limits=BatchLimits(
                max_batch=settings.max_batch,
                max_queue=settings.max_queue,
                max_queue_bytes=settings.max_queue_bytes,
                stall_s=settings.batch_stall_s,
            ),
            on_batch=metrics.batch_observer("detector"),
        )
        self._lanes = {
            camera.id: self._lane(camera, checkpoints.get(camera.id), health.get(camera.id))
            for camera in cameras.cameras
        }

    async def start(self, active: Sequence[Incident]) -> None:
        """Begin work; `active` are the incidents that the database holds as not over.

        Those that no camera carries on, because their camera, zone or kind has left the settings,
        are closed as they were last seen: nothing would ever end them.
        """
        carried = {incident.id for lane in self._lanes.values() for incident in lane.active()}
        left = [incident for incident in active if incident.id not in carried]
        if left:
            log.warning("%d incidents of removed cameras or zones are closed", len(left))
            await self._store(IncidentChange(tuple(_closed(incident) for incident in left)))
        await self.batcher.start()

    async def close_faults(self, faults: Sequence[HealthIncident]) -> None:
        """End faults that no camera carries on, because it has left the settings or its check
        was switched off; `faults` are those that the database holds as not over."""
        carried = {fault.id for lane in self._lanes.values() for fault in lane.health.faults}
        for fault in faults:
            if fault.id not in carried:
                over = replace(fault, ended_at=self._now())
                await self._store(HealthChange(fault.camera_id, None, (over,)))

    async def tick(self) -> None:
        """Judge every camera's silence, and store what that changed."""
        for lane in self._lanes.values():
            if lane.turn.locked():  # its frames are coming in
                continue
            async with lane.turn:
                change = lane.tick(self._now())
                if change is None:
                    lane.health.commit(None)
                    continue
                try:
                    await self._store(change)
                    lane.commit(change)
                except UnavailableError:
                    lane.health.roll_back()
                    raise

    async def learn_view(self, camera_id: str, by: str) -> LaneHealth:
        """Take a camera's next pictures as the view that its zones were drawn on, because `by`
        says so; stored and announced before it is answered.

        Raises:
            KeyError: unknown camera.
            UnavailableError: the database refused; nothing was changed.
        """
        lane = self._lanes[camera_id]
        async with lane.turn:
            change = lane.health.learn_view(by, self._now())
            try:
                await self._store(change)
                lane.commit(change)
            except UnavailableError:
                lane.health.roll_back()
                raise
        log.info("camera %s: the view is learnt anew, says %s", camera_id, by)
        return lane.health

    def health(self, camera_id: str) -> LaneHealth:
        """What is known of a camera's health."""
        return self._lanes[camera_id].health

    def fault_counts(self) -> dict[HealthKind, int]:
        """How many cameras have each fault now."""
        return Counter(fault.kind for lane in self._lanes.values() for fault in lane.health.faults)

    async def close(self) -> None:
        await self.batcher.close(self._settings.drain_s)
        await self._finisher.drain()

    @property
    def detector(self) -> Detector:
        """The detector in use now."""
        return self.slot.current

    def last_frame_at(self, camera_id: str) -> datetime | None:
        """Media time of the last stored frame of a camera."""
        return self._lanes[camera_id].last_frame_at

    async def take(self, frames: Sequence[Frame | FrameError]) -> list[FrameResult]:
        """Detect, advance the cameras, store, and say what became of each frame, in order.

        A `FrameError` in place of a frame is passed through as that frame's result. May be
        cancelled until detection is done; from there on it runs to its end.

        Raises:
            BusyError: the queue cannot take all frames; nothing was changed.
            UnavailableError: the detector cannot work now, or the disk is nearly full.
        """
        self._disk.check()
        results = [FrameResult() for _ in frames]
        good: dict[int, tuple[Frame, Picture]] = {}
        for index, frame in enumerate(frames):
            try:
                if isinstance(frame, FrameError):
                    raise frame
                good[index] = (frame, self._check(frame))
            except (FrameError, ImageError) as error:
                results[index].error = error
        pictures = [picture for _, picture in good.values()]
        answers = await self.batcher.submit(
            pictures,
            sizes=[len(picture.data) for picture in pictures],
            timeout_s=self._settings.queue_timeout_s,
        )
        arrived_at = self._now()
        seen: dict[str, dict[int, SeenFrame]] = {}
        for (index, (frame, _)), answer in zip(good.items(), answers, strict=True):
            if isinstance(answer, Exception):
                results[index].error = answer
            else:
                seen.setdefault(frame.camera_id, {})[index] = SeenFrame(
                    frame,
                    answer.detections,
                    answer.detector,
                    arrived_at,
                    answer.looks,
                    answer.thumb,
                )
                results[index].detector = answer.detector
        await self._finisher.run(self._advance_all(seen, results))
        for result in results:
            self._metrics.frames.labels(result.name).inc()
        return results

    def _check(self, frame: Frame) -> Picture:
        if frame.camera_id not in self._lanes:
            raise FrameError(
                f"camera_id: no camera {frame.camera_id!r} in cameras.yaml",
                message_zh=f"camera_id：未登记的摄像机 {frame.camera_id}",
                code="unknown_camera",
            )
        now = self._now()
        ahead_s = (frame.ts - now).total_seconds()
        if ahead_s > self._settings.max_future_s:
            raise FrameError(
                f"ts: {frame.ts.isoformat()} is {ahead_s:.0f} s in the future, at most "
                f"{self._settings.max_future_s:.0f} s are allowed",
                message_zh=f"ts：时间超前 {ahead_s:.0f} 秒，请检查摄像机时钟",
                code="ts_in_future",
            )
        if frame.ts < now - timedelta(seconds=self._settings.max_past_s):
            raise FrameError(
                f"ts: {frame.ts.isoformat()} is more than "
                f"{self._settings.max_past_s:.0f} s in the past",
                message_zh=f"ts：时间早于 {self._settings.max_past_s / 86_400:g} 天前",
                code="ts_too_old",
            )
        wants_thumb = self._lanes[frame.camera_id].health.wants(frame.ts)
        return Picture(frame.data, probe(frame.data, self._limits), wants_thumb)

    async def _advance_all(
        self, seen: Mapping[str, Mapping[int, SeenFrame]], results: list[FrameResult]
    ) -> None:
        await asyncio.gather(
            *(
                self._advance(self._lanes[camera_id], part, results)
                for camera_id, part in seen.items()
            )
        )

    async def _advance(
        self, lane: CameraLane, part: Mapping[int, SeenFrame], results: list[FrameResult]
    ) -> None:
        order = sorted(part, key=lambda i: (part[i].frame.ts, part[i].frame.seq, i))
        async with lane.turn:
            started = time.perf_counter()
            try:
                step = await asyncio.to_thread(lane.advance, [part[i] for i in order])
                self._metrics.stage_s.labels("engine").observe(time.perf_counter() - started)
                if step.change is not None:
                    await self._store(step.change)
                    lane.commit(step.change)
            except Exception:  # whatever it is, other cameras' frames are served
                lane.roll_back()
                log.exception("camera %s: nothing was stored", lane.camera.id)
                for index in order:
                    results[index].error = NOT_STORED
                return
        self._report(order, step, results)

    async def _store(self, change: Change) -> None:
        (answer,) = await self._writer.submit([change])
        if isinstance(answer, Exception):
            raise UnavailableError("the database refused") from answer

    def _report(self, order: Sequence[int], step: Step, results: list[FrameResult]) -> None:
        for place, (index, outcome) in enumerate(zip(order, step.outcomes, strict=True)):
            result = results[index]
            if isinstance(outcome, Exception):
                result.error = outcome
                continue
            result.status = outcome.status
            result.zones_suspended = place in step.suspended
            if outcome.status == "accepted":
                assert result.detector is not None
                result.detections = counting(outcome.detections, result.detector)
                result.incidents = self._changed(outcome)

    def _changed(self, outcome: FrameOutcome) -> list[Incident]:
        for step in outcome.transitions:
            if step.changed:
                labels = (step.incident.kind, step.incident.state.value)
                self._metrics.transitions.labels(*labels).inc()
        return [
            step.incident
            for step in outcome.transitions
            if step.changed and step.incident.state in REPORTED
        ]

    def _open_runner(self) -> RunBatch[Picture, Seen]:
        """The first worker takes the detector that was loaded; one that follows a dead worker
        loads its own, since the old one may be in any state."""
        if self.batcher.stats.restarts:
            self.slot.reload()
        return detector_runner(lambda: self.slot.current)

    def _lane(
        self,
        camera: Camera,
        checkpoint: Checkpoint | None,
        health: Mapping[str, Any] | None,
    ) -> CameraLane:
        folder = self._settings.cameras.parent if self._settings.cameras else Path()
        history_bytes = min(
            MAX_HISTORY_BYTES, self._settings.max_history_bytes // len(self.cameras.cameras)
        )
        film_s = 0.0
        if clip_kinds(camera, self.kinds):
            require_encoder()
            film_s = CLIP_BEFORE_S + CLIP_AFTER_S
        return CameraLane(
            camera,
            self.kinds,
            detector=self.detector,
            health=LaneHealth(camera, health, read_reference(camera, folder)),
            recent=RecentFrames(
                self._settings.recent_folder, camera.id, history_bytes, film_s=film_s
            ),
            checkpoint=checkpoint,
            keeper=EvidenceKeeper(self.files, camera, self.kinds),
            history_bytes=history_bytes,
        )


def _closed(incident: Incident) -> Transition:
    state = IncidentState.ENDED
    if incident.state is IncidentState.SUSPECTED:
        state = IncidentState.DISCARDED
    return Transition(replace(incident, state=state, ended_at=incident.last_seen_at), True)


def utc_now() -> datetime:
    """The service's clock."""
    return datetime.now(UTC)
