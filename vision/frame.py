"""One picture of one camera at one moment of media time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Frame:
    """A submitted frame, still encoded.

    Attributes:
        camera_id: as in `cameras.yaml` (GB/T 28181 ids have 20 digits).
        ts: media time from the source, timezone-aware; never the wall clock of processing.
        seq: sequence number of the source, growing within a camera.
        data: JPEG, PNG or WebP bytes.
    """

    camera_id: str
    ts: datetime
    seq: int
    data: bytes
