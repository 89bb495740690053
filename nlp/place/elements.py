"""The parts an address is made of, and their spans in a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# Order fixed: the model's outputs follow it. Names as in the CCKS 2021 address task.
KINDS_ZH: Final = {
    "prov": "省",
    "city": "市",
    "district": "区县",
    "devzone": "开发区",
    "town": "街道乡镇",
    "community": "社区村",
    "village_group": "村民组",
    "road": "道路",
    "roadno": "门牌号",
    "poi": "地点",
    "subpoi": "地点内分区",
    "houseno": "楼栋号",
    "cellno": "单元号",
    "floorno": "楼层",
    "distance": "距离",
    "intersection": "路口",
    "assist": "方位",
}
TAGS: Final = ("O", *(f"{letter}-{kind}" for kind in KINDS_ZH for letter in "BIES"))


@dataclass(frozen=True, slots=True)
class Element:
    """One part of an address: its kind and half-open range in the text."""

    kind: str
    start: int
    end: int
    text: str


def elements_of(text: str, tags: Sequence[str]) -> list[Element]:
    """The elements that a well-formed BIOES row describes."""
    found: list[Element] = []
    start = 0
    for at, tag in enumerate(tags):
        if tag[0] in "BS":
            start = at
        if tag[0] in "ES":
            found.append(Element(tag[2:], start, at + 1, text[start : at + 1]))
    return found


def tags_of(length: int, elements: Sequence[Element]) -> list[str]:
    """BIOES tags of elements that do not overlap."""
    tags = ["O"] * length
    for element in elements:
        n = element.end - element.start
        letters = "S" if n == 1 else "B" + "I" * (n - 2) + "E"
        tags[element.start : element.end] = [f"{letter}-{element.kind}" for letter in letters]
    return tags
