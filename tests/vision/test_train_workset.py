"""The merged set on disk: links, lists with rehearsal, sources left out."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import yaml

from xiaozheng.datasets.split import Split
from xiaozheng.datasets.table import Table, picture
from xiaozheng.datasets.yolo import read_yolo
from xiaozheng.vision.train.workset import join_splits, restricted, write_workset

NAMES = ("bin", "stall")


def table(folder: Path, source: str, count: int) -> Table:
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    for i in range(count):
        path = folder / f"{source}{i}.jpg"
        cv2.imwrite(str(path), np.full((16, 16, 3), 9 * i, np.uint8))
        pictures.append(picture(path, [(i % 2, 0.5, 0.5, 0.3, 0.3)], source))
    return Table(NAMES, tuple(pictures))


def split(folder: Path, source: str) -> Split:
    whole = table(folder, source, 6).pictures
    return Split(
        train=Table(NAMES, whole[:3]), val=Table(NAMES, whole[3:5]), held=Table(NAMES, whole[5:])
    )


def test_lists_repeat_and_leave_out_sources(tmp_path: Path) -> None:
    both = join_splits([split(tmp_path / "x", "bins"), split(tmp_path / "y", "coco")])
    made = write_workset(tmp_path / "both", both, {"bins": 1, "coco": 3})
    train = (made.folder / "train.txt").read_text(encoding="utf-8").splitlines()
    assert len(train) == 3 + 9
    assert all(Path(line).exists() for line in train)
    alone = write_workset(tmp_path / "alone", both, {"bins": 2, "coco": 0})
    assert len((alone.folder / "train.txt").read_text(encoding="utf-8").splitlines()) == 6
    assert len((made.folder / "val.txt").read_text(encoding="utf-8").splitlines()) == 4


def test_parts_read_back_and_are_described(tmp_path: Path) -> None:
    both = join_splits([split(tmp_path / "x", "bins"), split(tmp_path / "y", "coco")])
    made = write_workset(tmp_path / "set", both, {"bins": 1, "coco": 1})
    back = read_yolo(made.folder / "train")
    assert back.names == NAMES
    assert back.counts() == both.train.counts()
    described = yaml.safe_load(made.yaml.read_text(encoding="utf-8"))
    assert described["names"] == {0: "bin", 1: "stall"}
    names = json.loads(made.split_file.read_text(encoding="utf-8"))
    assert names["held"] == ["bins_bins5", "coco_coco5"]
    assert (made.folder / "CARD.md").is_file()
    assert not any(p.is_symlink() for p in (tmp_path / "x").iterdir())


def test_hash_does_not_depend_on_the_place(tmp_path: Path) -> None:
    one = write_workset(tmp_path / "a", split(tmp_path / "x", "bins"), {"bins": 1})
    two = write_workset(tmp_path / "b", split(tmp_path / "z", "bins"), {"bins": 5})
    assert one.data_hash == two.data_hash


def test_other_labels_keep_common_classes_only(tmp_path: Path) -> None:
    whole = split(tmp_path / "x", "bins")
    own = restricted(whole, ("garbage", "stall"))
    assert own.train.names == ("garbage", "stall")
    assert own.train.counts() == {"garbage": 0, "stall": whole.train.counts()["stall"]}
    assert len(own.train) == len(whole.train)
