"""Pictures in, `Detections` out: letterbox, batch, run, suppress."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..models.registry import Registry
from ..models.runtimes import Backend
from .detections import Detections

Image = NDArray[np.uint8]


class Detector:
    """A detector off the shelf. `detect` may be called from several threads.

    Attributes:
        labels: class names in the model's order.
        labels_zh: their Chinese names.
        thresholds: score per label at which a box counts.
        ref: `name@version`.
        backend: runtime in use.
    """

    labels: tuple[str, ...]
    labels_zh: dict[str, str]
    thresholds: dict[str, float]
    ref: str
    backend: str

    @classmethod
    def open(
        cls,
        registry: Registry,
        ref: str = "detector",
        backend: Backend = "auto",
        threads: int = 0,
    ) -> Detector:
        """Load and verify a detection artefact."""
        raise NotImplementedError

    def detect(
        self,
        images: Sequence[Image],
        sizes: Sequence[tuple[int, int]] | None = None,
        min_score: float | None = None,
    ) -> list[Detections]:
        """Detections of each image (H×W×3 BGR), boxes in pixels of `sizes` (width, height)."""
        raise NotImplementedError
