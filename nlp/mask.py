"""Personal data found and masked before anything is stored, logged or shown.

Kinds: mobile and landline numbers, identity card, bank card, licence plate, e-mail, passport and
travel permits, names after cue words, and exact home numbers; half-width, full-width, spaced,
dotted and spoken forms. Ordinary numbers (amounts, dates, house counts, hotlines) stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .homes import find_homes
from .names import find_names
from .numbers import find_numbers
from .numerals import DIGIT, DIGIT_TOKEN, digits_of
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
    "home": "〔住址〕",
}
CONTINUED = "〔…〕"
MASK_PATTERN = re.compile("|".join(re.escape(mask) for mask in (*MASKS.values(), CONTINUED)))
_TURN_GLUE = "\n"


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
_PAUSE = "[ \\-·•.,，、—_]|嗯|呃|啊|那个|就是|然后"
_GAP = f"(?:{_PAUSE}){{0,4}}"
_LETTER = "[A-HJ-NP-Za-hj-np-z]"
_PLATE_TOKEN = f"(?:{DIGIT_TOKEN}|{_LETTER})"
_PLATE = re.compile(
    rf"[{_PROVINCE}]{_GAP}{_LETTER}(?:牌)?(?P<body>(?:{_GAP}{_PLATE_TOKEN}){{2,6}})"
    rf"(?P<use>{_GAP}[挂学警港澳领])?(?![A-Za-z0-9])"
)
_PLATE_PARTS = re.compile(rf"(?P<gap>{_GAP})(?P<token>{_PLATE_TOKEN})")
_PLATE_LENGTHS = (5, 6)
_PLATE_WITHOUT_PROVINCE = re.compile(
    rf"(?:车牌号?码?|牌照)(?:是|为|[:：])?\s*(?P<plate>[A-HJ-NP-Z]{_GAP}"
    rf"(?:{_PLATE_TOKEN}{_GAP}){{4,5}}{_PLATE_TOKEN})(?![A-Za-z0-9])"
)
# Embassies and armed police; six digits after 使 mean a plate only beside a vehicle.
_SPECIAL_PLATE = re.compile(
    rf"(?:使(?:{_GAP}{DIGIT_TOKEN}){{3,6}}|(?<![0-9])(?:{DIGIT_TOKEN}{_GAP}){{3,6}}使"
    rf"|[Ww]{_GAP}[Jj]{_GAP}[{_PROVINCE}]?(?:{_GAP}{DIGIT_TOKEN}){{2,5}}(?:{_GAP}{_LETTER})?)(?![A-Za-z0-9用])"
)
_VEHICLE = re.compile("[车牌辆]")
_ANY = DIGIT[1:-1]
_AT_SIGN = re.compile(r"@|艾特|圈[aA]|\(at\)|\[at\]")
_EMAIL = re.compile(
    rf"(?<![A-Za-z0-9._%+-])[A-Za-z{_ANY}](?:[A-Za-z._%+{_ANY}-]|\s?点\s?|下划线){{0,63}}"
    rf"\s?(?:@|艾特|圈[aA]|\(at\)|\[at\])\s?[A-Za-z{_ANY}-]{{1,63}}"
    r"(?:\s?(?:\.|点)\s?(?:[A-Za-z]{2,12}|康姆|康木|西恩)){1,3}(?![A-Za-z0-9])"
)
_PASSPORT = re.compile(
    r"(?<![A-Za-z0-9])(?:[EGDSPegdsp][ -]?\d{8}|[Ee][A-HJ-NP-Za-hj-np-z][ -]?\d{7})(?![A-Za-z0-9])"
)
_PERMIT = re.compile(
    r"(?:通行证|回乡证|台胞证|护照)[^。！？A-Za-z0-9]{0,8}"
    rf"(?P<number>[A-Za-z](?:{_GAP}[A-Za-z])?(?:{_GAP}{DIGIT_TOKEN}){{5,10}})(?![A-Za-z0-9])"
)
_PERMIT_DIGITS = re.compile(rf"(?P<gap>{_GAP})(?P<token>{DIGIT_TOKEN})")
_PERMIT_LENGTH = 9


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


def mask_turns(turns: Sequence[str]) -> list[MaskedText]:
    """Mask a dialogue turn by turn; a number that goes on in a later turn is masked in each.

    The label stands in the turn where the number begins; its other pieces become `〔…〕`, so that
    nothing of it is left. Spans count within their own turn.
    """
    joined = _TURN_GLUE.join(turns)
    spans = find_personal_data(joined)
    found: list[MaskedText] = []
    start = 0
    for turn in turns:
        end = start + len(turn)
        parts: list[str] = []
        own: list[PersonalSpan] = []
        at = start
        for span in spans:
            begin, stop = max(span.start, start), min(span.end, end)
            if begin >= stop or not turn[begin - start : stop - start].strip():
                continue
            label = MASKS[span.kind] if span.start >= start else CONTINUED
            parts += (joined[at:begin], label)
            own.append(PersonalSpan(span.kind, begin - start, stop - start))
            at = stop
        parts.append(joined[at:end])
        found.append(MaskedText("".join(parts), tuple(own)))
        start = end + len(_TURN_GLUE)
    return found


_Find = tuple[str, int, int]


def _plates(view: TracedText) -> list[_Find]:
    text = view.text
    found = [("plate", m.start(), end) for m in _PLATE.finditer(text) if (end := _plate_end(m))]
    found += [("plate", *m.span("plate")) for m in _PLATE_WITHOUT_PROVINCE.finditer(text)]
    for match in _SPECIAL_PLATE.finditer(text):
        around = text[max(0, match.start() - 12) : match.start()] + text[match.end() :][:6]
        if match.group()[0] in "Ww" or _VEHICLE.search(around):
            found.append(("plate", *match.span()))
    return found


def _plate_end(match: re.Match[str]) -> int:
    """Where the plate ends, or 0 for no plate: five or six characters, two digits or more.

    `新Abcdef` is a word in another language. A sixth character set apart from the five before it
    is not the plate's.
    """
    n, digits, end, tight = 0, 0, 0, True
    for part in _PLATE_PARTS.finditer(match.group("body")):
        token, gap = part.group("token"), part.group("gap")
        if n == _PLATE_LENGTHS[0] and gap and tight:
            break
        tight = not gap if n else True
        is_letter = token.isascii() and token.isalpha()
        size = 1 if is_letter else len(digits_of(token))
        if n + size > _PLATE_LENGTHS[1]:
            break
        n, digits = n + size, digits + (0 if is_letter else size)
        end = match.start("body") + part.end()
    if match.group("use") and end == match.end("body"):
        n, end = n + 1, match.end()
    return end if n in _PLATE_LENGTHS and digits >= 2 else 0


def _numbers(view: TracedText) -> list[_Find]:
    return [(span.kind, span.start, span.end) for span in find_numbers(view.text)]


def _emails(view: TracedText) -> list[_Find]:
    if not _AT_SIGN.search(view.text):
        return []
    return [("email", *match.span()) for match in _EMAIL.finditer(view.text)]


def _passports(view: TracedText) -> list[_Find]:
    found = [("passport", *match.span()) for match in _PASSPORT.finditer(view.text)]
    return found + [
        ("passport", m.start("number"), _permit_end(m)) for m in _PERMIT.finditer(view.text)
    ]


def _permit_end(match: re.Match[str]) -> int:
    """Nine characters, eleven for the older permits when nothing sets the last two apart."""
    begin, number = match.start("number"), match.group("number")
    n = sum(char.isascii() and char.isalpha() for char in number)
    end, tight = 0, True
    for part in _PERMIT_DIGITS.finditer(number):
        if n >= _PERMIT_LENGTH and (part.group("gap") or not tight):
            break
        tight = tight and not part.group("gap")
        n, end = n + len(digits_of(part.group("token"))), part.end()
    return begin + end


def _names(view: TracedText) -> list[_Find]:
    return [("name", start, end) for start, end in find_names(view.text)]


def _homes(view: TracedText) -> list[_Find]:
    return [("home", start, end) for start, end in find_homes(view.text)]


_FINDERS: tuple[Callable[[TracedText], list[_Find]], ...] = (
    _plates,
    _numbers,
    _emails,
    _passports,
    _names,
    _homes,
)
