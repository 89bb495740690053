"""The router's figures, on answers whose figures are known."""

from __future__ import annotations

import numpy as np
import pytest

from xiaozheng.eval.router import (
    Answers,
    auto_at,
    confusion,
    macro_f1,
    risk_coverage,
    router_figures,
    wilson,
    worst_mistakes,
)
from xiaozheng.nlp.suggestion import Decision

ORDER = ("a", "b", "c", "d")


def answers(first: list[int], labels: list[int], confidence: list[float]) -> Answers:
    """Rows whose first answer has this probability, the rest shared out evenly."""
    p = np.repeat((1 - np.array(confidence))[:, None] / 3, 4, axis=1)
    p[np.arange(len(first)), first] = confidence
    n = len(first)
    return Answers(
        tuple(map(str, range(n))),
        ORDER,
        {},
        p,
        np.array(labels),
        np.full(n, -1),
        np.zeros(n, np.int64),
    )


def test_a_calibrated_model_shows_no_gap_and_a_vain_one_does() -> None:
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.4, 1.0, 5_000)
    right = rng.random(5_000) < confidence
    honest = answers([0] * 5_000, np.where(right, 0, 1).tolist(), confidence.tolist())
    figures = router_figures(honest)
    assert figures["ece"] < 0.02
    assert figures["ece"] == pytest.approx(figures["ece_if_perfect"], abs=0.01)
    assert figures["top1"] == pytest.approx(0.7, abs=0.02)
    vain = answers([0] * 5_000, np.where(right, 0, 1).tolist(), [0.95] * 5_000)
    assert router_figures(vain)["ece"] == pytest.approx(0.25, abs=0.02)


def test_the_automatic_share_keeps_its_promise_on_rows_it_was_not_chosen_on() -> None:
    rng = np.random.default_rng(2)
    confidence = rng.uniform(0.5, 1.0, 4000)
    right = rng.random(4000) < confidence
    found = auto_at(answers([0] * 4000, np.where(right, 0, 1).tolist(), confidence.tolist()), 0.97)
    # mean precision above t is (1 + t) / 2 = 0.97 at t = 0.94: a share of 0.12
    assert found["share"] == pytest.approx(0.12, abs=0.06)
    assert found["achieved_precision"] >= 0.97
    low, high = found["share_interval_95"]
    assert low <= found["share"] <= high
    assert found["cross_fitted"]["precision"] == pytest.approx(0.97, abs=0.02)


def test_no_share_where_no_threshold_reaches_the_precision() -> None:
    found = auto_at(answers([0, 0], [1, 1], [0.9, 0.8]), 0.97)
    assert (found["share"], found["achieved_precision"]) == (0.0, None)
    assert found["cross_fitted"]["precision"] is None


def test_macro_f1_counts_labels_that_occur_and_top3_leaves_out_the_fourth() -> None:
    assert macro_f1(np.array([0, 0, 1]), np.array([0, 1, 1])) == pytest.approx(2 / 3)
    figures = router_figures(answers([0, 1, 3], [0, 1, 2], [0.9, 0.8, 0.7]))
    assert figures["top1"] == pytest.approx(2 / 3)
    assert figures["per_class"]["c"] == {
        "n": 1,
        "answered": 0,
        "precision": None,
        "recall": 0.0,
        "f1": 0.0,
        "top3": 0.0,
    }


def test_risk_grows_from_the_surest_answer_to_all() -> None:
    curve = risk_coverage(answers([0, 0, 0, 0], [0, 0, 1, 1], [0.9, 0.8, 0.7, 0.6]))
    assert [point["coverage"] for point in curve] == [0.25, 0.5, 0.75, 1.0]
    assert [point["risk"] for point in curve] == pytest.approx([0, 0, 1 / 3, 0.5])


def test_confusion_and_mistakes_name_what_was_mixed_up() -> None:
    given = answers([0, 0, 1], [0, 1, 1], [0.9, 0.95, 0.8])
    assert confusion(given) == {"labels": ["a", "b"], "counts": [[1, 0], [1, 1]]}
    (worst,) = worst_mistakes(given, 5)
    assert (worst.row, worst.said, worst.right) == (1, "a", "b")


def test_decisions_are_counted_by_rule_and_levels_apart() -> None:
    plain = answers([0, 0, 1, 1], [0, 1, 1, 1], [0.9, 0.95, 0.8, 0.4])
    verdicts = [Decision("auto", "high", ""), Decision("auto", "high", "")]
    verdicts += [Decision("suggest", "low", ""), Decision("human", "weak", "")]
    given = Answers(
        plain.ids,
        plain.order,
        {},
        plain.probabilities,
        plain.labels,
        np.array([-1, 0, -1, -1]),
        np.array([3, 3, 1, 0]),
        tuple(verdicts),
    )
    figures = router_figures(given)
    assert figures["first_or_second"] == 1.0
    assert figures["per_reader_confidence"]["3"]["n"] == 2
    assert set(figures["per_reader_confidence"]) == {"1", "3"}
    real = figures["decisions"]
    assert (real["auto_share"], real["auto_precision"]) == (0.5, 0.5)
    assert real["by_rule"]["low"] == {
        "verdict": "suggest",
        "n": 1,
        "share": 0.25,
        "top1": 1.0,
        "top3": 1.0,
    }


def test_the_interval_of_a_share() -> None:
    low, high = wilson(97, 100) or (0, 0)
    assert (low, high) == pytest.approx((0.915, 0.990), abs=0.002)
    assert wilson(0, 0) is None
