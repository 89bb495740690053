"""Where a call's matter is: places in its masked words, resolved against the city's own data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..models.registry import Registry
from ..nlp.matter.profile import Place
from ..nlp.place import resolve
from ..nlp.place.divisions import Divisions, load_divisions
from ..nlp.place.finder import PlaceFinder
from ..nlp.place.grids import load_grids
from ..nlp.place.points import PointIndex, load_points
from ..nlp.place.tagger import PlaceTagger

MAX_NAMES = 4
MIN_CHARS = 3
"""Shorter ones are no names of one place."""
MAX_CHARS = 400
"""Callers say early where they are."""
NAMES = ("poi", "community", "road", "town", "devzone")


def load_city(divisions: Path | None, points: Path | None, grids: Path | None) -> resolve.City:
    """What the city knows of its places; each file may be missing.

    Raises:
        ConfigError: a file is wrong; file and line are named.
    """
    return resolve.City(
        divisions=Divisions(()) if divisions is None else load_divisions([divisions]),
        points=PointIndex(() if points is None else load_points(points)),
        grids=None if grids is None else load_grids(grids),
    )


class CallPlaces:
    """The place of each call; what is ambiguous is not guessed."""

    def __init__(self, registry: Registry, name: str, city: resolve.City) -> None:
        """Raises ModelError when the model cannot be used."""
        self._finder = PlaceFinder(PlaceTagger.open(registry, name), city)
        self.ref = self._finder.ref

    def find(self, title: str, text: str) -> Place:
        """The place of one call; title and text are masked."""
        read = [part[:MAX_CHARS] for part in (title, text) if part]
        return place_of([place for places in self._finder.find(read) for place in places])


def place_of(found: Sequence[resolve.Place]) -> Place:
    """Names from small places to large ones; district and grid where all that are known agree."""
    names: dict[str, int] = {}
    for place in found:
        for kind, said in place.parts:
            if kind in NAMES and len(said) >= MIN_CHARS:
                names.setdefault(said, NAMES.index(kind))
    districts = {place.district for place in found if place.district} or {
        said for place in found for kind, said in place.parts if kind == "district"
    }
    grids = {place.grid.id for place in found if place.grid is not None}
    return Place(
        tuple(sorted(names, key=lambda name: names[name])[:MAX_NAMES]),
        districts.pop() if len(districts) == 1 else "",
        grids.pop() if len(grids) == 1 else "",
    )
