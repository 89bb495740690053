"""What is kept of an incident: part of `cameras.yaml`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class EvidenceSettings(BaseModel):
    """Pictures from before, at and after an incident are always kept; a clip when asked for.

    Attributes:
        clip_s: media seconds of moving pictures that end when the incident opens; 0: no clip.
        clip_fps: pictures a second in the clip, at most; never more than the camera sends.
        clip_width: pixels; wider pictures are scaled down for the clip.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    clip_s: float = Field(default=0, ge=0, le=60)
    clip_fps: float = Field(default=2, gt=0, le=5)
    clip_width: int = Field(default=640, ge=160, le=1920)
