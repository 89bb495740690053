"""`xiaozheng datasets` from end to end: clips and pictures in, checked, split, looked at, out."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from xiaozheng.cli.main import run
from xiaozheng.datasets.folder import read_dataset

SHELF = Path(__file__).parent.parent / "fixtures" / "shelf"
BLUE, CYAN = (255, 0, 0), (255, 255, 0)


def datasets(*arguments: str | Path) -> int:
    return run(["datasets", *map(str, arguments)])


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> Any:
    capsys.readouterr()
    assert datasets(*arguments, "--json") == code
    return json.loads(capsys.readouterr().out)


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    """What stands on stderr, without the line breaks of a narrow terminal."""
    return "".join(capsys.readouterr().err.split())


def street(seed: int, colour: tuple[int, int, int] = BLUE, left: int = 64) -> np.ndarray[Any, Any]:
    """Grey cells, different for every seed, with a block of some colour 64 × 72 pixels large."""
    cells = np.random.default_rng(seed).integers(100, 150, (9, 16, 1), dtype=np.uint8)
    image = cv2.resize(np.repeat(cells, 3, axis=2), (640, 360), interpolation=cv2.INTER_CUBIC)
    cv2.rectangle(image, (left, 36), (left + 63, 107), colour, cv2.FILLED)
    return image


def album(folder: Path, count: int) -> Path:
    """A YOLO folder of bins, every second one overflowing."""
    (folder / "images").mkdir(parents=True)
    (folder / "labels").mkdir()
    (folder / "classes.txt").write_text("garbage\ngarbage_bin\noverflow\n", encoding="utf-8")
    for i in range(count):
        image = street(i, (BLUE, CYAN)[i % 2])
        cv2.imwrite(str(folder / "images" / f"{i:03d}.png"), image)
        (folder / "labels" / f"{i:03d}.txt").write_text(f"{1 + i % 2} 0.15 0.2 0.1 0.2\n")
    return folder


@pytest.fixture
def bins(tmp_path: Path) -> Path:
    """An imported set of twelve pictures."""
    out = tmp_path / "bins"
    assert datasets("import", "yolo", album(tmp_path / "raw", 12), "--out", out) == 0
    return out


def test_clips_go_the_whole_way(
    repo_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clips, city = repo_dir / "datasets" / "samples" / "clips", tmp_path / "city"
    done = told(capsys, "import", "cvat-video", clips, "--out", city, "--fps", "1")
    assert done["problems"] == []
    assert done["classes"]["overflowing_bin"] > 10
    assert done["classes"]["stall"] > 10
    assert told(capsys, "validate", city)["errors"] == []
    parts = told(capsys, "split", city, "--val", "0.2", "--held", "0.2")
    assert parts["scenes"] == {"train": 2, "val": 1, "held": 1}
    assert told(capsys, "validate", city)["errors"] == []
    split = read_dataset(city).split()
    groups = [{p.group for p in t.pictures} for t in (split.train, split.val, split.held)]
    assert groups[0] | groups[1] | groups[2] == {f"clip/{c.stem}" for c in clips.glob("*.mp4")}, (
        "one scene a clip"
    )
    assert told(capsys, "stats", city)["pictures"] == done["pictures"]
    back = told(capsys, "export", city, "--format", "cvat-video", "--out", tmp_path / "cvat")
    assert back["pictures"] == done["pictures"]
    again = told(capsys, "import", "cvat-video", tmp_path / "cvat", "--out", tmp_path / "two")
    assert again["classes"] == done["classes"]


def test_import_renames_lists_and_stays_readable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = album(tmp_path / "raw", 40)
    (raw / "images" / "005.png").write_bytes(b"")
    (raw / "labels" / "010.txt").write_text("1 0.5 0.5\n")
    arguments = ("import", "yolo", raw, "--out", tmp_path / "set", "--licence", "CC BY 4.0")
    assert datasets(*arguments) == 0
    shown = capsys.readouterr().out
    for word in ("共 2 处问题", "图片损坏 1", "标注行有误 1", "010.txt:1", "已导入 38 张图片"):
        assert word in shown
    with (tmp_path / "set" / "import-problems.csv").open(encoding="utf-8") as stream:
        assert {row["code"] for row in csv.DictReader(stream)} == {"corrupt_picture", "bad_row"}
    dataset = read_dataset(tmp_path / "set")
    counts = dataset.table.counts()
    assert (counts["bin"], counts["overflowing_bin"]) == (19, 19)
    assert (dataset.about.source, dataset.about.licence) == ("raw", "CC BY 4.0")
    assert dataset.about.labelled == {"raw": ("garbage", "bin", "overflowing_bin")}
    assert datasets(*arguments) == 2
    assert "目录已存在" in complaint(capsys)
    strict = ("import", "yolo", raw, "--out", tmp_path / "strict", "--strict")
    assert datasets(*strict) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["raw", "set"], "nothing half-written"


def test_unknown_classes_tell_which_alias_to_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = album(tmp_path / "raw", 4)
    (raw / "classes.txt").write_text("garbage\nlaji_tong\noverflow\n", encoding="utf-8")
    done = told(capsys, "import", "yolo", raw, "--out", tmp_path / "a")
    assert done["pictures"] == 2
    assert "--alias laji_tong=bin" in "".join(done["notes"])
    alias = ("--alias", "laji_tong=垃圾桶", "--alias", "overflow=")
    done = told(capsys, "import", "yolo", raw, "--out", tmp_path / "b", *alias)
    assert done["classes"] == {"bin": 2}
    assert done["pictures"] == 4
    assert datasets("import", "yolo", raw, "--out", tmp_path / "c", "--alias", "x=y") == 2
    assert "没有类别y" in complaint(capsys)


def test_more_is_added_and_only_that_is_split_anew(
    bins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "split", bins, "--group", "given")
    before = dict(zip((p.path.name for p in read_dataset(bins).table.pictures),
                      read_dataset(bins).parts, strict=True))  # fmt: skip
    raw = album(tmp_path / "more", 20)
    done = told(capsys, "import", "yolo", raw, "--out", bins, "--add", "--name", "more")
    assert (done["pictures"], done["imported"]) == (32, 20)
    assert read_dataset(bins).about.source == "raw, more"
    assert set(read_dataset(bins).about.labelled) == {"raw", "more"}
    told(capsys, "split", bins, "--group", "given", "--keep")
    after = dict(zip((p.path.name for p in read_dataset(bins).table.pictures),
                     read_dataset(bins).parts, strict=True))  # fmt: skip
    assert all(after.get(name, after.get(f"raw_{name}")) == part for name, part in before.items())
    # The same pictures twice, split as if they were different: validation must see through it.
    found = told(capsys, "validate", bins, code=2)
    assert {p["code"] for p in found["errors"]} == {"near_duplicate"}
    told(capsys, "split", bins)
    assert told(capsys, "validate", bins)["errors"] == []


def test_one_set_goes_into_another_with_its_scenes_and_parts(
    bins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "split", bins, "--val", "0.25")
    done = told(capsys, "import", "xiaozheng", bins, "--out", tmp_path / "all")
    assert (done["pictures"], done["split"]) == (12, True)
    one, two = read_dataset(bins), read_dataset(tmp_path / "all")
    assert two.parts == one.parts
    assert [p.group for p in two.table.pictures] == [p.group for p in one.table.pictures]
    assert {p.source for p in two.table.pictures} == {"raw"}


def test_a_set_that_is_wrong_fails_validation_by_name(
    bins: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bins / "labels" / "003.txt").write_text("2 1.5 0.2 0.1 0.2\n")
    assert datasets("validate", bins) == 2
    shown = capsys.readouterr().out
    for word in ("框超出图片", "003.txt:1", "处问题须先处理"):
        assert word in shown


def test_sheet_shows_what_is_asked_for(
    bins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "sheet.jpg"
    assert datasets("sheet", bins, "--out", out, "--count", "7", "--class", "bin") == 0
    assert "已将 6 张图片拼入" in capsys.readouterr().out
    image = cv2.imread(str(out))
    assert image.shape[1] > 4 * image.shape[0]
    assert datasets("sheet", bins, "--out", out, "--class", "tree") == 2
    assert "没有类别tree" in complaint(capsys)


def test_doubt_finds_the_labels_that_were_changed(
    bins: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swapped, gone, moved = (bins / "labels" / f"{n}.txt" for n in ("002", "005", "008"))
    swapped.write_text("7 0.15 0.2 0.1 0.2\n")
    gone.write_text("")
    moved.write_text("6 0.21 0.2 0.1 0.2\n")
    shelf = ("--shelf", SHELF, "--model", "colours")
    found = told(capsys, "doubt", bins, "--out", tmp_path / "d", *shelf)
    assert found["kinds"] == {"wrong_class": 1, "unlabelled": 1, "misplaced": 1}
    with (tmp_path / "d" / "doubts.csv").open(encoding="utf-8") as stream:
        rows = {row["file"]: row for row in csv.DictReader(stream)}
    assert (rows["002.png"]["label"], rows["002.png"]["model"]) == ("overflowing_bin", "bin")
    assert rows["005.png"]["kind"] == "unlabelled"
    assert rows["008.png"]["kind"] == "misplaced"
    assert cv2.imread(str(tmp_path / "d" / "sheet.jpg")) is not None
    assert datasets("doubt", bins, "--out", tmp_path / "d", *shelf) == 0
    assert "类别存疑" in capsys.readouterr().out


def test_one_clip_alone_cannot_be_validated_on(
    repo_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    xml = repo_dir / "datasets" / "samples" / "clips" / "bin_overflow.xml"
    video = xml.with_suffix(".mp4")
    one = tmp_path / "one"
    told(capsys, "import", "cvat-video", xml, "--video", video, "--out", one, "--fps", "0.5")
    assert datasets("split", one) == 2
    assert "import--add再加入别的片段" in complaint(capsys)
    assert told(capsys, "split", one, "--val", "0", "--held", "0")["scenes"] == {"train": 1}


def test_yolo_export_is_laid_out_by_part(bins: Path, tmp_path: Path) -> None:
    assert datasets("split", bins, "--val", "0.25", "--held", "0.25") == 0
    assert datasets("export", bins, "--format", "yolo", "--out", tmp_path / "out") == 0
    lots = {lot: len(list((tmp_path / "out" / "images" / lot).iterdir()))
            for lot in ("train", "val", "test")}  # fmt: skip
    assert lots == {"train": 6, "val": 3, "test": 3}
    assert datasets("import", "yolo", tmp_path / "out", "--out", tmp_path / "again") == 0
    assert read_dataset(tmp_path / "again").parts.count("held") == 3
    assert datasets("export", bins, "--format", "yolo", "--out", tmp_path / "out") == 2
    assert datasets("export", bins, "--format", "voc", "--out", tmp_path / "voc") == 2
    assert not (tmp_path / "voc").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["validate", "{tmp}/none"], "没有此目录"),
        (["stats", "{tmp}"], "dataset.yaml"),
        (["import", "coco", "{tmp}/none", "--out", "{tmp}/x"], "找到 0 个"),
        (["import", "voc", "{tmp}", "--out", "{tmp}/x"], "没有格式 voc"),
        (["import", "labelme", "{tmp}", "--out", "{tmp}/x"], "没有 LabelMe JSON 文件"),
    ],
)
def test_bad_arguments_are_exit_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert datasets(*[a.replace("{tmp}", str(tmp_path)) for a in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "".join(says.split()) in "".join(captured.err.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(importlib.util.find_spec("bpy") is not None, reason="Blender is installed")
def test_rendering_without_blender_says_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert datasets("render", "--out", tmp_path / "r", "--count", "1") == 2
    assert "render扩展" in complaint(capsys)
