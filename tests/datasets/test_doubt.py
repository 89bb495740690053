"""Doubtful labels: contradicted ones first, right ones and unlabelled classes never."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xiaozheng.datasets.doubt import Doubt, find_doubts, ious, write_doubts
from xiaozheng.datasets.table import Table, picture

NAMES = ("bin", "overflowing_bin", "car")
LEFT = (0.1, 0.4, 0.3, 0.6)
RIGHT = (0.6, 0.4, 0.8, 0.6)


@dataclass(frozen=True)
class Seen:
    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    classes: NDArray[np.int64]


def seen(*found: tuple[int, float, tuple[float, ...]]) -> Seen:
    return Seen(
        np.array([f[2] for f in found], dtype=np.float64).reshape(-1, 4),
        np.array([f[1] for f in found], dtype=np.float64),
        np.array([f[0] for f in found], dtype=np.int64),
    )


def doubts(
    labels: list[tuple[int, tuple[float, ...]]], *found: tuple[int, float, tuple[float, ...]]
) -> list[Doubt]:
    """Doubts about one picture; a second one says that both kinds of bins are labelled."""
    rows = [(c, (b[0] + b[2]) / 2, (b[1] + b[3]) / 2, b[2] - b[0], b[3] - b[1]) for c, b in labels]
    both = [(0, 0.5, 0.5, 0.2, 0.2), (1, 0.2, 0.2, 0.1, 0.1)]
    table = Table(NAMES, (picture(Path("a.jpg"), rows), picture(Path("b.jpg"), both)))
    fine = seen((0, 0.9, (0.4, 0.4, 0.6, 0.6)), (1, 0.9, (0.15, 0.15, 0.25, 0.25)))
    return find_doubts(table, [seen(*found), fine])


def test_labels_the_model_agrees_with_are_not_doubted() -> None:
    assert doubts([(0, LEFT)], (0, 0.3, LEFT), (1, 0.28, LEFT)) == []


def test_another_class_for_sure_is_the_strongest_doubt() -> None:
    (one,) = doubts([(0, LEFT)], (1, 0.9, LEFT), (0, 0.2, LEFT))
    assert (one.kind, one.label, one.model) == ("wrong_class", "bin", "overflowing_bin")
    assert abs(one.strength - 0.7) < 1e-9
    assert one.box == LEFT


def test_a_sure_detection_without_label_unless_inside_one_or_of_a_class_never_labelled() -> None:
    (one,) = doubts([(0, LEFT)], (0, 0.9, LEFT), (1, 0.8, RIGHT))
    assert (one.kind, one.model, one.box, one.model_box) == (
        "unlabelled", "overflowing_bin", None, RIGHT,
    )  # fmt: skip
    assert doubts([(0, LEFT)], (0, 0.9, LEFT), (2, 0.95, RIGHT)) == [], "cars are not labelled"
    whole = (0.0, 0.0, 1.0, 1.0)
    assert doubts([(0, whole)], (0, 0.9, whole), (1, 0.8, LEFT)) == []


def test_a_box_far_off_and_a_label_nobody_sees() -> None:
    (one,) = doubts([(0, LEFT)], (0, 0.9, (0.2, 0.4, 0.4, 0.6)))
    assert (one.kind, round(one.strength, 3)) == ("misplaced", 0.6)
    (one,) = doubts([(0, LEFT)])
    assert (one.kind, one.model, one.score) == ("unseen", "", 0.0)
    assert doubts([(0, LEFT)], (0, 0.2, LEFT)) == []


def test_strongest_first_and_written_as_told(tmp_path: Path) -> None:
    found = doubts([(0, LEFT), (0, RIGHT)], (1, 0.6, LEFT), (1, 0.9, RIGHT))
    assert [d.strength for d in found] == [0.9, 0.6]
    table = Table(NAMES, (picture(Path("x/a.jpg")),))
    write_doubts(tmp_path / "d.csv", table, found)
    lines = (tmp_path / "d.csv").read_text(encoding="utf-8").splitlines()
    assert lines[1] == (
        "1,a.jpg,wrong_class,0.900,bin,0.6000 0.4000 0.8000 0.6000,overflowing_bin,0.900,"
        "0.6000 0.4000 0.8000 0.6000"
    )


def test_overlap_of_boxes() -> None:
    one = np.array([[0, 0, 2, 2]], dtype=np.float64)
    other = np.array([[1, 1, 3, 3], [5, 5, 6, 6], [0, 0, 2, 2]], dtype=np.float64)
    np.testing.assert_allclose(ious(one, other), [[1 / 7, 0, 1]])
