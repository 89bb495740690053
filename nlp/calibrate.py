"""Probabilities that mean what they say.

Margins of one-against-all machines become probabilities by `softmax(power · log σ(scale · margin +
offset) + shift)`: a sigmoid for each class (Platt 1999), normalised over the classes, with one
shape for all and one shift a class, since thin classes cannot carry a sigmoid of their own.
Plain temperature or vector scaling (Guo et al. 2017) was worse here (ECE .050 against .024): a
large margin saturates in truth and not in a softmax.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Parameters of one head: three numbers for the shape and `shift` (K,)."""

    scale: float
    offset: float
    power: float
    shift: tuple[float, ...]

    def probabilities(self, margins: NDArray[np.floating]) -> Floats:
        """Margins (N, K) → probabilities (N, K)."""
        sigmoid = log_sigmoid(self.scale * margins.astype(np.float64) + self.offset)
        return softmax(self.power * sigmoid + np.array(self.shift))

    def slopes(self, margins: NDArray[np.floating]) -> Floats:
        """How fast each final logit grows with its margin, (N, K)."""
        inner = self.scale * margins.astype(np.float64) + self.offset
        return np.asarray(self.power * self.scale * np.exp(log_sigmoid(-inner)))

    @staticmethod
    def of_mapping(data: Mapping[str, Any]) -> Calibration:
        """From the fields' names and values, as a manifest holds them.

        Raises:
            KeyError, TypeError, ValueError: fields are missing or no numbers.
        """
        scale, offset, power = (float(data[key]) for key in ("scale", "offset", "power"))
        return Calibration(scale, offset, power, tuple(float(value) for value in data["shift"]))


def log_sigmoid(values: Floats) -> Floats:
    """log(1 / (1 + exp(−values))) without overflow."""
    return np.asarray(-np.logaddexp(0.0, -values))


def log_softmax(logits: Floats) -> Floats:
    """Row-wise log of the softmax."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def softmax(logits: Floats) -> Floats:
    """Row-wise softmax."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def expected_calibration_error(
    confidence: Floats, correct: NDArray[np.bool_], bins: int = 15
) -> float:
    """Mean gap between confidence and accuracy over equal-width bins, weighted by their size."""
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    size = np.bincount(bin_of, minlength=bins)
    total_confidence = np.bincount(bin_of, weights=confidence, minlength=bins)
    total_correct = np.bincount(bin_of, weights=correct.astype(np.float64), minlength=bins)
    return float(np.abs(total_confidence - total_correct)[size > 0].sum() / max(len(confidence), 1))


def share_at_precision(
    confidence: Floats, correct: NDArray[np.bool_], precision: float
) -> tuple[float, float]:
    """Largest share that can be decided at `precision`, and its lowest confidence.

    (0, 1.0) when no threshold reaches it. Ties in confidence are taken together.
    """
    order = np.argsort(-confidence, kind="stable")
    hits = np.cumsum(correct[order]) / np.arange(1, len(order) + 1)
    last_of_tie = np.append(np.diff(confidence[order]) != 0, True)
    good = np.flatnonzero((hits >= precision) & last_of_tie)
    if not len(good):
        return 0.0, 1.0
    return (int(good[-1]) + 1) / len(order), float(confidence[order][good[-1]])
