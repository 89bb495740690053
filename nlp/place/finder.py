"""Places of whole calls: tagger, the city's own names, and resolution in one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..mask import MASK_PATTERN
from .elements import Element
from .resolve import City, Place, resolve
from .tagger import PlaceTagger
from .waters import find_waters

# Below this mean probability an element in running speech is more often wrong than right.
MIN_SURE = 0.5
TAIL_CHARS = 12
# Words that stand for places without naming one.
GENERIC = frozenset(
    (
        "小区", "公司", "内河", "河道", "街道", "社区", "学校", "医院", "马路", "道路",
        "路口", "城市", "工地", "公园", "广场", "物业", "村里", "乡镇", "县城", "市区",
        "岸线", "沿岸", "门口", "中心", "酒店", "超市", "工厂", "单位", "河", "路",
        "村", "镇", "区", "县", "市", "省",
    )
)  # fmt: skip
_GLUE = re.compile("[的与和跟、，, （）()至到—-]{0,2}(?:嗯|那个|就是)?")
_CROSSED = re.compile("[与和跟]")


class PlaceFinder:
    """Finds and resolves the places of calls. Safe to use from several threads."""

    def __init__(self, tagger: PlaceTagger, city: City | None = None) -> None:
        self.ref = tagger.ref
        self.city = city or City()
        self._tagger = tagger

    def find(self, texts: Sequence[str]) -> list[tuple[Place, ...]]:
        """Places of each text in the order they are named; masked texts are read as well."""
        return [
            tuple(
                resolve(text, group, self.city, text[group[-1].end :][:TAIL_CHARS])
                for group in grouped(text, elements)
            )
            for text, elements in zip(texts, self.elements(texts), strict=True)
        ]

    def elements(self, texts: Sequence[str]) -> list[list[Element]]:
        """Elements of each text before they are grouped and resolved."""
        return [
            self._elements(text, tagged.elements, tagged.sure)
            for text, tagged in zip(texts, self._tagger.tag(texts), strict=True)
        ]

    def _elements(
        self, text: str, elements: Sequence[Element], sure: Sequence[float]
    ) -> list[Element]:
        """What the model is sure of, and listed names and waters that it missed."""
        closed = [match.span() for match in MASK_PATTERN.finditer(text)]
        kept = [
            element
            for element, p in zip(elements, sure, strict=True)
            if p >= MIN_SURE and element.text not in GENERIC and not _touches(element, closed)
        ]
        listed = [
            Element("poi", start, end, text[start:end])
            for start, end in self.city.points.mentions(text)
        ]
        for named in (*listed, *find_waters(text)):
            start, end = named.start, named.end
            if _touches(named, closed):
                continue
            inside = [e for e in kept if e.start < end and start < e.end]
            same = [e for e in inside if (e.start, e.end) == (start, end)]
            if not same and all(start <= e.start and e.end <= end for e in inside):
                kept = [e for e in kept if e not in inside] + [named]
        return sorted(kept, key=lambda element: element.start)


def grouped(text: str, elements: Sequence[Element]) -> list[list[Element]]:
    """Neighbouring elements together: one group is one place."""
    groups: list[list[Element]] = []
    for element in elements:
        if groups and _belongs(text, groups[-1][-1], element):
            groups[-1].append(element)
        else:
            groups.append([element])
    return groups


def _belongs(text: str, before: Element, element: Element) -> bool:
    """Whether `element` goes on with the address that `before` is part of."""
    gap = text[before.end : element.start]
    if not _GLUE.fullmatch(gap):
        return False
    # 「花园路与农业路」 is a crossing; 「万达与大润发」 are two places.
    both_roads = before.kind == element.kind == "road"
    return both_roads or not _CROSSED.search(gap)


def _touches(element: Element, closed: Sequence[tuple[int, int]]) -> bool:
    return any(element.start < end and start < element.end for start, end in closed)
