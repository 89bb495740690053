"""Check digits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiaozheng.nlp.checksums import (
    id_check_character,
    is_id_card,
    is_old_id_card,
    looks_like_id_card,
    passes_luhn,
)


def test_the_standards_own_examples() -> None:
    # GB 11643-1999, annex: 11010519491231002X and 440524188001010014.
    assert is_id_card("11010519491231002X")
    assert is_id_card("11010519491231002x")
    assert is_id_card("440524188001010014")


@given(st.integers(0, 16), st.integers(1, 9))
def test_one_changed_digit_is_noticed(at: int, by: int) -> None:
    number = "11010519491231002X"
    changed = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    assert not is_id_card(changed)


@pytest.mark.parametrize(
    "number", ["110105194913310021", "910105194912310021", "1" * 18, "", "X" * 18]
)
def test_impossible_numbers(number: str) -> None:
    assert not looks_like_id_card(number)


def test_fifteen_digits() -> None:
    assert is_old_id_card("130503670401001")
    assert not is_old_id_card("130503671301001")


@given(st.text("0123456789", min_size=17, max_size=17))
def test_check_character_is_a_digit_or_x(first: str) -> None:
    assert id_check_character(first) in set("0123456789X")


def test_luhn() -> None:
    assert passes_luhn("79927398713")
    assert not any(passes_luhn(f"7992739871{d}") for d in "012456789")
