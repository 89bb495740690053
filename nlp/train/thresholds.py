"""From which probability a department's calls may go out without a clerk.

Thresholds are set on out-of-fold answers, which travel with the artefact (`tuning.npz`: numbers
only, no text and no ids), so that a city can set them anew without retraining.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ...config.errors import ModelError
from ..decision import NEVER, OUT_OF_SCOPE

TUNING_FILE = "tuning.npz"
MIN_ROWS = 20
# A department's own precision may lie this far below the wanted one while all together reach it;
# its estimate is drawn towards the wanted one by so many imagined answers.
SLACK = 0.02
PRIOR_ROWS = 20
# Floors tried: so many quantiles of the confidence.
FLOORS = 400

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TuningRows:
    """Out-of-fold answers to N messages.

    `probabilities` (N, K) calibrated, `labels` (N,) and `seconds` (N,; −1: no assisting
    department) index into the artefact's labels.
    """

    probabilities: Floats
    labels: Ints
    seconds: Ints

    def take(self, rows: NDArray[np.bool_] | Ints) -> TuningRows:
        """The same for some rows."""
        return TuningRows(self.probabilities[rows], self.labels[rows], self.seconds[rows])

    def save(self, path: Path) -> None:
        """Write half-precision probabilities and small integers; sorted, so that the rows' order
        tells nothing of the messages."""
        order = np.lexsort((self.probabilities.max(axis=1), self.labels))
        np.savez_compressed(
            path,
            probabilities=self.probabilities[order].astype(np.float16),
            labels=self.labels[order].astype(np.int16),
            seconds=self.seconds[order].astype(np.int16),
        )

    @staticmethod
    def load(path: Path, n_labels: int) -> TuningRows:
        """Read what `save` wrote.

        Raises:
            ModelError: unreadable, or arrays that do not fit together or to the labels.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                found = TuningRows(
                    arrays["probabilities"].astype(np.float64),
                    arrays["labels"].astype(np.int64),
                    arrays["seconds"].astype(np.int64),
                )
        except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
            raise ModelError(f"{path}: not a tuning file: {error}") from None
        n = len(found.labels)
        if found.probabilities.shape != (n, n_labels) or found.seconds.shape != (n,) or not n:
            raise ModelError(f"{path}: {found.probabilities.shape} answers of {n_labels} labels")
        return found


def auto_thresholds(
    probabilities: Floats,
    labels: Ints,
    order: Sequence[str],
    *,
    precision: float,
    min_gap: float = 0.0,
    never: Sequence[str] = (OUT_OF_SCOPE,),
) -> dict[str, float]:
    """Thresholds of the labels under which most answers go out while `precision` holds overall.

    All share one floor; a label whose own answers are worse than `precision` less 0.02 above it
    starts higher. A label is left out (never dispatched automatically) when fewer than 20 answers
    back its threshold, or when it is in `never`. Answers closer than `min_gap` never count.
    """
    first = probabilities.argmax(axis=1)
    two = np.sort(probabilities, axis=1)[:, -2:]
    confidence = np.where(two[:, 1] - two[:, 0] >= min_gap, two[:, 1], -1.0)
    correct = first == labels
    own = np.array(
        [
            NEVER
            if label in never
            else _own_threshold(confidence[first == at], correct[first == at], precision - SLACK)
            for at, label in enumerate(order)
        ]
    )
    floors = np.unique(np.quantile(confidence[confidence >= 0], np.linspace(0, 1, FLOORS)))
    for floor in floors.tolist() if (confidence >= 0).any() else []:
        found = _with_floor(confidence, first, own, floor)
        goes = confidence >= found[first]
        if goes.any() and correct[goes].mean() >= precision:
            # Rounded up: a threshold that is shown and stored must not let more through.
            return {
                label: float(np.ceil(found[at] * 1e4) / 1e4)
                for at, label in enumerate(order)
                if found[at] <= 1
            }
    return {}


def _own_threshold(confidence: Floats, correct: NDArray[np.bool_], wanted: float) -> float:
    """Lowest confidence from which the shrunk precision reaches `wanted`; `NEVER` for none."""
    order = np.argsort(-confidence, kind="stable")
    n = np.arange(1, len(order) + 1)
    shrunk = (np.cumsum(correct[order]) + PRIOR_ROWS * wanted) / (n + PRIOR_ROWS)
    good = np.flatnonzero((shrunk >= wanted) & (confidence[order] >= 0))
    return float(confidence[order][good[-1]]) if len(good) else NEVER


def _with_floor(confidence: Floats, first: Ints, own: Floats, floor: float) -> Floats:
    found = np.maximum(own, floor)
    backing = np.bincount(first[confidence >= found[first]], minlength=len(own))
    return np.where(backing >= MIN_ROWS, found, NEVER)


def assisting_threshold(rows: TuningRows, *, precision: float = 0.5) -> float:
    """The probability of the second-ranked label from which it is proposed as the assisting
    department: the lowest at which so many proposals are `involved`; `NEVER` for none."""
    value = np.sort(rows.probabilities, axis=1)[:, -2]
    order = np.argsort(-value, kind="stable")
    hits = np.cumsum(involved(rows)[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(hits >= precision)
    return round(float(value[order][good[-1]]), 4) if len(good) else NEVER


def involved(rows: TuningRows) -> NDArray[np.bool_]:
    """Whether the reader named the second-ranked label at all: as assisting, or as the lead that
    the model put second (N,)."""
    second = np.argsort(-rows.probabilities, axis=1)[:, 1]
    return np.asarray((second == rows.seconds) | (second == rows.labels))


@dataclass(frozen=True, slots=True)
class Share:
    """Of `n` answers, those that go out without a clerk, and how many of them are right."""

    n: int
    sent: int
    right: int

    @property
    def share(self) -> float:
        return self.sent / max(self.n, 1)

    @property
    def precision(self) -> float | None:
        return self.right / self.sent if self.sent else None


def shares(
    rows: TuningRows, order: Sequence[str], thresholds: dict[str, float], *, min_gap: float = 0.0
) -> tuple[Share, dict[str, Share]]:
    """What these thresholds send out: over all rows, and by the first label."""
    first = rows.probabilities.argmax(axis=1)
    two = np.sort(rows.probabilities, axis=1)[:, -2:]
    limit = np.array([thresholds.get(label, NEVER) for label in order])[first]
    sent = (two[:, 1] >= limit) & (two[:, 1] - two[:, 0] >= min_gap)
    right = sent & (first == rows.labels)

    def count(inside: NDArray[np.bool_]) -> Share:
        return Share(int(inside.sum()), int(sent[inside].sum()), int(right[inside].sum()))

    table = {label: count(first == at) for at, label in enumerate(order)}
    return count(np.ones(len(first), bool)), table


def cross_checked(
    rows: TuningRows,
    order: Sequence[str],
    *,
    precision: float,
    min_gap: float = 0.0,
    halvings: int = 20,
    seed: int = 1,
) -> Share:
    """The honest form of `shares`: thresholds from one random half, applied to the other."""
    rng = np.random.default_rng(seed)
    n = sent = right = 0
    for _ in range(halvings):
        inside = rng.permutation(len(rows.labels)) < len(rows.labels) // 2
        half = rows.take(inside)
        thresholds = auto_thresholds(
            half.probabilities, half.labels, order, precision=precision, min_gap=min_gap
        )
        found, _ = shares(rows.take(~inside), order, thresholds, min_gap=min_gap)
        n, sent, right = n + found.n, sent + found.sent, right + found.right
    return Share(n, sent, right)
