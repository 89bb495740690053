"""A running service follows the shelf, over real HTTP and under load."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any

import httpx
import pytest
from serve_support import entry, metrics_of, picture, post_frames, running

from xiaozheng.cli.main import run
from xiaozheng.models.registry import Registry, default_shelf
from xiaozheng.serve.model_slot import RETRY_REFUSED_S, ModelSlot
from xiaozheng.serve.settings import Settings
from xiaozheng.vision.detector import Detector

BIN = picture(("bin", 2, 3))
OLD, NEW, BROKEN = "1.0.0", "2.0.0", "3.0.0"


def point(root: Path, name: str, version: str) -> None:
    """Move an alias the way `xiaozheng models promote` does: the file is replaced whole."""
    aliases = json.loads((root / "aliases.json").read_text(encoding="utf-8"))
    aliases[name] = {"champion": version}
    passing = root / "aliases.tmp"
    passing.write_text(json.dumps(aliases), encoding="utf-8")
    os.replace(passing, root / "aliases.json")


def add_version(root: Path, name: str, old: str, new: str, **changes: Any) -> Path:
    """A copy of a version under another number."""
    folder = root / name / new
    shutil.copytree(root / name / old, folder)
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest |= {"version": new, **changes}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return folder


@pytest.fixture
def root(shelf: Path, tmp_path: Path) -> Path:
    """The new version asks more of bins than any picture gives; the broken one was altered."""
    found = tmp_path / "shelf"
    shutil.copytree(shelf, found)
    add_version(found, "colours", OLD, NEW, thresholds={"bin": 1.0, "car": 0.4})
    altered = add_version(found, "colours", OLD, BROKEN) / "model.onnx"
    altered.write_bytes(altered.read_bytes()[:-1] + b"x")
    return found


def readiness(client: httpx.Client) -> dict[str, Any]:
    response = client.get("/readyz")
    assert response.status_code == 200
    found: dict[str, Any] = response.json()
    assert found["ready"] is True
    return found


def wait_for(client: httpx.Client, role: str, what: Callable[[dict[str, Any]], bool]) -> None:
    while not what(readiness(client)["checks"][role]):
        sleep(0.01)


def in_use(version: str) -> Callable[[dict[str, Any]], bool]:
    return lambda check: f"@{version}" in check["detail"]


def test_promotion_and_rollback_under_load_fail_no_request(
    make_settings: Callable[..., Settings], root: Path, now: datetime
) -> None:
    settings = make_settings(shelf=root, model_poll_s=0.05)
    answers: list[tuple[int, Any]] = []
    done = threading.Event()

    def load(url: httpx.URL, camera_id: str) -> None:
        start = now - timedelta(hours=9)
        with httpx.Client(base_url=url, timeout=60) as client:
            second = 0
            while not done.is_set():
                entries = [
                    entry(n, start + timedelta(seconds=second + n), camera_id) for n in range(3)
                ]
                response = post_frames(client, entries, {f"f{n}": BIN for n in range(3)})
                answers.append((response.status_code, response.json()))
                second += 3

    with running(settings) as client:
        wait_for(client, "detector", in_use(OLD))
        threads = [
            threading.Thread(target=load, args=(client.base_url, camera))
            for camera in ("cam-1", "cam-2")
        ]
        for thread in threads:
            thread.start()
        try:
            for version in (NEW, OLD, NEW, OLD):
                verb = (
                    ["promote", f"colours@{version}"] if version == NEW else ["rollback", "colours"]
                )
                assert run(["models", *verb, "--shelf", str(root)]) == 0
                wait_for(client, "detector", in_use(version))
                seen = len(answers)
                while len(answers) < seen + 6:
                    sleep(0.01)
        finally:
            done.set()
            for thread in threads:
                thread.join()
        swaps = metrics_of(client)
    assert {status for status, _ in answers} == {200}
    results = [result for _, answer in answers for result in answer["results"]]
    assert {result["status"] for result in results} == {"ok"}
    assert {(result["model"], len(result["detections"])) for result in results} == {
        (f"colours@{OLD}", 1),
        (f"colours@{NEW}", 0),
    }
    assert swaps['xiaozheng_model_swaps_total{result="loaded",role="detector"}'] == 4
    assert swaps['xiaozheng_detector_info{backend="onnxruntime",model="colours@1.0.0"}'] == 1


def test_cameras_go_on_and_what_begins_later_is_the_new_models(
    make_settings: Callable[..., Settings], root: Path, now: datetime
) -> None:
    start = now - timedelta(seconds=200)

    def send(client: httpx.Client, seconds: range, *cars: int) -> None:
        data = picture(*(("car", column, 3) for column in cars))
        entries = [entry(s, start + timedelta(seconds=s)) for s in seconds]
        answer = post_frames(client, entries, {f"f{s}": data for s in seconds}).json()
        assert {result["status"] for result in answer["results"]} == {"ok"}

    with running(make_settings(shelf=root, model_poll_s=0.05)) as client:
        send(client, range(3))
        send(client, range(3, 9), 2)
        point(root, "colours", NEW)
        wait_for(client, "detector", in_use(NEW))
        send(client, range(9, 25), 2)
        (first,) = client.get("/v1/incidents").json()["items"]
        send(client, range(25, 70))
        send(client, range(70, 95), 0)
        later, again = client.get("/v1/incidents").json()["items"]
    assert first["onset_at"][:19] == (start + timedelta(seconds=3)).isoformat()[:19]
    assert (again["id"], again["state"]) == (first["id"], "ended")
    assert (again["model"], later["model"]) == (f"colours@{OLD}", f"colours@{NEW}")


def test_what_cannot_be_used_is_refused_and_the_old_model_stays(
    make_settings: Callable[..., Settings],
    root: Path,
    now: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def served(client: httpx.Client, second: int) -> None:
        item = entry(0, now - timedelta(seconds=200 - second))
        answer = post_frames(client, [item], {"f0": BIN}).json()
        assert answer["model"] == f"colours@{OLD}"
        assert answer["results"][0]["status"] == "ok"

    with running(make_settings(shelf=root, model_poll_s=0.05)) as client:
        wait_for(client, "detector", in_use(OLD))
        point(root, "colours", BROKEN)
        wait_for(client, "detector", lambda check: check["refused"] is not None)
        check = readiness(client)["checks"]["detector"]
        assert (check["ok"], OLD in check["detail"]) == (True, True)
        assert check["refused"]["model"] == f"colours@{BROKEN}"
        assert "model.onnx" in check["refused"]["reason"]
        served(client, 1)
        told = metrics_of(client)
        assert told['xiaozheng_model_refused{role="detector"}'] == 1
        assert told['xiaozheng_model_swaps_total{result="refused",role="detector"}'] == 1
        point(root, "colours", "9.9.9")
        wait_for(client, "detector", lambda check: "9.9.9" in check["refused"]["reason"])
        (root / "aliases.json").write_text("{", encoding="utf-8")
        wait_for(client, "detector", lambda check: "not readable" in check["refused"]["reason"])
        served(client, 2)
        (root / "aliases.json").write_text("{}", encoding="utf-8")
        point(root, "colours", OLD)
        wait_for(client, "detector", lambda check: check["refused"] is None)
        served(client, 3)
        assert metrics_of(client)['xiaozheng_model_refused{role="detector"}'] == 0
    refused = [r.getMessage() for r in caplog.records if "is refused" in r.getMessage()]
    assert len(refused) == 3
    assert f"detector: colours@{BROKEN} is refused, colours@{OLD} stays in use" in refused[0]


def test_mended_files_are_tried_again_after_a_while(root: Path) -> None:
    seconds = [0.0]
    registry = Registry(root)
    slot = ModelSlot(
        "detector",
        registry,
        "colours",
        load=lambda ref: Detector.open(registry, ref, "onnxruntime", 1),
        warm_up=lambda detector: None,
        clock=lambda: seconds[0],
    )
    point(root, "colours", BROKEN)
    assert [slot.look(), slot.look()] == ["refused", ""]
    shutil.copy(root / "colours" / OLD / "model.onnx", root / "colours" / BROKEN / "model.onnx")
    assert slot.look() == ""
    seconds[0] = RETRY_REFUSED_S
    assert slot.look() == "loaded"
    assert slot.current.ref == f"colours@{BROKEN}"
    assert slot.refusal is None


@pytest.mark.skipif("router" not in Registry(default_shelf()).names(), reason="no router shipped")
def test_the_router_is_followed_too(make_settings: Callable[..., Settings], root: Path) -> None:
    (old,) = Registry(root).versions("router")
    add_version(root, "router", old, "99.0.0")
    calls = [{"id": "t1", "text": "小区门口垃圾桶满了好几天没人清"}]
    models = []
    settings = make_settings(shelf=root, router="router", detector="", model_poll_s=0.05)
    with running(settings) as client:
        for version in ("99.0.0", old):
            answer = client.post("/v1/transcripts:batch", json=calls).json()
            assert answer["model"] == answer["results"][0]["suggestion"]["model"]
            models.append(answer["model"])
            point(root, "router", version)
            wait_for(client, "router", in_use(version))
        models.append(client.post("/v1/transcripts:batch", json=calls).json()["model"])
    assert models == [f"router@{old}", "router@99.0.0", f"router@{old}"]
