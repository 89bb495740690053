"""`xiaozheng detect` on made-up pictures: boxes, bad files, drawings, scores, exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from xiaozheng.cli.main import run

SHELF = Path(__file__).parent.parent / "fixtures" / "shelf"
BLUE, CYAN, YELLOW = (255, 0, 0), (255, 255, 0), (0, 255, 255)


def picture(path: Path, size: tuple[int, int], *things: tuple[tuple[int, ...], Any]) -> Path:
    """Grey with filled rectangles (x1, y1, x2, y2) of given colours."""
    image = np.full((size[1], size[0], 3), 128, np.uint8)
    for (x1, y1, x2, y2), colour in things:
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), colour, cv2.FILLED)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)
    return path


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A YOLO set: two right labels, one wrong, one picture without its label."""
    folder = tmp_path / "set"
    images, labels = folder / "images", folder / "labels"
    picture(images / "a.png", (640, 360), ((64, 36, 128, 108), BLUE))
    picture(images / "b.png", (1920, 1080), ((960, 540, 1152, 648), CYAN))
    picture(images / "c.png", (640, 360), ((0, 0, 64, 36), YELLOW))
    picture(images / "sub" / "d.png", (320, 240))
    labels.mkdir()
    (folder / "classes.txt").write_text("garbage\ngarbage_bin\noverflow\n", encoding="utf-8")
    (labels / "a.txt").write_text("1 0.15 0.2 0.1 0.2\n", encoding="utf-8")
    (labels / "b.txt").write_text("2 0.55 0.55 0.1 0.1\n", encoding="utf-8")
    (labels / "c.txt").write_text("0 0.75 0.75 0.1 0.1\n", encoding="utf-8")
    return folder


def detect(*arguments: str | Path) -> int:
    return run(["detect", "--shelf", str(SHELF), "--model", "colours", *map(str, arguments)])


def detect_json(
    capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0
) -> dict[str, Any]:
    assert detect("--json", *arguments) == code
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_json_lists_boxes_in_pixels_of_the_file(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = detect_json(capsys, album / "images" / "a.png", album / "images" / "b.png")
    assert document["model"] == "colours@1.0.0"
    assert document["errors"] == []
    first, second = document["pictures"]
    assert (first["width"], first["height"]) == (640, 360)
    (box,) = first["detections"]
    assert (box["label"], box["zh"]) == ("bin", "垃圾桶")
    assert box["box"] == pytest.approx([64, 36, 128, 108], abs=1)
    (box,) = second["detections"]
    assert box["label"] == "overflowing_bin"
    assert box["box"] == pytest.approx([960, 540, 1152, 648], abs=4)


def test_a_large_jpeg_is_decoded_small_yet_boxed_large(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = picture(tmp_path / "large.jpg", (2560, 1440), ((640, 400, 1280, 800), BLUE))
    document = detect_json(capsys, path)
    (box,) = document["pictures"][0]["detections"]
    assert box["box"] == pytest.approx([640, 400, 1280, 800], abs=10)


def test_folders_are_searched(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = detect_json(capsys, album / "images")
    names = [Path(p["path"]).name for p in document["pictures"]]
    assert names == ["a.png", "b.png", "c.png", "d.png"]
    assert document["pictures"][3]["detections"] == []


def test_bad_files_are_listed_and_the_rest_is_served(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = album / "bad"
    bad.mkdir()
    (bad / "text.jpg").write_text("this is text", encoding="utf-8")
    (bad / "empty.png").write_bytes(b"")
    whole = (album / "images" / "a.png").read_bytes()
    (bad / "cut.png").write_bytes(whole[: len(whole) // 2])
    document = detect_json(
        capsys, bad, album / "images" / "a.png", album / "none.jpg", bad / "text.jpg", code=2
    )
    assert [Path(p["path"]).name for p in document["pictures"]] == ["a.png"]
    assert [(Path(e["path"]).name, e["code"]) for e in document["errors"]] == [
        ("cut.png", "truncated"),
        ("empty.png", "empty"),
        ("text.jpg", "unsupported_format"),
        ("none.jpg", "bad_source"),
        ("text.jpg", "unsupported_format"),
    ]


def test_the_table_names_what_was_found_and_what_was_bad(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "t.jpg").write_text("text", encoding="utf-8")
    assert detect(album / "images" / "a.png", tmp_path / "t.jpg") == 2
    shown = "".join(capsys.readouterr().out.split())
    for word in ("垃圾桶1.00", "640×360", "不是JPEG、PNG或WebP图片", "共2个文件，1个不可用"):
        assert word in shown


def test_drawings_and_contact_sheet(
    album: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, sheet = tmp_path / "out", tmp_path / "deep" / "sheet.jpg"
    assert detect(album / "images", "--out", out, "--sheet", sheet) == 0
    assert sorted(p.name for p in out.iterdir()) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert cv2.imread(str(out / "b.jpg")).shape == (1080, 1920, 3), "drawn at full size"
    assert cv2.imread(str(sheet)).shape == (360, 4 * 360, 3)


def test_scores_against_labels(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = detect_json(capsys, album / "images", "--labels", album)
    assert document["labelled_pictures"] == 3
    scores = document["scores"]
    assert list(scores) == ["garbage", "bin", "overflowing_bin"]
    assert (scores["bin"]["precision"], scores["bin"]["recall"]) == (1.0, 1.0)
    assert scores["overflowing_bin"]["hits"] == 1
    assert (scores["garbage"]["false_alarms"], scores["garbage"]["misses"]) == (1, 1)
    assert detect(album / "images", "--labels", album) == 0
    assert "准确率" in capsys.readouterr().out


def test_bad_labels_are_told_with_file_and_line(
    album: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (album / "labels" / "b.txt").write_text("2 0.5 0.5 0.1 0.1\nrubbish\n", encoding="utf-8")
    document = detect_json(capsys, album / "images", "--labels", album)
    assert document["labelled_pictures"] == 2
    assert any("b.txt:2" in problem for problem in document["label_problems"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["{album}/labels"], "labels"),
        (["{album}/images", "--labels", "{album}/images"], "images"),
        (["{album}/images", "--labels", "{album}/nowhere"], "nowhere"),
    ],
)
def test_bad_arguments_are_exit_code_2(
    album: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert detect(*[a.replace("{album}", str(album)) for a in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err


def test_an_unknown_model_is_exit_code_1(album: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["detect", "--shelf", str(SHELF), "--model", "no-such", str(album / "images")]) == 1
    assert "no-such" in capsys.readouterr().err
