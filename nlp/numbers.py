"""Telephone, identity and card numbers in every way they are written or said.

A run is a row of digit tokens with at most a few separators between them. Within a run the
groups between separators are tried alone and joined, longest first, so `138 3712-3456`,
`幺三八，三七幺二，三四五六` and `1 3 8 3 7 …` are all one number, while `1001、1002、1003` is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .checksums import is_id_card, is_old_id_card, looks_like_id_card, passes_luhn
from .numerals import DIGIT_TOKEN, digit_tokens, digits_of

_LOOSE = r"[ \-.·•_—–()（）/]"  # joins groups of any shape
# What joins only groups of a usual shape: pauses, fillers, and the agent's nods between turns.
_FILLER = (
    "[嗯呃额啊哦噢唉对]|那个|这个|然后|就是说?|好的?|是的?|您?请?继续|您?请?说|接着|后面是?|完了|再"
)
_SPEAKER = (
    "(?:坐席|座席|话务员|客服|接线员|市民|群众|来电人|诉求人|反映人|用户|agent|caller)[ ]?[:：]"
)
_FIRM = rf"[,，、。…~;；\n\t]|{_FILLER}|{_SPEAKER}"
_SEPARATOR = f"(?:{_LOOSE}|{_FIRM}){{1,12}}"
_RUN = re.compile(
    rf"{DIGIT_TOKEN}(?:(?:{_SEPARATOR})?{DIGIT_TOKEN})*(?:(?:{_SEPARATOR})?(?:[Xx](?![A-Za-z])"
    rf"|叉))?"
)
_LOOSE_ONLY = re.compile(f"{_LOOSE}*")
_CHINESE_DIGIT = re.compile("[零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖幺洞拐勾两]")
_EXTENSION = re.compile(
    rf"[ ]?(?:转分机|转|分机号?|[-—#]|ext\.?)[ ]?(?:{DIGIT_TOKEN}){{2,5}}(?!{DIGIT_TOKEN})"
)
_MAX_DIGITS = 21
_MISHEARD = "misheard"

_SHAPES = {
    (3, 4, 4), (3, 3, 5), (4, 3, 4), (3, 8), (5, 6), (3, 2, 3, 3), (4, 4, 3), (2, 3, 4, 4), (2, 11),
    (3, 7), (4, 7), (4, 8), (4, 4), (3, 4), (4, 4, 3), (3, 8), (4, 3, 4), (4, 8, 3), (4, 8, 4),
    (4, 4, 4), (3, 4, 4), (6, 6, 3), (6, 2, 2, 2, 3), (3, 3, 6, 3),
    (6, 8, 4), (6, 4, 4, 4), (3, 3, 4, 4, 4), (6, 12), (14, 4), (6, 4, 2, 2, 4), (3, 3, 8, 4),
    (4, 4, 4, 4), (4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (6, 13), (4, 4, 4, 7), (6, 10), (4, 6, 5),
}  # fmt: skip

_PHONE_CUE = re.compile(r"(?:电话|座机|号码|联系|拨打?|打|致电|回电|固话|传真)[^。！？\d]{0,8}$")
_ID_CUE = re.compile(r"(?:身份证|证件|身份号)[^。！？]{0,10}$")
_CARD_CUE = re.compile(
    r"(?:卡号|银行卡|储蓄卡|信用卡|账号|账户|帐号|帐户|存折|工资卡|社保卡)[^。！？]{0,10}$"
)
_CODE_BEFORE = re.compile("[A-Za-z]{2,6}[-_]$")
_DOCUMENT_CUE = re.compile(
    "(?:发票|税号|编号|单号|文号|工号|学号|票号|案号|代码|型号|批号|户号|合同|订单"
    "|许可)[^。！？0-9]{0,5}$"
)
# One digit lost or doubled by the speech recogniser is still somebody's number.
_MISHEARD_MOBILE = re.compile(r"1[3-9]\d{8}|1[3-9]\d{10}")
# Issuers whose cards circulate here, with the card's length (ISO/IEC 7812, China UnionPay and the
# older numbers of the large banks); without a cue word any other Luhn number is a coincidence.
_CARD = re.compile(
    r"62\d{14,17}|4\d{15}|5[1-5]\d{14}|3[47]\d{13}|35\d{14}|60\d{14,17}|6[89]\d{14}|9(?:558"
    r"|559)\d{12,15}"
)
# Lines that offices and firms publish are nobody's personal data.
_PUBLIC = re.compile(r"(?:400|800)\d{7}|(?:0\d{2,3})?(?:123\d{2}|95\d{3}|96\d{3,4})")


@dataclass(frozen=True, slots=True)
class NumberSpan:
    """One number found: kind and half-open range."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Group:
    digits: str
    start: int
    end: int
    loose_before: bool


def find_numbers(text: str) -> list[NumberSpan]:
    """Personal numbers in half-width `text`, left to right, never overlapping."""
    found: list[NumberSpan] = []
    for match in _RUN.finditer(text):
        if match.end() - match.start() >= 7:
            found.extend(_in_run(text, _groups(match)))
    return found


def _groups(run: re.Match[str]) -> list[_Group]:
    tokens = [(digits_of(t.group()), *t.span()) for t in digit_tokens(run.group())]
    if run.group()[-1] in "Xx叉":
        tokens.append(("X", len(run.group()) - 1, len(run.group())))
    groups: list[_Group] = []
    for digits, start, end in tokens:
        begin = run.start() + start
        if groups and groups[-1].end == begin:
            last = groups[-1]
            groups[-1] = _Group(
                last.digits + digits, last.start, run.start() + end, last.loose_before
            )
            continue
        gap = run.string[groups[-1].end : begin] if groups else ""
        loose = bool(_LOOSE_ONLY.fullmatch(gap))
        groups.append(_Group(digits, begin, run.start() + end, loose))
    return groups


def _in_run(text: str, groups: list[_Group]) -> Iterator[NumberSpan]:
    at = 0
    while at < len(groups):
        end, kind = _longest(text, groups, at)
        if not kind:
            at += 1
            continue
        stop = groups[end - 1].end
        if kind == "landline" and (extension := _EXTENSION.match(text, stop)):
            stop = extension.end()
        yield _with_bracket(text, kind, groups[at].start, stop)
        at = end


def _longest(text: str, groups: list[_Group], at: int) -> tuple[int, str]:
    """End and kind of the longest number that begins with group `at`; a misheard one comes last."""
    last = at
    size = 0
    while last < len(groups) and size + len(groups[last].digits) <= _MAX_DIGITS:
        size += len(groups[last].digits)
        last += 1
    misheard = 0
    for end in range(last, at, -1):
        kind = _classify(text, groups[at:end], whole=at == 0 and end == len(groups))
        if kind == _MISHEARD:
            misheard = misheard or end
        elif kind:
            return end, kind
    return misheard, "mobile" if misheard else ""


def _with_bracket(text: str, kind: str, start: int, end: int) -> NumberSpan:
    """Take the bracket that opens before an area code, so that none is left alone."""
    opens = text[start - 1 : start] in ("(", "（") and text[start:end].count(")") == 1
    return NumberSpan(kind, start - opens, end)


def _classify(text: str, groups: list[_Group], *, whole: bool) -> str:
    digits = "".join(group.digits for group in groups)
    if not 7 <= len(digits) <= _MAX_DIGITS:
        return ""
    start, end = groups[0].start, groups[-1].end
    if _continues_word(text, start, end) or _is_decimal(text, groups) or _is_span_of_months(groups):
        return ""
    before = text[max(0, start - 18) : start]
    kind = _kind_of(digits, before)
    if not kind or len(groups) == 1:
        return kind
    shape = tuple(len(group.digits) for group in groups)
    usual = shape in _SHAPES or max(shape) <= 2 or _spelt_in_chinese(text, start, end)
    all_loose = all(group.loose_before for group in groups[1:])
    return kind if usual or (whole and all_loose) else ""


def _spelt_in_chinese(text: str, start: int, end: int) -> bool:
    return len(_CHINESE_DIGIT.findall(text[start:end])) >= 7


def _continues_word(text: str, start: int, end: int) -> bool:
    """Part of a longer code (`DH13812345678`, `13812345678元`)?"""
    before, after = text[start - 1 : start], text[end : end + 1]
    if before and before.isascii() and (before.isalpha() or before in "#@=&%"):
        return True
    if before in ("-", "_") and _CODE_BEFORE.search(text, max(0, start - 8), start):
        return True
    if before == "." and text[start - 2 : start - 1].isdigit():
        return True
    if after in ("元", "万", "亿", "%"):
        return True
    return after.isascii() and after.isalpha() and after not in "xX"


def _is_span_of_months(groups: list[_Group]) -> bool:
    """`1971.12-1972.1`: a year and a month first, and again."""
    sizes = [len(group.digits) for group in groups]
    return (
        len(sizes) >= 3
        and sizes[0] == 4
        and groups[0].digits[:2] in ("19", "20")
        and sizes[1] <= 2
        and (sizes[2] == 4 or (sizes[2] <= 2 and len(sizes) > 3 and sizes[3] == 4))
        and any(g.digits[:2] in ("19", "20") for g in groups[2:] if len(g.digits) == 4)
    )


def _is_decimal(text: str, groups: list[_Group]) -> bool:
    """`0.1383…` and `18112525462.26` are amounts; `0.3.7.1.…` is a number spelt with dots."""
    if len(groups) == 1 and re.match(r"\.\d{1,2}(?!\d)", text[groups[0].end : groups[0].end + 4]):
        return True
    return text.startswith("0.", groups[0].start) and len(groups) > 1 and len(groups[1].digits) > 1


def _kind_of(digits: str, before: str) -> str:
    if is_id_card(digits):
        return "id_card"
    if looks_like_id_card(digits) and _ID_CUE.search(before):
        return "id_card"
    if is_old_id_card(digits) and _ID_CUE.search(before):
        return "id_card"
    if "X" in digits or "x" in digits:
        return ""
    if _is_mobile(digits):
        return "mobile"
    if _MISHEARD_MOBILE.fullmatch(digits) and _PHONE_CUE.search(before):
        return _MISHEARD
    if len(digits) in range(15, 20) and (
        (_CARD.fullmatch(digits) and passes_luhn(digits)) or _CARD_CUE.search(before)
    ):
        return "bank_card"
    if len(digits) in (13, 14) and _CARD_CUE.search(before) and passes_luhn(digits):
        return "bank_card"
    return "landline" if _is_landline(digits, before) else ""


def _is_mobile(digits: str) -> bool:
    for prefix in ("0086", "86", "0", ""):
        rest = digits.removeprefix(prefix)
        if digits.startswith(prefix) and re.fullmatch(r"1[3-9]\d{9}", rest):
            return True
    return False


def _is_landline(digits: str, before: str) -> bool:
    if _PUBLIC.fullmatch(digits):
        return False
    if re.fullmatch(r"0(?:10|2\d)[2-9]\d{7}|0[3-9]\d{2}[2-9]\d{6,7}", digits):
        return True
    local = re.fullmatch(r"[2-9]\d{6,7}", digits)
    return bool(local and _PHONE_CUE.search(before) and not _DOCUMENT_CUE.search(before))
