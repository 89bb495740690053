"""Texts in, address elements out: ONNX Runtime for the scores, NumPy for the best row of tags."""

from __future__ import annotations

from collections.abc import Sequence
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
        return [self._tagged(text) if text else Tagged((), ()) for text in texts]

    def _tagged(self, text: str) -> Tagged:
        scores = self._scores(self._alphabet.encode(text))
        row = best_rows(scores[None], np.array([len(text)]), *self._steps)[0]
        elements = elements_of(text, [TAGS[tag] for tag in row])
        if not elements:
            return Tagged((), ())
        above = scores - scores.max(axis=1, keepdims=True)
        chosen = above[np.arange(len(text)), row] - np.log(np.exp(above).sum(axis=1))
        likely = np.exp(chosen)
        sure = tuple(round(float(likely[e.start : e.end].mean()), 4) for e in elements)
        return Tagged(tuple(elements), sure)

    def _scores(self, ids: list[int]) -> Floats:
        """Tag scores (T, K); where windows overlap, each gives its nearer half.

        Each window is a run of its own: the model scales its integers by the whole run, and a
        text's answer must not depend on its neighbours.
        """
        whole = np.zeros((len(ids), len(TAGS)), np.float32)
        for start in _starts(len(ids), self._window):
            window = ids[start : start + self._window]
            scores = self._session.run({"ids": padded([window])})["scores"][0]
            begin = OVERLAP // 2 if start else 0
            whole[start + begin : start + len(window)] = scores[begin : len(window)]
        return whole


def _starts(length: int, window: int) -> list[int]:
    if not length:
        return []
    return [0, *range(window - OVERLAP, max(length - OVERLAP, 1), window - OVERLAP)]
