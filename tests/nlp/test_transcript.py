"""Limits of one transcript."""

from __future__ import annotations

import pytest

from xiaozheng.config.errors import TranscriptError
from xiaozheng.nlp.transcript import Transcript, check_transcript


@pytest.mark.parametrize("text", ["路灯不亮", "😀😀", "hello", "a", "\x00喂", "字" * 20_000])
def test_text_that_can_be_answered_passes(text: str) -> None:
    check_transcript(Transcript("1", text))


@pytest.mark.parametrize("text", ["", " ", "\n\t　"])
def test_blank_text_is_refused(text: str) -> None:
    with pytest.raises(TranscriptError) as raised:
        check_transcript(Transcript("1", text))
    assert raised.value.code == "empty_text"
    assert "空" in raised.value.message_zh


def test_too_long_text_is_refused_with_the_limit() -> None:
    with pytest.raises(TranscriptError, match="100000 characters, the limit is 20000") as raised:
        check_transcript(Transcript("1", "字" * 100_000))
    assert raised.value.code == "text_too_long"
    assert "20000" in raised.value.message_zh


def test_the_limit_can_be_set_and_holds_for_titles() -> None:
    check_transcript(Transcript("1", "字" * 100_000), max_chars=100_000)
    with pytest.raises(TranscriptError, match="title: 11 characters"):
        check_transcript(Transcript("1", "路灯", title="字" * 11), max_chars=10)


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(TranscriptError) as raised:
        check_transcript(Transcript("1", "路灯\ud83d"))
    assert raised.value.code == "bad_text"


def test_an_endless_id_is_refused() -> None:
    with pytest.raises(TranscriptError) as raised:
        check_transcript(Transcript("x" * 129, "路灯"))
    assert raised.value.code == "bad_id"
