"""Evidence words from hand-made support."""

from __future__ import annotations

import numpy as np
import pytest

from xiaozheng.nlp.evidence import MAX_SPANS, evidence_words
from xiaozheng.nlp.prepare import PreparedText, prepare
from xiaozheng.nlp.transcript import Transcript


def prepared(text: str, title: str = "") -> PreparedText:
    return prepare(Transcript("1", text, title))


def support_for(text: PreparedText, weights: dict[str, float]) -> np.ndarray:
    """Weight of a word spread over its characters, wherever it stands."""
    spelt = "".join(map(chr, text.features.chars))
    support = np.zeros(len(spelt))
    for word, weight in weights.items():
        at = spelt.find(word)
        while at >= 0:
            support[at : at + len(word)] += weight / len(word)
            at = spelt.find(word, at + 1)
    return support


def rarity_for(text: PreparedText, words: list[str]) -> np.ndarray:
    """Words cost 2, single characters 3, everything else is unknown."""
    spelt = "".join(map(chr, text.features.chars))
    rarity = np.full((4, len(spelt)), np.inf)
    rarity[0] = 3.0
    for word in words:
        at = spelt.find(word)
        while at >= 0:
            rarity[len(word) - 1, at] = 2.0
            at = spelt.find(word, at + 1)
    return rarity


def shown(text: PreparedText, weights: dict[str, float], words: list[str]) -> list[str]:
    found = evidence_words(text, support_for(text, weights), rarity_for(text, words))
    for item in found:
        assert text.masked_text[item.start : item.end] == item.text
    return [item.text for item in found]


def test_whole_words_strongest_first() -> None:
    text = prepared("门口垃圾桶满了，旁边路灯也不亮")
    words = ["垃圾桶", "路灯", "门口", "旁边", "不亮"]
    assert shown(text, {"路灯": 2.0, "圾桶": 3.0}, words) == ["垃圾桶", "路灯"]


def test_words_are_shown_as_the_caller_wrote_them() -> None:
    text = prepared("我家ＷＩＦＩ坏了")
    assert shown(text, {"wifi": 2.0}, ["wifi"]) == ["ＷＩＦＩ"]


def test_a_word_said_again_is_shown_once_with_all_its_weight() -> None:
    text = prepared("工资没发，还是工资，电话打不通")
    found = evidence_words(
        text,
        support_for(text, {"工资": 1.0, "电话": 1.5}),
        rarity_for(text, ["工资", "电话"]),
    )
    assert [item.text for item in found] == ["工资", "电话"]
    assert found[0].weight == pytest.approx(2 / 3.5, abs=1e-3)


def test_a_loud_single_character_takes_the_one_before_it() -> None:
    text = prepared("我今天被骗了三万")
    assert shown(text, {"骗": 2.0}, []) == ["被骗"]


def test_what_speaks_against_is_no_evidence() -> None:
    text = prepared("垃圾桶满了没人清")
    assert shown(text, {"垃圾": -2.0}, ["垃圾"]) == []
    assert shown(text, {}, []) == []


def test_the_title_and_numbers_are_not_shown() -> None:
    text = prepared("一共1234567户停水", title="停水")
    assert shown(text, {"00": 5.0, "停水": 1.0}, ["停水"]) == ["停水"]


def test_no_more_than_the_limit() -> None:
    words = ["停水", "停电", "停气", "路灯", "垃圾", "井盖", "漏水", "堵车"]
    text = prepared("，".join(words))
    assert len(shown(text, dict.fromkeys(words, 1.0), words)) == MAX_SPANS


def test_masked_data_is_never_evidence() -> None:
    text = prepared("垃圾没人清我的电话13837123456")
    spelt = "".join(map(chr, text.features.chars))
    assert "手机号" not in spelt
    assert "00" not in spelt
