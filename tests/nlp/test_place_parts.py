"""Tags, windows' alphabet, said numbers and grouping of address elements."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xiaozheng.nlp.place.alphabet import PAD_ID, UNKNOWN_ID, Alphabet, padded, read_as
from xiaozheng.nlp.place.elements import TAGS, Element, elements_of, tags_of
from xiaozheng.nlp.place.finder import grouped
from xiaozheng.nlp.place.spoken import metres_of, with_digits
from xiaozheng.nlp.place.viterbi import allowed_steps, best_rows
from xiaozheng.nlp.place.waters import find_waters


def test_elements_and_tags_are_each_others_inverse() -> None:
    text = "郑州市经三路119号"
    tags = tags_of(
        len(text),
        [
            Element("city", 0, 3, "郑州市"),
            Element("road", 3, 6, "经三路"),
            Element("roadno", 6, 10, "119号"),
        ],
    )
    assert tags[:4] == ["B-city", "I-city", "E-city", "B-road"]
    assert [(e.kind, e.text) for e in elements_of(text, tags)] == [
        ("city", "郑州市"),
        ("road", "经三路"),
        ("roadno", "119号"),
    ]
    assert tags_of(1, [Element("poi", 0, 1, "河")]) == ["S-poi"]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 12))
def test_the_best_row_is_well_formed_and_best(seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(2, length + 3, len(TAGS))).astype(np.float32)
    steps = allowed_steps()
    row, other = best_rows(scores, np.array([length, length + 3]), *steps)
    tags = [TAGS[tag] for tag in row]
    assert len(row) == length
    assert len(other) == length + 3
    assert tags_of(length, elements_of("字" * length, tags)) == tags
    total = sum(float(scores[0, at, tag]) for at, tag in enumerate(row))
    assert total >= float(scores[0, :length, 0].sum()) - 1e-4


def test_characters_keep_their_places() -> None:
    assert read_as("Ａ座１２㎡İ") == "a座00mİ"
    alphabet = Alphabet("0a座")
    assert alphabet.encode("Ａ座9?") == [3, 4, 2, UNKNOWN_ID]
    assert padded([[5], [6, 7]]).tolist() == [[5] + [PAD_ID] * 7, [6, 7] + [PAD_ID] * 6]


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("幺幺九号", "119号"),
        ("一百二十八号", "128号"),
        ("十五号楼", "15号楼"),
        ("三零二室", "302室"),
        ("119号", "119号"),
    ],
)
def test_said_numbers(said: str, written: str) -> None:
    assert with_digits(said) == written


def test_said_metres() -> None:
    assert metres_of("五十") == 50
    assert metres_of("不远") is None


def test_neighbouring_elements_are_one_place() -> None:
    text = "花园路与农业路的口子，万达和大润发"
    elements = [
        Element("road", 0, 3, "花园路"),
        Element("road", 4, 7, "农业路"),
        Element("poi", 11, 13, "万达"),
        Element("poi", 14, 17, "大润发"),
    ]
    assert [[e.text for e in group] for group in grouped(text, elements)] == [
        ["花园路", "农业路"],
        ["万达"],
        ["大润发"],
    ]


@pytest.mark.parametrize(
    ("text", "waters"),
    [
        ("因龙津河改造施工", ["龙津河"]),
        ("投诉跃进河和磨洋河水发黑", ["跃进河", "磨洋河"]),
        ("垃圾往河里倒，这条河臭，没有河，给河边居民", []),
        ("小河涨水，小清河也涨水", ["小清河"]),
    ],
)
def test_waters_by_their_last_character(text: str, waters: list[str]) -> None:
    assert [water.text for water in find_waters(text)] == waters
