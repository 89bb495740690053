"""How long a camera may look wrong before it is said to be: part of `cameras.yaml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Patience = Annotated[float, Field(gt=0, le=86_400)]


class HealthSettings(BaseModel):
    """Seconds a fault must last before it is reported; null turns its check off.

    Attributes:
        no_signal_s: wall-clock seconds without a frame. A camera that usually sends less often
            than that gets four of its usual intervals.
        frozen_s: the same picture again and again, from a camera whose pictures usually differ.
        black_s, overexposed_s: nothing to see for lack or excess of light.
        blurred_s: much less sharp than this camera usually is, or no structure left.
        moved_s: most of the scene is not where it was.
        recover_s: a fault is over when all has been well for so long.
        reference: a picture of the view the zones were drawn on, relative to `cameras.yaml`.
            Without one, the view is learnt from the first frames.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    no_signal_s: Patience | None = 18
    frozen_s: Patience | None = 18
    black_s: Patience | None = 10
    overexposed_s: Patience | None = 10
    blurred_s: Patience | None = 30
    moved_s: Patience | None = 13
    recover_s: float = Field(default=5, ge=0, le=3_600)
    reference: str = ""
