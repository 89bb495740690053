"""Rivers, canals and lakes by their last character, where the tagger passes them over.

Bare addresses hardly name waters, so the tagger misses some. Here a name of two or three
characters counts when something before it ends a word: a pause, 在, 的, 与, 投诉 …
"""

from __future__ import annotations

import re

from .elements import Element

# Characters that make 「这条河」, 「臭水河」, 「没有河」, 「给河」 of it rather than a name.
_NO_NAME = frozenset("护小大城市老新门前后水于江")
_NEVER_INSIDE = (
    "没有这那条个该此每各几多整内臭黑污的我们面旁边沿过给对离与往"
    "到在是因为及而致使作但其位导走将从把已被会能要不也还都"
)
_WATER = re.compile(
    r"(?:^|(?<=[，。、；：,.;:！!？?\s（(“\"的在与和及因至到沿旁边侧段近就是于了得将对把从往])"
    r"|(?<=咨询)|(?<=反映)|(?<=投诉)|(?<=举报)|(?<=请问)|(?<=关于)|(?<=流经)|(?<=整治)|(?<=治理)"
    r"|(?<=门口)|(?<=附近)|(?<=靠近)|(?<=答复)|(?<=回复))"
    rf"(?P<name>(?P<head>(?:(?![{_NEVER_INSIDE}])[\u4e00-\u9fff]){{1,3}}?)"
    r"(?:支河|内河|水库|[河渠溪湖]))(?![南北])"
)


def find_waters(text: str) -> list[Element]:
    """Named waters as `poi` elements, left to right."""
    return [
        Element("poi", *match.span("name"), match.group("name"))
        for match in _WATER.finditer(text)
        if _is_name(match.group("head"))
    ]


def _is_name(head: str) -> bool:
    """At least one character that names; 「小河」 and 「大湖」 do not, 「小清河」 does."""
    return not set(head) <= _NO_NAME
