"""The linear classifier: one-against-all support vector machines over the feature rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.svm import LinearSVC

from ..features import FeatureText, Vocabulary, encode, occurrences
from .vocabulary import CHUNK_TEXTS


@dataclass(frozen=True, slots=True)
class LinearHead:
    """`margins = X · weights + bias`; weights (V, K), bias (K,), columns in `labels` order."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def margins(self, rows: sparse.csr_matrix) -> NDArray[np.float64]:
        return np.asarray(rows @ self.weights.astype(np.float64) + self.bias, dtype=np.float64)


def feature_matrix(texts: Sequence[FeatureText], vocabulary: Vocabulary) -> sparse.csr_matrix:
    """Rows (N, V) exactly as the router computes them."""
    parts = []
    for start in range(0, len(texts), CHUNK_TEXTS):
        chunk = texts[start : start + CHUNK_TEXTS]
        found = occurrences(chunk, vocabulary.sounds)
        rows = encode(found, vocabulary.lookup(found.keys), len(chunk), vocabulary)
        shape = (len(chunk), len(vocabulary.keys))
        parts.append(sparse.csr_matrix((rows.values, rows.ids, rows.indptr), shape=shape))
    return sparse.vstack(parts).tocsr()


def fit_head(
    rows: sparse.csr_matrix,
    labels: Sequence[str],
    *,
    order: Sequence[str],
    weights: NDArray[np.float64],
    cost: float,
    seed: int,
) -> LinearHead:
    """Fit one support vector machine a label, rare labels weighted up to balance.

    Args:
        order: all labels in output order; a label without rows gets a margin of −2 everywhere.
        weights: how much each row counts (N,).
    """
    given = np.array(labels)
    present = np.unique(given)
    model = LinearSVC(C=cost, class_weight="balanced", random_state=seed, max_iter=3000)
    model.fit(rows, given, sample_weight=weights)
    matrix = np.zeros((rows.shape[1], len(order)), np.float32)
    bias = np.full(len(order), -2.0, np.float32)
    for at, label in enumerate(model.classes_):
        column = list(order).index(str(label))
        matrix[:, column] = model.coef_[at]
        bias[column] = model.intercept_[at]
    if len(present) < 3:
        raise ValueError("a head needs rows of at least three labels")
    return LinearHead(tuple(order), matrix, bias)
