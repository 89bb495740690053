"""Digits as people say and write them."""

from __future__ import annotations

import re

# Radio-style readings (幺 1, 洞 0, 拐 7, 勾 9) are digits only inside a run of digits.
DIGIT_OF = {
    **{str(d): str(d) for d in range(10)},
    **dict(zip("零〇一二三四五六七八九", "00123456789", strict=True)),
    **dict(zip("壹贰叁肆伍陆柒捌玖", "123456789", strict=True)),
    **dict(zip("幺洞拐勾", "1079", strict=True)),
    "两": "2",
    "俩": "2",
    "O": "0",
    "o": "0",
}
REPEAT_OF = {"两": 2, "俩": 2, **dict(zip("二三四五六七八", range(2, 9), strict=True))}

DIGIT = "[0-9零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖幺洞拐勾两]"
# 「三个八」 is spoken for 888.
DIGIT_TOKEN = f"(?:[两俩二三四五六七八]个{DIGIT}(?!个)|{DIGIT})"

_TOKEN = re.compile(DIGIT_TOKEN)
_SPOKEN_RUN = re.compile("[零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖幺洞拐勾两]{5,}")


def digits_of(token: str) -> str:
    """ASCII digits of one digit token: `幺` → `1`, `三个八` → `888`."""
    if len(token) == 3 and token[1] == "个":
        return DIGIT_OF[token[2]] * REPEAT_OF[token[0]]
    return DIGIT_OF[token]


def digit_tokens(text: str) -> list[re.Match[str]]:
    """Every digit token of `text`, left to right."""
    return list(_TOKEN.finditer(text))


def spoken_run_pattern() -> re.Pattern[str]:
    """Five or more spoken digits in a row: a number that identifies something.

    Quantities are not met, since they carry 十, 百, 千 or 万 and break the run.
    """
    return _SPOKEN_RUN


def run_to_digits(match: re.Match[str]) -> str:
    """Replacement for `spoken_run_pattern`: the same number of ASCII digits."""
    return "".join(DIGIT_OF[char] for char in match.group())
