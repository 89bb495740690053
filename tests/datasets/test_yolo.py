"""YOLO folders: round trip, and every kind of broken label named by file and line."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xiaozheng.config.errors import DatasetError
from xiaozheng.datasets.table import Table, picture
from xiaozheng.datasets.yolo import read_names, read_yolo, scan_yolo, write_yolo

NAMES = ("bin", "garbage")


def make_folder(folder: Path, labels: dict[str, str]) -> Path:
    """A YOLO folder with one small picture per label file."""
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    (folder / "classes.txt").write_text("bin\ngarbage\n", encoding="utf-8")
    for stem, text in labels.items():
        cv2.imwrite(str(folder / "images" / f"{stem}.jpg"), np.full((40, 60, 3), 90, np.uint8))
        (folder / "labels" / f"{stem}.txt").write_text(text, encoding="utf-8")
    return folder


def test_reads_pictures_boxes_and_names(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "set", {"a": "1 0.5 0.5 0.2 0.4\n0 0.1 0.1 0.1 0.1\n", "b": ""})
    table = read_yolo(folder)
    assert table.names == NAMES
    assert [p.path.stem for p in table.pictures] == ["a", "b"]
    assert table.pictures[0].classes.tolist() == [1, 0]
    assert table.pictures[0].boxes.tolist() == [[0.5, 0.5, 0.2, 0.4], [0.1, 0.1, 0.1, 0.1]]
    assert len(table.pictures[1]) == 0
    assert {p.source for p in table.pictures} == {"set"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("0 0.5 0.5 0.2", "found 4 fields"),
        ("0 0.5 0.5 0.2 0.2 0.9", "found 6 fields"),
        ("0 0.5 x 0.2 0.2", "not a number"),
        ("0 0.5 nan 0.2 0.2", "not a finite number"),
        ("2 0.5 0.5 0.2 0.2", "unknown class 2"),
        ("-1 0.5 0.5 0.2 0.2", "unknown class -1"),
        ("0.5 0.5 0.5 0.2 0.2", "unknown class 0.5"),
        ("0 0.5 0.5 0 0.2", "box without area"),
        ("0 0.95 0.5 0.2 0.2", "box outside the picture"),
        ("1 0.5 0.5 0.2 0.4", "the same box twice"),
    ],
)
def test_broken_line_is_named_by_file_and_line(tmp_path: Path, line: str, reason: str) -> None:
    folder = make_folder(tmp_path / "set", {"a": f"1 0.5 0.5 0.2 0.4\n{line}\n", "good": ""})
    with pytest.raises(DatasetError) as caught:
        read_yolo(folder)
    assert f"{folder / 'labels' / 'a.txt'}:2: " in str(caught.value)
    assert reason in str(caught.value)
    assert "数据集有 1 处问题" in caught.value.message_zh


def test_scan_keeps_the_good_pictures_and_lists_every_bad_one(tmp_path: Path) -> None:
    folder = make_folder(
        tmp_path / "set",
        {"bad": "9 0.5 0.5 0.1 0.1\n0 0.5\n", "good": "0 0.5 0.5 0.1 0.1\n", "lonely": ""},
    )
    (folder / "images" / "lonely.jpg").unlink()
    cv2.imwrite(str(folder / "images" / "bare.png"), np.zeros((20, 20, 3), np.uint8))
    table, problems = scan_yolo(folder)
    assert [p.path.stem for p in table.pictures] == ["good"]
    assert [(p.path.name, p.line) for p in problems] == [
        ("bad.txt", 1),
        ("bad.txt", 2),
        ("bare.txt", 0),
        ("lonely.txt", 0),
    ]


def test_empty_picture_file_is_a_problem(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "set", {"a": ""})
    (folder / "images" / "a.jpg").write_bytes(b"")
    with pytest.raises(DatasetError, match="empty picture file"):
        read_yolo(folder)


def test_label_file_that_is_not_text(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "set", {"a": ""})
    (folder / "labels" / "a.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DatasetError, match=r"a\.txt: cannot be read"):
        read_yolo(folder)


def test_missing_folder_and_class_list(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="images: no such folder"):
        read_yolo(tmp_path)
    folder = make_folder(tmp_path / "set", {"a": ""})
    (folder / "classes.txt").unlink()
    with pytest.raises(DatasetError, match="no class list"):
        read_yolo(folder)


def test_class_name_twice_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("bin\n\nbin\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"classes\.txt:3: class 'bin' twice"):
        read_names(path)


def test_two_pictures_of_one_name_are_refused(tmp_path: Path) -> None:
    twice = Table(NAMES, (picture(tmp_path / "x/a.jpg"), picture(tmp_path / "y/a.jpg")))
    with pytest.raises(DatasetError, match="two pictures"):
        write_yolo(twice, tmp_path / "out")


side = st.floats(0.01, 0.5)
centre = st.floats(0.25, 0.75)
row = st.tuples(st.integers(0, 1), centre, centre, side, side)


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(row, max_size=8))
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, float, float, float, float]]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    image = folder / "one.jpg"
    cv2.imwrite(str(image), np.zeros((8, 8, 3), np.uint8))
    unique = list({tuple(round(v, 6) for v in r): r for r in rows}.values())
    write_yolo(Table(NAMES, (picture(image, unique),)), folder / "out")
    back = read_yolo(folder / "out").pictures[0]
    assert back.classes.tolist() == [r[0] for r in unique]
    np.testing.assert_allclose(
        back.boxes, np.array([r[1:] for r in unique]).reshape(-1, 4), atol=1e-6
    )
    assert back.path.resolve() == image.resolve()
