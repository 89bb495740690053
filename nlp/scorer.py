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
    FeatureRows,
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
class Scored:
    """Results of N texts, in order.

    `department` (N, K) and `category` (N, C) margins; `known_share` (N,) is the share of each
    text's two-character words in the vocabulary; `rarity` has for each text (4, T) the negative
    log of the share of texts that hold the run of 1 to 4 characters beginning there, infinite for
    unknown runs.
    """

    department: Floats
    category: Floats
    known_share: NDArray[np.float64]
    rarity: tuple[Floats, ...]
    _parts: tuple[_Part, ...]

    def support(self, contrasts: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """What each character adds to a weighted sum of the department margins, (T,) a text.

        Args:
            contrasts: weights of the departments for each text (N, K).

        Every n-gram's share is spread evenly over its occurrences and their characters, so the
        values of a text add up to its weighted margins less the biases.
        """
        found: list[NDArray[np.float64]] = [np.zeros(0)] * len(self.rarity)
        for part in self._parts:
            for at, values in zip(part.rows, part.support(contrasts[part.rows]), strict=True):
                found[at] = values
        return found


@dataclass(frozen=True, slots=True)
class _Part:
    """One padded batch: its texts' positions, and where every feature of it occurs."""

    rows: list[int]
    bases: NDArray[np.int64]
    contributions: Floats
    row_of_cell: NDArray[np.int64]
    cell: NDArray[np.int64]
    share: NDArray[np.float64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]

    def support(self, contrasts: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        by_cell = np.einsum("ck,ck->c", self.contributions, contrasts[self.row_of_cell])
        each = by_cell[self.cell] * self.share
        # A share spreads over [start, end): add at the start, take away at the end.
        n = int(self.bases[-1])
        begins = np.bincount(self.start, weights=each, minlength=n + 1)
        ends = np.bincount(self.end, weights=each, minlength=n + 1)
        per_char = np.cumsum((begins - ends).astype(np.float64))[:n]
        return [per_char[begin:end] for begin, end in pairwise(self.bases.tolist())]


class LinearScorer:
    """Character and sound n-grams under linear heads, run by ONNX Runtime."""

    def __init__(
        self, artifact: Artifact, *, backend: Backend = "onnxruntime", threads: int = 1
    ) -> None:
        self._vocabulary = Vocabulary.load(artifact.file(VOCABULARY_FILE))
        self._session = open_session(artifact.model_path, backend=backend, threads=threads)

    def score(self, texts: Sequence[FeatureText]) -> Scored:
        """Score one or more texts; batches are formed by length."""
        chunks = list(_chunks([len(text.chars) for text in texts]))
        done = [self._score_chunk(chunk, [texts[at] for at in chunk]) for chunk in chunks]
        order = np.argsort(np.concatenate([np.array(chunk) for chunk in chunks]))
        rarity = [values for scored in done for values in scored.rarity]
        return Scored(
            department=np.concatenate([scored.department for scored in done])[order],
            category=np.concatenate([scored.category for scored in done])[order],
            known_share=np.concatenate([scored.known_share for scored in done])[order],
            rarity=tuple(rarity[at] for at in order.tolist()),
            _parts=tuple(part for scored in done for part in scored._parts),
        )

    def _score_chunk(self, rows: list[int], texts: Sequence[FeatureText]) -> Scored:
        found = occurrences(texts, self._vocabulary.sounds)
        ids = self._vocabulary.lookup(found.keys)
        encoded = encode(found, ids, len(texts), self._vocabulary)
        length = np.diff(encoded.indptr)
        width = max(int(length.max(initial=0)), 1)
        filled = np.arange(width) < length[:, None]
        padded_ids = np.zeros((len(texts), width), np.int64)
        padded_values = np.zeros((len(texts), width), np.float32)
        padded_ids[filled] = encoded.ids
        padded_values[filled] = encoded.values
        out = self._session.run({"ids": padded_ids, "values": padded_values})
        return Scored(
            department=out["department"],
            category=out["category"],
            known_share=_known_share(found, ids, len(texts)),
            rarity=_rarity(found, ids, self._vocabulary.idf, texts),
            _parts=(_part(rows, texts, found, ids, encoded, out["contributions"][filled]),),
        )


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
) -> tuple[Floats, ...]:
    """How rare the character runs of each length are at each position, (4, T) a text."""
    bases = _bases(texts)
    rarity = np.full((len(CHAR_ORDERS), int(bases[-1])), np.inf, np.float32)
    rows = np.flatnonzero((found.keys < SOUND_MARK) & (ids >= 0))
    rarity[found.size[rows] - 1, bases[found.doc[rows]] + found.pos[rows]] = idf[ids[rows]] - 1.0
    return tuple(rarity[:, begin:end] for begin, end in pairwise(bases.tolist()))


def _bases(texts: Sequence[FeatureText]) -> NDArray[np.int64]:
    """Where each text begins when all are laid end to end, and where the last ends (N + 1,)."""
    return np.concatenate([[0], np.cumsum([len(text.chars) for text in texts])]).astype(np.int64)


def _part(
    rows: list[int],
    texts: Sequence[FeatureText],
    found: Occurrences,
    ids: NDArray[np.int64],
    encoded: FeatureRows,
    contributions: Floats,
) -> _Part:
    """Link every known occurrence to its cell of the sparse rows."""
    known = np.flatnonzero(ids >= 0)
    width = int(ids.max(initial=0)) + 1
    doc = found.doc[known].astype(np.int64)
    row_of_cell = np.repeat(np.arange(len(texts)), np.diff(encoded.indptr))
    cell = np.searchsorted(row_of_cell * width + encoded.ids, doc * width + ids[known])
    weight = found.weight[known].astype(np.float64)
    total = np.bincount(cell, weights=weight, minlength=len(row_of_cell))
    size = found.size[known].astype(np.int64)
    bases = _bases(texts)
    start = bases[doc] + found.pos[known]
    return _Part(
        rows=rows,
        bases=bases,
        contributions=contributions,
        row_of_cell=row_of_cell,
        cell=cell,
        share=weight / total[cell] / size,
        start=start,
        end=start + size,
    )
