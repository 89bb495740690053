"""A real server process, killed and stopped, over one database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from serve_support import entry, picture, post_frames, running

from xiaozheng.serve.settings import Settings

PROGRAM = """
from xiaozheng.serve.run import run
from xiaozheng.serve.settings import read_settings
run(read_settings())
"""
PARKED, EMPTY = picture(("car", 2, 3)), picture()
FRAMES = {s: PARKED if 3 <= s < 24 else EMPTY for s in range(50)}


class Process:
    """`python -c PROGRAM`, told everything by its environment."""

    def __init__(self, settings: Settings) -> None:
        env = {
            **os.environ,
            "XIAOZHENG_PORT": "0",
            "XIAOZHENG_VAR": str(settings.var),
            "XIAOZHENG_CAMERAS": str(settings.cameras),
            "XIAOZHENG_SHELF": str(settings.shelf),
            "XIAOZHENG_DETECTOR": settings.detector,
            "XIAOZHENG_ROUTER": "",
            "XIAOZHENG_BACKEND": "onnxruntime",
            "XIAOZHENG_THREADS": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://127.0.0.1:" in line, self.stop()
        self.url = line.split()[-1]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self) -> tuple[int, str]:
        """SIGTERM; exit code and log."""
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=60)
        return self.process.returncode, log


@contextmanager
def process(settings: Settings) -> Iterator[Process]:
    found = Process(settings)
    try:
        yield found
    finally:
        if found.process.poll() is None:
            found.kill()


def send(client: httpx.Client, start: datetime, second: int) -> dict[str, Any]:
    item = entry(second, start + timedelta(seconds=second))
    response = post_frames(client, [item], {f"f{second}": FRAMES[second]})
    assert response.status_code == 200, response.text
    result: dict[str, Any] = response.json()["results"][0]
    return result


def test_killed_in_the_middle_of_a_clip_it_resumes_with_the_same_incident(
    make_settings: Callable[..., Settings], tmp_path: Path, now: datetime
) -> None:
    """Killed while suspected, while open, and after the end; every frame that was not answered is
    sent again, as a gateway does. The incident is the one of an undisturbed run."""
    start = now - timedelta(seconds=200)
    with running(make_settings(var=tmp_path / "calm")) as client:
        for second in FRAMES:
            send(client, start, second)
        (expected,) = client.get("/v1/incidents").json()["items"]

    settings = make_settings(var=tmp_path / "killed")
    left = list(FRAMES)
    for kill_at in (8, 18, 35, None):
        with process(settings) as server, httpx.Client(base_url=server.url, timeout=30) as client:
            while left:
                if left[0] == kill_at:
                    # The blow falls somewhere within the request.
                    threading.Timer(0.004, server.process.kill).start()
                try:
                    result = send(client, start, left[0])
                except httpx.TransportError:
                    break
                assert result["status"] in {"ok", "duplicate"}
                left.pop(0)
            if kill_at is None:
                incidents = client.get("/v1/incidents").json()["items"]
                whole = client.get(f"/v1/incidents/{expected['id']}").json()
            else:
                server.process.wait(30)
    assert left == []
    assert len(incidents) == 1
    assert [step["state"] for step in whole["journal"]] == ["suspected", "open", "ended"]
    for field in ("id", "onset_at", "opened_at", "last_seen_at", "ended_at", "box", "state"):
        assert whole[field] == expected[field], field
    assert {e["moment"] for e in whole["evidence"]} >= {"at", "after"}


def test_sigterm_drains_and_exits_cleanly(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    """What was accepted before the signal is answered and stored."""
    settings = make_settings()
    start = now - timedelta(seconds=200)
    with process(settings) as server:
        answers: list[httpx.Response] = []

        def submit() -> None:
            with httpx.Client(base_url=server.url, timeout=60) as client:
                entries = [entry(s, start + timedelta(seconds=s)) for s in FRAMES]
                pictures = {f"f{s}": data for s, data in FRAMES.items()}
                answers.append(post_frames(client, entries, pictures))

        thread = threading.Thread(target=submit)
        thread.start()
        with httpx.Client(base_url=server.url) as client:
            while 'batch_size_count{batcher="detector"} 0.0' in _batches(client):
                pass
        code, log = server.stop()
        thread.join()
    assert code == 0
    assert answers[0].status_code == 200
    assert {r["status"] for r in answers[0].json()["results"]} == {"ok"}
    entries = [json.loads(line) for line in log.splitlines()]
    assert all({"ts", "level", "message"} <= set(item) for item in entries)
    assert not [item for item in entries if item["level"] in {"error", "warning"}]
    with running(settings) as client:
        assert len(client.get("/v1/incidents").json()["items"]) == 1


def test_a_second_service_on_the_same_folder_is_refused(
    make_settings: Callable[..., Settings],
) -> None:
    settings = make_settings()
    with running(settings):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "XIAOZHENG_PORT": "0", "XIAOZHENG_VAR": str(settings.var)},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode != 0
    assert "in use by another running service" in done.stderr


def test_incidents_of_a_removed_zone_are_closed_at_the_next_start(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    settings = make_settings()
    start = now - timedelta(seconds=200)
    with running(settings) as client:
        for second in range(20):
            send(client, start, second)
        (open_one,) = client.get("/v1/incidents").json()["items"]
    assert open_one["state"] == "open"
    assert settings.cameras is not None
    settings.cameras.write_text("cameras: [{id: cam-1}]", encoding="utf-8")
    with running(settings) as client:
        whole = client.get(f"/v1/incidents/{open_one['id']}").json()
    assert whole["state"] == "ended"
    assert whole["ended_at"] == open_one["last_seen_at"]
    assert [step["state"] for step in whole["journal"]] == ["suspected", "open", "ended"]
    with running(settings) as client:
        assert client.get(f"/v1/incidents/{open_one['id']}").json() == whole


def _batches(client: httpx.Client) -> str:
    text = client.get("/metrics").text
    if 'batch_size_count{batcher="detector"}' not in text:
        return 'batch_size_count{batcher="detector"} 0.0'
    return text
