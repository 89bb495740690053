"""The data-set folder: what is written is read back, whole or not at all, every fault named."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from xiaozheng.config.errors import ConfigError, DatasetError
from xiaozheng.datasets.folder import (
    about,
    read_dataset,
    scan_dataset,
    write_dataset,
    write_parts,
)
from xiaozheng.datasets.table import Table, picture

NAMES = ("bin", "garbage")
NOW = datetime(2026, 1, 2, tzinfo=UTC)


def made(folder: Path, count: int = 4) -> Table:
    """A table of small pictures, two to a group; two share a stem."""
    folder.mkdir(parents=True)
    pictures = []
    for i in range(count):
        path = folder / f"p{i}.jpg"
        cv2.imwrite(str(path), np.full((20, 30, 3), 40 * i, np.uint8))
        pictures.append(picture(path, [(i % 2, 0.5, 0.5, 0.25, 0.5)], "s", f"g{i // 2}"))
    return Table(NAMES, tuple(pictures))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    table = made(tmp_path / "raw")
    facts = about(table, NOW, source="街拍", licence="CC BY 4.0")
    write_dataset(tmp_path / "set", table, facts, ("train", "train", "val", "held"))
    back = read_dataset(tmp_path / "set")
    assert back.about == facts
    assert [n.zh for n in back.about.names] == ["垃圾桶", "散落垃圾"]
    assert back.table.names == NAMES
    for old, new in zip(table.pictures, back.table.pictures, strict=True):
        assert (new.source, new.group) == (old.source, old.group)
        assert new.path.read_bytes() == old.path.read_bytes()
        np.testing.assert_allclose(new.boxes, old.boxes)
        assert new.classes.tolist() == old.classes.tolist()
    split = back.split()
    assert [len(t) for t in (split.train, split.val, split.held)] == [2, 1, 1]


def test_each_source_has_its_own_parts_and_classes(tmp_path: Path) -> None:
    table = made(tmp_path / "raw")
    mixed = table.select(
        replace(p, source="s" if i < 2 else "t") for i, p in enumerate(table.pictures)
    )
    facts = about(mixed, NOW, labelled={"t": ("garbage",)})
    facts = facts.model_copy(update={"absent": ("stall",)})
    write_dataset(tmp_path / "set", mixed, facts, ("train", "val", "train", "val"))
    dataset = read_dataset(tmp_path / "set")
    one, other = dataset.by_source()
    assert (one.name, one.labelled) == ("s", NAMES)
    assert (other.name, other.labelled, other.settled) == ("t", ("garbage",), ("garbage", "stall"))
    assert [len(one.split.train), len(one.split.val), len(other.split.val)] == [1, 1, 1]
    assert other.split.train.counts() == {"garbage": 0}  # its box was of a class not looked for
    assert other.split.val.counts() == {"garbage": 1}
    assert dataset.labelled_in(["s", "t"]) == ("garbage",)


def test_an_unsplit_set_says_what_to_run(tmp_path: Path) -> None:
    table = made(tmp_path / "raw")
    dataset = write_dataset(tmp_path / "set", table, about(table, NOW))
    with pytest.raises(DatasetError, match="run `xiaozheng datasets split` first"):
        dataset.split()
    parted = write_parts(dataset, dataset.table, ("train", "val", "train", "held"))
    assert len(parted.split().train) == 2
    assert read_dataset(tmp_path / "set").parts == ("train", "val", "train", "held")


def test_pictures_of_one_name_get_their_source_and_a_number(tmp_path: Path) -> None:
    one, two, three = (made(tmp_path / n, 1).pictures[0] for n in ("a", "b", "c"))
    table = Table(NAMES, (one, two, three))
    dataset = write_dataset(tmp_path / "set", table, about(table, NOW))
    assert [p.path.name for p in dataset.table.pictures] == ["s_p0.jpg", "s_p0-2.jpg", "s_p0-3.jpg"]
    assert len(read_dataset(tmp_path / "set").table) == 3


def test_a_set_is_replaced_only_when_asked_even_by_its_own_pictures(tmp_path: Path) -> None:
    table = made(tmp_path / "raw")
    dataset = write_dataset(tmp_path / "set", table, about(table, NOW))
    with pytest.raises(DatasetError, match="exists already"):
        write_dataset(tmp_path / "set", table, about(table, NOW))
    less = dataset.table.select(dataset.table.pictures[:1])
    write_dataset(tmp_path / "set", less, dataset.about, over=True)
    assert len(read_dataset(tmp_path / "set").table) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["raw", "set"]


def test_a_failure_leaves_the_old_set_and_no_draft(tmp_path: Path) -> None:
    table = made(tmp_path / "raw")
    dataset = write_dataset(tmp_path / "set", table, about(table, NOW))
    gone = table.select([*table.pictures, picture(tmp_path / "gone.jpg")])
    with pytest.raises(DatasetError, match=r"gone\.jpg"):
        write_dataset(tmp_path / "set", gone, dataset.about, over=True)
    assert len(read_dataset(tmp_path / "set").table) == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["raw", "set"]


FULL_DISK = """
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xiaozheng.config.errors import DatasetError
from xiaozheng.datasets.folder import about, write_dataset
from xiaozheng.datasets.table import Table, picture
table = Table(("bin",), (picture(Path(sys.argv[1]), [(0, 0.5, 0.5, 0.1, 0.1)]),))
try:
    write_dataset(Path(sys.argv[2]) / "set", table, about(table, datetime.now(UTC)))
except DatasetError as error:
    print(error.message_zh)
"""


def test_a_full_disk_is_told_and_nothing_half_written_stays(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        large = tmp_path / "large.png"
        noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
        cv2.imwrite(str(large), noise)
        told = subprocess.run(
            [sys.executable, "-c", FULL_DISK, str(large), str(disk)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert told.stdout.startswith("磁盘已满，未写入任何内容")
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_every_fault_is_named_and_the_rest_is_read(tmp_path: Path) -> None:
    table = made(tmp_path / "raw", 7)
    folder = tmp_path / "set"
    write_dataset(folder, table, about(table, NOW))
    (folder / "images" / "p0.jpg").unlink()
    (folder / "labels" / "p1.txt").unlink()
    (folder / "labels" / "p2.txt").write_text("0 0.5 0.5 0.2\n7 0.5 0.5 0.1 0.1\n")
    listing = folder / "pictures.csv"
    text = listing.read_text().replace("p3.jpg,g1,s,", "p3.jpg,g1,s,test")
    listing.write_text(text.replace("p4.jpg,", "../p4.jpg,") + "p6.jpg,g,s,\n")
    dataset, problems = scan_dataset(folder)
    assert [p.path.stem for p in dataset.table.pictures] == ["p5", "p6"]
    assert [(p.path.name, p.line, p.code) for p in problems] == [
        ("p0.jpg", 0, "missing_picture"),
        ("p1.txt", 0, "missing_labels"),
        ("p2.txt", 1, "bad_row"),
        ("p2.txt", 2, "unknown_class"),
        ("pictures.csv", 5, "bad_row"),
        ("pictures.csv", 6, "bad_row"),
        ("pictures.csv", 9, "bad_row"),
        ("p4.jpg", 0, "unlisted_picture"),
    ]
    with pytest.raises(DatasetError, match="8 problems"):
        read_dataset(folder)


def test_a_folder_that_is_none_and_a_broken_description(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no such folder"):
        read_dataset(tmp_path / "none")
    with pytest.raises(ConfigError, match=r"dataset\.yaml: cannot be read"):
        read_dataset(tmp_path)
    (tmp_path / "dataset.yaml").write_text("names:\n- name: bin\n- {name: bin}\n")
    with pytest.raises(DatasetError, match="class 'bin' twice"):
        read_dataset(tmp_path)
    (tmp_path / "dataset.yaml").write_text("names:\n- name: bin\n- bin\n")
    with pytest.raises(ConfigError, match=r"dataset\.yaml:3: names\.1"):
        read_dataset(tmp_path)
