"""Cutting text into words from what is rare."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xiaozheng.nlp.words import cut_words


def rarity_of(text: str, known: dict[str, float]) -> np.ndarray:
    table = np.full((4, len(text)), np.inf)
    for size in (1, 2, 3, 4):
        for at in range(len(text) - size + 1):
            table[size - 1, at] = known.get(text[at : at + size], np.inf)
    return table


def test_known_words_win_over_their_characters() -> None:
    text = "提取公积金难"
    known = {
        "提": 2,
        "取": 2,
        "公": 1,
        "积": 4,
        "金": 2,
        "难": 1,
        "提取": 3,
        "公积金": 4,
        "公积": 4,
    }
    words = [text[a:b] for a, b in cut_words(rarity_of(text, known), 0, len(text))]
    assert words == ["提取", "公积金", "难"]


def test_only_the_asked_stretch_is_cut() -> None:
    text = "路灯不亮"
    known = {"路灯": 2.0, "不亮": 2.0, "灯不": 1.0}
    assert cut_words(rarity_of(text, known), 1, 3) == [(1, 3)]
    assert cut_words(rarity_of(text, known), 2, 2) == []


@given(arrays(np.float64, (4, 12), elements=st.one_of(st.just(np.inf), st.floats(0, 12))))
def test_the_words_cover_the_stretch_in_order(rarity: np.ndarray) -> None:
    words = cut_words(rarity, 1, 11)
    assert words[0][0] == 1
    assert words[-1][1] == 11
    assert all(a[1] == b[0] for a, b in pairwise(words))
    assert all(1 <= end - start <= 4 for start, end in words)
