"""Transcripts in, suggestions out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config.errors import ModelError
from ..models.registry import Artifact, Registry
from ..models.runtimes import Backend
from .calibrate import Calibration
from .decision import decide
from .departments import Departments, check_covers, load_departments
from .duties import duty_line
from .evidence import evidence_words
from .prepare import PreparedText, prepare
from .scorer import LinearScorer
from .suggestion import Decision, Evidence, RankedDepartment, Suggestion
from .transcript import DEFAULT_MAX_CHARS, Transcript, check_transcript


class Router:
    """Ranks a city's departments for calls. Safe to use from several threads."""

    def __init__(
        self,
        artifact: Artifact,
        departments: Departments,
        *,
        max_chars: int = DEFAULT_MAX_CHARS,
        backend: Backend = "onnxruntime",
        threads: int = 1,
        departments_path: Path | str = "departments.yaml",
    ) -> None:
        manifest = artifact.manifest
        if manifest.task != "routing":
            raise ModelError(f"{artifact.folder}: task is {manifest.task!r}, not 'routing'")
        self.ref = artifact.ref
        self.departments = departments
        self.max_chars = max_chars
        self._labels = tuple(label.name for label in manifest.labels)
        check_covers(departments, self._labels, departments_path)
        self._thresholds = manifest.thresholds
        self._categories = tuple(str(name) for name in manifest.extra["categories"])
        self._department_calibration = _calibration(manifest.extra, "department")
        self._category_calibration = _calibration(manifest.extra, "category")
        self._scorer = LinearScorer(artifact, backend=backend, threads=threads)
        self._members = [
            np.array([self._labels.index(label) for label in department.model_labels])
            for department in departments.departments
        ]

    @classmethod
    def open(
        cls,
        registry: Registry,
        name: str = "router",
        departments: Departments | Path | None = None,
        *,
        max_chars: int = DEFAULT_MAX_CHARS,
        backend: Backend = "onnxruntime",
        threads: int = 1,
    ) -> Router:
        """Open a model of the shelf with a city's departments (the shipped ones by default).

        Raises:
            ModelError: no such model, altered files.
            ConfigError: a departments file that is broken or does not fit the model.
        """
        path: Path | str = departments if isinstance(departments, Path) else "departments.yaml"
        if not isinstance(departments, Departments):
            departments = load_departments(departments)
        return cls(
            registry.resolve(name),
            departments,
            max_chars=max_chars,
            backend=backend,
            threads=threads,
            departments_path=path,
        )

    def route(self, transcripts: Sequence[Transcript]) -> list[Suggestion]:
        """One suggestion a transcript, in order.

        Raises:
            TranscriptError: a transcript breaks a limit; check each with `check_transcript` first
                when others of the batch must still be served.
        """
        for transcript in transcripts:
            check_transcript(transcript, max_chars=self.max_chars)
        prepared = [prepare(transcript) for transcript in transcripts]
        if not prepared:
            return []
        scored = self._scorer.score([text.features for text in prepared])
        label_p = self._department_calibration.probabilities(scored.department)
        category_p = self._category_calibration.probabilities(scored.category)
        department_p = np.stack([label_p[:, at].sum(axis=1) for at in self._members], axis=1)
        order = np.argsort(-department_p, axis=1, kind="stable")
        contrasts = [
            _contrast(p, self._members[best]) for p, best in zip(label_p, order[:, 0], strict=True)
        ]
        return [
            self._suggest(
                transcript,
                text,
                decide(text, known_share, ranked, self.departments, self._thresholds),
                ranked,
                evidence_words(text, speaks_for, rarity),
                self._best_category(p),
            )
            for transcript, text, known_share, ranked, speaks_for, rarity, p in zip(
                transcripts,
                prepared,
                scored.known_share.tolist(),
                map(self._ranking, order.tolist(), department_p.tolist()),
                scored.support(np.stack(contrasts)),
                scored.rarity,
                category_p,
                strict=True,
            )
        ]

    def _suggest(
        self,
        transcript: Transcript,
        text: PreparedText,
        decision: Decision,
        ranked: tuple[RankedDepartment, ...],
        evidence: tuple[Evidence, ...],
        category: tuple[str, float],
    ) -> Suggestion:
        if decision.rule in _NOTHING_READ:
            evidence = ()
        first = self.departments.by_code[ranked[0].code]
        return Suggestion(
            id=transcript.id,
            departments=ranked,
            decision=decision,
            evidence=evidence,
            duty=duty_line(first, [item.text for item in evidence], text.reading.text),
            category=category[0],
            category_probability=category[1],
            masked_text=text.masked_text,
            masked_title=text.masked_title,
            personal_data=tuple(dict.fromkeys(span.kind for span in text.personal)),
            model=self.ref,
        )

    def _ranking(
        self, order: Sequence[int], probabilities: Sequence[float]
    ) -> tuple[RankedDepartment, ...]:
        desks = self.departments.departments
        return tuple(
            RankedDepartment(desks[at].code, desks[at].name, round(probabilities[at], 4))
            for at in order
        )

    def _best_category(self, probabilities: NDArray[np.float64]) -> tuple[str, float]:
        best = int(np.argmax(probabilities))
        return self._categories[best], round(float(probabilities[best]), 4)


_NOTHING_READ = frozenset({"no_words", "not_chinese", "too_short", "unknown_words"})


def _contrast(label_p: NDArray[np.float64], members: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weights (K,) of "the first department against what it had to beat".

    The department's labels and its rivals count by their probabilities, so a word that two
    likely departments share is no evidence for either.
    """
    inside = np.zeros(len(label_p), bool)
    inside[members] = True
    own = np.where(inside, label_p, 0.0)
    rivals = np.where(inside, 0.0, label_p)
    return np.asarray(own / max(own.sum(), 1e-12) - rivals / max(rivals.sum(), 1e-12))


def _calibration(extra: dict[str, Any], head: str) -> Calibration:
    try:
        found = extra["calibration"][head]
        scale, offset, power = (float(found[key]) for key in ("scale", "offset", "power"))
        return Calibration(scale, offset, power, tuple(float(v) for v in found["shift"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(f"manifest: no calibration of the {head} head ({error})") from None
