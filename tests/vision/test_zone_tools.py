"""Zone tools: what they doubt, draw and propose; the drawing page in a real browser."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from vision_support import KINDS, SIZE, Actor, camera, parking, scene, standing, zone

from xiaozheng.config.yamlfile import parse_with_lines, parse_yaml
from xiaozheng.vision.cameras import Camera, Cameras
from xiaozheng.vision.lettering import find_font
from xiaozheng.vision.zone_tools import StandingMap, doubts, suggested
from xiaozheng.vision.zone_tools_draw import draw_zones
from xiaozheng.vision.zone_tools_page import drawing_page
from xiaozheng.vision.zones import zone_of

FILE = """\
cameras:
  - id: a
    zones:
      - id: kerb
        polygon: [[0.1, 0.5], [0.9, 0.5], [0.9, 0.9], [0.1, 0.9]]
        forbids: [illegal_parking]
        dwell_s: {illegal_parking: 3, bin_overflow: 60}
      - id: kerb-again
        polygon: [[0.1, 0.5], [0.9, 0.5], [0.9, 0.9], [0.1, 0.9]]
        forbids: [illegal_parking, street_vending]
      - id: sky
        polygon: [[0.1, 0.01], [0.9, 0.01], [0.9, 0.1], [0.1, 0.1]]
        forbids: [bin_overflow]
      - id: speck
        polygon: [[0.5, 0.6], [0.53, 0.6], [0.53, 0.63], [0.5, 0.63]]
        forbids: [bin_overflow]
  - id: b
"""


def test_what_is_valid_and_yet_doubtful_is_named_with_its_line() -> None:
    _, lines = parse_with_lines(FILE, "c.yaml")
    found = doubts(parse_yaml(FILE, "c.yaml", Cameras), KINDS, lines)
    said = [(d.line, d.camera_id, d.zone_id) for d in found]
    assert sorted(said) == [
        (7, "a", "kerb"),
        (7, "a", "kerb"),
        (9, "a", "kerb-again"),
        (12, "a", "sky"),
        (15, "a", "speck"),
        (17, "b", ""),
    ]
    texts = " ".join(d.text_zh for d in found)
    for words in ("3 秒", "bin_overflow 的停留时间", "几乎相同", "画面顶部", "0.09%", "没有区域"):
        assert words in texts
    plain = Cameras(cameras=(camera(zone(("illegal_parking",))),))
    assert doubts(plain, KINDS, {}) == []
    shop = Cameras(cameras=(camera(zone(("shop_overflow",))),))
    assert ["frontages" in d.text_zh for d in doubts(shop, KINDS, {})] == [True]


def test_zones_are_tinted_named_and_the_picture_is_left_alone() -> None:
    image = np.full((360, 640, 3), 100, np.uint8)
    left = zone(zone_id="left", name="左侧", polygon=[(0, 0), (0.4, 0), (0.4, 1), (0, 1)])
    font = find_font(16)
    drawn = draw_zones(image, camera(left), KINDS, font)
    assert (image == 100).all()
    assert (drawn[:, 300:] == 100).all() or font is None
    assert np.ptp(drawn[20, 20].astype(int)) > 10
    assert (drawn[150:210, 20:240].min(axis=2) > 200).any(), "white letters"
    named = draw_zones(image, camera(left.model_copy(update={"name": "右侧"})), KINDS, None)
    assert (named != image).any(), "without a font with Chinese letters the ids stand there"


def test_places_where_things_stand_are_proposed_and_passing_is_not() -> None:
    kind = KINDS.by_id("illegal_parking")
    heat = StandingMap(kind)
    actors = [
        Actor(standing((100, 500, 300, 600), 5, 90), ("car", "truck"), jitter=2.0),
        Actor(parking((800, 300, 1000, 400), 20, 80), ("car",)),
        Actor(standing((500, 600, 560, 700)), ("bin",)),
        Actor(lambda s: (s * 14, 150, s * 14 + 90, 200), ("car",)),
    ]
    for ts, _, found in scene(actors, 100, 1):
        heat.add(ts.timestamp(), found)
    places = heat.polygons(30)
    assert len(places) == 2
    assert [round(longest_s / 5) for longest_s, _ in places] == [17, 12]
    eye = suggested("cam", kind, (polygon for _, polygon in places))
    feet = [(200 / SIZE[0], 595 / SIZE[1]), (900 / SIZE[0], 395 / SIZE[1])]
    for proposed, foot in zip(eye.zones, feet, strict=True):
        assert zone_of([proposed], "illegal_parking", foot) is proposed
    assert heat.polygons(200) == []


def test_captions_hide_no_other_caption_and_shop_fronts_are_drawn() -> None:
    """Three low zones side by side, whose captions are wider than they are."""
    thin = [
        zone(("illegal_parking",), zone_id=f"z{i}", polygon=[(x, 0.6), (x + 0.05, 0.6), (x, 0.7)])
        for i, x in enumerate((0.4, 0.46, 0.52))
    ]
    front = {"id": "tea", "line": [(0.05, 0.1), (0.3, 0.1)], "inside": (0.1, 0.02)}
    eye = Camera.model_validate({"id": "c", "zones": thin, "frontages": [front]})
    drawn = draw_zones(np.full((360, 640, 3), 100, np.uint8), eye, KINDS, find_font(14))
    dark = (drawn.max(axis=2) < 60).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(dark)
    captions = [tuple(s[:4]) for s in stats[1:count] if s[cv2.CC_STAT_AREA] > 800]
    assert len(captions) == 4, captions
    blue = drawn[36, 40:180].astype(int)
    assert (blue[:, 0] - blue[:, 2] > 100).all()


def test_a_zone_clicked_in_the_browser_comes_out_as_valid_yaml(tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip("needs the distribution's chromium")
    page_file = tmp_path / "draw.html"
    old = zone(("illegal_parking",), zone_id="old", name='有"引号</script>').model_copy()
    rest = {
        "place": "x1",
        "tune": {"illegal_parking": {"end_after_s": 9}},
        "active": ["22:00-06:00"],
    }
    eye = Camera.model_validate(
        {
            "id": "c",
            "health": {"blurred_s": None},
            "zones": [old.model_dump(exclude_unset=True) | rest],
        }
    )
    image = np.full((360, 640, 3), 100, np.uint8)
    page_file.write_text(drawing_page(image, eye, KINDS), encoding="utf-8")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=str(chromium), args=["--no-sandbox"], timeout=60_000
        )
        page = browser.new_page(viewport={"width": 1200, "height": 800}, offline=True)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(page_file.as_uri())
        page.wait_for_function("document.getElementById('view').width === 640")
        page.fill("#id", "kerb")
        page.fill("#name", "路侧")
        page.select_option("#kind", "street_vending")
        page.fill("#dwell", "90")
        size = page.locator("#view").bounding_box()
        for x, y in [(0.2, 0.5), (0.8, 0.5), (0.8, 0.9), (0.2, 0.5)]:
            page.locator("#view").click(position={"x": x * size["width"], "y": y * size["height"]})
        assert page.input_value("#dwell") == ""
        page.select_option("#kind", "")
        for x, y in [(0.1, 0.3), (0.4, 0.2)]:
            page.locator("#view").click(position={"x": x * size["width"], "y": y * size["height"]})
        page.click("#close")
        page.locator("#view").click(position={"x": 0.2 * size["width"], "y": 0.1 * size["height"]})
        text = page.input_value("#yaml")
        browser.close()
    (got,) = parse_yaml(text, "page", Cameras).cameras
    assert [z.id for z in got.zones] == ["old", "kerb"]
    assert (got.zones[0], got.health) == (eye.zones[0], eye.health), "nothing is lost"
    (front,) = got.frontages
    assert front.inside == pytest.approx((0.2, 0.1), abs=0.01)
    assert front.line is not None
    assert front.line[1] == pytest.approx((0.4, 0.2), abs=0.01)
    assert (got.zones[1].name, got.zones[1].forbids) == ("路侧", ("street_vending",))
    assert got.zones[1].dwell_s == 90
    corners = [value for point in got.zones[1].polygon for value in point]
    assert corners == pytest.approx([0.2, 0.5, 0.8, 0.5, 0.8, 0.9], abs=0.01)
    assert all(url.startswith(("file:", "data:")) for url in asked)
