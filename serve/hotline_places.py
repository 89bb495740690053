"""Where a call's matter is, from the address elements in its masked words."""

from __future__ import annotations

from ..models.registry import Registry
from ..nlp.matter.profile import Place
from ..nlp.place.tagger import PlaceTagger, Tagged

SURE = 0.6
"""Mean probability of its tags from which an element counts."""
MAX_NAMES = 4
MIN_CHARS = 3
"""小区 and 路口 are no names."""
MAX_CHARS = 400
"""Callers say early where they are."""

NAMES = ("poi", "community", "road", "town", "devzone")
DISTRICTS = ("district", "devzone")


class PlaceFinder:
    """Names of places and the district, as the caller said them; nothing is guessed."""

    def __init__(self, registry: Registry, name: str) -> None:
        """Raises ModelError when the model cannot be used."""
        self._tagger = PlaceTagger.open(registry, name)
        self.ref = self._tagger.ref

    def find(self, title: str, text: str) -> Place:
        """The place of one call; title and text are masked."""
        read = [part[:MAX_CHARS] for part in (title, text) if part]
        return place_of(self._tagger.tag(read))


def place_of(tagged: list[Tagged]) -> Place:
    """Sure elements: small places before large ones, each name once, and the only district."""
    names: dict[str, int] = {}
    districts: set[str] = set()
    for found in tagged:
        for element, sure in zip(found.elements, found.sure, strict=True):
            if sure < SURE or len(element.text) < MIN_CHARS:
                continue
            if element.kind in NAMES:
                names.setdefault(element.text, NAMES.index(element.kind))
            if element.kind in DISTRICTS:
                districts.add(element.text)
    ranked = sorted(names, key=lambda name: names[name])
    district = districts.pop() if len(districts) == 1 else ""
    return Place(tuple(ranked[:MAX_NAMES]), district)
