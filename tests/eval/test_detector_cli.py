"""`xiaozheng eval detector` from pictures to report: names, bad files, exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from xiaozheng.cli.main import run
from xiaozheng.datasets.aliases import canonical
from xiaozheng.datasets.folder import about, write_dataset
from xiaozheng.eval.detector_set import read_folders

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SHELF = Path(__file__).parent.parent / "fixtures" / "shelf"
BLUE, CYAN, YELLOW, PINK = (255, 0, 0), (255, 255, 0), (0, 255, 255), (255, 0, 255)
FIRST, SECOND = (64, 36, 128, 108), (320, 180, 480, 300)


def paint(path: Path, *things: tuple[tuple[int, int, int, int], tuple[int, int, int]]) -> None:
    """640×360 grey with filled rectangles, which the tests' model boxes by their colour."""
    image = np.full((360, 640, 3), 128, np.uint8)
    for (x1, y1, x2, y2), colour in things:
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), colour, cv2.FILLED)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def row(class_id: int, box: tuple[int, int, int, int]) -> str:
    x1, y1, x2, y2 = box
    centre = ((x1 + x2) / 2 / 640, (y1 + y2) / 2 / 360, (x2 - x1) / 640, (y2 - y1) / 360)
    return f"{class_id} " + " ".join(f"{v:.6f}" for v in centre) + "\n"


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Five pictures: right, wrong state, missed and false, empty with a false box, other class."""
    images, labels = tmp_path / "images", tmp_path / "labels"
    (labels / "sub").mkdir(parents=True)
    paint(images / "a.png", (FIRST, BLUE))
    paint(images / "b.png", (FIRST, BLUE), (SECOND, CYAN))
    paint(images / "c.png", (FIRST, YELLOW))
    paint(images / "sub" / "d.png", (FIRST, PINK), (SECOND, BLUE))
    paint(images / "e.png")
    (tmp_path / "classes.txt").write_text("Garbage\nGarbage-Bin\noverflow\n猫\n", encoding="utf-8")
    (labels / "a.txt").write_text(row(1, FIRST), encoding="utf-8")
    (labels / "b.txt").write_text(row(2, FIRST) + row(2, SECOND), encoding="utf-8")
    (labels / "c.txt").write_text(row(0, SECOND), encoding="utf-8")
    (labels / "sub" / "d.txt").write_text("", encoding="utf-8")
    (labels / "e.txt").write_text(row(3, SECOND), encoding="utf-8")
    return tmp_path


def measure(album: Path, *more: str | Path) -> int:
    parts = {"--images": "images", "--labels": "labels", "--classes": "classes.txt"}
    given = [str(a) for a in more]
    for option, name in parts.items():
        if option not in given and "--data" not in given:
            given += [option, str(album / name)]
    target = [] if "--json" in given else ["--json", str(album / "out.json")]
    return run(["eval", "detector", "--shelf", str(SHELF), "--model", "colours", *given, *target])


def figures(album: Path, *more: str | Path, code: int = 0) -> dict[str, Any]:
    assert measure(album, *more) == code
    document: dict[str, Any] = json.loads((album / "out.json").read_text(encoding="utf-8"))
    return document


def test_the_document_has_the_promised_keys(album: Path) -> None:
    got = figures(album)
    assert (got["report"], got["model"], got["n_images"], got["n_broken"]) == (
        "detector", "colours@1.0.0", 5, 0,
    )  # fmt: skip
    assert list(got["per_class"]) == ["bin", "overflowing_bin", "garbage"]
    for figure in got["per_class"].values():
        assert {"ap", "ap50", "precision", "recall", "f1", "n", "threshold"} <= set(figure)
    assert got["per_class"]["bin"]["ap50"] == 1.0
    assert got["per_class"]["overflowing_bin"]["recall"] == 0.5
    assert got["per_class"]["garbage"]["ap50"] == 0.0
    # d shows a bin that nobody labelled; e shows nothing. The stall is not judged.
    assert (got["n_images_without_objects"], got["fp_per_image"]) == (2, 0.5)
    assert got["bin_state"]["counts"]["values"] == [[1, 0, 0], [1, 1, 0], [1, 0, 0]]


def test_classes_without_counterpart_are_told(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    classes = figures(album)["classes"]
    assert classes["unknown_to_model"] == {"猫": 1}
    assert classes["renamed"] == {
        "Garbage": "garbage", "Garbage-Bin": "bin", "overflow": "overflowing_bin",
    }  # fmt: skip
    assert classes["not_labelled_in_set"] == ["person", "car", "stall"]
    shown = capsys.readouterr().out
    assert "猫 1" in shown
    assert "person、car、stall" in shown


def test_absent_classes_are_false_wherever_they_appear(album: Path) -> None:
    got = figures(album, "--absent", "stall")
    assert got["per_class"]["stall"]["false"] == 1
    assert got["false_per_image_without"]["stall"] == {"images": 5, "false": 1, "per_image": 0.2}
    assert got["classes"]["absent"] == ["stall"]
    assert got["ap50"] == figures(album)["ap50"], "a class without labels is no part of the mean"


def test_own_aliases_and_yaml_names(album: Path) -> None:
    path = album / "data.yaml"
    path.write_text("train: x\nnames: {0: Garbage, 1: pail, 2: overflow, 3: 猫}\n", "utf-8")
    assert "bin" not in figures(album, "--classes", path)["per_class"]
    got = figures(album, "--classes", path, "--alias", "pail=bin", "--alias", "猫=person")
    assert got["per_class"]["bin"]["recall"] == 1.0
    assert got["per_class"]["person"]["missed"] == 1


def test_bad_files_are_listed_and_the_rest_is_scored(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (album / "images" / "a.png").write_text("this is text", encoding="utf-8")
    (album / "labels" / "b.txt").write_text("2 0.5 0.5 0.1\n", encoding="utf-8")
    (album / "labels" / "c.txt").unlink()
    (album / "labels" / "z.txt").write_text("", encoding="utf-8")
    got = figures(album, "--html", album / "out.html", code=2)
    assert got["n_images"] == 2
    assert {(Path(p["path"]).name, p["line"]) for p in got["problems"]} == {
        ("a.png", 0), ("b.txt", 1), ("c.png", 0), ("z.txt", 0),
    }  # fmt: skip
    assert got["n_broken"] == 4
    shown = capsys.readouterr().out
    assert "不是 JPEG、PNG 或 WebP 图片" in "".join(shown.splitlines())
    assert "b.txt" in (album / "out.html").read_text(encoding="utf-8")
    assert figures(album, "--missing-is-empty", code=2)["n_images"] == 3


def test_the_page_shows_the_mistakes(album: Path) -> None:
    assert measure(album, "--html", album / "deep" / "out.html") == 0
    html = (album / "deep" / "out.html").read_text(encoding="utf-8")
    assert "认错：标注为满溢垃圾桶，识别成垃圾桶" in html
    assert "漏检：垃圾（该处最高得分 0.00）" in html
    assert html.count("data:image/jpeg;base64,") == 4
    assert measure(album, "--html", album / "none.html", "--mistakes", "0") == 0
    assert "data:image" not in (album / "none.html").read_text(encoding="utf-8")


def test_detect_counts_the_same(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("sub/d", "e"):  # `detect --labels` looks into no sub-folder
        (album / "images" / f"{name}.png").unlink()
        (album / "labels" / f"{name}.txt").unlink()
    (album / "classes.txt").write_text("garbage\ngarbage_bin\noverflow\n", encoding="utf-8")
    ours = figures(album)["per_class"]
    capsys.readouterr()
    detect = ["detect", "--shelf", str(SHELF), "--model", "colours", "--json", "--labels"]
    assert run([*detect, str(album), str(album / "images")]) == 0
    theirs = json.loads(capsys.readouterr().out)["scores"]
    for name, counts in theirs.items():
        mine = ours[name]
        assert (counts["hits"], counts["false_alarms"], counts["misses"]) == (
            mine["hits"], mine["false"], mine["missed"],
        )  # fmt: skip
    assert sum(counts["hits"] for counts in theirs.values()) == 2


def test_a_limit_takes_pictures_from_all_over(album: Path) -> None:
    assert figures(album, "--limit", "2")["n_images"] == 2
    assert figures(album, "--limit", "2")["classes"]["unknown_to_model"] == {"猫": 0}
    assert figures(album, "--limit", "99")["n_images"] == 5


def test_a_part_of_a_data_set_folder(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled = read_folders(album / "images", album / "labels", album / "classes.txt")
    folder = tmp_path / "set"
    parts = ["train", "val", "val", "", "held"]
    write_dataset(folder, labelled.table, about(labelled.table, NOW), parts)
    assert figures(album, "--data", folder)["n_images"] == 2
    assert figures(album, "--data", folder, "--part", "held")["n_images"] == 1
    assert figures(album, "--data", folder, "--part", "all")["n_images"] == 5
    everything = figures(album, "--data", folder)["classes"]
    first = everything["judged"][0]
    source = {"": [n for n in labelled.table.names if canonical(n) == first]}
    write_dataset(
        folder, labelled.table, about(labelled.table, NOW, labelled=source), parts, over=True
    )
    assert figures(album, "--data", folder)["classes"]["judged"] == [first]
    write_dataset(folder, labelled.table, about(labelled.table, NOW), over=True)
    capsys.readouterr()
    assert measure(album, "--data", folder) == 2
    assert "datasets split" in capsys.readouterr().err
    assert measure(album, "--data", folder, "--images", album) == 2


@pytest.mark.parametrize(
    ("more", "code", "says"),
    [
        (["--images", "nowhere"], 2, "nowhere"),
        (["--classes", "nowhere.txt"], 2, "nowhere.txt"),
        (["--alias", "pail"], 2, "名称=类别"),
        (["--alias", "pail=bucket"], 2, "bucket"),
        (["--absent", "bucket"], 2, "bucket"),
        (["--json", "/dev/null/out.json"], 2, "/dev/null/out.json"),
        (["--backend", "abacus"], 2, "abacus"),
        (["--model", "no-such"], 1, "no-such"),
    ],
)
def test_what_cannot_be_done_is_said(
    album: Path, capsys: pytest.CaptureFixture[str], more: list[str], code: int, says: str
) -> None:
    assert measure(album, *more) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in "".join(captured.err.split("\n"))


def test_a_set_without_a_usable_picture_or_class_is_refused(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (album / "classes.txt").write_text("猫\n狗\n鸟\n鱼\n", encoding="utf-8")
    assert measure(album) == 2
    assert "没有交集" in capsys.readouterr().err
    (album / "classes.txt").write_text("garbage\n", encoding="utf-8")
    for path in album.rglob("*.txt"):
        if path.parent.name in ("labels", "sub"):
            path.write_text("0 1 2\n", encoding="utf-8")
    assert measure(album) == 2
    assert "没有一张图片可用" in capsys.readouterr().err
