"""Masking, normalising and reducing in one step."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xiaozheng.nlp.prepare import prepare
from xiaozheng.nlp.transcript import Transcript


def read(text: str, title: str = "") -> str:
    return "".join(map(chr, prepare(Transcript("1", text, title)).features.chars))


def test_what_is_shown_and_what_is_read_differ() -> None:
    text = prepare(
        Transcript("1", "嗯，我叫王小明，电话13837123456，那个路灯不亮！", "急：13837123456")
    )
    assert text.masked_text == "嗯，我叫〔姓名〕，电话〔手机号〕，那个路灯不亮！"
    assert text.masked_title == "急：〔手机号〕"
    assert [span.kind for span in text.personal] == ["name", "mobile"]
    assert "手机号" not in read("电话13837123456")
    assert read("嗯，那个路灯不亮！") == "路灯不亮"


def test_written_and_spoken_forms_read_the_same() -> None:
    written = read("路灯不亮，已经三天了。")
    assert read("嗯路灯不亮啊已经三天了") == written
    assert read("那个那个路灯 不亮，，已经三天了呢") == written
    assert read("ＷＩＦＩ慢") == read("wifi慢")


def test_only_the_callers_turns_are_read() -> None:
    call = "坐席：您好请问什么事？市民：停水三天了。坐席：帮您联系自来水公司。"
    assert read(call) == "停水三天了"


def test_counts_and_share_of_chinese() -> None:
    text = prepare(Transcript("1", "wifi 慢!!"))
    assert text.n_chars == 5
    assert text.han_share == 0.2
    assert prepare(Transcript("1", "！！")).han_share == 0.0


@given(st.text(max_size=200), st.text(max_size=40))
def test_every_feature_of_the_body_maps_into_the_masked_text(body: str, title: str) -> None:
    text = prepare(Transcript("1", body, title))
    for position in text.features.origin[text.features.origin >= 0].tolist():
        start, end = text.reading.source_span(position, position + 1)
        assert 0 <= start < end <= len(text.masked_text)
