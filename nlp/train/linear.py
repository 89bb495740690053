"""The linear classifier: vocabulary and one-against-all support vector machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.svm import LinearSVC

from ..features import FeatureText, Vocabulary, encode, occurrences

CHUNK_TEXTS = 1000


@dataclass(frozen=True, slots=True)
class LinearHead:
    """`margins = X · weights + bias`; weights (V, K), bias (K,), columns in `labels` order."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def margins(self, rows: sparse.csr_matrix) -> NDArray[np.float64]:
        return np.asarray(rows @ self.weights.astype(np.float64) + self.bias, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class DocumentCounts:
    """How many of `n_texts` texts hold each feature: sorted keys (M,) and counts (M,)."""

    keys: NDArray[np.uint64]
    counts: NDArray[np.int64]
    n_texts: int

    def merged(self, other: DocumentCounts) -> DocumentCounts:
        """Counts over both collections."""
        keys, where = np.unique(np.concatenate([self.keys, other.keys]), return_inverse=True)
        counts = np.bincount(where, weights=np.concatenate([self.counts, other.counts]))
        return DocumentCounts(keys, counts.astype(np.int64), self.n_texts + other.n_texts)


def document_counts(texts: Sequence[FeatureText], sounds: NDArray[np.uint16]) -> DocumentCounts:
    """Count texts, not occurrences."""
    total = DocumentCounts(np.zeros(0, np.uint64), np.zeros(0, np.int64), 0)
    for start in range(0, len(texts), CHUNK_TEXTS):
        chunk = texts[start : start + CHUNK_TEXTS]
        found = occurrences(chunk, sounds)
        order = np.lexsort((found.doc, found.keys))
        k, d = found.keys[order], found.doc[order]
        fresh = np.ones(len(k), bool)
        fresh[1:] = (k[1:] != k[:-1]) | (d[1:] != d[:-1])
        keys, counts = np.unique(k[fresh], return_counts=True)
        total = total.merged(DocumentCounts(keys, counts.astype(np.int64), len(chunk)))
    return total


def build_vocabulary(
    counts: DocumentCounts, sounds: NDArray[np.uint16], *, max_features: int
) -> Vocabulary:
    """The features that the most texts have, at most `max_features` and each in three or more."""
    floor = 3
    while (counts.counts >= floor).sum() > max_features:
        floor += 1
    keep = counts.counts >= floor
    idf = np.log((1 + counts.n_texts) / (1 + counts.counts[keep])) + 1.0
    return Vocabulary(counts.keys[keep], idf.astype(np.float32), sounds)


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
