"""Places against a city's own data: resolved, listed when they are several, never guessed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xiaozheng.config.errors import ConfigError
from xiaozheng.models.registry import Registry
from xiaozheng.nlp.place.divisions import load_divisions
from xiaozheng.nlp.place.finder import PlaceFinder
from xiaozheng.nlp.place.grids import load_grids
from xiaozheng.nlp.place.points import PointIndex, load_points
from xiaozheng.nlp.place.resolve import City, Place
from xiaozheng.nlp.place.tagger import PlaceTagger

POINTS = """name,lon,lat,district,street,aliases
花园路与农业路交叉口,113.6850,34.7890,金水区,,花园路农业路口
阳光花园,113.6900,34.7700,金水区,经八路街道,
阳光花园,113.6100,34.7500,中原区,林山寨街道,
东风渠,113.7000,34.7920,金水区,,
经三路119号,113.6800,34.7750,,,
"""
DIVISIONS = "code,name\n4101,郑州市\n410102,中原区\n410105,金水区\n410102001,林山寨街道\n"


def square(grid: str, west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "properties": {"id": grid, "district": "金水区", "owners": {"street": "街道办"}},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


SOUTH = square("JS-01", 113.67, 34.76, 113.71, 34.7892)
NORTH = square("JS-02", 113.67, 34.7892, 113.71, 34.82)


def grid_file(path: Path, *features: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


@pytest.fixture
def finder(tmp_path: Path) -> PlaceFinder:
    (tmp_path / "points.csv").write_text(POINTS, encoding="utf-8")
    (tmp_path / "divisions.csv").write_text(DIVISIONS, encoding="utf-8")
    city = City(
        load_divisions([tmp_path / "divisions.csv"], within="4101"),
        PointIndex(load_points(tmp_path / "points.csv")),
        load_grids(grid_file(tmp_path / "grids.geojson", SOUTH, NORTH)),
    )
    return PlaceFinder(PlaceTagger.open(Registry()), city)


def first(finder: PlaceFinder, text: str) -> Place:
    return finder.find([text])[0][0]


def test_a_crossing_and_how_far_from_it(finder: PlaceFinder) -> None:
    at = first(finder, "花园路与农业路交叉口有人摆摊")
    north = first(finder, "你好我在花园路与农业路交叉口向北50米路东有人占道经营")
    assert (at.status, at.district) == ("resolved", "金水区")
    assert at.grid is not None
    assert north.grid is not None
    assert (at.grid.id, north.grid.id) == ("JS-01", "JS-02")
    assert north.candidates[0].lat == pytest.approx(34.7890 + 50 / 111_320, abs=1e-5)


def test_two_estates_of_one_name_are_listed(finder: PlaceFinder) -> None:
    unclear = first(finder, "喂我住阳光花园这边停水了")
    assert (unclear.status, unclear.grid, unclear.district) == ("ambiguous", None, "")
    assert {c.district for c in unclear.candidates} == {"金水区", "中原区"}
    clear = first(finder, "金水区阳光花园停电三天")
    assert (clear.status, clear.district, clear.grid and clear.grid.id) == (
        "resolved",
        "金水区",
        "JS-01",
    )


def test_said_numbers_rivers_and_streets(finder: PlaceFinder) -> None:
    number = first(finder, "经三路幺幺九号门口垃圾没人清")
    assert (number.address, number.district) == ("经三路119号", "金水区")
    assert first(finder, "东风渠的水发黑发臭").status == "resolved"
    street = first(finder, "林山寨街道这边井盖没了")
    assert (street.district, street.street) == ("中原区", "林山寨街道")


def test_what_no_data_knows_stays_unknown(finder: PlaceFinder) -> None:
    place = first(finder, "航海路未来路口那个红绿灯坏了")
    assert (place.status, place.district, place.candidates) == ("unknown", "", ())
    assert finder.find(["今天心情不好给你们打个电话", ""]) == [(), ()]
    assert finder.find(["打〔手机号〕找我"]) == [()]


def test_an_answer_does_not_depend_on_its_neighbours(finder: PlaceFinder) -> None:
    texts = ["花园路128号", "阳光花园停水" * 60, "金水区经三路与红专路交叉口"]
    assert finder.find(texts) == [finder.find([text])[0] for text in texts]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([SOUTH, SOUTH], "features.1: grid id 'JS-01' is there twice"),
        ([square("a", 0, 0, 0, 0)], "features.0.geometry"),
        ([square("", 0, 0, 1, 1)], "properties.id"),
        ([], "features"),
    ],
)
def test_broken_grids_are_named(
    tmp_path: Path, features: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_grids(grid_file(tmp_path / "grids.geojson", *features))


def test_broken_rows_of_places_are_named(tmp_path: Path) -> None:
    path = tmp_path / "points.csv"
    path.write_text("name,lon,lat\n东风渠,113.7,34.8\n花园路,东,34\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"points\.csv:3"):
        load_points(path)
    path.write_text("code,name\n41010,金水区\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r":2.*no code"):
        load_divisions([path])
