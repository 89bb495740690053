"""Transcripts in, suggestions out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..config.errors import ModelError
from ..models.registry import Artifact, Registry
from ..models.runtimes import Backend
from .decision import DEFAULT_MIN_GAP, NEVER, OUT_OF_SCOPE, Signs, decide
from .departments import Departments, check_covers, load_departments
from .duties import duty_line
from .evidence import evidence_words
from .intent import intent_of
from .prepare import PreparedText, prepare
from .ranker import Ranked, Ranker
from .suggestion import Decision, Evidence, RankedCategory, RankedDepartment, Suggestion
from .transcript import DEFAULT_MAX_CHARS, Admitted, Transcript, admit
from .urgency import urgency_of


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
        encoder_backend: Backend = "auto",
        encoder_threads: int = 0,
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
        tuned = manifest.extra.get("decision", {})
        self._min_gap = float(tuned.get("min_gap", DEFAULT_MIN_GAP))
        self._assisting_from = float(tuned.get("assisting_from", NEVER))
        self.categories = tuple(str(name) for name in manifest.extra["categories"])
        self._ranker = Ranker(
            artifact,
            backend=backend,
            threads=threads,
            encoder_backend=encoder_backend,
            encoder_threads=encoder_threads,
        )
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
        encoder_backend: Backend = "auto",
        encoder_threads: int = 0,
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
            encoder_backend=encoder_backend,
            encoder_threads=encoder_threads,
        )

    def route(self, transcripts: Sequence[Transcript]) -> list[Suggestion]:
        """One suggestion a transcript, in order. Any text gets one: what cannot be read, or not to
        its end, gets the decision `human` and the reason.

        Raises:
            TranscriptError: an id that is too long.
        """
        admitted = [admit(transcript, max_chars=self.max_chars) for transcript in transcripts]
        prepared = [prepare(one.transcript) for one in admitted]
        if not prepared:
            return []
        ranked = self._ranker.rank(prepared)
        department_p = np.stack([ranked.labels[:, at].sum(axis=1) for at in self._members], axis=1)
        order = np.argsort(-department_p, axis=1, kind="stable")
        contrasts = [
            _contrast(p, self._members[best])
            for p, best in zip(ranked.labels, order[:, 0], strict=True)
        ]
        support = ranked.support(np.stack(contrasts))
        return [
            self._suggest(
                one,
                text,
                self._decided(one, text, desks, ranked, at),
                desks,
                evidence_words(text, support[at], ranked.rarity[at]),
                ranked,
                at,
            )
            for at, (one, text, desks) in enumerate(
                zip(
                    admitted,
                    prepared,
                    map(self._ranking, order.tolist(), department_p.tolist()),
                    strict=True,
                )
            )
        ]

    def _decided(
        self,
        admitted: Admitted,
        text: PreparedText,
        desks: tuple[RankedDepartment, ...],
        ranked: Ranked,
        at: int,
    ) -> Decision:
        signs = Signs(
            known_share=float(ranked.known_share[at]),
            familiar=bool(ranked.familiar[at]),
            cut=admitted.cut,
            min_gap=self._min_gap,
        )
        decision = decide(text, signs, desks, self.departments, self._thresholds)
        urgency = urgency_of(text)
        if urgency.level == "critical" and decision.verdict != "human":
            words = urgency.reasons[0].words
            return Decision("human", "critical", f"涉及人身安全（{words}），请马上由人接办")
        return decision

    def _suggest(
        self,
        admitted: Admitted,
        text: PreparedText,
        decision: Decision,
        desks: tuple[RankedDepartment, ...],
        evidence: tuple[Evidence, ...],
        ranked: Ranked,
        at: int,
    ) -> Suggestion:
        if decision.rule in _NOTHING_READ | _NO_MATTER:
            evidence = ()
        first = self.departments.by_code[desks[0].code]
        categories = self._ranked_categories(ranked.categories[at])
        notes = admitted.notes
        if ranked.unread[at]:
            notes += (f"编码器未读最后 {ranked.unread[at]} 字，词特征读了全文",)
        return Suggestion(
            id=admitted.transcript.id,
            departments=desks,
            decision=decision,
            evidence=evidence,
            duty=duty_line(first, [item.text for item in evidence], text.reading.text),
            category=categories[0].name,
            category_probability=categories[0].probability,
            masked_text=text.masked_text,
            masked_title=text.masked_title,
            personal_data=tuple(dict.fromkeys(span.kind for span in text.personal)),
            model=self.ref,
            categories=categories,
            assisting=self._assisting(desks) if decision.verdict != "human" else None,
            notes=notes,
            intent=intent_of(text),
            urgency=urgency_of(text),
            embedding=None if ranked.embedding is None else ranked.embedding[at],
        )

    def _assisting(self, desks: tuple[RankedDepartment, ...]) -> RankedDepartment | None:
        """The second department, where joint handling is likely enough to be proposed."""
        if len(desks) < 2 or desks[1].probability < self._assisting_from:
            return None
        labels = self.departments.by_code[desks[1].code].model_labels
        return None if labels == (OUT_OF_SCOPE,) else desks[1]

    def _ranking(
        self, order: Sequence[int], probabilities: Sequence[float]
    ) -> tuple[RankedDepartment, ...]:
        desks = self.departments.departments
        return tuple(
            RankedDepartment(desks[at].code, desks[at].name, round(probabilities[at], 4))
            for at in order
        )

    def _ranked_categories(self, probabilities: NDArray[np.float64]) -> tuple[RankedCategory, ...]:
        return tuple(
            RankedCategory(self.categories[at], round(float(probabilities[at]), 4))
            for at in np.argsort(-probabilities, kind="stable")
        )


_NOTHING_READ = {"no_words", "not_chinese", "too_short", "unknown_words", "garbled"}
_NO_MATTER = {"silence", "wrong_number", "idle_talk", "no_matter"}


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
