"""Speech made readable, with every character traced to its source."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiaozheng.nlp.normalise import caller_words, normalise
from xiaozheng.nlp.spans import TracedText, compatibility_folded, substitute, traced


@pytest.mark.parametrize(
    ("heard", "readable"),
    [
        ("ＡＢＣ１２３，你好", "ABC123,你好"),
        ("㎡和①", "m2和1"),
        ("嗯，我家停电了", "我家停电了"),
        ("我我我想问一下", "我想问一下"),
        ("我们我们小区物业物业不管", "我们小区物业不管"),
        ("那个，就是说，路灯不亮", "路灯不亮"),
        ("楼下那个烧烤店天天冒烟啊", "楼下烧烤店天天冒烟"),
        ("酒吧太吵了你们管管吧", "酒吧太吵了你们管管"),
        ("金水路不对是花园路堵车", "花园路堵车"),
        ("电话幺三八三七幺二三四五六", "电话13837123456"),
        ("一千二百户", "一千二百户"),
        ("  小 区  门口\n堵 车 ", "小区门口堵车"),
        ("<p>停电&nbsp;了</p>_x000D_", "停电了"),
        ("零宽\u200b字符\x00去掉", "零宽字符去掉"),
        ("請問垃圾車幾點來收，這個路燈壞了", "请问垃圾车几点来收,路灯坏了"),
        ("wifi 很慢 speed test", "wifi很慢speed test"),
    ],
)
def test_readable_form(heard: str, readable: str) -> None:
    assert normalise(heard).text == readable


def test_evidence_can_be_shown_in_the_callers_own_characters() -> None:
    source = "嗯，我们我们小区 Ａ栋 那个电梯坏了"
    reading = normalise(source)
    at = reading.text.index("A栋")
    start, end = reading.source_span(at, at + 2)
    assert source[start:end] == "Ａ栋"
    at = reading.text.index("电梯")
    start, end = reading.source_span(at, at + 2)
    assert source[start:end] == "电梯"


@given(st.text(max_size=200))
def test_the_map_is_monotone_and_inside_the_source(source: str) -> None:
    reading = normalise(source)
    assert len(reading.starts) == len(reading.ends) == len(reading.text)
    assert list(reading.starts) == sorted(reading.starts)
    assert list(reading.ends) == sorted(reading.ends)
    assert all(0 <= s < e <= len(source) for s, e in zip(reading.starts, reading.ends, strict=True))


@given(st.text(alphabet="我们嗯那个，路灯不亮一二三幺\n ", max_size=80))
def test_kept_characters_come_from_where_the_map_says(source: str) -> None:
    folded = compatibility_folded(source)
    for char, start, end in zip(folded.text, folded.starts, folded.ends, strict=True):
        assert char in compatibility_folded(source[start:end]).text


def test_substitution_maps_longer_replacements_to_the_whole_match() -> None:
    result = substitute(traced("a12b"), re.compile(r"\d+"), "一二三")
    assert result == TracedText("a一二三b", (0, 1, 1, 1, 3), (1, 3, 3, 3, 4))


def test_only_the_caller_is_read_where_speakers_are_tagged() -> None:
    call = normalise("坐席：您好，12345热线。市民：我家停水了。坐席：好的，给您转自来水公司。")
    assert caller_words(call).text == "我家停水了。"


def test_a_call_in_which_only_the_agent_speaks_is_read_whole() -> None:
    call = normalise("客服：您好请讲")
    assert caller_words(call) == call


def test_words_before_the_first_tag_are_kept() -> None:
    call = normalise("来电反映停水。话务员：好的")
    assert caller_words(call).text == "来电反映停水。"
