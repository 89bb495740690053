"""From address elements to a normalised address, a grid and a district; never by guessing."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from .divisions import Divisions, short_name
from .elements import Element
from .grids import Grid, GridMap
from .points import CityPoint, PointIndex
from .spoken import metres_of, with_digits

Status = Literal["resolved", "ambiguous", "unknown"]
METRES_PER_DEGREE = 111_320.0
_NUMBERED = frozenset(("roadno", "houseno", "cellno", "floorno", "distance"))
_BEARING = {
    "东北": (1, 1), "西北": (-1, 1), "东南": (1, -1), "西南": (-1, -1),
    "东": (1, 0), "西": (-1, 0), "南": (0, -1), "北": (0, 1),
}  # fmt: skip
_OFFSET = re.compile(
    "[向往朝](?P<way>东北|西北|东南|西南|[东西南北])(?:边|方向)?(?:走|大?约|大概|差不多|个)*"
    "(?P<far>[0-9零〇一二三四五六七八九十百千两幺]+)多?米"
)
# How close two candidates may lie and still be one place.
SAME_PLACE_M = 150.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place of the city that the words may mean."""

    name: str
    lon: float
    lat: float
    district: str
    street: str
    grids: tuple[Grid, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a text.

    `parts` are the normalised elements by kind in the order said; `candidates` all places of the
    city's list that fit. `resolved`: one candidate, or one district where only that was said;
    `ambiguous`: several, all listed; `unknown`: nothing in the city's data fits.
    """

    text: str
    start: int
    end: int
    parts: tuple[tuple[str, str], ...]
    status: Status
    district: str = ""
    street: str = ""
    grid: Grid | None = None
    candidates: tuple[Candidate, ...] = ()

    @property
    def address(self) -> str:
        """The normalised address in one line."""
        return "".join(text for _, text in self.parts)


@dataclass(frozen=True, slots=True)
class City:
    """What a city knows of its own places; each part may be missing."""

    divisions: Divisions = field(default_factory=lambda: Divisions(()))
    points: PointIndex = field(default_factory=lambda: PointIndex(()))
    grids: GridMap | None = None

    def grids_at(self, lon: float, lat: float) -> tuple[Grid, ...]:
        return self.grids.at(lon, lat) if self.grids else ()


def resolve(text: str, elements: Sequence[Element], city: City, tail: str = "") -> Place:
    """Resolve the elements of one mention.

    Args:
        text: the whole text that the elements index into.
        elements: neighbouring elements, at least one, in order.
        tail: the words right after them, where a direction and distance may stand.
    """
    start, end = elements[0].start, elements[-1].end
    parts = tuple((element.kind, _normal(element, city.divisions)) for element in elements)
    districts, streets = _divisions(parts, city.divisions)
    shift = _shift(text[start:end] + tail)
    points = _fitting(_points(parts, city.points), districts, streets)
    candidates = _merged([_candidate(point, shift, city) for point in points])
    base = Place(text[start:end], start, end, parts, "unknown", candidates=tuple(candidates))
    return _judged(base, districts, streets)


def _judged(base: Place, districts: Sequence[str], streets: Sequence[str]) -> Place:
    said = districts[0] if len(districts) == 1 else ""
    street = streets[0] if len(streets) == 1 else ""
    if len(base.candidates) == 1:
        only = base.candidates[0]
        grid = only.grids[0] if len(only.grids) == 1 else None
        return _with(base, "resolved", only.district or said, only.street or street, grid)
    if base.candidates:
        shared = {candidate.district for candidate in base.candidates}
        return _with(base, "ambiguous", shared.pop() if len(shared) == 1 else said, street, None)
    if said:
        return _with(base, "resolved", said, street, None)
    return _with(base, "ambiguous" if len(districts) > 1 else "unknown", "", "", None)


def _with(base: Place, status: Status, district: str, street: str, grid: Grid | None) -> Place:
    return Place(
        base.text, base.start, base.end, base.parts, status, district, street, grid, base.candidates
    )


def _normal(element: Element, divisions: Divisions) -> str:
    """Numbers as digits, divisions by their full name where only one fits."""
    if element.kind in _NUMBERED:
        return with_digits(element.text)
    if element.kind in ("prov", "city", "district", "town"):
        names = {row.name for row in divisions.named(element.text, element.kind)}
        return names.pop() if len(names) == 1 else element.text
    return element.text


def _divisions(
    parts: Sequence[tuple[str, str]], divisions: Divisions
) -> tuple[list[str], list[str]]:
    """Districts and streets that the words name; a street's district where the files hold it."""
    districts = [text for kind, text in parts if kind == "district"]
    streets = [text for kind, text in parts if kind == "town"]
    if not districts:
        above = [
            district.name
            for street in streets
            for row in divisions.named(street, "town")
            if (district := divisions.above(row.code, "district"))
        ]
        districts = list(dict.fromkeys(above))
    return districts, streets


def _points(parts: Sequence[tuple[str, str]], index: PointIndex) -> tuple[CityPoint, ...]:
    """Places of the city's list: a crossing of two said roads first, then the narrowest name."""
    roads = [text for kind, text in parts if kind == "road"]
    if len(roads) >= 2 and (crossing := index.crossing(roads[0], roads[1])):
        return crossing
    road = "".join(text for kind, text in parts if kind in ("road", "roadno"))
    names = [text for kind, text in reversed(parts) if kind == "poi"]
    names += [road] if any(kind == "roadno" for kind, _ in parts) else []
    names += [text for kind, text in parts if kind in ("community", "devzone")]
    return next((found for name in names if (found := index.named(name))), ())


def _fitting(
    points: Sequence[CityPoint], districts: Sequence[str], streets: Sequence[str]
) -> list[CityPoint]:
    """Those in the said district and street; a point without either fits any."""
    wanted = {short_name(name) for name in districts}
    inside = {short_name(name) for name in streets}
    return [
        point
        for point in points
        if (not wanted or not point.district or short_name(point.district) in wanted)
        and (not inside or not point.street or short_name(point.street) in inside)
    ]


def _shift(words: str) -> tuple[float, float]:
    """Metres east and north that the words lead away from the named place."""
    found = _OFFSET.search(words)
    if not found:
        return 0.0, 0.0
    metres = metres_of(found.group("far")) or 0
    east, north = _BEARING[found.group("way")]
    scale = metres / math.hypot(east, north)
    return east * scale, north * scale


def _candidate(point: CityPoint, shift: tuple[float, float], city: City) -> Candidate:
    lat = point.lat + shift[1] / METRES_PER_DEGREE
    lon = point.lon + shift[0] / (METRES_PER_DEGREE * math.cos(math.radians(point.lat)))
    grids = city.grids_at(lon, lat)
    owner = grids[0] if len(grids) == 1 else None
    return Candidate(
        point.name,
        round(lon, 6),
        round(lat, 6),
        point.district or (owner.district if owner else ""),
        point.street or (owner.street if owner else ""),
        grids,
    )


def _merged(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Entries of one name side by side (a gate and the estate behind it) are one place."""
    kept: list[Candidate] = []
    for candidate in candidates:
        if not any(
            candidate.name == other.name and _metres(candidate, other) <= SAME_PLACE_M
            for other in kept
        ):
            kept.append(candidate)
    return kept


def _metres(one: Candidate, other: Candidate) -> float:
    north = (one.lat - other.lat) * METRES_PER_DEGREE
    east = (one.lon - other.lon) * METRES_PER_DEGREE * math.cos(math.radians(one.lat))
    return math.hypot(north, east)
