"""Fitting of `nlp.calibrate.Calibration` and `nlp.blend.Blend`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from ..blend import LEAST_PROBABILITY, Blend, pooled_margins
from ..calibrate import Calibration, Floats, log_sigmoid, log_softmax, softmax

Ints: TypeAlias = NDArray[np.int64]


def fit_calibration(
    margins: Floats, labels: Ints, *, shift_penalty: float = 2.0, power_penalty: float = 20.0
) -> Calibration:
    """Least negative log likelihood on held-out margins (N, K) with labels (N,).

    `shift_penalty` pulls the shifts of classes with few rows towards zero, `power_penalty` the
    power towards one.
    """
    n, k = margins.shape
    rows = np.arange(n)
    target = np.eye(k)[labels]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        scale, power = np.exp(parameters[0]), np.exp(parameters[2])
        inner = scale * margins + parameters[1]
        sigmoid = log_sigmoid(inner)
        p = softmax(power * sigmoid + parameters[3:])
        slope = p - target
        slope_inner = slope * power * np.exp(log_sigmoid(-inner))
        value = -np.log(np.maximum(p[rows, labels], 1e-300)).sum()
        value += shift_penalty * (parameters[3:] ** 2).sum() + power_penalty * parameters[2] ** 2
        gradient = np.concatenate(
            [
                [scale * (slope_inner * margins).sum()],
                [slope_inner.sum()],
                [power * (slope * sigmoid).sum() + 2 * power_penalty * parameters[2]],
                slope.sum(axis=0) + 2 * shift_penalty * parameters[3:],
            ]
        )
        return float(value), gradient

    start = np.zeros(k + 3)
    start[:2] = (2.0, 1.0)
    # Rows that the margins separate perfectly would drive the scale to infinity.
    bounds = [(-3.0, 4.0), (-20.0, 20.0), (-3.0, 3.0), *[(-20.0, 20.0)] * k]
    best = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500}
    ).x
    return Calibration(
        scale=float(np.exp(best[0])),
        offset=float(best[1]),
        power=float(np.exp(best[2])),
        shift=tuple(float(value) for value in best[3:]),
    )


# The likelihood is flat round its best share: this accuracy is far below its own uncertainty.
SHARE_ACCURACY = 0.01


@dataclass(frozen=True, slots=True)
class BlendFit:
    """`linear` calibrates the linear model's margins, `blend` pools them with the encoder."""

    linear: Calibration
    blend: Blend

    def probabilities(self, margins: Floats, logits: Floats) -> Floats:
        """Linear margins (N, K) and encoder logits (N, K) → probabilities (N, K)."""
        return self.blend.probabilities(self.linear.probabilities(margins), logits)


def fit_blend(margins: Floats, logits: Floats, labels: Ints) -> BlendFit:
    """Least negative log likelihood on out-of-fold margins (N, K) and logits (N, K).

    The encoder's share is searched for, the calibration fitted anew for every share tried.
    """
    linear = fit_calibration(margins, labels)
    said = np.log(np.maximum(linear.probabilities(margins), LEAST_PROBABILITY))
    encoder = log_softmax(logits.astype(np.float64))

    def fitted(share: float) -> Calibration:
        return fit_calibration(pooled_margins(said, encoder, share), labels)

    def loss(share: float) -> float:
        p = fitted(share).probabilities(pooled_margins(said, encoder, share))
        return float(-np.log(np.maximum(p[np.arange(len(labels)), labels], 1e-300)).mean())

    found = minimize_scalar(
        loss, bounds=(0.0, 1.0), method="bounded", options={"xatol": SHARE_ACCURACY}
    )
    share = round(float(found.x), 4)
    return BlendFit(linear, Blend(share, fitted(share)))


def cross_blended(
    margins: Floats, logits: Floats, labels: Ints, groups: Ints, *, parts: int = 5
) -> Floats:
    """Probabilities (N, K) whose blend was fitted on the other parts of the rows.

    Near duplicates (equal `groups`) stand in one part.
    """
    part_of = groups % parts
    probabilities = np.zeros(margins.shape)
    for part in range(parts):
        inside = part_of == part
        fit = fit_blend(margins[~inside], logits[~inside], labels[~inside])
        probabilities[inside] = fit.probabilities(margins[inside], logits[inside])
    return probabilities
