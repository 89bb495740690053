"""Splits: scenes stay whole, parts are filled as asked, the same everywhere."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from xiaozheng.datasets.card import card_text, write_card
from xiaozheng.datasets.likeness import BINS_RULE, group_scenes
from xiaozheng.datasets.sources import read_bins, read_coco_subset
from xiaozheng.datasets.split import Split, leaks, split_scenes
from xiaozheng.datasets.table import Table, picture

NAMES = ("bin", "garbage")


def table_of(groups: list[int]) -> Table:
    return Table(
        NAMES,
        tuple(
            picture(Path(f"{i:05d}.jpg"), source="s", group=f"g{g}") for i, g in enumerate(groups)
        ),
    )


@given(groups=st.lists(st.integers(0, 12), min_size=1, max_size=80), held=st.integers(0, 5))
def test_no_scene_is_ever_in_two_parts_and_nothing_is_lost(groups: list[int], held: int) -> None:
    split = split_scenes(table_of(groups), val_part=0.2, held_count=held)
    assert leaks(split) == []
    paths = [p.path for t in (split.train, split.val, split.held) for p in t.pictures]
    assert sorted(paths) == sorted(p.path for p in table_of(groups).pictures)


def test_parts_have_the_size_asked_for() -> None:
    split = split_scenes(table_of(list(range(500))), val_part=0.12, held_count=20)
    assert (len(split.held), len(split.val), len(split.train)) == (20, 60, 420)


def test_large_scene_stays_in_training() -> None:
    split = split_scenes(table_of([1] * 60 + list(range(2, 42))), 0.5, max_group=24)
    assert sum(p.group == "g1" for p in split.train.pictures) == 60
    assert len(split.val) == 40


def test_split_does_not_depend_on_order() -> None:
    table = table_of([i // 3 for i in range(90)])
    again = table.select(reversed(table.pictures))
    assert [p.path for p in split_scenes(table, 0.2, 5).val.pictures] == [
        p.path for p in split_scenes(again, 0.2, 5).val.pictures
    ]


def test_leaks_are_found() -> None:
    table = table_of([7, 7])
    one, two = (table.select([p]) for p in table.pictures)
    assert leaks(Split(train=one, val=two, held=table.select(()))) == ["g7"]


def test_card_states_sizes_scenes_and_boxes(tmp_path: Path) -> None:
    image = tmp_path / "a.jpg"
    image.write_bytes(b"any bytes")
    table = Table(NAMES, (picture(image, [(1, 0.5, 0.5, 0.1, 0.1)], "bins", "g"),))
    empty = table.select(())
    split = Split(train=table, val=empty, held=empty)
    write_card(tmp_path / "CARD.md", "Bins", split, ("CC BY 4.0",))
    text = (tmp_path / "CARD.md").read_text(encoding="utf-8")
    assert text == card_text("Bins", split, ("CC BY 4.0",))
    assert text.startswith("# Bins\n\n- CC BY 4.0\n")
    assert "| train | 1 | 1 |" in text
    assert "| garbage | 1 | 0 | 0 |" in text
    assert "Sources: bins 1." in text


def test_real_sources_split_without_leaks(shared_dir: Path) -> None:
    bins = group_scenes(read_bins(shared_dir / "data/vision/bins"), BINS_RULE)
    split = split_scenes(bins, 0.12, 20)
    assert len(bins) == 2380
    assert leaks(split) == []
    assert len(split.held) == 20
    assert 270 <= len(split.val) <= 310
    assert {n for n, c in split.val.counts().items() if c} == {"bin", "overflowing_bin", "garbage"}
    burst = {p.group for p in bins.pictures if p.path.stem in ("002777", "002778", "002779")}
    assert len(burst) == 1


def test_coco_subset_keeps_traffic_only(shared_dir: Path) -> None:
    counts = read_coco_subset(shared_dir / "data/vision/coco_train_subset").counts()
    assert counts["person"] > 300
    assert counts["stall"] == counts["bin"] == 0
