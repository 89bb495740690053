"""How well boxes agree with labelled ones, at the thresholds in use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .detections import Detections
from .geometry import iou

MIN_IOU = 0.5


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one class."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(
            self.hits + other.hits,
            self.false_alarms + other.false_alarms,
            self.misses + other.misses,
        )

    @property
    def precision(self) -> float | None:
        """Share of boxes that are right; None without boxes."""
        found = self.hits + self.false_alarms
        return self.hits / found if found else None

    @property
    def recall(self) -> float | None:
        """Share of labelled objects that were found; None without any."""
        labelled = self.hits + self.misses
        return self.hits / labelled if labelled else None


def score_picture(
    found: Detections,
    truth_xyxy: NDArray[np.floating],
    truth_names: list[str],
    classes: tuple[str, ...],
) -> dict[str, Score]:
    """Per class: best score first, each box takes the free labelled box it overlaps most.

    Args:
        found: boxes at the thresholds in use.
        truth_xyxy: labelled boxes (N, 4), pixels of the same frame.
        truth_names: their classes.
        classes: classes that the labels speak about; boxes of others are not judged.
    """
    names = np.array(found.names(), dtype=object)
    labelled = np.array(truth_names, dtype=object)
    scores: dict[str, Score] = {}
    for name in classes:
        mine = found.select(names == name)
        truth = truth_xyxy[labelled == name] if len(labelled) else truth_xyxy[:0]
        overlap = iou(mine.xyxy, truth)
        hits = 0
        for i in np.argsort(-mine.score, kind="stable"):
            if len(truth) and overlap[i].max() >= MIN_IOU:
                overlap[:, int(overlap[i].argmax())] = -1.0
                hits += 1
        scores[name] = Score(hits, len(mine) - hits, len(truth) - hits)
    return scores
