"""Runs of digits: what is one number, and whose."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiaozheng.nlp.numbers import find_numbers
from xiaozheng.nlp.numerals import DIGIT_OF, digit_tokens, digits_of, run_to_digits
from xiaozheng.nlp.numerals import spoken_run_pattern as spoken

MOBILE = "13837123456"


def kinds(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find_numbers(text)]


@pytest.mark.parametrize("separator", ["", " ", "-", ".", "·", "  ", " - "])
def test_one_phone_number_however_it_is_grouped(separator: str) -> None:
    for sizes in ((3, 4, 4), (3, 3, 5), (4, 3, 4), (5, 6), (1,) * 11):
        parts, at = [], 0
        for size in sizes:
            parts.append(MOBILE[at : at + size])
            at += size
        written = separator.join(parts)
        assert kinds(f"打{written}找我") == [("mobile", written)]


def test_two_numbers_in_a_row_are_two() -> None:
    assert kinds("13837123456、15036980001") == [
        ("mobile", "13837123456"),
        ("mobile", "15036980001"),
    ]
    text = "身份证410105199003072237 电话13837123456"
    assert [kind for kind, _ in kinds(text)] == ["id_card", "mobile"]


def test_a_number_beside_a_house_number_keeps_its_edges() -> None:
    assert kinds("5号楼 13837123456") == [("mobile", "13837123456")]
    assert kinds("3 138 3712 3456") == [("mobile", "138 3712 3456")]


@pytest.mark.parametrize(
    "text",
    [
        "1001、1002、1003、1004、1005",
        "2-2-502、2-2-503、2-2-603、2-1-3001",
        "13837123456元",
        "单号A13837123456",
        "0.13837123456",
        "12837123456",
        "一二三四五六七八九十层",
        "62220212345678",
        "电话12345",
        "电话95588",
    ],
)
def test_no_ones_number(text: str) -> None:
    assert kinds(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("卡号是6222021234567890123", "bank_card"),
        ("打8654321没人接", "landline"),
        ("老证件号130503670401001", "id_card"),
        ("身份证号410105199003072230", "id_card"),
        ("电话1383712345", "mobile"),
        ("联系电话138371234567", "mobile"),
    ],
)
def test_a_cue_word_makes_up_for_a_missing_check(text: str, kind: str) -> None:
    assert [found for found, _ in kinds(text)] == [kind]
    bare = "".join(char for char in text if char.isdigit())
    assert kinds(bare) == []


def test_spoken_digits() -> None:
    assert digits_of("幺") == "1"
    assert digits_of("三个八") == "888"
    assert "".join(digits_of(t.group()) for t in digit_tokens("幺三八两个零7")) == "138007"
    assert spoken().sub(run_to_digits, "拨幺二三四五热线") == "拨12345热线"
    assert spoken().sub(run_to_digits, "三百六十五天") == "三百六十五天"


@given(st.text(alphabet="".join(DIGIT_OF), min_size=5, max_size=20))
def test_spoken_runs_keep_their_length(run: str) -> None:
    replaced = spoken().sub(run_to_digits, run)
    assert len(replaced) == len(run)


@given(st.text(alphabet="0123456789 -，一二三幺两个Xx（）", max_size=80))
def test_finds_never_overlap_and_hold_digits(text: str) -> None:
    at = 0
    for span in find_numbers(text):
        assert at <= span.start < span.end <= len(text)
        assert sum(char in DIGIT_OF for char in text[span.start : span.end]) >= 4
        at = span.end
