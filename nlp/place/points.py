"""A city's own places (points of interest, roads' crossings, rivers) as CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...config.errors import ConfigError

COLUMNS = ("name", "lon", "lat")
# `花园路/农业路` and `花园路与农业路` are a crossing of the two.
_CROSSING_MARKS = "/与和—-"


@dataclass(frozen=True, slots=True)
class CityPoint:
    """One place: names, district and street as the city writes them, position in degrees."""

    name: str
    lon: float
    lat: float
    district: str = ""
    street: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    @property
    def roads(self) -> frozenset[str]:
        """The roads that cross here, empty for anything else."""
        bare = self.name.removesuffix("交叉口").removesuffix("路口").removesuffix("口")
        for mark in _CROSSING_MARKS:
            parts = bare.split(mark)
            if len(parts) == 2 and all(part.endswith(_ROAD_ENDS) for part in parts):
                return frozenset(parts)
        return frozenset()


_ROAD_ENDS = ("路", "街", "道", "巷", "弄", "环")


class PointIndex:
    """City places by name and by crossing roads."""

    def __init__(self, points: Sequence[CityPoint]) -> None:
        self.points = tuple(points)
        self._by_name: dict[str, list[CityPoint]] = {}
        self._by_roads: dict[frozenset[str], list[CityPoint]] = {}
        self._heads: dict[str, list[str]] = {}
        for point in points:
            for name in dict.fromkeys(point.names):
                self._by_name.setdefault(name, []).append(point)
            if point.roads:
                self._by_roads.setdefault(point.roads, []).append(point)
        for name in self._by_name:
            self._heads.setdefault(name[:2], []).append(name)
        for names in self._heads.values():
            names.sort(key=len, reverse=True)

    def named(self, name: str) -> tuple[CityPoint, ...]:
        """Places of exactly this name; else those whose name holds it (three characters up)."""
        exact = self._by_name.get(name)
        if exact:
            return tuple(exact)
        if len(name) < 3:
            return ()
        found = [p for full, points in self._by_name.items() if name in full for p in points]
        return tuple(dict.fromkeys(found))

    def crossing(self, one: str, other: str) -> tuple[CityPoint, ...]:
        """Crossings of two roads."""
        return tuple(self._by_roads.get(frozenset((one, other)), ()))

    def mentions(self, text: str, *, min_chars: int = 3) -> list[tuple[int, int]]:
        """Where names of the list stand in `text`, longest first, never overlapping."""
        found: list[tuple[int, int]] = []
        at = 0
        while at < len(text) - min_chars + 1:
            names = self._heads.get(text[at : at + 2], ())
            name = next((n for n in names if len(n) >= min_chars and text.startswith(n, at)), "")
            if name:
                found.append((at, at + len(name)))
            at += max(len(name), 1)
        return found


def load_points(path: Path) -> list[CityPoint]:
    """Read `name,lon,lat[,district,street,aliases]`; aliases are separated by `|`.

    Raises:
        ConfigError: unreadable, not UTF-8, a column missing, or a row whose name is empty or
            whose position is no longitude and latitude; the text starts with `file:line`.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
            if missing:
                raise ConfigError(path, 1, f"columns missing: {', '.join(missing)}")
            return [_point(path, rows.line_num, row) for row in rows]
    except OSError as error:
        raise ConfigError(path, 0, f"cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(path, 0, f"not CSV in UTF-8: {error}") from None


def _point(path: Path, line: int, row: dict[str, str | None]) -> CityPoint:
    values = {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
    try:
        lon, lat = float(values["lon"]), float(values["lat"])
    except ValueError:
        lon = lat = 999.0
    if not (values["name"] and -180 <= lon <= 180 and -90 <= lat <= 90):
        raise ConfigError(
            path,
            line,
            "name empty, or lon/lat not in degrees",
            message_zh="名称为空，或经纬度（lon、lat）不在范围内",
        )
    return CityPoint(
        values["name"],
        lon,
        lat,
        values.get("district", ""),
        values.get("street", ""),
        tuple(alias for alias in values.get("aliases", "").split("|") if alias),
    )
