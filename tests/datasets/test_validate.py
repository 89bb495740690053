"""Validation names what is wrong; splits keep scenes whole; names map; counts are right."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiaozheng.config.errors import DatasetError
from xiaozheng.datasets.aliases import canonical, parse_aliases, rename
from xiaozheng.datasets.folder import Dataset, about, write_dataset
from xiaozheng.datasets.likeness import LikenessRule, complete_groups
from xiaozheng.datasets.scan import Scan
from xiaozheng.datasets.split import split_parts
from xiaozheng.datasets.stats import stats_of
from xiaozheng.datasets.table import Table, picture
from xiaozheng.datasets.validate import validate

NAMES = ("bin", "garbage")
NOW = datetime(2026, 1, 2, tzinfo=UTC)
BOX = (0, 0.5, 0.5, 0.25, 0.5)


def noise(path: Path, seed: int, quality: int = 95) -> Path:
    """A picture of coarse random cells, unlike any other seed's."""
    cells = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    image = cv2.resize(cells, (128, 96), interpolation=cv2.INTER_CUBIC)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return path


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    """Eight pictures of as many scenes, split."""
    raw = [picture(noise(tmp_path / "raw" / f"{i}.jpg", i), [BOX], "s", f"g{i}") for i in range(8)]
    table = Table(NAMES, tuple(raw))
    parts = ("train",) * 4 + ("val",) * 2 + ("held",) * 2
    return write_dataset(tmp_path / "set", table, about(table, NOW), parts)


def test_a_sound_set_passes(dataset: Dataset) -> None:
    verdict = validate(dataset.folder)
    assert verdict.problems == ()
    assert len(verdict.dataset.table) == 8


def test_every_kind_of_trouble_is_named(dataset: Dataset) -> None:
    images, labels = dataset.folder / "images", dataset.folder / "labels"
    whole = (images / "0.jpg").read_bytes()
    (images / "0.jpg").unlink()
    (images / "0.jpg").write_bytes(whole[: len(whole) // 2])
    (images / "1.jpg").unlink()
    (labels / "2.txt").write_text("0 0.5 0.5 0.2 0.2\n5 0.5 0.5 0.1 0.1\n0 0.9 0.5 0.5 0.5\n")
    (labels / "3.txt").write_text(
        "0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.201 0.2\n1 0.5 0.501 0.2 0.2\n0 0.2 0.2 0.1 0.1\n"
    )
    (images / "5.jpg").unlink()
    noise(images / "5.jpg", 4, quality=40)
    (images / "7.jpg").unlink()
    noise(images / "7.jpg", 3, quality=60)
    (images / "stray.jpg").write_bytes(whole)
    (labels / "lonely.txt").write_text("")
    listing = dataset.folder / "pictures.csv"
    listing.write_text(listing.read_text().replace("6.jpg,g6", "6.jpg,g4"))
    verdict = validate(dataset.folder)
    told = [(p.code, p.path.name, p.line) for p in verdict.errors]
    assert sorted(told) == sorted([
        ("corrupt_picture", "0.jpg", 0),
        ("missing_picture", "1.jpg", 0),
        ("unknown_class", "2.txt", 2),
        ("outside", "2.txt", 3),
        ("duplicate_box", "3.txt", 2),
        ("missing_picture", "lonely.txt", 0),
        ("near_duplicate", "7.jpg", 0),
        ("parted_scene", "pictures.csv", 0),
    ])  # fmt: skip
    warned = {p.code for p in verdict.warnings}
    assert warned == {"same_place", "unlisted_picture", "part_without_class"}
    assert "(held) looks like 3.jpg (train)" in " ".join(p.reason for p in verdict.errors)


def test_the_same_file_twice_and_rare_classes_are_warned_of(dataset: Dataset) -> None:
    (dataset.folder / "images" / "1.jpg").unlink()
    twin = (dataset.folder / "images" / "0.jpg").read_bytes()
    (dataset.folder / "images" / "1.jpg").write_bytes(twin)
    rows = "".join(f"0 {0.1 + 0.04 * k:.2f} 0.5 0.02 0.02\n" for k in range(20))
    (dataset.folder / "labels" / "0.txt").write_text(rows + "1 0.5 0.9 0.1 0.1\n")
    verdict = validate(dataset.folder)
    assert verdict.errors == ()
    assert [p.code for p in verdict.warnings] == [
        "exact_duplicate",
        "imbalance",
        "part_without_class",
        "part_without_class",
    ]
    assert "garbage: 1 boxes" in verdict.warnings[1].reason


@given(
    groups=st.lists(st.integers(0, 12), min_size=2, max_size=80),
    val=st.floats(0.05, 0.5),
    held=st.floats(0, 0.4),
)
def test_parts_keep_scenes_whole_and_leave_something_everywhere(
    groups: list[int], val: float, held: float
) -> None:
    table = Table(
        NAMES,
        tuple(picture(Path(f"{i:03d}.jpg"), group=f"g{g}") for i, g in enumerate(groups)),
    )
    if len(set(groups)) < 2:
        with pytest.raises(DatasetError, match="only 1 scenes"):
            split_parts(table, val, held)
        return
    parts = split_parts(table, val, held)
    assert len(set(zip(groups, parts, strict=True))) == len(set(groups))
    assert "train" in parts
    assert "val" in parts


def test_a_later_split_keeps_what_was_held_out() -> None:
    first = Table(NAMES, tuple(picture(Path(f"{i}.jpg")) for i in range(40)))
    parts = split_parts(first, 0.2, 0.2)
    more = Table(NAMES, (*first.pictures, *(picture(Path(f"n{i}.jpg")) for i in range(40))))
    again = split_parts(more, 0.2, 0.2, parts)
    assert again[:40] == parts
    assert (again.count("val"), again.count("held")) == (16, 16)


def test_near_duplicates_join_clips_and_lone_pictures(tmp_path: Path) -> None:
    paths = [noise(tmp_path / f"{i}.jpg", seed) for i, seed in enumerate((1, 2, 3, 2, 9))]
    groups = ("clip/a", "clip/a", "clip/b", "clip/c", "")
    table = Table(NAMES, tuple(picture(p, (), "s", g) for p, g in zip(paths, groups, strict=True)))
    joined = [p.group for p in complete_groups(table, LikenessRule()).pictures]
    assert joined == ["clip/a", "clip/a", "clip/b", "clip/a", "s/4"]


def test_statistics_count_boxes_by_part_and_size(dataset: Dataset) -> None:
    found = stats_of(dataset)
    assert (found.pictures, found.boxes, found.scenes, found.empty) == (8, 8, 8, 0)
    assert found.by_part == {"train": 4, "val": 2, "held": 2}
    one = found.classes["bin"]
    assert (one.boxes, one.by_part["train"], one.small, one.medium) == (8, 4, 0, 8), "32 × 48 px"


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("garbage_bin", "bin"), ("Garbage-Bin", "bin"), ("overflow", "overflowing_bin"),
        ("满溢垃圾桶", "overflowing_bin"), ("垃圾桶", "bin"), ("motorbike", "motorcycle"),
        ("car", "car"), ("traffic light", ""), ("dog", ""), ("laji", None),
    ],
)  # fmt: skip
def test_foreign_names_map_onto_ours(name: str, ours: str | None) -> None:
    assert canonical(name) == ours


def test_aliases_of_the_user_come_first_and_unknown_classes_are_listed() -> None:
    names = ("laji", "overflow", "dog", "wat")
    rows = [(c, 0.5, 0.5, 0.1 + 0.01 * c, 0.1) for c in range(3)]
    table = Table(names, (picture(Path("a.jpg"), rows), picture(Path("b.jpg"), [(3, *BOX[1:])])))
    found = rename(Scan(table), parse_aliases(["laji=散落垃圾", "overflow=bin"]))
    assert {n: c for n, c in found.table.counts().items() if c} == {"garbage": 1, "bin": 1}
    assert [(p.path.name, p.code) for p in found.problems] == [("b.jpg", "unknown_class")]
    assert found.notes == ("识别不需要的类别未导入：dog 1",)
    assert len(rename(Scan(table), {"wat": "", "laji": ""}).table) == 2
    for wrong in ("laji", "=bin", "laji=rubbish"):
        with pytest.raises(DatasetError, match="alias"):
            parse_aliases([wrong])


def test_two_names_of_one_thing_give_one_box() -> None:
    rows = [(0, *BOX[1:]), (1, *BOX[1:]), (0, 0.999, 0.5, 0.004, 0.2)]
    scan = Scan(Table(("garbage", "垃圾"), (picture(Path("a.jpg"), rows),)))
    (item,) = rename(scan).table.pictures
    assert len(item) == 2
    assert (item.boxes[:, 0] + item.boxes[:, 2] / 2).max() <= 1.000001
