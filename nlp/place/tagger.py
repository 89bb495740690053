"""Texts in, address elements out: ONNX Runtime for the scores, NumPy for the best row of tags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...config.errors import ModelError
from ...models.registry import Artifact, Registry
from ...models.runtimes import Backend, open_session
from .alphabet import Alphabet, padded
from .elements import TAGS, Element, elements_of
from .viterbi import best_rows

ALPHABET_FILE = "alphabet.txt"
STEPS_FILE = "steps.npz"
# Longer texts are read in windows that share this many characters.
OVERLAP = 32
# Characters of one run, padding included: bounds memory however many texts come.
MAX_RUN_CHARS = 8192

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Tagged:
    """Elements of one text, and how sure the model is of each (mean probability of its tags)."""

    elements: tuple[Element, ...]
    sure: tuple[float, ...]


class PlaceTagger:
    """Finds address elements. Safe to use from several threads."""

    def __init__(
        self, artifact: Artifact, *, backend: Backend = "onnxruntime", threads: int = 1
    ) -> None:
        manifest = artifact.manifest
        if manifest.task != "places" or tuple(label.name for label in manifest.labels) != TAGS:
            raise ModelError(f"{artifact.folder}: not a place tagger of this version's tags")
        self.ref = artifact.ref
        self._window = int(manifest.input.get("window", 128))
        self._alphabet = Alphabet(artifact.file(ALPHABET_FILE).read_text(encoding="utf-8"))
        with np.load(artifact.file(STEPS_FILE), allow_pickle=False) as steps:
            self._steps = steps["steps"], steps["starts"], steps["ends"]
        self._session = open_session(artifact.model_path, backend=backend, threads=threads)

    @classmethod
    def open(cls, registry: Registry, name: str = "places", *, threads: int = 1) -> PlaceTagger:
        """Open a model of the shelf.

        Raises:
            ModelError: no such model, altered files, or another kind of model.
        """
        return cls(registry.resolve(name), threads=threads)

    def tag(self, texts: Sequence[str]) -> list[Tagged]:
        """Elements of each text, in order; an empty text has none."""
        found: list[Tagged] = []
        for text, scores in zip(texts, self._scores(texts), strict=True):
            found.append(self._decoded(text, scores) if text else Tagged((), ()))
        return found

    def _decoded(self, text: str, scores: Floats) -> Tagged:
        row = best_rows(scores[None], np.array([len(text)]), *self._steps)[0]
        elements = elements_of(text, [TAGS[tag] for tag in row])
        if not elements:
            return Tagged((), ())
        above = scores - scores.max(axis=1, keepdims=True)
        chosen = above[np.arange(len(text)), row] - np.log(np.exp(above).sum(axis=1))
        likely = np.exp(chosen)
        sure = tuple(round(float(likely[e.start : e.end].mean()), 4) for e in elements)
        return Tagged(tuple(elements), sure)

    def _scores(self, texts: Sequence[str]) -> list[Floats]:
        """Tag scores (T, K) of each text; where windows overlap, each gives its nearer half."""
        whole = [np.zeros((len(text), len(TAGS)), np.float32) for text in texts]
        pieces = [
            (at, start, ids[start : start + self._window])
            for at, ids in enumerate(map(self._alphabet.encode, texts))
            for start in _starts(len(ids), self._window)
        ]
        for batch in _batches(pieces):
            out = self._session.run({"ids": padded([ids for _, _, ids in batch])})["scores"]
            for (at, start, ids), scores in zip(batch, out, strict=True):
                begin = OVERLAP // 2 if start else 0
                ends_text = start + len(ids) == len(whole[at])
                end = len(ids) if ends_text else len(ids) - OVERLAP // 2
                whole[at][start + begin : start + end] = scores[begin:end]
        return whole


def _starts(length: int, window: int) -> list[int]:
    if not length:
        return []
    return [0, *range(window - OVERLAP, max(length - OVERLAP, 1), window - OVERLAP)]


_Piece = tuple[int, int, list[int]]


def _batches(pieces: list[_Piece]) -> Iterator[list[_Piece]]:
    """Windows of about equal length together."""
    batch: list[_Piece] = []
    for piece in sorted(pieces, key=lambda piece: (len(piece[2]), piece[0], piece[1])):
        if batch and (len(batch) + 1) * len(piece[2]) > MAX_RUN_CHARS:
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch
