"""Figures of a router: how right, how honest about it, and how much may go without a clerk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..nlp.calibrate import expected_calibration_error, share_at_precision
from ..nlp.suggestion import Decision

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

PRECISION = 0.97
BINS = 15
CURVE_POINTS = 200
RESAMPLES = 1000
HALVINGS = 200
SEED = 97


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to N rows.

    `order` names the K labels, `probabilities` (N, K) are calibrated, `labels` (N,) index into
    `order`, `seconds` (N,) too (−1: no second department), `reader` (N,) is the reader's
    confidence (0: not given). `decisions` are those of the real router, where it ran.
    """

    ids: tuple[str, ...]
    order: tuple[str, ...]
    names: Mapping[str, str]
    probabilities: Floats
    labels: Ints
    seconds: Ints
    reader: Ints
    decisions: tuple[Decision, ...] | None = None

    @property
    def ranked(self) -> Ints:
        """Labels by falling probability (N, K)."""
        return np.argsort(-self.probabilities, axis=1, kind="stable")

    def take(self, rows: Ints) -> Answers:
        """The same for some rows."""
        chosen = rows.tolist()
        return Answers(
            tuple(self.ids[at] for at in chosen),
            self.order,
            self.names,
            self.probabilities[rows],
            self.labels[rows],
            self.seconds[rows],
            self.reader[rows],
            tuple(self.decisions[at] for at in chosen) if self.decisions else None,
        )


def router_figures(answers: Answers) -> dict[str, Any]:
    """All figures, ready for JSON; `per_reader_confidence` repeats the key ones by level."""
    levels = [level for level in np.unique(answers.reader).tolist() if level > 0]
    figures = {
        **_key_figures(answers),
        "auto_at_97": auto_at(answers, PRECISION),
        "risk_coverage": risk_coverage(answers),
        "reliability": reliability(answers),
        "per_class": per_class(answers),
        "confusion": confusion(answers),
    }
    if levels:
        figures["per_reader_confidence"] = {
            str(level): _key_figures(answers.take(np.flatnonzero(answers.reader == level)))
            for level in levels
        }
    if answers.decisions is not None:
        figures["decisions"] = decision_table(answers)
    return figures


def _key_figures(answers: Answers) -> dict[str, Any]:
    """n, top1, top3, first_or_second, macro_f1, ece and auto_share_at_97."""
    ranked, labels = answers.ranked, answers.labels
    confidence, correct = _first(answers)
    share, _ = share_at_precision(confidence, correct, PRECISION)
    second = correct | (ranked[:, 0] == answers.seconds)
    return {
        "n": len(labels),
        "top1": float(correct.mean()),
        "top3": float((ranked[:, :3] == labels[:, None]).any(axis=1).mean()),
        "first_or_second": float(second.mean()),
        "macro_f1": macro_f1(ranked[:, 0], labels),
        "ece": expected_calibration_error(confidence, correct, BINS),
        "ece_if_perfect": _ece_if_perfect(confidence),
        "auto_share_at_97": share,
        "interval_95": {"top1": _interval(correct.astype(np.float64))},
    }


def macro_f1(first: Ints, labels: Ints) -> float:
    """Mean F1 over the labels that occur among the truths."""
    scores = []
    for label in np.unique(labels):
        hit = float(((first == label) & (labels == label)).sum())
        scores.append(2 * hit / float((labels == label).sum() + (first == label).sum()))
    return float(np.mean(scores))


def auto_at(answers: Answers, precision: float) -> dict[str, Any]:
    """What share could go without a clerk at this precision, and how sure that is.

    `share` and `achieved_precision` use the threshold that is best on these very rows, with a
    bootstrap interval (1,000 resamples of the rows, the threshold chosen anew in each).
    `cross_fitted` is the honest form: the threshold from one random half, applied to the other,
    averaged over 200 halvings.
    """
    confidence, correct = _first(answers)
    share, threshold = share_at_precision(confidence, correct, precision)
    taken = confidence >= threshold
    n = len(confidence)
    rng = np.random.default_rng(SEED)
    shares = []
    for _ in range(RESAMPLES):
        rows = rng.integers(0, n, n)
        shares.append(share_at_precision(confidence[rows], correct[rows], precision)[0])
    low, high = np.quantile(shares, (0.025, 0.975)).tolist()
    sent, right, seen = 0, 0, 0
    for _ in range(HALVINGS):
        part = rng.permutation(n) < n // 2
        _, chosen = share_at_precision(confidence[part], correct[part], precision)
        goes = ~part & (confidence >= chosen)
        sent, right, seen = (
            sent + int(goes.sum()),
            right + int(correct[goes].sum()),
            seen + int((~part).sum()),
        )
    return {
        "share": share,
        "threshold": threshold,
        "achieved_precision": float(correct[taken].mean()) if share else None,
        "share_interval_95": [low, high],
        "cross_fitted": {
            "share": sent / max(seen, 1),
            "precision": right / sent if sent else None,
        },
    }


def risk_coverage(answers: Answers) -> list[dict[str, float]]:
    """Share decided, error rate among it, and the probability from which it is decided."""
    confidence, correct = _first(answers)
    order = np.argsort(-confidence, kind="stable")
    n = len(order)
    errors = np.cumsum(~correct[order]) / np.arange(1, n + 1)
    at = np.unique(np.linspace(0, n - 1, min(n, CURVE_POINTS)).round().astype(int))
    return [
        {
            "coverage": float((i + 1) / n),
            "risk": float(errors[i]),
            "threshold": float(confidence[order][i]),
        }
        for i in at.tolist()
    ]


def reliability(answers: Answers) -> list[dict[str, Any]]:
    """The 15 equal-width bins of the first probability; empty ones are left out."""
    confidence, correct = _first(answers)
    bin_of = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    found = []
    for at in np.unique(bin_of).tolist():
        inside = bin_of == at
        found.append(
            {
                "from": at / BINS,
                "to": (at + 1) / BINS,
                "n": int(inside.sum()),
                "confidence": float(confidence[inside].mean()),
                "accuracy": float(correct[inside].mean()),
            }
        )
    return found


def per_class(answers: Answers) -> dict[str, dict[str, Any]]:
    """n, answered, precision, recall, f1 and top3 of each label that occurs or is answered."""
    ranked, labels = answers.ranked, answers.labels
    first = ranked[:, 0]
    table = {}
    for at, code in enumerate(answers.order):
        n, answered = int((labels == at).sum()), int((first == at).sum())
        if not n and not answered:
            continue
        hit = int(((first == at) & (labels == at)).sum())
        table[code] = {
            "n": n,
            "answered": answered,
            "precision": hit / answered if answered else None,
            "recall": hit / n if n else None,
            "f1": 2 * hit / (n + answered),
            "top3": float((ranked[labels == at, :3] == at).any(axis=1).mean()) if n else None,
        }
    return table


def confusion(answers: Answers) -> dict[str, Any]:
    """Counts, truths down and answers across, over the labels that occur in either."""
    first = answers.ranked[:, 0]
    k = len(answers.order)
    counts = np.bincount(answers.labels * k + first, minlength=k * k).reshape(k, k)
    shown = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    return {
        "labels": [answers.order[at] for at in shown.tolist()],
        "counts": counts[np.ix_(shown, shown)].tolist(),
    }


def decision_table(answers: Answers) -> dict[str, Any]:
    """What the router would really do: each rule with its share and how right the first is."""
    assert answers.decisions is not None
    _, correct = _first(answers)
    in_three = (answers.ranked[:, :3] == answers.labels[:, None]).any(axis=1)
    verdicts = np.array([decision.verdict for decision in answers.decisions])
    rules = np.array([decision.rule for decision in answers.decisions])

    def line(rows: NDArray[np.bool_]) -> dict[str, Any]:
        n = int(rows.sum())
        return {
            "n": n,
            "share": n / len(rows),
            "top1": float(correct[rows].mean()) if n else None,
            "top3": float(in_three[rows].mean()) if n else None,
        }

    auto = verdicts == "auto"
    found: dict[str, Any] = {
        "auto_share": float(auto.mean()),
        "auto_precision": float(correct[auto].mean()) if auto.any() else None,
        "auto_precision_interval_95": wilson(int(correct[auto].sum()), int(auto.sum())),
        "by_verdict": {name: line(verdicts == name) for name in ("auto", "suggest", "human")},
        "by_rule": {},
    }
    for rule in np.unique(rules).tolist():
        rows = rules == rule
        verdict = str(verdicts[rows][0])
        found["by_rule"][rule] = {"verdict": verdict, **line(rows)}
    return found


@dataclass(frozen=True, slots=True)
class Mistake:
    """A confident wrong answer: row number, what was said, what was right, both probabilities."""

    row: int
    said: str
    right: str
    p_said: float
    p_right: float


def worst_mistakes(answers: Answers, most: int) -> list[Mistake]:
    """Wrong answers by falling probability."""
    confidence, correct = _first(answers)
    first = answers.ranked[:, 0]
    wrong = np.flatnonzero(~correct)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    return [
        Mistake(
            at,
            answers.order[first[at]],
            answers.order[answers.labels[at]],
            float(confidence[at]),
            float(answers.probabilities[at, answers.labels[at]]),
        )
        for at in worst.tolist()
    ]


def wilson(right: int, n: int) -> list[float] | None:
    """95 % interval of a proportion (Wilson 1927); None of nothing."""
    if not n:
        return None
    z = 1.96
    p = right / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(p * (1 - p) / n + z * z / (4 * n * n)))
    return [middle - half, middle + half]


def label_numbers(labels: Sequence[str], order: Sequence[str]) -> Ints:
    """Position of each label in `order`, −1 where it is not there."""
    place = {label: at for at, label in enumerate(order)}
    return np.array([place.get(label, -1) for label in labels], np.int64)


def _first(answers: Answers) -> tuple[Floats, NDArray[np.bool_]]:
    """Probability of the first answer (N,) and whether it is right (N,)."""
    return (
        answers.probabilities.max(axis=1),
        answers.ranked[:, 0] == answers.labels,
    )


def _interval(values: Floats) -> list[float]:
    rng = np.random.default_rng(SEED)
    n = len(values)
    means = [values[rng.integers(0, n, n)].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, (0.025, 0.975)).tolist()
    return [low, high]


def _ece_if_perfect(confidence: Floats) -> float:
    """The ECE that a perfectly calibrated model of this size shows on average, by simulation.

    Few rows a bin alone make a gap; an ECE near this value is no sign of miscalibration.
    """
    rng = np.random.default_rng(SEED)
    return float(
        np.mean(
            [
                expected_calibration_error(confidence, rng.random(len(confidence)) < confidence)
                for _ in range(100)
            ]
        )
    )
