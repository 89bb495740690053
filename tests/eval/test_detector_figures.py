"""The detector's figures from made-up boxes: against pycocotools, against training, by hand."""

from __future__ import annotations

import contextlib
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from xiaozheng.datasets.table import Picture, Table, picture
from xiaozheng.eval.detector import Evaluation, evaluate, figures
from xiaozheng.eval.detector_mistakes import worst_mistakes
from xiaozheng.eval.detector_run import Found, Run
from xiaozheng.eval.detector_set import TestSet
from xiaozheng.vision.detections import Detections
from xiaozheng.vision.train.measure import Predicted
from xiaozheng.vision.train.measure import figures as training_figures

NAMES = ("car", "truck", "bin", "overflowing_bin")
SIZE = (512, 512)
"""A power of two: pixels survive the way through parts of the picture to the bit."""
BAR = 0.5

Box = tuple[float, float, float, float]
TrueRow = tuple[str, Box]
FoundRow = tuple[str, float, Box]
Shown = tuple[Sequence[TrueRow], Sequence[FoundRow]]


def found(true: Sequence[TrueRow], boxes: Sequence[FoundRow], number: int = 0) -> Found:
    """A picture from boxes in pixels; the boxes in use are those of at least `BAR`."""
    width, height = SIZE
    unit = np.array([width, height, width, height])
    rows = [
        (NAMES.index(n), *(np.array([(a + c) / 2, (b + d) / 2, c - a, d - b]) / unit).tolist())
        for n, (a, b, c, d) in true
    ]
    everything = Detections.of(
        [b for _, _, b in boxes], [s for _, s, _ in boxes], [n for n, _, _ in boxes], NAMES, SIZE
    )
    firm = everything.select(everything.score >= BAR)
    return Found(picture(Path(f"{number:03}.jpg"), rows), everything, firm)


def measured(*pictures: Shown) -> Evaluation:
    items = tuple(found(*shown, number) for number, shown in enumerate(pictures))
    run = Run(
        "m@1", "test", NAMES, {n: n for n in NAMES}, dict.fromkeys(NAMES, BAR), items, (), 0.01
    )
    table = Table(NAMES, tuple(item.picture for item in items))
    return evaluate(run, TestSet("made up", table, {}, (), (), {}, ()))


CORNER = st.integers(0, 12).map(lambda n: 30.0 * n)
SIDE = st.integers(1, 5).map(lambda n: 26.0 * n)
BOXES = st.builds(lambda x, y, w, h: (x, y, x + w, y + h), CORNER, CORNER, SIDE, SIDE)
TRUE = st.lists(st.tuples(st.sampled_from(NAMES), BOXES), max_size=6)
SCORE = st.integers(1, 20).map(lambda n: n / 20)
CLAIMED = st.lists(st.tuples(st.sampled_from(NAMES), SCORE, BOXES), max_size=8)


@st.composite
def shown(draw: st.DrawFn) -> Shown:
    """A picture whose detections are partly near its true boxes, as a real detector's are."""
    true = draw(TRUE)
    near: list[FoundRow] = []
    for name, (a, b, c, d) in true:
        if draw(st.booleans()):
            shift = draw(st.sampled_from([0.0, 3.0, 7.0, 13.0]))
            near.append((name, draw(SCORE), (a + shift, b, c + shift, d)))
    return true, near + draw(CLAIMED)


def coco_stats(pictures: Sequence[Shown], folder: Path) -> list[float]:
    """What pycocotools itself says of the same boxes, read from files as anyone would."""
    truth = [
        {"id": 0, "image_id": i, "category_id": NAMES.index(n), "iscrowd": 0,
         "bbox": [a, b, c - a, d - b], "area": (c - a) * (d - b)}
        for i, (true, _) in enumerate(pictures) for n, (a, b, c, d) in true
    ]  # fmt: skip
    for number, row in enumerate(truth, 1):
        row["id"] = number
    rows = [
        {"image_id": i, "category_id": NAMES.index(n), "score": s, "bbox": [a, b, c - a, d - b]}
        for i, (_, boxes) in enumerate(pictures) for n, s, (a, b, c, d) in boxes
    ]  # fmt: skip
    images = [{"id": i, "width": SIZE[0], "height": SIZE[1]} for i in range(len(pictures))]
    categories = [{"id": k, "name": name} for k, name in enumerate(NAMES)]
    path = folder / "truth.json"
    document = {"images": images, "categories": categories, "annotations": truth}
    path.write_text(json.dumps(document), encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
        run = COCOeval(coco, coco.loadRes(rows), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return [float(v) for v in run.stats]


def same(ours: float, theirs: float) -> bool:
    """Equal, where COCO's −1 is our NaN."""
    return math.isnan(ours) if theirs == -1 else math.isclose(ours, theirs, abs_tol=1e-9)


@settings(max_examples=30, deadline=None)
@given(pictures=st.lists(shown(), min_size=1, max_size=5))
def test_average_precision_is_that_of_pycocotools(
    pictures: list[Shown], tmp_path_factory: pytest.TempPathFactory
) -> None:
    if not any(boxes for _, boxes in pictures) or not any(true for true, _ in pictures):
        return  # `loadRes` refuses an empty list
    stats = coco_stats(pictures, tmp_path_factory.mktemp("coco"))
    coco = measured(*pictures).coco
    ours = [coco.ap, coco.ap50, coco.ap75, *coco.ap_by_size.tolist()]
    assert all(same(a, b) for a, b in zip(ours, stats[:6], strict=True)), (ours, stats[:6])


@settings(max_examples=50, deadline=None)
@given(pictures=st.lists(shown(), min_size=1, max_size=5))
def test_training_measures_the_same_average_precision(pictures: list[Shown]) -> None:
    result = measured(*pictures)
    unit = np.array([*SIZE, *SIZE], dtype=np.float64)
    predictions = [
        Predicted(
            item.everything.xyxy / unit,
            item.everything.score.astype(np.float64),
            item.everything.class_id,
        )
        for item in result.run.found
    ]
    theirs = training_figures(result.test_set.table, predictions, result.run.thresholds)
    for k, name in enumerate(NAMES):
        expected = (theirs[name].ap, theirs[name].ap50)
        ours = (result.coco.ap_by_class[k], result.coco.ap50_by_class[k])
        np.testing.assert_allclose(ours, expected, atol=1e-6)


A, B, C = (0.0, 0.0, 100.0, 100.0), (200.0, 0.0, 300.0, 100.0), (400.0, 0.0, 500.0, 100.0)
BY_HAND: tuple[Shown, ...] = (
    # one bin seen, an overflowing one taken for normal, a car missed
    ([("bin", A), ("overflowing_bin", B), ("car", C)], [("bin", 0.9, A), ("bin", 0.8, B)]),
    # an overflowing one seen, a normal one taken for overflowing, one weak box
    (
        [("overflowing_bin", A), ("bin", B)],
        [("overflowing_bin", 0.9, A), ("overflowing_bin", 0.7, B), ("car", 0.3, C)],
    ),
    # nothing there, two boxes all the same
    ([], [("truck", 0.6, A), ("overflowing_bin", 0.6, C)]),
    # a car, and a false truck beside it
    ([("car", A)], [("car", 0.9, A), ("truck", 0.9, B)]),
)


def test_counts_and_rates_in_use() -> None:
    got = figures(measured(*BY_HAND))
    assert (got["n_images"], got["n_images_without_objects"], got["fp_per_image"]) == (4, 1, 2.0)
    bins = got["per_class"]["bin"]
    assert (bins["n"], bins["hits"], bins["false"], bins["missed"]) == (2, 1, 1, 1)
    assert (bins["precision"], bins["recall"], bins["f1"]) == (0.5, 0.5, 0.5)
    full = got["per_class"]["overflowing_bin"]
    assert (full["hits"], full["false"], full["missed"]) == (1, 2, 1)
    assert (got["precision"], got["recall"]) == (3 / 8, 3 / 6)
    truck = got["per_class"]["truck"]
    assert truck["n"] == 0
    assert all(math.isnan(truck[key]) for key in ("ap", "ap50", "recall", "f1"))


def test_false_boxes_count_where_nothing_of_the_family_is() -> None:
    got = figures(measured(*BY_HAND))["false_per_image_without"]
    assert got["overflowing_bin"] == {"images": 2, "false": 1, "per_image": 0.5}
    # The false truck beside the car is not on a picture without vehicles.
    assert got["truck"] == {"images": 2, "false": 1, "per_image": 0.5}


def test_states_of_bins_and_confusion() -> None:
    got = figures(measured(*BY_HAND))
    state = got["bin_state"]
    assert (state["precision"], state["recall"], state["f1"]) == (0.5, 0.5, 0.5)
    assert state["counts"]["values"] == [[1, 1, 0], [1, 1, 0], [0, 1, 0]]
    assert state["end_to_end"]["precision"] == pytest.approx(1 / 3)
    assert got["confusion"]["counts"] == [
        [1, 0, 0, 0, 1],
        [0, 0, 0, 0, 0],
        [0, 0, 1, 1, 0],
        [0, 0, 1, 1, 0],
        [0, 2, 0, 1, 0],
    ]
    assert figures(measured(BY_HAND[3]))["bin_state"] is None


def test_calibration_compares_scores_with_what_came_true() -> None:
    right = [([("car", A)], [("car", 0.85, A)])] * 3
    wrong = [([("car", A)], [("car", 0.85, C)])]
    got = figures(measured(*right, *wrong))["calibration"]
    assert got["ece"] == pytest.approx(0.10)
    (filled,) = [b for b in got["bins"] if b["n"]]
    assert (filled["n"], filled["hit_rate"], filled["low"]) == (4, 0.75, 0.8)


def test_figures_by_size_go_by_the_labelled_box() -> None:
    small, large = (0.0, 0.0, 30.0, 30.0), (100.0, 100.0, 300.0, 300.0)
    got = figures(
        measured(([("car", small), ("car", large)], [("car", 0.9, large), ("car", 0.8, A)]))
    )["by_size"]
    assert (got["small"]["n"], got["small"]["recall"]) == (1, 0.0)
    assert (got["large"]["recall"], got["large"]["precision"]) == (1.0, 0.5)
    assert got["medium"]["n"] == 0


def test_mistakes_are_named_and_vary() -> None:
    worst = worst_mistakes(measured(*BY_HAND, *[BY_HAND[3]] * 5), 8)
    named = {(m.label, m.sort, m.truth) for m in worst}
    assert {
        ("bin", "confused", "overflowing_bin"),
        ("overflowing_bin", "confused", "bin"),
        ("truck", "nothing", ""),
        ("car", "missed", "car"),
    } <= named
    assert sum(m.label == "truck" for m in worst) < 5


def test_a_picture_without_boxes_at_all_is_no_trouble() -> None:
    empty: Picture = found([], []).picture
    assert len(empty) == 0
    got = figures(measured(([], []), ([("bin", A)], [])))
    assert (got["ap"], got["per_class"]["bin"]["recall"]) == (0.0, 0.0)
    assert math.isnan(got["precision"])
