"""Camera health inside the service, over real HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import yaml
from serve_support import CAMERAS, entry, metrics_of, picture, post_frames, running

from xiaozheng.config.errors import InputError
from xiaozheng.serve.lane_health import LaneHealth
from xiaozheng.serve.settings import Settings
from xiaozheng.vision.cameras import Camera

CAR = picture(("car", 2, 3))
CAMERA = Camera.model_validate(CAMERAS["cameras"][0])


def black() -> bytes:
    return cv2.imencode(".jpg", np.full((384, 640, 3), 4, np.uint8))[1].tobytes()


class Sender:
    """Sends one picture a second of media time."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.second = 0

    def __call__(self, client: httpx.Client, seconds: int, data: bytes) -> list[dict[str, Any]]:
        span = range(self.second, self.second + seconds)
        self.second += seconds
        entries = [entry(s, self.start + timedelta(seconds=s)) for s in span]
        answer = post_frames(client, entries, {f"f{s}": data for s in span})
        assert answer.status_code == 200, answer.text
        results: list[dict[str, Any]] = answer.json()["results"]
        return results


@pytest.fixture
def send(now: datetime) -> Sender:
    return Sender(now - timedelta(seconds=300))


def write_cameras(settings: Settings, **patience: float | None) -> None:
    cameras = {"cameras": [{**CAMERAS["cameras"][0], "health": patience}]}
    assert settings.cameras is not None
    settings.cameras.write_text(yaml.safe_dump(cameras, allow_unicode=True), encoding="utf-8")


def health(client: httpx.Client) -> dict[str, Any]:
    cameras = client.get("/v1/cameras").json()["cameras"]
    found: dict[str, Any] = cameras[0]["health"]
    return found


def told(client: httpx.Client) -> list[str]:
    events = client.get("/v1/events").json()["events"]
    return [event["type"].removeprefix("cn.xiaozheng.") for event in events]


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    """Silence is not judged: a slow machine is no dead camera."""
    made = make_settings()
    write_cameras(made, no_signal_s=None)
    return made


@pytest.fixture
def client(settings: Settings) -> Iterator[httpx.Client]:
    with running(settings) as found:
        yield found


def test_a_black_picture_suspends_the_zones_and_no_incident_ends_or_begins(
    client: httpx.Client, send: Sender
) -> None:
    """The car that stood there before the lens was covered is the one that stands there after."""
    assert health(client)["state"] == "well"
    send(client, 3, picture())
    send(client, 20, CAR)
    dark = send(client, 15, black())
    assert {r["status"] for r in dark} == {"ok"}
    assert {r["zones_suspended"] for r in dark} == {True}
    ill = health(client)
    assert (ill["state"], ill["state_zh"], ill["reason_zh"]) == (
        "camera_black",
        "画面全黑",
        "画面全黑",
    )
    assert ill["zones_suspended"] is True
    assert ill["since"][:19] == (send.start + timedelta(seconds=23)).isoformat()[:19]
    assert metrics_of(client)['xiaozheng_camera_faults{kind="camera_black"}'] == 1
    again = send(client, 20, CAR)
    assert [r["zones_suspended"] for r in again] == [True] * 5 + [False] * 15
    assert health(client)["state"] == "well"
    (incident,) = client.get("/v1/incidents").json()["items"]
    assert incident["state"] == "open"
    assert told(client) == ["incident.opened.v1", "camera.fault.v1", "camera.recovered.v1"]


def test_frames_that_were_kept_from_the_engine_are_known_when_they_come_again(
    client: httpx.Client, send: Sender
) -> None:
    send(client, 3, black())
    send.second = 0
    assert [r["status"] for r in send(client, 4, black())] == ["late", "late", "duplicate", "ok"]


def test_health_survives_a_restart_with_the_same_fault(settings: Settings, send: Sender) -> None:
    write_cameras(settings, frozen_s=None, no_signal_s=None)
    with running(settings) as client:
        send(client, 5, picture())
        send(client, 6, black())
        assert health(client)["state"] == "well"
    with running(settings) as client:
        send(client, 6, black())
        before = health(client)
        assert before["state"] == "camera_black"
        assert before["since"][:19] == (send.start + timedelta(seconds=5)).isoformat()[:19]
    with running(settings) as client:
        assert health(client) == before, "suspended still, before any frame has come"
        assert before["zones_suspended"] is True
        send(client, 12, picture())
        assert health(client)["state"] == "well"
        assert told(client) == ["camera.fault.v1", "camera.recovered.v1"]


def test_a_camera_that_falls_silent_is_noticed_without_frames(
    make_settings: Callable[..., Settings], send: Sender
) -> None:
    settings = make_settings()
    write_cameras(settings, no_signal_s=1, recover_s=0)
    with running(settings) as client:
        send(client, 2, CAR)
        while (silent := health(client))["state"] == "well":
            sleep(0.05)
        assert (silent["state"], silent["state_zh"]) == ("camera_no_signal", "无信号")
        assert silent["zones_suspended"] is True
        (fault,) = client.get("/v1/events").json()["events"]
        assert fault["subject"] == silent["faults"][0]["id"]
        assert fault["data"]["kind_zh"] == "无信号"
        assert [r["zones_suspended"] for r in send(client, 2, CAR)] == [False, False]
        send(client, 2, CAR)
        assert health(client)["state"] == "well"
        assert told(client)[:2] == ["camera.fault.v1", "camera.recovered.v1"]


def street(x: int) -> bytes:
    """A walled street, as a camera turned by `x` pixels sees it."""
    walls = np.random.default_rng(3).integers(40, 210, (12, 40)).astype(np.uint8)
    wide = cv2.resize(walls, (2560, 384), interpolation=cv2.INTER_NEAREST)
    return cv2.imencode(".png", cv2.cvtColor(wide[:, x : x + 640], cv2.COLOR_GRAY2BGR))[1].tobytes()


def test_a_camera_that_was_turned_on_purpose_is_told_so_and_stays_told(
    settings: Settings, send: Sender, now: datetime
) -> None:
    write_cameras(settings, frozen_s=None, no_signal_s=None)
    url = "/v1/cameras/cam-1/view:learn"
    with running(settings, lambda: now) as client:
        send(client, 30, street(0))
        send(client, 30, street(300))
        assert health(client)["state"] == "camera_moved"
        answer = client.post(url, json={"by": "王五"})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["state"], answer.json()["zones_suspended"]) == ("well", False)
        last = client.get("/v1/events").json()["events"][-1]
        assert last["type"] == "cn.xiaozheng.camera.view_learnt.v1"
        assert last["data"] == {"camera_id": "cam-1", "by": "王五", "at": now.isoformat()}
    with running(settings) as client:
        assert not any(r["zones_suspended"] for r in send(client, 30, street(300)))
        assert any(r["zones_suspended"] for r in send(client, 30, street(0)))
        assert client.post(url, json={"by": ""}).status_code == 422
        unknown = client.post("/v1/cameras/cam-9/view:learn", json={"by": "王五"})
        assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_camera")


def test_a_fault_of_a_removed_camera_ends_at_the_next_start(
    settings: Settings, send: Sender
) -> None:
    with running(settings) as client:
        send(client, 15, black())
    assert settings.cameras is not None
    settings.cameras.write_text("cameras: [{id: cam-2}]", encoding="utf-8")
    for _ in range(2):
        with running(settings) as client:
            assert told(client) == ["camera.fault.v1", "camera.recovered.v1"]


def test_a_missing_reference_picture_keeps_the_service_from_starting(
    make_settings: Callable[..., Settings],
) -> None:
    settings = make_settings()
    assert settings.cameras is not None
    settings.cameras.write_text("cameras: [{id: cam-1, health: {reference: a.jpg}}]", "utf-8")
    failed: list[BaseException] = []

    def start() -> None:
        import asyncio

        from xiaozheng.serve.app import create_app

        async def enter() -> None:
            app = create_app(settings)
            async with app.router.lifespan_context(app):
                pass

        try:
            asyncio.run(enter())
        except InputError as error:
            failed.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "a.jpg" in str(failed[0])


def test_states_are_stored_while_anything_is_wrong_and_seldom_while_all_is_well(
    tmp_path: Path,
) -> None:
    t0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
    rng = np.random.default_rng(1)
    keeper = LaneHealth(CAMERA, None, None)
    written: list[int] = []
    for second in range(80):
        dark = 70 <= second < 75
        thumb = rng.integers(0, 6 if dark else 255, (96, 160)).astype(np.uint8)
        moment = t0 + timedelta(seconds=second)
        keeper.look(moment, thumb, moment)
        change = keeper.change()
        if change is not None:
            written.append(second)
        keeper.commit(change)
    assert [second for second in written if second < 70] == [0, 30, 60]
    assert [second for second in written if 70 <= second < 75] == [70, 71, 72, 73, 74]
    with pytest.raises(InputError, match="cam-1: its health in the database"):
        LaneHealth(CAMERA, {"version": -1}, None)
