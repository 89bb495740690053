"""What a rule saw at one moment, worth keeping."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Observation:
    """ "Kind K holds, or no longer holds, in zone Z of camera C at media time t."

    An incident's first one, every change of `holds`, and at most one in 10 s of media time while
    it holds: enough to see later why an incident was opened and ended.

    Attributes:
        incident_id: the incident it supports or opposes.
        at: media time, UTC.
        strength: 0–1, as the rule gave it; 0 when the object is gone.
        reasons: what a person can check in the picture, in Chinese.
    """

    camera_id: str
    kind: str
    zone_id: str
    incident_id: str
    at: datetime
    strength: float
    holds: bool
    reasons: tuple[str, ...]
