"""Out-of-fold margins: what the model says of messages it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from ..calibrate import Calibration, expected_calibration_error, share_at_precision
from ..features import FeatureText, Vocabulary
from .calibration import fit_calibration
from .linear import LinearHead, feature_matrix, fit_head


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """Texts with labels, row weights and near-duplicate groups; all of length N."""

    texts: tuple[FeatureText, ...]
    labels: tuple[str, ...]
    weights: NDArray[np.float64]
    groups: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: NDArray[np.int64]) -> LabelledTexts:
        return LabelledTexts(
            tuple(self.texts[at] for at in rows),
            tuple(self.labels[at] for at in rows),
            self.weights[rows],
            self.groups[rows],
        )


VocabularyMaker = Callable[[Sequence[FeatureText]], Vocabulary]


def fold_rows(data: LabelledTexts, *, folds: int, seed: int) -> Iterator[tuple[Any, Any]]:
    """Train and test row numbers; near duplicates never stand on both sides."""
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    yield from splitter.split(np.zeros(len(data)), np.array(data.labels), data.groups)


def out_of_fold_margins(
    data: LabelledTexts,
    twins: LabelledTexts | None,
    extra: LabelledTexts | None,
    make_vocabulary: VocabularyMaker,
    *,
    order: Sequence[str],
    cost: float,
    folds: int,
    seed: int,
    on_fold: Callable[[int], None],
    tested: Sequence[Sequence[FeatureText]] = (),
) -> list[NDArray[np.float64]]:
    """Margins (N, K) of `data`, then of each of `tested`, from models that never saw the group.

    `twins` are other forms of the same rows (row for row): trained on with them. `extra` rows (our
    written examples) are trained on in every fold. `tested` are further forms, row for row, that
    are read and never trained on.
    """
    forms = [data.texts, *tested]
    margins = [np.zeros((len(data), len(order))) for _ in forms]
    for number, (train, test) in enumerate(fold_rows(data, folds=folds, seed=seed)):
        parts = [data.take(train)]
        parts += [twins.take(train)] if twins is not None else []
        parts += [extra] if extra is not None else []
        head, vocabulary = fit_on(parts, make_vocabulary, order=order, cost=cost, seed=seed)
        for texts, found in zip(forms, margins, strict=True):
            rows = feature_matrix([texts[at] for at in test], vocabulary)
            found[test] = head.margins(rows)
        on_fold(number)
    return margins


def fit_on(
    parts: Sequence[LabelledTexts],
    make_vocabulary: VocabularyMaker,
    *,
    order: Sequence[str],
    cost: float,
    seed: int,
) -> tuple[LinearHead, Vocabulary]:
    """One head fitted on all parts, and its vocabulary."""
    texts = [text for part in parts for text in part.texts]
    labels = [label for part in parts for label in part.labels]
    weights = np.concatenate([part.weights for part in parts])
    vocabulary = make_vocabulary(texts)
    rows = feature_matrix(texts, vocabulary)
    head = fit_head(rows, labels, order=order, weights=weights, cost=cost, seed=seed)
    return head, vocabulary


def cross_calibrated(
    margins: NDArray[np.float64],
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    *,
    parts: int = 5,
) -> NDArray[np.float64]:
    """Probabilities (N, K) whose calibration was fitted on the other parts of the rows.

    Measuring calibration on the rows it was fitted on would flatter it.
    """
    part_of = groups % parts
    probabilities = np.zeros_like(margins)
    for part in range(parts):
        inside = part_of == part
        calibration: Calibration = fit_calibration(margins[~inside], labels[~inside])
        probabilities[inside] = calibration.probabilities(margins[inside])
    return probabilities


def ranking_metrics(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64]
) -> dict[str, float]:
    """top1, top3, macro_f1 (over labels that occur), ece (15 bins), auto_share_at_97, n."""
    ranked = np.argsort(-probabilities, axis=1)
    correct = ranked[:, 0] == labels
    confidence = probabilities.max(axis=1)
    scores = []
    for label in np.unique(labels):
        hit = float((correct & (labels == label)).sum())
        size = float((labels == label).sum() + (ranked[:, 0] == label).sum())
        scores.append(2 * hit / size)
    share, _ = share_at_precision(confidence, correct, 0.97)
    figures = {
        "top1": float(correct.mean()),
        "top3": float((ranked[:, :3] == labels[:, None]).any(axis=1).mean()),
        "macro_f1": float(np.mean(scores)),
        "ece": expected_calibration_error(confidence, correct),
        "auto_share_at_97": share,
    }
    return {**{key: round(value, 4) for key, value in figures.items()}, "n": len(labels)}
