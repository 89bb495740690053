"""Evidence pictures: before, at and after an incident, with zone, box and time drawn in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from .cameras import Camera
from .engine import FrameOutcome
from .frame import Frame

Moment = Literal["before", "at", "after"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One annotated picture. `ts` is the media time of the frame it was made from."""

    incident_id: str
    moment: Moment
    ts: datetime
    jpeg: bytes
    sha256: str


class EvidenceRecorder:
    """Keeps a bounded history of one camera's frames and makes evidence from it."""

    def __init__(
        self, camera: Camera, *, max_bytes: int = 16 * 1024 * 1024, max_age_s: float = 30.0
    ) -> None:
        raise NotImplementedError

    def collect(self, frame: Frame, outcome: FrameOutcome) -> list[Evidence]:
        """Take a frame and what the engine made of it; late frames give nothing."""
        raise NotImplementedError
