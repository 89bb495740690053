"""cameras.yaml and kinds.yaml: what is taken, what is refused at which line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from xiaozheng.config.errors import ConfigError, InputError
from xiaozheng.vision.cameras import Zone, load_cameras, parse_zone
from xiaozheng.vision.kinds import load_kinds
from xiaozheng.vision.rules import RULES
from xiaozheng.vision.zones import contains, polygon_area, zone_of

KINDS = load_kinds()
GOOD = """\
cameras:
  - id: "44010600001320000001"
    name: 东门
    zones:
      - id: gate
        name: 消防通道
        polygon: [[0.1, 0.2], [0.9, 0.2], [0.9, 0.9], [0.1, 0.9]]
        forbids: [illegal_parking, street_vending]
        dwell_s: {illegal_parking: 60}
        active: ["07:00-22:00"]
  - id: cam-2
"""


def load(text: str, tmp_path: Path) -> object:
    path = tmp_path / "cameras.yaml"
    path.write_text(text, encoding="utf-8")
    return load_cameras(path, KINDS)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text(GOOD, encoding="utf-8")
    cameras = load_cameras(path, KINDS).by_id()
    assert list(cameras) == ["44010600001320000001", "cam-2"]
    zone = cameras["44010600001320000001"].zone("gate")
    assert zone.dwell_for("illegal_parking", 180) == 60
    assert zone.dwell_for("street_vending", 120) == 120
    assert cameras["cam-2"].zones == ()
    assert cameras["cam-2"].tzinfo.key == "Asia/Shanghai"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("[0.9, 0.9], [0.1, 0.9]]", "[0.1, 0.9], [0.9, 0.9]]", 7, "crosses itself"),
        ("[0.1, 0.2], [0.9, 0.2]", "[10, 20], [90, 20]", 7, "normalised"),
        ("polygon: [[0.1, 0.2], [0.9, 0.2], [0.9, 0.9], [0.1, 0.9]]", "polygon: [[0, 0]]", 7, ""),
        (
            "[0.1, 0.2], [0.9, 0.2], [0.9, 0.9], [0.1, 0.9]",
            "[0, 0], [1, 0], [0.5, 0]",
            7,
            "polygon",
        ),
        ("[illegal_parking, street_vending]", "[illegal_parkin]", 8, "illegal_parkin"),
        ("[illegal_parking, street_vending]", "[]", 8, "forbids"),
        ("{illegal_parking: 60}", "{illegal_parking: 0}", 9, "above 0"),
        ("{illegal_parking: 60}", "{jaywalking: 60}", 9, "jaywalking"),
        ("{illegal_parking: 60}", "-5", 9, "above 0"),
        ('["07:00-22:00"]', '["7 to 22"]', 10, "HH:MM-HH:MM"),
        ('["07:00-22:00"]', '["25:00-26:00"]', 10, "active"),
        ("name: 东门", "timezone: Mars/Olympus", 3, "Mars/Olympus"),
        ("name: 东门", "colour: red", 3, "colour"),
        ("- id: cam-2", '- id: "44010600001320000001"', 1, "twice"),
        ("- id: cam-2", "- id: 'cam 2'", 11, "id"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError) as caught:
        load(GOOD.replace(old, new), tmp_path)
    assert caught.value.line == line
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("hours", "clock", "counts"),
    [
        ([], "03:00", True),
        (["07:00-22:00"], "07:00", True),
        (["07:00-22:00"], "22:00", False),
        (["22:00-06:00"], "23:59", True),
        (["22:00-06:00"], "05:59", True),
        (["22:00-06:00"], "12:00", False),
        (["07:00-09:00", "17:00-19:00"], "18:00", True),
        (["07:00-09:00", "17:00-19:00"], "12:00", False),
    ],
)
def test_active_hours(hours: list[str], clock: str, counts: bool) -> None:
    zone = Zone.model_validate(
        {
            "id": "z",
            "polygon": [(0, 0), (1, 0), (1, 1)],
            "forbids": ["bin_overflow"],
            "active": hours,
        }
    )
    assert zone.is_active(datetime.fromisoformat(f"2026-05-01T{clock}:00")) is counts


def test_the_shipped_kinds_name_rules_that_exist() -> None:
    assert [kind.id for kind in KINDS.kinds] == [
        "illegal_parking",
        "non_motor_clutter",
        "bin_overflow",
        "exposed_garbage",
        "street_vending",
        "shop_overflow",
    ]
    assert {kind.rule for kind in KINDS.kinds} <= set(RULES)
    assert KINDS.by_id("illegal_parking").code == "0505"
    with pytest.raises(KeyError):
        KINDS.by_id("jaywalking")


@pytest.mark.parametrize("name", sorted(RULES))
def test_every_rule_can_be_named_in_kinds(name: str, tmp_path: Path) -> None:
    path = tmp_path / "kinds.yaml"
    path.write_text(
        f"kinds: [{{id: k, zh: 类, code: '0001', rule: {name}, labels: [car], dwell_s: 1,"
        " end_after_s: 1}]\n",
        encoding="utf-8",
    )
    assert load_kinds(path).kinds[0].rule == name


def test_an_unknown_rule_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "kinds.yaml"
    path.write_text(
        "kinds:\n  - id: k\n    zh: 类\n    code: '0001'\n    rule: magic\n"
        "    labels: [car]\n    dwell_s: 1\n    end_after_s: 1\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"kinds.yaml:5: .*stationary_vehicle"):
        load_kinds(path)


def test_a_zone_can_be_given_in_one_line() -> None:
    zone = parse_zone("illegal_parking:0.1,0.2 0.9,0.2 0.5,0.9:45", 2, KINDS)
    assert (zone.id, zone.forbids, zone.dwell_s) == ("zone2", ("illegal_parking",), 45.0)
    assert parse_zone("bin_overflow:0,0 1,0 1,1", 1, KINDS).dwell_s is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected kind"),
        ("illegal_parking", "expected kind"),
        ("jaywalking:0,0 1,0 1,1", "unknown kind 'jaywalking'"),
        ("illegal_parking:0,0 1,0", "polygon"),
        ("illegal_parking:0,0 1,0 5,5", "normalised"),
        ("illegal_parking:0,0 1,a 1,1", "expected kind"),
        ("illegal_parking:0,0 1,0 1,1:0", "above 0"),
        ("illegal_parking:0,0 1,0 1,1:x", "expected kind"),
    ],
)
def test_a_bad_zone_line_says_why(text: str, says: str) -> None:
    with pytest.raises(InputError, match="zone 3") as caught:
        parse_zone(text, 3, KINDS)
    assert caught.value.code == "bad_zone"
    assert says in str(caught.value)


def test_polygons_hold_points() -> None:
    arrow = [(0.1, 0.1), (0.9, 0.1), (0.5, 0.4), (0.9, 0.9), (0.1, 0.9)]
    assert contains(arrow, (0.2, 0.5))
    assert not contains(arrow, (0.8, 0.5))
    assert not contains(arrow, (0.05, 0.5))
    assert polygon_area([(0, 0), (1, 0), (1, 1), (0, 1)]) == 1
    assert polygon_area([(0, 0), (1, 0), (0, 1)]) == 0.5


def test_the_smallest_zone_speaks() -> None:
    def square(name: str, side: float, kind: str) -> Zone:
        corners = [(0, 0), (side, 0), (side, side), (0, side)]
        return Zone.model_validate({"id": name, "polygon": corners, "forbids": [kind]})

    zones = [
        square("large", 1.0, "illegal_parking"),
        square("small", 0.5, "illegal_parking"),
        square("other", 0.2, "bin_overflow"),
    ]
    found = [zone_of(zones, "illegal_parking", p) for p in [(0.1, 0.1), (0.8, 0.8), (1.5, 0.5)]]
    assert [zone.id if zone else None for zone in found] == ["small", "large", None]


def test_a_parameter_of_another_rule_is_refused_and_a_written_out_kind_is_read(
    tmp_path: Path,
) -> None:
    bins = KINDS.by_id("bin_overflow")
    assert type(bins).model_validate(bins.model_dump()) == bins
    with pytest.raises(ValueError, match="'bin_state' has no parameter 'min_count'"):
        type(bins).model_validate(bins.model_dump() | {"min_count": 7})
    tuned = GOOD.replace(
        "        active:", "        tune: {illegal_parking: {min_count: 7}}\n        active:"
    )
    with pytest.raises(ConfigError, match="no parameter 'min_count'") as caught:
        load(tuned, tmp_path)
    assert caught.value.line == 10


def test_a_frontage_is_a_polygon_or_a_line_with_its_inside(tmp_path: Path) -> None:
    shop = "    frontages: [{id: tea, line: [[0.1, 0.5], [0.9, 0.5]]}]\n    zones:"
    with pytest.raises(ConfigError, match="one point inside"):
        load(GOOD.replace("    zones:", shop, 1), tmp_path)
    load(GOOD.replace("    zones:", shop.replace("}]", ", inside: [0.5, 0.1]}]"), 1), tmp_path)
