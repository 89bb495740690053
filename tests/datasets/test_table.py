"""The labelled table: renaming, merging, counting."""

from __future__ import annotations

from pathlib import Path

import pytest

from xiaozheng.config.errors import DatasetError
from xiaozheng.datasets.labels import (
    COCO_NAMES,
    DETECTOR_LABELS,
    LABELS_ZH,
    TRAFFIC_LABELS,
)
from xiaozheng.datasets.table import Table, merge, picture, relabel

BOX = (0.5, 0.5, 0.1, 0.1)


def test_every_label_has_a_chinese_name_and_coco_order_is_the_usual_one() -> None:
    assert tuple(LABELS_ZH) == DETECTOR_LABELS
    assert len(COCO_NAMES) == len(set(COCO_NAMES)) == 80
    assert [COCO_NAMES.index(n) for n in TRAFFIC_LABELS] == [0, 1, 3, 2, 5, 7]


def test_relabel_renames_and_drops() -> None:
    rows = [(COCO_NAMES.index(n), *BOX) for n in ("dog", "truck", "person")]
    traffic = {name: name for name in TRAFFIC_LABELS}
    table = relabel(Table(COCO_NAMES, (picture(Path("a.jpg"), rows),)), traffic, DETECTOR_LABELS)
    assert [DETECTOR_LABELS[c] for c in table.pictures[0].classes] == ["truck", "person"]
    assert len(table.pictures[0].boxes) == 2


def test_relabel_refuses_unknown_names() -> None:
    with pytest.raises(DatasetError, match="skip → bin"):
        relabel(Table(("garbage",), ()), {"skip": "bin"}, DETECTOR_LABELS)


def test_merge_keeps_all_and_refuses_other_names() -> None:
    one = Table(("bin",), (picture(Path("a.jpg")),))
    two = Table(("bin",), (picture(Path("b.jpg"), [(0, *BOX)]),))
    both = merge([one, two])
    assert len(both) == 2
    assert both.counts() == {"bin": 1}
    with pytest.raises(DatasetError, match="cannot merge"):
        merge([one, Table(("car",), ())])
