"""Speech noise: seeded, as much as wished, refusing what makes no sense."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from xiaozheng.config.errors import DatasetError, InputError
from xiaozheng.nlp.noise import (
    FILLERS,
    SpeechNoise,
    add_noise,
    load_homophones,
    parse_noise,
    speak_digits,
)
from xiaozheng.nlp.normalise import caller_words, normalise

TABLE = {"电": ("店殿", "点典"), "梯": ("", "提题"), "坏": ("", "怀")}
TEXT = "我们小区3号楼的电梯坏了，电梯坏了物业也不管，打了13837123456没人接。" * 20


def noisy(noise: str, seed: int = 1, text: str = TEXT) -> str:
    return add_noise(text, parse_noise(noise), TABLE, random.Random(seed))


def test_the_same_seed_gives_the_same_text_and_no_noise_gives_the_text() -> None:
    everything = "homophone=0.3,filler=0.2,repair=0.2,drop=0.1,digits=1,punctuation=1,speaker=1"
    assert noisy(everything) == noisy(everything)
    assert noisy(everything) != noisy(everything, seed=2)
    assert noisy("") == TEXT
    assert not SpeechNoise().any


def test_homophones_come_in_the_wished_share_and_only_from_the_table() -> None:
    changed = [(a, b) for a, b in zip(TEXT, noisy("homophone=0.3"), strict=True) if a != b]
    candidates = sum(char in TABLE for char in TEXT)
    assert len(changed) == pytest.approx(0.3 * candidates, rel=0.35)
    assert all(b in "".join(TABLE[a]) for a, b in changed)


def test_dropped_characters_and_punctuation_are_gone() -> None:
    kept = noisy("drop=0.2")
    ideographs = sum("\u4e00" <= char <= "\u9fff" for char in TEXT)
    assert len(TEXT) - len(kept) == pytest.approx(0.2 * ideographs, rel=0.25)
    assert "，" not in noisy("punctuation=1")


def test_fillers_are_what_normalisation_takes_away_again() -> None:
    said = noisy("filler=1")
    assert said.count(FILLERS[0]) + said.count(FILLERS[1]) > 0
    assert len(normalise(said).text) < 1.2 * len(normalise(TEXT).text)


def test_turns_can_be_told_apart_again() -> None:
    heard = caller_words(normalise(noisy("speaker=1")))
    assert "12345，请问" not in heard.text
    assert "电梯坏了" in heard.text


@pytest.mark.parametrize(
    ("digits", "spoken"),
    [
        ("10", "十"),
        ("12", "十二"),
        ("101", "一百零一"),
        ("1010", "一千零一十"),
        ("3500", "三千五百"),
        ("007", "零零七"),
        ("12345", "一二三四五"),
        ("13837123456", "幺三八三七幺二三四五六"),
    ],
)
def test_digits_are_spoken(digits: str, spoken: str) -> None:
    assert speak_digits(digits) == spoken


@pytest.mark.parametrize("text", ["homophon=0.3", "drop", "drop=2", "drop=0.1,drop=0.2", "drop=x"])
def test_a_wrong_wish_names_its_part(text: str) -> None:
    with pytest.raises(InputError, match=r"noise '(homophon|drop)"):
        parse_noise(text)


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    path.write_text("一\t壹\t漪\n二\n", encoding="utf-8")
    assert load_homophones(path) == {"一": ("壹", "漪")}
    path.write_text("nothing here\n", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"table\.txt"):
        load_homophones(path)
