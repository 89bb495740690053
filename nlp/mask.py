"""Personal data found and masked before anything is stored, logged or shown.

Kinds: mobile and landline numbers, identity card, bank card, licence plate, e-mail, passport
and travel permits, and names after cue words; half-width, full-width, spaced, dotted and spoken
forms. Ordinary numbers (amounts, dates, house counts, hotline numbers) stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .names import find_names
from .numbers import find_numbers
from .numerals import DIGIT
from .spans import TracedText, compatibility_folded

MASKS = {
    "mobile": "〔手机号〕",
    "landline": "〔固定电话〕",
    "id_card": "〔身份证号〕",
    "bank_card": "〔银行卡号〕",
    "plate": "〔车牌号〕",
    "email": "〔邮箱〕",
    "passport": "〔证件号〕",
    "name": "〔姓名〕",
}
MASK_PATTERN = re.compile("|".join(re.escape(mask) for mask in MASKS.values()))


@dataclass(frozen=True, slots=True)
class PersonalSpan:
    """One piece of personal data: kind and half-open range in the original text."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class MaskedText:
    """Text without personal data, and what was masked where in the original."""

    text: str
    spans: tuple[PersonalSpan, ...]


_PROVINCE = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_GAP = r"[ \-·•.,，、—_]{0,2}"
_PLATE_CHAR = f"(?:[A-HJ-NP-Za-hj-np-z]|{DIGIT})"
_PLATE = re.compile(
    rf"[{_PROVINCE}]{_GAP}[A-HJ-NP-Za-hj-np-z](?:牌)?(?:{_GAP}{_PLATE_CHAR}){{4}}"
    rf"(?:{_GAP}(?:{_PLATE_CHAR}|[挂学警港澳]))(?:{_GAP}{_PLATE_CHAR})?(?![A-Za-z0-9])"
)
_PLATE_WITHOUT_PROVINCE = re.compile(
    rf"(?:车牌号?码?|牌照)(?:是|为|[:：])?\s*(?P<plate>[A-HJ-NP-Z]{_GAP}"
    rf"(?:{_PLATE_CHAR}{_GAP}){{4,5}}{_PLATE_CHAR})(?![A-Za-z0-9])"
)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}\s?(?:@|艾特|圈a|\(at\)|\[at\])\s?"
    r"[A-Za-z0-9-]{1,63}(?:\s?(?:\.|点)\s?[A-Za-z]{2,12}){1,3}(?![A-Za-z0-9])"
)
_PASSPORT = re.compile(
    r"(?<![A-Za-z0-9])(?:[EGDSPegdsp][ -]?\d{8}|[Ee][A-HJ-NP-Za-hj-np-z][ -]?\d{7})(?![A-Za-z0-9])"
)
_PERMIT = re.compile(
    r"(?:通行证|回乡证|台胞证|护照)[^。！？A-Za-z0-9]{0,8}"
    r"(?P<number>[A-Za-z]{1,2}[ -]?\d{7,10})(?![A-Za-z0-9])"
)


def find_personal_data(text: str) -> list[PersonalSpan]:
    """Personal data in `text`, left to right; where finds overlap, the earlier and longer wins."""
    view = compatibility_folded(text)
    found = [
        PersonalSpan(kind, *view.source_span(start, end))
        for finder in _FINDERS
        for kind, start, end in finder(view)
    ]
    found.sort(key=lambda span: (span.start, -span.end))
    kept: list[PersonalSpan] = []
    for span in found:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def mask_personal_data(text: str) -> MaskedText:
    """Replace every find by its Chinese label, for example `〔手机号〕`."""
    spans = find_personal_data(text)
    parts: list[str] = []
    at = 0
    for span in spans:
        parts += (text[at : span.start], MASKS[span.kind])
        at = span.end
    parts.append(text[at:])
    return MaskedText("".join(parts), tuple(spans))


_Find = tuple[str, int, int]


def _plates(view: TracedText) -> list[_Find]:
    found = [
        ("plate", *match.span())
        for match in _PLATE.finditer(view.text)
        if _counts_as_plate(match.group())
    ]
    return found + [
        ("plate", *match.span("plate")) for match in _PLATE_WITHOUT_PROVINCE.finditer(view.text)
    ]


def _counts_as_plate(text: str) -> bool:
    """Two or more digits: `新Abcdef` is a word in another language."""
    return len(re.findall(DIGIT, text[1:])) >= 2


def _numbers(view: TracedText) -> list[_Find]:
    return [(span.kind, span.start, span.end) for span in find_numbers(view.text)]


def _emails(view: TracedText) -> list[_Find]:
    return [("email", *match.span()) for match in _EMAIL.finditer(view.text)]


def _passports(view: TracedText) -> list[_Find]:
    found = [("passport", *match.span()) for match in _PASSPORT.finditer(view.text)]
    return found + [("passport", *m.span("number")) for m in _PERMIT.finditer(view.text)]


def _names(view: TracedText) -> list[_Find]:
    return [("name", start, end) for start, end in find_names(view.text)]


_FINDERS: tuple[Callable[[TracedText], list[_Find]], ...] = (
    _plates,
    _numbers,
    _emails,
    _passports,
    _names,
)
