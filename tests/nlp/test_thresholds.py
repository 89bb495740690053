"""Thresholds from answers out of fold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from encoder_shelf import made_up_rows

from xiaozheng.config.errors import ModelError
from xiaozheng.nlp.decision import NEVER
from xiaozheng.nlp.train.thresholds import (
    MIN_ROWS,
    TuningRows,
    assisting_threshold,
    auto_thresholds,
    cross_checked,
    involved,
    shares,
)

ORDER = (*(f"d{at}" for at in range(25)), "other")


def thresholds(rows: TuningRows, precision: float, **more: float) -> dict[str, float]:
    return auto_thresholds(rows.probabilities, rows.labels, ORDER, precision=precision, **more)


def test_the_wanted_precision_is_reached_and_holds_on_other_rows() -> None:
    rows = made_up_rows(8000)
    sent = []
    for precision in (0.9, 0.97, 0.99):
        found = thresholds(rows, precision)
        overall, table = shares(rows, ORDER, found)
        assert overall.precision is not None
        assert overall.precision >= precision
        assert all(share.sent >= MIN_ROWS for share in table.values() if share.sent)
        assert "other" not in found
        honest = cross_checked(rows, ORDER, precision=precision, halvings=5)
        assert honest.precision is not None
        assert honest.precision > precision - 0.03
        assert honest.share == pytest.approx(overall.share, abs=0.1)
        sent.append(overall.share)
    assert sent[0] > sent[1] > sent[2] > 0.1


def test_a_department_that_is_wrong_more_often_than_it_says_starts_higher() -> None:
    rows = made_up_rows()
    first = rows.probabilities.argmax(axis=1)
    confidence = rows.probabilities.max(axis=1)
    labels = rows.labels.copy()
    spoilt = (first == 3) & (confidence < 0.995) & (np.arange(len(first)) % 4 == 0)
    labels[spoilt] = 4
    liar = first == 5
    labels[liar & (np.arange(len(first)) % 3 == 0)] = 6
    found = thresholds(TuningRows(rows.probabilities, labels, rows.seconds), 0.97)
    assert found["d3"] > found["d0"]
    assert "d5" not in found


def test_close_calls_never_go_out_and_nothing_does_where_nothing_is_right() -> None:
    rows = made_up_rows()
    found = thresholds(rows, 0.5, min_gap=0.6)
    overall, _ = shares(rows, ORDER, found, min_gap=0.6)
    two = np.sort(rows.probabilities, axis=1)[:, -2:]
    assert 0 < overall.sent <= int((two[:, 1] - two[:, 0] >= 0.6).sum())
    wrong = TuningRows(rows.probabilities, (rows.labels * 0 + 25), rows.seconds)
    assert thresholds(wrong, 0.97) == {}


def test_the_assisting_threshold_makes_half_the_proposals_fit() -> None:
    rows = made_up_rows()
    limit = assisting_threshold(rows)
    proposed = np.sort(rows.probabilities, axis=1)[:, -2] >= limit
    assert proposed.any()
    assert involved(rows)[proposed].mean() >= 0.5
    alone = TuningRows(rows.probabilities, rows.probabilities.argmax(axis=1), rows.seconds * 0 - 1)
    assert assisting_threshold(alone) == NEVER


def test_the_file_keeps_numbers_only_and_in_no_order_of_the_messages(tmp_path: Path) -> None:
    rows = made_up_rows(500)
    path = tmp_path / "tuning.npz"
    rows.save(path)
    again = TuningRows.load(path, 26)
    assert sorted(again.labels.tolist()) == sorted(rows.labels.tolist())
    assert again.labels.tolist() != rows.labels.tolist()
    with np.load(path) as arrays:
        assert {array.dtype.kind for array in arrays.values()} <= {"f", "i"}
    whole, _ = shares(rows, ORDER, thresholds(rows, 0.9))
    assert shares(again, ORDER, thresholds(again, 0.9))[0].share == pytest.approx(
        whole.share, abs=0.02
    )
    with pytest.raises(ModelError, match="25 labels"):
        TuningRows.load(path, 25)
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelError, match="tuning"):
        TuningRows.load(path, 26)
