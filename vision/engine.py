"""One camera: detections in media-time order go in, incident transitions come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import numpy as np

from ..config.errors import FrameError
from .appearance import LOOK_BYTES, Looks
from .association import SETTINGS, Boxes
from .cameras import Camera
from .detections import Detections
from .families import family_of
from .incident import Incident, Transition
from .kinds import Kinds
from .lifecycle import Lifecycle
from .observation import Observation
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
        observations: what is worth a journal (`vision.observation`), in order of the claims.
    """

    status: FrameStatus
    transitions: tuple[Transition, ...]
    detections: Detections
    observations: tuple[Observation, ...] = ()


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
        self._settings = replace(SETTINGS, credit_gap_s=camera.max_gap_credit_s)
        self._scene = Scene()
        self._lifecycle = Lifecycle(camera, kinds, model_ref)

    def update(
        self, ts: datetime, seq: int, detections: Detections, looks: Looks | None = None
    ) -> FrameOutcome:
        """Take one frame.

        Args:
            ts: media time.
            seq: the source's number of the frame, for messages only.
            detections: its boxes.
            looks: uint8 (N, 48), one row per box as `vision.appearance.descriptors` gives it; a
                row of zeros is unknown. Tells cars apart that take each other's place unseen.

        Order is decided by media time alone, since sources restart their counters: a frame at the
        last one's time is a `duplicate`, an earlier one is `late`, and neither changes anything.

        Raises:
            FrameError: `bad_ts`, when `ts` has no time zone; `bad_looks`, when `looks` do not fit
                the boxes.
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
        ids = advance(self._scene, t, self._boxes(seq, detections, looks), self._settings)
        transitions, observations = self._lifecycle.step(self._scene, t)
        tracked = replace(detections, track_id=np.asarray(ids, dtype=np.int64))
        return FrameOutcome("accepted", transitions, tracked, observations)

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
        lifecycle.claims = [c for c in claims if lifecycle.has(c.zone_id, c.kind_id)]
        lifecycle.active_since = {
            zone_id: since for zone_id, since in active_since.items() if zone_id in lifecycle.zones
        }
        return engine

    def _boxes(self, seq: int, detections: Detections, looks: Looks | None) -> Boxes:
        names = detections.names()
        scores = [round(score, 4) for score in detections.score.tolist()]
        size = np.array([detections.width, detections.height] * 2, dtype=np.float64)
        xyxy = np.round(detections.xyxy / size, BOX_DECIMALS).tolist()
        threshold_of = self._thresholds.get
        return Boxes(
            xyxy=[(x1, y1, x2, y2) for x1, y1, x2, y2 in xyxy],
            labels=names,
            families=[family_of(name) for name in names],
            scores=scores,
            strong=[
                score >= threshold_of(name, DEFAULT_THRESHOLD)
                for score, name in zip(scores, names, strict=True)
            ],
            looks=_hex(seq, looks, len(names)),
            width_px=detections.width,
            height_px=detections.height,
        )


def _hex(seq: int, looks: Looks | None, count: int) -> list[str]:
    """Each row as hex digits, unknown ones as an empty string."""
    if looks is None:
        return [""] * count
    if looks.shape != (count, LOOK_BYTES) or looks.dtype != np.uint8:
        raise FrameError(
            f"frame {seq}: looks are {looks.dtype} {looks.shape}, expected uint8 "
            f"({count}, {LOOK_BYTES})",
            message_zh=f"第 {seq} 帧的外观特征与检测框不符",
            code="bad_looks",
        )
    return [row.tobytes().hex() if row.any() else "" for row in looks]
