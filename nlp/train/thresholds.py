"""From which probability a department's calls may go out without a clerk."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..calibrate import share_at_precision

MIN_ROWS = 20


def auto_thresholds(
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    order: Sequence[str],
    *,
    precision: float,
) -> dict[str, float]:
    """Per label, the lowest probability at which its out-of-fold answers reach `precision`.

    Never below the threshold that reaches it over all labels. A label is left out (it is never
    dispatched automatically) when fewer than 20 answers would back its threshold.
    """
    first = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    correct = first == labels
    _, floor = share_at_precision(confidence, correct, precision)
    thresholds: dict[str, float] = {}
    for at, label in enumerate(order):
        rows = first == at
        share, threshold = share_at_precision(confidence[rows], correct[rows], precision)
        threshold = max(threshold, floor)
        backed = int((confidence[rows] >= threshold).sum())
        if share > 0 and backed >= MIN_ROWS:
            thresholds[label] = round(threshold, 4)
    return thresholds
