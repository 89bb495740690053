"""The models of one artefact as one: prepared texts in, calibrated probabilities out.

An artefact has the linear model, and mostly the encoder; then their answers are blended.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..config.errors import ModelError
from ..models.registry import Artifact
from ..models.runtimes import Backend
from .blend import Blend
from .calibrate import Calibration
from .encoder import ENCODER_FILE, Encoded, TextReader
from .prepare import PreparedText
from .scope import energy
from .scorer import LinearScorer, Scored

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranked:
    """Results of N texts, in order.

    `labels` (N, K) and `categories` (N, C) are probabilities; `known_share` (N,) is the share of
    each text's two-character words that the model knows; `familiar` (N,); `embedding` (N, D), None
    without encoder; `unread` (N,) counts characters at the end that the encoder did not read.
    """

    labels: Floats
    categories: Floats
    known_share: Floats
    familiar: NDArray[np.bool_]
    embedding: NDArray[np.float32] | None
    unread: NDArray[np.int64]
    rarity: tuple[NDArray[np.float32], ...]
    _support: _Support

    def support(self, contrasts: Floats) -> list[Floats]:
        """What each character of the feature text adds, (T,) a text; see `LinearScorer`.

        Args:
            contrasts: weights of the labels for each text (N, K).
        """
        return self._support.of(contrasts)


@dataclass(frozen=True, slots=True)
class _Support:
    """What is needed to tell which characters the answer came from."""

    texts: Sequence[PreparedText]
    scored: Scored
    linear: Floats
    calibration: Calibration
    encoded: Encoded | None
    blend: Blend | None

    def of(self, contrasts: Floats) -> list[Floats]:
        if self.encoded is None or self.blend is None:
            return self.scored.support(contrasts)
        by_linear, by_encoder = self.blend.pulls(self.linear, self.encoded.department, contrasts)
        slopes = self.calibration.slopes(self.scored.department)
        ours = self.scored.support(by_linear * slopes)
        theirs = self.encoded.support(by_encoder)
        return [
            mine + _on_features(text, other)
            for text, mine, other in zip(self.texts, ours, theirs, strict=True)
        ]


def _on_features(text: PreparedText, support: Floats) -> Floats:
    """The encoder's support at the characters of the feature text; none at the title's."""
    origin = text.features.origin
    found = np.zeros(len(origin))
    inside = origin >= 0
    found[inside] = support[text.encoder_lead + origin[inside]]
    return found


class Ranker:
    """All models of an artefact. Safe to use from several threads."""

    def __init__(
        self,
        artifact: Artifact,
        *,
        backend: Backend = "onnxruntime",
        threads: int = 1,
        encoder_backend: Backend = "auto",
        encoder_threads: int = 0,
    ) -> None:
        extra = artifact.manifest.extra
        self._department = _calibration(extra, "department")
        self._category = _calibration(extra, "category")
        self._linear = LinearScorer(artifact, backend=backend, threads=threads)
        self._reader: TextReader | None = None
        if any(entry.name == ENCODER_FILE for entry in artifact.manifest.files):
            self._reader = TextReader(artifact, backend=encoder_backend, threads=encoder_threads)
            self._department_blend = Blend.of_manifest(extra, "department")
            self._category_blend = Blend.of_manifest(extra, "category")
            self._least_energy = float(extra.get("scope", {}).get("least_energy", -np.inf))

    def rank(self, texts: Sequence[PreparedText]) -> Ranked:
        """Rank one or more texts."""
        scored = self._linear.score([text.features for text in texts])
        labels = self._department.probabilities(scored.department)
        categories = self._category.probabilities(scored.category)
        if self._reader is None:
            return Ranked(
                labels=labels,
                categories=categories,
                known_share=scored.known_share,
                familiar=np.ones(len(texts), bool),
                embedding=None,
                unread=np.zeros(len(texts), np.int64),
                rarity=scored.rarity,
                _support=_Support(texts, scored, labels, self._department, None, None),
            )
        given = [text.encoder_text for text in texts]
        encoded = self._reader.read(given)
        blend = self._department_blend
        return Ranked(
            labels=blend.probabilities(labels, encoded.department),
            categories=self._category_blend.probabilities(categories, encoded.category),
            known_share=scored.known_share,
            familiar=energy(encoded.department) >= self._least_energy,
            embedding=encoded.embedding,
            unread=np.array([len(text) for text in given]) - encoded.chars_read,
            rarity=scored.rarity,
            _support=_Support(texts, scored, labels, self._department, encoded, blend),
        )


def _calibration(extra: dict[str, Any], head: str) -> Calibration:
    try:
        return Calibration.of_mapping(extra["calibration"][head])
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"manifest: no calibration of the {head} head ({error})") from None
