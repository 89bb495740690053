"""The console in a real browser; needs `pip install playwright` and Debian's chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
from serve_support import entry, picture, post_frames, running

from xiaozheng.models.registry import Registry, default_shelf
from xiaozheng.serve.settings import Settings

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"


@pytest.fixture
def page() -> Iterator[Any]:
    """A page whose script errors and policy violations fail the test."""
    complaints: list[str] = []
    with sync_api.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        found = browser.new_page(viewport={"width": 1440, "height": 900})
        found.on("pageerror", lambda error: complaints.append(str(error)))
        found.on("console", lambda m: complaints.append(m.text) if "Refused" in m.text else None)
        yield found
        browser.close()
    assert complaints == []


def park(client: httpx.Client, now: datetime) -> None:
    start = now - timedelta(seconds=60)
    parked = picture(("car", 2, 3))
    entries = [entry(s, start + timedelta(seconds=s)) for s in range(30)]
    post_frames(client, entries, {f"f{s}": picture() if s < 2 else parked for s in range(30)})


@pytest.mark.parametrize(("width", "columns"), [(1440, 3), (390, 1)])
def test_an_incident_and_its_pictures_are_shown(
    page: Any, client: httpx.Client, now: datetime, width: int, columns: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(str(client.base_url))
    page.wait_for_selector("text=暂无事件")
    park(client, now)
    page.click(".row:has-text('机动车违停')")
    page.wait_for_selector("figure img")
    assert page.locator("figure").count() == 3
    assert page.locator("h1").inner_text().startswith("机动车违停")
    tops = page.evaluate("[...document.querySelectorAll('figure')].map(f => f.offsetTop)")
    assert len(set(tops)) == 3 // columns
    loaded = "[...document.querySelectorAll('figure img')].every(i => i.complete && i.naturalWidth)"
    # Not `wait_for_function`: the console's policy forbids evaluating strings in the page.
    end = monotonic() + 20
    while not page.evaluate(loaded):
        assert monotonic() < end
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, "nothing sticks out sideways"


def test_an_ill_camera_is_shown_with_its_fault(
    page: Any, client: httpx.Client, now: datetime
) -> None:
    page.goto(f"{client.base_url}/#/cameras")
    page.wait_for_selector(".camera >> text=正常")
    start = now - timedelta(seconds=60)
    entries = [entry(s, start + timedelta(seconds=s)) for s in range(15)]
    dark = cv2.imencode(".jpg", np.zeros((384, 640, 3), np.uint8))[1].tobytes()
    post_frames(client, entries, {f"f{s}": dark for s in range(15)})
    page.wait_for_selector(".trouble >> text=画面全黑")
    assert "区域判定已暂停" in page.locator(".trouble").inner_text()
    assert page.locator(".camera .chip.human").inner_text() == "画面全黑"


def test_it_says_when_the_service_is_gone(
    page: Any, make_settings: Callable[..., Settings]
) -> None:
    with running(make_settings()) as client:
        page.goto(str(client.base_url))
        page.wait_for_selector(".health.good")
        page.route("**/readyz", lambda route: route.abort())
        page.wait_for_selector(".health.bad >> text=无法连接服务")
        page.unroute("**/readyz")
        page.wait_for_selector(".health.good")
        page.close()


@pytest.mark.skipif(
    "router" not in Registry(default_shelf()).names(), reason="the shelf has no router yet"
)
def test_a_call_is_ranked_and_its_text_never_becomes_markup(
    page: Any, make_settings: Callable[..., Settings]
) -> None:
    with running(make_settings(detector="", router="router")) as client:
        page.goto(f"{client.base_url}/#/hotline")
        page.fill("textarea", f"小区门口垃圾桶满了没人清，味道很大{HOSTILE}请尽快处理")
        page.click("button.primary")
        page.wait_for_selector(".ranking")
        assert page.locator(".ranking li").count() == 3
        assert "<img src=x" in page.locator(".masked").inner_text()
        assert page.locator(".masked mark").count() > 0
        assert page.locator("main img, main script").count() == 0
        assert page.title() == "小郑 · 城市事件"
        page.close()
