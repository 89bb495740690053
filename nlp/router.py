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
from .departments import Department, Departments, check_covers, load_departments
from .duties import duty_line
from .evidence import evidence_words
from .prepare import PreparedText, prepare
from .scorer import LinearScorer, Scores
from .suggestion import RankedDepartment, Suggestion
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
        scores = self._scorer.score([text.features for text in prepared])
        if not scores:
            return []
        margins = np.stack([score.department for score in scores])
        label_p = self._department_calibration.probabilities(margins)
        department_p = np.stack([label_p[:, at].sum(axis=1) for at in self._members], axis=1)
        category_p = self._category_calibration.probabilities(
            np.stack([score.category for score in scores])
        )
        return [
            self._suggest(transcript, text, score, p_label, p_department, p_category)
            for transcript, text, score, p_label, p_department, p_category in zip(
                transcripts, prepared, scores, label_p, department_p, category_p, strict=True
            )
        ]

    def _suggest(
        self,
        transcript: Transcript,
        text: PreparedText,
        score: Scores,
        label_p: NDArray[np.float64],
        department_p: NDArray[np.float64],
        category_p: NDArray[np.float64],
    ) -> Suggestion:
        order = np.argsort(-department_p, kind="stable")
        ranked = tuple(self._ranked(int(at), float(department_p[at])) for at in order)
        decision = decide(text, score.known_share, ranked, self.departments, self._thresholds)
        support = score.char_contribution @ _contrast(label_p, self._members[int(order[0])])
        evidence = (
            () if decision.rule in _NOTHING_READ else evidence_words(text, support, score.rarity)
        )
        best_category = int(np.argmax(category_p))
        return Suggestion(
            id=transcript.id,
            departments=ranked,
            decision=decision,
            evidence=evidence,
            duty=duty_line(
                self._desk(int(order[0])), [item.text for item in evidence], text.reading.text
            ),
            category=self._categories[best_category],
            category_probability=round(float(category_p[best_category]), 4),
            masked_text=text.masked_text,
            masked_title=text.masked_title,
            personal_data=tuple(dict.fromkeys(span.kind for span in text.personal)),
            model=self.ref,
        )

    def _desk(self, at: int) -> Department:
        return self.departments.departments[at]

    def _ranked(self, at: int, probability: float) -> RankedDepartment:
        desk = self._desk(at)
        return RankedDepartment(desk.code, desk.name, round(probability, 4))


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
