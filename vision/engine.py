"""One camera: detections in media-time order go in, incident transitions come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import numpy as np

from ..config.errors import FrameError
from .association import Boxes
from .cameras import Camera
from .detections import Detections
from .families import family_of
from .incident import Incident, Transition
from .kinds import Kinds
from .lifecycle import Lifecycle
from .scene import Scene
from .state import pack, unpack
from .tracker import advance

FrameStatus = Literal["accepted", "late", "duplicate"]

DEFAULT_THRESHOLD = 0.4
# Boxes are rounded on entry so that a checkpoint is short and still exact.
BOX_DECIMALS = 4


@dataclass(frozen=True, slots=True)
class FrameOutcome:
    """What one frame did.

    Attributes:
        status: `late` and `duplicate` frames changed nothing.
        transitions: incidents that this frame changed or carried on, in order of onset.
        detections: the frame's detections, with track ids where a track is known.
    """

    status: FrameStatus
    transitions: tuple[Transition, ...]
    detections: Detections


class CameraEngine:
    """Tracks, dwell clocks and incidents of one camera. Not thread-safe: one caller at a time.

    Feed it the detector's boxes down to a score of about 0.1: weak boxes never begin anything,
    but they carry known things through dusk and glare.

    Args:
        camera: zones and time zone.
        kinds: event kinds; each names its rule.
        model_ref: `name@version` of the detector, written into incidents.
        thresholds: score per label from which a box may begin a track. Labels left out use 0.4.
    """

    def __init__(
        self,
        camera: Camera,
        kinds: Kinds,
        *,
        model_ref: str,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        self._thresholds = dict(thresholds or {})
        self._scene = Scene()
        self._lifecycle = Lifecycle(camera, kinds, model_ref)

    def update(self, ts: datetime, seq: int, detections: Detections) -> FrameOutcome:
        """Take one frame.

        Order is decided by media time alone, since sources restart their counters: a frame at the
        last one's time is a `duplicate`, an earlier one is `late`, and neither changes anything.

        Raises:
            FrameError: `bad_ts`, when `ts` has no time zone.
        """
        if ts.tzinfo is None:
            raise FrameError(
                f"frame {seq}: time stamp {ts.isoformat()} has no time zone",
                message_zh=f"第 {seq} 帧的时间戳缺少时区",
                code="bad_ts",
            )
        t = ts.timestamp()
        last = self._scene.last_t
        if last is not None and t <= last:
            return FrameOutcome("duplicate" if t == last else "late", (), detections)
        ids = advance(self._scene, t, self._boxes(detections))
        transitions = self._lifecycle.step(self._scene, t)
        tracked = replace(detections, track_id=np.asarray(ids, dtype=np.int64))
        return FrameOutcome("accepted", transitions, tracked)

    def active(self) -> list[Incident]:
        """Suspected and open incidents, in order of onset."""
        return self._lifecycle.active()

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON-able data; see `restore`."""
        return pack(self._scene, self._lifecycle.claims, self._lifecycle.active_since)

    @classmethod
    def restore(
        cls,
        camera: Camera,
        kinds: Kinds,
        snapshot: Mapping[str, Any],
        *,
        model_ref: str,
        thresholds: Mapping[str, float] | None = None,
    ) -> CameraEngine:
        """An engine that goes on where `snapshot` was taken: same ids, nothing opened twice.

        Claims of zones or kinds that the settings no longer have are dropped.

        Raises:
            InputError: `bad_snapshot`.
        """
        engine = cls(camera, kinds, model_ref=model_ref, thresholds=thresholds)
        scene, claims, active_since = unpack(snapshot)
        lifecycle = engine._lifecycle
        engine._scene = scene
        lifecycle.claims = [
            claim
            for claim in claims
            if claim.zone_id in lifecycle.zones and claim.kind_id in lifecycle.kinds
        ]
        lifecycle.active_since = {
            zone_id: since for zone_id, since in active_since.items() if zone_id in lifecycle.zones
        }
        return engine

    def _boxes(self, detections: Detections) -> Boxes:
        size = np.array([detections.width, detections.height] * 2, dtype=np.float64)
        names = detections.names()
        scores = [round(score, 4) for score in detections.score.tolist()]
        return Boxes(
            xyxy=np.round(detections.xyxy / size, BOX_DECIMALS).reshape(-1, 4),
            labels=names,
            families=[family_of(name) for name in names],
            scores=scores,
            strong=[
                score >= self._thresholds.get(name, DEFAULT_THRESHOLD)
                for score, name in zip(scores, names, strict=True)
            ],
            width_px=detections.width,
            height_px=detections.height,
        )
