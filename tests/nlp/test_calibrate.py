"""Calibration and its measures, against worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xiaozheng.nlp.calibrate import (
    Calibration,
    expected_calibration_error,
    share_at_precision,
    softmax,
)
from xiaozheng.nlp.train.calibration import fit_calibration
from xiaozheng.nlp.train.thresholds import auto_thresholds

PLAIN = Calibration(scale=2.0, offset=1.0, power=1.5, shift=(0.0, 0.2, -0.2))


@given(arrays(np.float64, (4, 3), elements=st.floats(-1e4, 1e4)))
def test_probabilities_are_a_distribution_whatever_the_margins(margins: np.ndarray) -> None:
    p = PLAIN.probabilities(margins)
    assert np.all(p >= 0)
    assert np.allclose(p.sum(axis=1), 1)


def test_a_larger_margin_is_never_less_probable() -> None:
    margins = np.zeros((200, 3))
    margins[:, 1] = np.linspace(-5, 5, 200)
    assert np.all(np.diff(PLAIN.probabilities(margins)[:, 1]) >= 0)


def test_fitting_recovers_honest_probabilities() -> None:
    rng = np.random.default_rng(5)
    margins = rng.normal(-0.6, 0.4, (6000, 5))
    truth = Calibration(scale=4.0, offset=1.0, power=1.3, shift=(0.3, -0.3, 0.0, 0.1, -0.1))
    p = truth.probabilities(margins)
    labels = np.array([rng.choice(5, p=row) for row in p])
    fitted = fit_calibration(margins, labels).probabilities(margins)
    assert np.abs(fitted - p).mean() < 0.02
    confident = fitted.max(axis=1)
    correct = fitted.argmax(axis=1) == labels
    assert expected_calibration_error(confident, correct) < 0.03
    raw = softmax(8 * margins)
    assert expected_calibration_error(raw.max(axis=1), raw.argmax(axis=1) == labels) > 0.1


def test_ece_by_hand() -> None:
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.5, 0.5])
    correct = np.array([True, True, True, False, True, False])
    # bins: 4 rows at .95 with .75 right, 2 rows at .5 with .5 right
    assert expected_calibration_error(confidence, correct) == pytest.approx(4 / 6 * 0.2)


def test_share_at_precision_takes_the_longest_good_prefix() -> None:
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    correct = np.array([True, False, True, True, False])
    assert share_at_precision(confidence, correct, 0.75) == (0.8, 0.6)
    assert share_at_precision(confidence, correct, 1.0) == (0.2, 0.9)
    assert share_at_precision(confidence, ~correct, 1.0) == (0.0, 1.0)


def test_ties_are_taken_together() -> None:
    confidence = np.array([0.9, 0.9, 0.9])
    correct = np.array([True, True, False])
    assert share_at_precision(confidence, correct, 0.97) == (0.0, 1.0)


def test_thresholds_only_for_labels_with_enough_backing() -> None:
    rng = np.random.default_rng(6)
    labels = np.repeat([0, 1], [400, 10])
    p = np.zeros((410, 2))
    p[:, 0] = np.where(labels == 0, rng.uniform(0.6, 1.0, 410), 0.1)
    p[:, 1] = 1 - p[:, 0]
    wrong = rng.choice(400, 20, replace=False)
    p[wrong] = [0.65, 0.35]
    labels[wrong] = 1
    thresholds = auto_thresholds(p, labels, ("a", "b"), precision=0.97)
    assert set(thresholds) == {"a"}
    kept = p[:, 0] >= thresholds["a"]
    assert (labels[kept] == 0).mean() >= 0.97
