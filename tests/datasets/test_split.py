"""Splits of a real set, and what a card tells of a split."""

from __future__ import annotations

from pathlib import Path

from xiaozheng.datasets.card import card_text, write_card
from xiaozheng.datasets.likeness import LikenessRule, complete_groups
from xiaozheng.datasets.split import Split, split_parts
from xiaozheng.datasets.table import Table, picture
from xiaozheng.datasets.yolo_layouts import scan_yolo_folder

NAMES = ("bin", "garbage")


def table_of(groups: list[int]) -> Table:
    return Table(
        NAMES,
        tuple(
            picture(Path(f"{i:05d}.jpg"), source="s", group=f"g{g}") for i, g in enumerate(groups)
        ),
    )


def test_split_does_not_depend_on_order() -> None:
    table = table_of([i // 3 for i in range(90)])
    again = table.select(reversed(table.pictures))
    assert split_parts(table, 0.2, 0.1) == split_parts(again, 0.2, 0.1)[::-1]


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


def test_real_bins_split_by_scene(shared_dir: Path) -> None:
    place = shared_dir / "data/vision/bins"
    scan = scan_yolo_folder(place, None, "bins")
    bins = complete_groups(scan.table, LikenessRule(burst_from=2600))
    parts = split_parts(bins, 0.12, 0.01)
    assert len(bins) == 2380
    assert 270 <= parts.count("val") <= 310
    assert 20 <= parts.count("held") <= 28
    burst = {p.group for p in bins.pictures if p.path.stem in ("002777", "002778", "002779")}
    assert len(burst) == 1
    where: dict[str, set[str]] = {}
    for item, part in zip(bins.pictures, parts, strict=True):
        where.setdefault(item.group, set()).add(part)
    assert all(len(found) == 1 for found in where.values())
