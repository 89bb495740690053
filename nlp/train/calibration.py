"""Fitting of `nlp.calibrate.Calibration`."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ..calibrate import Calibration, Floats, log_sigmoid, softmax

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
