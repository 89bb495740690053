"""Numbers of addresses as people say them: 幺幺九号 is 119号, 一百二十八号 is 128号."""

from __future__ import annotations

import re

from ..numerals import DIGIT_OF

_SAID = re.compile("[零〇一二三四五六七八九十百千两幺洞拐勾]+")
_PLACE_VALUE = {"十": 10, "百": 100, "千": 1000}


def with_digits(text: str) -> str:
    """`text` with every said number as ASCII digits; meant for numbers, not for names of roads."""
    return _SAID.sub(lambda match: _digits(match.group()), text)


def metres_of(text: str) -> int | None:
    """The first number of a said distance: `五十米` → 50."""
    found = re.search(r"\d{1,5}", with_digits(text))
    return int(found.group()) if found else None


def _digits(said: str) -> str:
    """Digit by digit, or by place value where 十, 百 or 千 occur."""
    if not any(char in _PLACE_VALUE for char in said):
        return "".join(DIGIT_OF[char] for char in said)
    total, digit = 0, 0
    for char in said:
        if value := _PLACE_VALUE.get(char):
            total += (digit or 1) * value
            digit = 0
        else:
            digit = int(DIGIT_OF[char])
    return str(total + digit)
