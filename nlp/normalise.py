"""Speech made readable for the model: folded widths, no fillers, no stammer, digits as digits.

Only changes that cannot alter what is asked for are made; the result remembers for every
character which characters of the source it stands for, so that evidence can be shown in the
caller's own words.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from .numerals import run_to_digits, spoken_run_pattern
from .spans import TracedText, compatibility_folded, substitute

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\ufeff]")
_MARKUP = re.compile(r"_x000[dD]_|<[^<>]{1,200}>|&(?:nbsp|lt|gt|amp|quot);")

# Sounds that carry no meaning wherever they stand.
_SOUNDS = re.compile(
    r"[嗯呃唔欸诶噢喔嗷]+|(?:[啊哎唉哦哈]){2,}"
    r"|(?<![\u4e00-\u9fff])[啊哎唉哦喂额]+(?![\u4e00-\u9fff])"
)
# Words that carry no meaning where nothing hangs on them: doubled, or cut off by a pause.
_PAUSE = r"[,，、。.!?！？\s…—-]"
_FILLERS = re.compile(
    rf"(?:那个|这个|就是说?|然后|完了|反正){{2,}}"
    rf"|(?:(?<=^)|(?<={_PAUSE}))(?:那个|这个|就是说?|怎么说呢?|这么说吧|你知道吧|是吧|对吧|对对对?|然后呢?|喂)"
    rf"(?={_PAUSE})"
    r"|就是说|怎么说呢|你知道(?:吧|吗)"
)
# Particles say nothing of the matter, and how often they come depends on the speaker.
_PARTICLES = re.compile(r"那个|这个|[啊呀嘛呢哎唉哦]|(?<![酒网贴茶])吧(?![台员])")
_STAMMER_PRONOUN = re.compile(r"([我你他她它您这那就在有])\1+(?!别)")
# 「我们我们」「物业物业」: a word of two to six characters said again at once.
_STAMMER_WORD = re.compile(r"([\u4e00-\u9fff]{2,6}?)(?:[,，、\s]?\1)+")
# 「金水路，不对，花园路」: same kind of word before and after an explicit self-correction.
_UNIT = "路|街|道|巷|号线|路车|栋|号楼|单元|小区|村|社区|学校|医院|年|月|号|点|块钱|元"
_SELF_REPAIR = re.compile(
    rf"[\u4e00-\u9fff0-9A-Za-z]{{1,5}}?(?P<unit>{_UNIT}){_PAUSE}?"
    rf"(?:不对不?对?|说错了|哦不|啊不|不不不|不是不是){_PAUSE}?(?:应该)?是?"
    rf"(?P<right>[\u4e00-\u9fff0-9A-Za-z]{{1,6}}?(?P=unit))"
)
_SPACES = re.compile(r"\s+")
_CHINESE = r"[\u4e00-\u9fff，。！？、]"
_SPACE_IN_CHINESE = re.compile(rf"(?<={_CHINESE})\s+|\s+(?={_CHINESE})")
_DOUBLED_PAUSE = re.compile(r"(?<=[,，、。])[,，、]+|^[,，、。\s]+")

_SPEAKER = r"(?:坐席|座席|话务员|客服|接线员|市民|群众|来电人|诉求人|反映人)"
_TURN = re.compile(rf"({_SPEAKER})\s*[:：]")
_AGENT_TAGS = frozenset({"坐席", "座席", "话务员", "客服", "接线员"})


SIMPLIFIED_FILE = Path(__file__).resolve().parent / "data" / "simplified.txt"


def normalise(text: str) -> TracedText:
    """The readable form of `text` with its map back to `text`."""
    result = _simplified(compatibility_folded(text))
    result = substitute(result, _CONTROL, "")
    result = substitute(result, _MARKUP, " ")
    result = substitute(result, _SPACES, " ")
    result = substitute(result, _SPACE_IN_CHINESE, "")
    result = substitute(result, _SOUNDS, "")
    result = substitute(result, _FILLERS, "")
    result = substitute(result, _STAMMER_PRONOUN, lambda match: match.group(1))
    result = _shorten_stammer(result)
    result = substitute(result, _PARTICLES, "")
    result = substitute(result, _SELF_REPAIR, lambda match: match.group("right"))
    result = substitute(result, spoken_run_pattern(), run_to_digits)
    return substitute(result, _DOUBLED_PAUSE, "")


def caller_words(text: TracedText) -> TracedText:
    """Without the agent's turns and the speaker tags, where the text has tags.

    Agents repeat the same greetings in every call and name departments that are not the
    request. A text in which only the agent speaks is returned whole.
    """
    marks = list(_TURN.finditer(text.text))
    if not marks:
        return text
    keep: list[tuple[int, int]] = [(0, marks[0].start())]
    for at, mark in enumerate(marks):
        end = marks[at + 1].start() if at + 1 < len(marks) else len(text.text)
        if mark.group(1) not in _AGENT_TAGS:
            keep.append((mark.end(), end))
    kept = [(start, end) for start, end in keep if text.text[start:end].strip()]
    if not kept:
        return text
    return TracedText(
        "".join(text.text[start:end] for start, end in kept),
        tuple(source for start, end in kept for source in text.starts[start:end]),
        tuple(source for start, end in kept for source in text.ends[start:end]),
    )


def _shorten_stammer(text: TracedText) -> TracedText:
    return substitute(text, _STAMMER_WORD, lambda match: match.group(1))


def _simplified(text: TracedText) -> TracedText:
    """Traditional characters as simplified ones, one for one; characters of both kinds of text
    (乾, 著) stay."""
    return TracedText(text.text.translate(_simplified_table()), text.starts, text.ends)


@lru_cache(maxsize=1)
def _simplified_table() -> dict[int, str]:
    lines = SIMPLIFIED_FILE.read_text(encoding="utf-8").splitlines()
    pairs = [pair for line in lines if not line.startswith("#") for pair in line.split()]
    return {ord(pair[0]): pair[1] for pair in pairs}
