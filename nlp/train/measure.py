"""Blending, calibration and figures out of out-of-fold answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..blend import Blend
from ..calibrate import Calibration
from .calibration import cross_blended, fit_blend, fit_calibration
from .crossval import cross_calibrated, ranking_metrics

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class HeadAnswers:
    """Out-of-fold answers of one head to N rows.

    `linear` margins (N, K) of each form, `encoder` logits (N, K) of each form or none; `read`
    (N,) marks the rows that every model read; `labels` (N,); `groups` (N,) of near duplicates;
    `open` (N,) marks rows that the shipped model may learn from.
    """

    linear: Mapping[str, Floats]
    encoder: Mapping[str, Floats] | None
    labels: Ints
    groups: Ints
    open: Bools

    @property
    def read(self) -> Bools:
        """Rows that both models read: all of them unless some folds were left out."""
        if self.encoder is None:
            return np.ones(len(self.labels), bool)
        return np.asarray(np.isfinite(self.encoder["written"]).all(axis=1))


@dataclass(frozen=True, slots=True)
class FittedHead:
    """What is shipped of one head's calibration, and how sure the out-of-fold answers were.

    `calibration` is of the linear margins, `blend` of both models (None without encoder);
    `probabilities` (N, K) were calibrated on other rows than they are of; rows that were not read
    hold zeros.
    """

    calibration: Calibration
    blend: Blend | None
    probabilities: Floats

    def answers(self, linear: Floats, encoder: Floats | None) -> Floats:
        """Probabilities (N, K) as the shipped model gives them."""
        p = self.calibration.probabilities(linear)
        if self.blend is None or encoder is None:
            return p
        return self.blend.probabilities(p, encoder)


def fit_answers(found: HeadAnswers) -> FittedHead:
    """Fit on the open rows that were read; cross-fit for the figures on all that were read."""
    read, margins = found.read, found.linear["written"]
    fit_rows = read & found.open
    labels, groups = found.labels, found.groups
    probabilities = np.zeros(margins.shape)
    if found.encoder is None:
        calibration = fit_calibration(margins[fit_rows], labels[fit_rows])
        probabilities[read] = cross_calibrated(margins[read], labels[read], groups[read])
        return FittedHead(calibration, None, probabilities)
    logits = found.encoder["written"]
    fit = fit_blend(margins[fit_rows], logits[fit_rows], labels[fit_rows])
    probabilities[read] = cross_blended(margins[read], logits[read], labels[read], groups[read])
    return FittedHead(fit.linear, fit.blend, probabilities)


def form_figures(found: HeadAnswers, fitted: FittedHead, form: str) -> dict[str, float]:
    """Figures of a form that nothing was fitted on."""
    read = found.read
    encoder = found.encoder[form][read] if found.encoder is not None else None
    p = fitted.answers(found.linear[form][read], encoder)
    return ranking_metrics(p, found.labels[read])


def written_figures(
    found: HeadAnswers, fitted: FittedHead, rows: Bools | None = None
) -> dict[str, float]:
    """Figures of the written form, cross-fitted; of some rows only, if given."""
    chosen = found.read if rows is None else found.read & rows
    return ranking_metrics(fitted.probabilities[chosen], found.labels[chosen])


def single_figures(found: HeadAnswers) -> dict[str, dict[str, float]]:
    """What either model reaches alone on the rows that both read."""
    read, labels, groups = found.read, found.labels, found.groups
    parts = {"linear": found.linear["written"]}
    if found.encoder is not None:
        parts["encoder"] = found.encoder["written"]
    return {
        name: ranking_metrics(
            cross_calibrated(values[read], labels[read], groups[read]), labels[read]
        )
        for name, values in parts.items()
    }


def per_label(found: HeadAnswers, fitted: FittedHead, order: tuple[str, ...]) -> dict[str, Any]:
    """Rows, precision and recall of each label's first answers."""
    read = found.read
    labels, first = found.labels[read], fitted.probabilities[read].argmax(axis=1)
    table: dict[str, Any] = {}
    for at, code in enumerate(order):
        hit = float(((first == at) & (labels == at)).sum())
        table[code] = {
            "n": int((labels == at).sum()),
            "precision": round(hit / max(int((first == at).sum()), 1), 4),
            "recall": round(hit / max(int((labels == at).sum()), 1), 4),
        }
    return table
