"""Fitting of the vector scaling in `nlp.calibrate`."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from ..calibrate import Calibration, Floats, softmax

Ints: TypeAlias = NDArray[np.int64]


def fit_calibration(
    margins: Floats, labels: Ints, *, weights: Floats | None = None, shift_penalty: float = 2.0
) -> Calibration:
    """Least negative log likelihood on held-out margins (N, K), labels (N,) and weights (N,).

    `shift_penalty` pulls the shifts of classes with few rows towards zero.
    """
    n, k = margins.shape
    given = np.ones(n) if weights is None else weights
    target = np.eye(k)[labels] * given[:, None]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        scale, shift = np.exp(parameters[0]), parameters[1:]
        p = softmax(scale * margins + shift)
        nll = -(given * np.log(np.maximum(p[np.arange(n), labels], 1e-300))).sum()
        slope = p * given[:, None] - target
        gradient = np.concatenate([[scale * (slope * margins).sum()], slope.sum(axis=0)])
        gradient[1:] += 2 * shift_penalty * shift
        return float(nll + shift_penalty * (shift**2).sum()), gradient

    start = np.zeros(k + 1)
    start[0] = np.log(3.0)
    best = minimize(loss, start, jac=True, method="L-BFGS-B").x
    return Calibration(float(np.exp(best[0])), tuple(float(value) for value in best[1:]))
