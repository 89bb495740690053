"""The report page: escaped, self-contained, with charts a browser accepts, whole files."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xiaozheng.config.errors import InputError
from xiaozheng.eval.report import (
    Bar,
    Line,
    Page,
    Shot,
    Tile,
    bar_chart,
    line_chart,
    percent,
    plain,
    write_report,
)

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NAN = float("nan")
NUMBER = st.floats(-1e9, 1e9) | st.just(NAN)


def full_page() -> Page:
    page = Page("评测 <1>", "a & b")
    page.text("说明")
    page.tiles(Tile("F1", "97.1%", "目标 ≥ 95%", good=True), Tile("误报", "—"))
    page.charts("曲线", line_chart("准确率", [Line("<违停>", [(0.0, 1.0), (1.0, 0.5)])]))
    page.table("表", ("类别", "AP50", "说明"), [("垃圾桶", 0.92, "好"), ("摊位", None, "<i>")])
    page.matrix("混淆", ["桶"], ["桶", "漏"], [[3, 0]])
    page.pictures("错误", [Shot(b"\xff\xd8jpeg", '误报 "满溢"'), Shot(b"\x89PNG", "漏检")])
    return page


def test_the_page_is_escaped_and_needs_nothing_from_outside() -> None:
    html = full_page().html()
    assert "评测 &lt;1&gt;" in html
    assert "&lt;i&gt;" in html
    assert 'alt="误报 &quot;满溢&quot;"' in html
    assert "<script" not in html
    sources = re.findall(r'(?:src|href)="([^"]{0,30})', html)
    assert [s.split(";")[0] for s in sources] == ["data:image/jpeg", "data:image/png"]
    assert re.findall(r"url\(|@import|https?://", html) == []


def test_columns_of_numbers_stand_right_and_none_is_a_dash() -> None:
    html = full_page().html()
    assert '<td class="number">0.92</td>' in html
    assert '<td class="number">—</td>' in html
    assert "<td>垃圾桶</td>" in html


@given(
    points=st.lists(st.tuples(NUMBER, NUMBER), max_size=600),
    value=st.none() | st.floats(-10, 1e6),
)
def test_charts_stay_inside_their_frame(
    points: list[tuple[float, float]], value: float | None
) -> None:
    lines = [Line("一", points, dots=len(points) < 20), Line("二", [(0.0, 0.0)])]
    chart = ElementTree.fromstring(line_chart("a < b", lines, x_label="秒 & 次"))
    bars = ElementTree.fromstring(bar_chart("条", [Bar("甲", value, low=0.0, high=1.0)]))
    for figure in (chart, bars):
        svg = figure.find("svg")
        assert svg is not None
        _, _, width, height = map(float, svg.attrib["viewBox"].split())
        for path in svg.iter("path"):
            for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path.attrib["d"]):
                assert 0 <= float(x) <= width
                assert 0 <= float(y) <= height
        for rect in svg.iter("rect"):
            assert 0 <= float(rect.attrib["width"]) <= width
    assert [item[0].tail for item in chart.iter("li")] == ["一", "二"]


def test_a_gap_in_a_curve_is_not_bridged() -> None:
    chart = line_chart("", [Line("a", [(0, 0), (1, 1), (2, NAN), (3, 1), (4, 0)])])
    drawn = re.search(r'class="curve"[^>]* d="([^"]*)"', chart)
    assert drawn is not None
    assert drawn[1].count("M") == 2


def test_figures_become_json_that_any_parser_reads() -> None:
    assert plain({"a": NAN, 1: (0.123456, float("inf")), "c": [True, None, "x", 3]}) == {
        "a": None,
        "1": [0.1235, None],
        "c": [True, None, "x", 3],
    }
    assert percent(NAN) == percent(None) == "—"
    assert percent(0.8345) == "83.5%"


def test_both_files_are_written_whole_and_the_old_ones_replaced(tmp_path: Path) -> None:
    json_path, html_path = tmp_path / "deep" / "r.json", tmp_path / "r.html"
    html_path.write_text("old", encoding="utf-8")
    write_report({"ap": 0.5}, full_page(), json_path, html_path, kind="x", made=NOW)
    document = json.loads(json_path.read_text(encoding="utf-8"))
    assert document == {"report": "x", "made": "2026-11-24T12:00:00+00:00", "ap": 0.5}
    assert html_path.read_text(encoding="utf-8") == full_page().html()
    assert sorted(p.name for p in tmp_path.rglob("*.*")) == ["r.html", "r.json"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"file/r\.json"):
        write_report({}, full_page(), tmp_path / "file" / "r.json", kind="x", made=NOW)
