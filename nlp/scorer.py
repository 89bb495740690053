"""The router's model: prepared texts in, margins and per-feature contributions out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..models.registry import Artifact
from ..models.runtimes import Backend, open_session
from .features import (
    CHAR_ORDERS,
    SOUND_MARK,
    FeatureText,
    Occurrences,
    Vocabulary,
    encode,
    occurrences,
)

VOCABULARY_FILE = "vocabulary.npz"
# Cells of one padded batch: bounds memory however long the calls are.
MAX_CELLS = 60_000

Floats: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Scores:
    """One text's result.

    `department` (K,) and `category` (C,) margins; `char_contribution` (T, K) is what each
    character of the feature text adds to each department's margin (exact: the columns sum to
    margin − bias); `rarity` (4, T) is the negative log of the share of texts that hold the run of
    1 to 4 characters beginning there, NaN for unknown runs; `known_share` is the share of its
    two-character words in the vocabulary.
    """

    department: Floats
    category: Floats
    char_contribution: Floats
    rarity: Floats
    known_share: float


class LinearScorer:
    """Character and sound n-grams under linear heads, run by ONNX Runtime."""

    def __init__(
        self, artifact: Artifact, *, backend: Backend = "onnxruntime", threads: int = 1
    ) -> None:
        self._vocabulary = Vocabulary.load(artifact.file(VOCABULARY_FILE))
        self._session = open_session(artifact.model_path, backend=backend, threads=threads)

    def score(self, texts: Sequence[FeatureText]) -> list[Scores]:
        """Score texts in their order; batches are formed by length."""
        results: list[Scores | None] = [None] * len(texts)
        for chunk in _chunks([len(text.chars) for text in texts]):
            scored = self._score_chunk([texts[at] for at in chunk])
            for at, scores in zip(chunk, scored, strict=True):
                results[at] = scores
        return [scores for scores in results if scores is not None]

    def _score_chunk(self, texts: Sequence[FeatureText]) -> list[Scores]:
        found = occurrences(texts, self._vocabulary.sounds)
        ids = self._vocabulary.lookup(found.keys)
        rows = encode(found, ids, len(texts), self._vocabulary)
        length = np.diff(rows.indptr)
        width = max(int(length.max(initial=0)), 1)
        filled = np.arange(width) < length[:, None]
        padded_ids = np.zeros((len(texts), width), np.int64)
        padded_values = np.zeros((len(texts), width), np.float32)
        padded_ids[filled] = rows.ids
        padded_values[filled] = rows.values
        out = self._session.run({"ids": padded_ids, "values": padded_values})
        contributions = out["contributions"][filled]
        per_char = _spread(found, ids, rows.indptr, rows.ids, contributions, texts)
        rarity = _rarity(found, ids, self._vocabulary.idf, texts)
        known = _known_share(found, ids, len(texts))
        return [
            Scores(
                department=out["department"][at],
                category=out["category"][at],
                char_contribution=per_char[at],
                rarity=rarity[at],
                known_share=float(known[at]),
            )
            for at in range(len(texts))
        ]


def _chunks(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Positions grouped by similar length, each group within `MAX_CELLS` (or a single text).

    A text of n characters has at most about 6n features; three times n is usual.
    """
    chunk: list[int] = []
    for at in sorted(range(len(lengths)), key=lambda position: lengths[position]):
        if chunk and (len(chunk) + 1) * lengths[at] * 3 > MAX_CELLS:
            yield chunk
            chunk = []
        chunk.append(at)
    if chunk:
        yield chunk


def _known_share(found: Occurrences, ids: NDArray[np.int64], n_docs: int) -> NDArray[np.float64]:
    """Share of two-character runs that the vocabulary holds (N,)."""
    pairs = (found.size == 2) & (found.keys < SOUND_MARK)
    total = np.bincount(found.doc[pairs], minlength=n_docs)
    known = np.bincount(found.doc[pairs & (ids >= 0)], minlength=n_docs)
    return np.asarray(known / np.maximum(total, 1))


def _rarity(
    found: Occurrences, ids: NDArray[np.int64], idf: Floats, texts: Sequence[FeatureText]
) -> list[Floats]:
    """How rare the character runs of each length are at each position, (4, T) a text."""
    bases = _bases(texts)
    rarity = np.full((len(CHAR_ORDERS), int(bases[-1])), np.nan, np.float32)
    rows = np.flatnonzero((found.keys < SOUND_MARK) & (ids >= 0))
    rarity[found.size[rows] - 1, bases[found.doc[rows]] + found.pos[rows]] = idf[ids[rows]] - 1.0
    return [rarity[:, begin:end] for begin, end in pairwise(bases.tolist())]


def _bases(texts: Sequence[FeatureText]) -> NDArray[np.int64]:
    """Where each text begins when all are laid end to end, and where the last ends (N + 1,)."""
    return np.concatenate([[0], np.cumsum([len(text.chars) for text in texts])]).astype(np.int64)


def _spread(
    found: Occurrences,
    ids: NDArray[np.int64],
    indptr: NDArray[np.int64],
    row_ids: NDArray[np.int64],
    contributions: Floats,
    texts: Sequence[FeatureText],
) -> list[Floats]:
    """Share every feature's contribution among its occurrences and their characters.

    Args:
        contributions: (cells, K), one row for each cell of the sparse rows.
    """
    known = np.flatnonzero(ids >= 0)
    width = int(ids.max(initial=0)) + 1
    doc = found.doc[known].astype(np.int64)
    cell_keys = np.repeat(np.arange(len(texts)), np.diff(indptr)) * width + row_ids
    cell = np.searchsorted(cell_keys, doc * width + ids[known])
    weight = found.weight[known].astype(np.float64)
    total = np.bincount(cell, weights=weight, minlength=len(cell_keys))
    size = found.size[known].astype(np.int64)
    share = (weight / total[cell] / size)[:, None] * contributions[cell]
    bases = _bases(texts)
    start = bases[doc] + found.pos[known]
    # A contribution spreads over [start, start + size): add at the start, take away at the end.
    n = int(bases[-1])
    steps = np.zeros((n + 1, contributions.shape[1] if contributions.ndim == 2 else 0))
    np.add.at(steps, start, share)
    np.subtract.at(steps, start + size, share)
    per_char = np.cumsum(steps, axis=0)[:n].astype(np.float32)
    return [per_char[begin:end] for begin, end in pairwise(bases.tolist())]
