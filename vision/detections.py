"""One frame's boxes as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Detections:
    """Boxes of one frame.

    Attributes:
        xyxy: float32 (N, 4), pixels of the submitted frame, x1 < x2 and y1 < y2.
        score: float32 (N,), 0–1.
        class_id: int64 (N,), index into `labels`.
        labels: class names of the model that made them.
        width, height: pixels of the submitted frame.
        track_id: int64 (N,), −1 where no track is known.
    """

    xyxy: FloatArray
    score: FloatArray
    class_id: IntArray
    labels: tuple[str, ...]
    width: int
    height: int
    track_id: IntArray

    def __len__(self) -> int:
        return len(self.score)

    @classmethod
    def of(
        cls,
        boxes: list[tuple[float, float, float, float]],
        scores: list[float],
        names: list[str],
        labels: tuple[str, ...],
        size: tuple[int, int],
    ) -> Detections:
        """From plain lists; `names` are class names out of `labels`, `size` is (width, height)."""
        return cls(
            xyxy=np.asarray(boxes, dtype=np.float32).reshape(-1, 4),
            score=np.asarray(scores, dtype=np.float32),
            class_id=np.asarray([labels.index(n) for n in names], dtype=np.int64),
            labels=labels,
            width=size[0],
            height=size[1],
            track_id=np.full(len(scores), -1, dtype=np.int64),
        )

    def select(self, mask: NDArray[Any]) -> Detections:
        """The boxes a boolean mask or an index array picks."""
        return Detections(
            xyxy=self.xyxy[mask],
            score=self.score[mask],
            class_id=self.class_id[mask],
            labels=self.labels,
            width=self.width,
            height=self.height,
            track_id=self.track_id[mask],
        )

    def names(self) -> list[str]:
        """Class name of each box."""
        return [self.labels[i] for i in self.class_id]
