"""Average precision, thresholds and figures on hand-made detections."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from xiaozheng.datasets.table import Table, picture
from xiaozheng.models.manifest import Label, Manifest, ManifestFile
from xiaozheng.vision.train.card import detector_card
from xiaozheng.vision.train.measure import (
    Demand,
    Predicted,
    Ranked,
    average_precision,
    corners,
    figures,
    pick_threshold,
    plain,
    rank,
)

NAMES = ("bin", "stall")
LEFT, RIGHT = (0.25, 0.5, 0.2, 0.4), (0.75, 0.5, 0.2, 0.4)


def table() -> Table:
    return Table(
        NAMES,
        (
            picture(Path("a.jpg"), [(0, *LEFT), (0, *RIGHT)]),
            picture(Path("b.jpg"), [(0, *LEFT)]),
        ),
    )


def predicted(*rows: tuple[int, float, tuple[float, float, float, float]]) -> Predicted:
    """Detections from (class, score, centre box)."""
    return Predicted(
        boxes=corners(np.array([r[2] for r in rows], dtype=np.float64).reshape(-1, 4)),
        scores=np.array([r[1] for r in rows], dtype=np.float64),
        classes=np.array([r[0] for r in rows], dtype=np.int64),
    )


def ranked(scores: list[float], hits: list[bool], positives: int) -> Ranked:
    return Ranked(np.array(scores), np.array(hits), positives)


def test_perfect_detections_have_ap_one() -> None:
    found = [predicted((0, 0.9, LEFT), (0, 0.8, RIGHT)), predicted((0, 0.7, LEFT))]
    result = figures(table(), found, {"bin": 0.5, "stall": 0.5})["bin"]
    assert (result.ap50, result.ap, result.precision, result.recall, result.f1) == (1, 1, 1, 1, 1)
    assert result.positives == 3
    assert result.false_per_picture == 0


def test_second_box_on_one_object_is_false() -> None:
    found = [predicted((0, 0.9, LEFT), (0, 0.8, LEFT)), predicted()]
    assert rank(table(), found, 0).hits.tolist() == [True, False]


def test_other_class_and_loose_box_do_not_count() -> None:
    loose = (0.25, 0.5, 0.4, 0.4)  # IoU 0.5 with LEFT
    found = [predicted((1, 0.9, LEFT), (0, 0.8, loose)), predicted()]
    assert rank(table(), found, 0, 0.45).hits.tolist() == [True]
    assert rank(table(), found, 0, 0.75).hits.tolist() == [False]
    assert rank(table(), found, 1).positives == 0


def test_ap_of_a_known_ranking() -> None:
    # hit, miss, hit of two: precision 1 up to recall .5 (51 points), then 2/3 (50 points)
    value = average_precision(ranked([0.9, 0.8, 0.7], [True, False, True], 2))
    assert value == pytest.approx((51 * 1 + 50 * 2 / 3) / 101)


def test_ap_without_truth_is_not_a_number_and_without_boxes_zero() -> None:
    assert math.isnan(average_precision(ranked([0.5], [False], 0)))
    assert average_precision(ranked([], [], 4)) == 0


def test_threshold_reaches_the_demanded_precision() -> None:
    scores = [0.68, 0.6, 0.5, 0.4, 0.3]
    hits = [True, True, False, True, True]
    strict = pick_threshold(ranked(scores, hits, 4), Demand(precision=0.9))
    lenient = pick_threshold(ranked(scores, hits, 4), Demand(precision=0.7))
    assert (strict, lenient) == (0.6, 0.3)


def test_threshold_stays_within_bounds() -> None:
    certain = ranked([0.99, 0.95], [True, True], 2)
    assert pick_threshold(certain, Demand(low=0.25, high=0.7)) == 0.7
    assert pick_threshold(ranked([0.1], [True], 1), Demand(low=0.25)) == 0.7
    assert pick_threshold(ranked([], [], 0), Demand(high=0.6)) == 0.6


def test_false_boxes_per_picture_and_null_in_json() -> None:
    found = [predicted((1, 0.9, LEFT)), predicted((1, 0.2, LEFT))]
    result = plain(figures(table(), found, {"bin": 0.5, "stall": 0.5}))
    assert result["stall"]["false_per_picture"] == 0.5
    assert result["stall"]["ap50"] is None
    assert result["bin"]["recall"] == 0
    assert result["bin"]["precision"] is None


def test_card_lists_labels_figures_and_limits() -> None:
    found = [predicted((0, 0.9, LEFT), (0, 0.8, RIGHT)), predicted((0, 0.7, LEFT))]
    per_class = plain(figures(table(), found, {"bin": 0.5, "stall": 0.5}))
    manifest = Manifest(
        name="detector",
        version="9.9.9",
        task="detection",
        model=ManifestFile(name="model.onnx", sha256="0" * 64),
        labels=(Label(name="bin", zh="垃圾桶"), Label(name="stall", zh="摊位")),
        input={"size": 640},
        output={},
        thresholds={"bin": 0.5, "stall": 0.5},
        metrics={"bins": {"pictures": 2, "per_class": per_class}},
        data_hash="a" * 64,
        data=("bins: some pictures",),
        base="a base",
        licence="AGPL-3.0-or-later",
        created="2026-01-01T00:00:00+00:00",
    )
    card = detector_card(manifest, ("not for night",))
    assert "# detector 9.9.9" in card
    assert "| bin | 垃圾桶 | 0.50 |" in card
    assert "| bin | 3 | 1.000 | 1.000 | 1.000 | 1.000 | 1.000 | 0.000 |" in card
    assert "- not for night" in card
