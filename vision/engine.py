"""One camera: detections in media-time order go in, incident transitions come out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from .cameras import Camera
from .detections import Detections
from .incident import Incident, Transition
from .kinds import Kinds

FrameStatus = Literal["accepted", "late", "duplicate"]


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

    Args:
        camera: zones and time zone.
        kinds: event kinds; each names its rule.
        model_ref: `name@version` of the detector, written into incidents.
        thresholds: score per label from which a box may begin a track; lower boxes only carry
            known things on. Labels left out use 0.4.
    """

    def __init__(
        self,
        camera: Camera,
        kinds: Kinds,
        *,
        model_ref: str,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        raise NotImplementedError

    def update(self, ts: datetime, seq: int, detections: Detections) -> FrameOutcome:
        """Take one frame. Frames not later than the last one change nothing."""
        raise NotImplementedError

    def active(self) -> list[Incident]:
        """Suspected and open incidents, in order of onset."""
        raise NotImplementedError

    def snapshot(self) -> dict[str, Any]:
        """The whole state as JSON-able data."""
        raise NotImplementedError

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
        """An engine that goes on where `snapshot` was taken: same ids, nothing opened twice."""
        raise NotImplementedError
