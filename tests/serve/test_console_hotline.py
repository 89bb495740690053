"""The hotline's page in a real browser: one matter, feedback, rule and hot issues."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from encoder_shelf import encoder_registry
from serve_support import running

from xiaozheng.models.registry import Registry, default_shelf
from xiaozheng.serve.settings import Settings

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium"),
    pytest.mark.skipif(
        "router" not in Registry(default_shelf()).names(), reason="the shelf has no router"
    ),
]
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
FIRST = "丽景新城小区旁边建了个搅拌站，噪音大灰尘多，晚上没法睡觉，请环保部门来管一管"
SECOND = "我们丽景新城的，小区边上那个搅拌站灰尘太大了，噪音也吵，晚上睡不着，请环保<b>查处</b>"
RULES = """
rules:
  - id: mixer
    title: 搅拌站由环保牵头
    law: 《扬尘办法》第二条
    when: {words: [搅拌站]}
    then: {department: shengtai}
"""


def test_a_call_is_merged_returned_and_hot(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    settings = make_settings(detector="", router="router", rules=tmp_path / "rules.yaml")
    complaints: list[str] = []
    with running(settings) as client, sync_api.sync_playwright() as play:
        client.post("/v1/transcripts:batch", json=[{"id": "first", "text": FIRST}])
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page: Any = browser.new_page(viewport={"width": 390, "height": 900})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda m: complaints.append(m.text) if "Refused" in m.text else None)
        page.goto(f"{client.base_url}/#/hotline")
        page.fill("textarea", SECOND)
        page.click("form.call button.primary")
        page.wait_for_selector(".rule >> text=搅拌站由环保牵头")
        assert "《扬尘办法》第二条" in page.locator(".rule").inner_text()
        assert page.locator(".masked b").count() == 0
        assert "都提到" in page.locator(".matters li").inner_text()

        page.click("button:has-text('是同一事项')")
        page.wait_for_selector(".error >> text=请先填写操作人")
        page.fill("#operator", "张三")
        page.click("button:has-text('是同一事项')")
        page.wait_for_selector(".matters .chip >> text=已并案")
        page.click(".feedback button:has-text('退回')")
        page.wait_for_selector(".error >> text=reason")
        page.fill("[aria-label='理由']", "应由住建牵头")
        page.click(".feedback button:has-text('退回')")
        page.wait_for_selector(".journal >> text=应由住建牵头")
        assert page.locator("#operator").input_value() == "张三"

        page.reload()
        page.wait_for_selector(".hot-item >> text=丽景新城")
        assert "当日 2 件" in page.locator(".hot-item").inner_text()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
    assert complaints == []


def test_urgent_calls_come_first_and_similar_ones_are_shown(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    encoder_registry(tmp_path / "shelf")
    settings = make_settings(detector="", router="router", shelf=tmp_path / "shelf")
    bins = "小区门口的垃圾桶好几天没人清了，垃圾堆得到处都是"
    turns = [
        {"speaker": "agent", "text": "您好，请讲"},
        {"speaker": "caller", "text": f"{bins}，去年还着过火"},
    ]
    with running(settings) as client, sync_api.sync_playwright() as play:
        gas = {"id": "gas", "text": "单元里燃气漏气了，<b>快派人</b>来"}
        client.post("/v1/transcripts:batch", json=[{"id": "bins-1", "text": bins}, gas])
        said = {"action": "override", "by": "张三", "department": "chengguan"}
        client.post("/v1/transcripts/bins-1/feedback", json=said)
        client.post("/v1/transcripts:batch", json=[{"id": "bins-2", "turns": turns}])
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page: Any = browser.new_page(viewport={"width": 390, "height": 900})
        page.goto(f"{client.base_url}/#/hotline/bins-2")
        page.wait_for_selector(".similar >> text=人工确认")
        assert "城市管理局" in page.locator(".similar li").first.inner_text()
        assert "火情" in page.locator(".signals").inner_text()
        assert page.locator(".alarm").count() == 0
        rows = page.locator(".recent .row")
        assert rows.first.get_attribute("href") == "#/hotline/gas"
        assert "特急" in rows.first.inner_text()
        assert "燃气泄漏" in rows.first.inner_text()
        assert rows.nth(1).locator(".line").inner_text().startswith("小区门口")
        rows.first.click()
        page.wait_for_selector(".alarm >> text=燃气泄漏")
        assert page.locator(".row[aria-current] .why").count() == 1
        assert page.locator(".masked b").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()
