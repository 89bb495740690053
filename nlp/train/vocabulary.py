"""Which n-grams enter the vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..features import FeatureText, Vocabulary, occurrences

CHUNK_TEXTS = 1000


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
