"""A real server process that can be killed, and the gateways and the reader around it."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import socket
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx

from ..config.errors import XiaozhengError
from .restarts_scene import Scene

READY_WITHIN_S = 60.0
RETRY_S = 0.02
MAX_FRAMES_PER_POST = 4


class ServerError(XiaozhengError):
    """The server did not come up, or refused what it should take."""


def serve_forever(settings: dict[str, Any], log: str) -> None:
    """What the child process does: the service as `xiaozheng serve` runs it, its log in a file."""
    from ..serve.run import run
    from ..serve.settings import read_settings

    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    run(read_settings(**settings))


class Server:
    """Starts, kills and stops the service on one fixed port.

    Children are forked from a helper process that has the libraries loaded already, which is what
    makes a hundred starts bearable; each has a process of its own and dies by SIGKILL.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self._settings = {**settings, "port": self.port}
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["xiaozheng.serve.run"])
        self._process: multiprocessing.process.BaseProcess | None = None

    def start(self) -> None:
        """Begin to start; see `wait_ready`."""
        self._process = self._context.Process(
            target=serve_forever, args=(self._settings, str(self.log)), daemon=True
        )
        self._process.start()

    def wait_ready(self) -> None:
        """Raises ServerError when it dies or takes too long."""
        deadline = monotonic() + READY_WITHIN_S
        with httpx.Client(base_url=self.url, timeout=5) as client:
            while True:
                try:
                    if client.get("/readyz").status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                if monotonic() > deadline or not self._alive():
                    raise ServerError(f"the server did not come up; see {self.log}")
                sleep(RETRY_S)

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.join()

    def stop(self) -> None:
        """SIGTERM: finish what was accepted."""
        if self._process is not None:
            self._process.terminate()
            self._process.join()

    def _alive(self) -> bool:
        return self._process is not None and self._process.is_alive()


@dataclass(slots=True)
class Sent:
    """What all gateways together have sent and were told."""

    posts: int = 0
    frames: int = 0
    resent_posts: int = 0
    duplicates: int = 0
    told: list[dict[str, Any]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Gateway(threading.Thread):
    """Sends one camera's frames in order, a few a post, and sends again what was not answered."""

    def __init__(self, url: str, scene: Scene, start: datetime, seed: int, sent: Sent) -> None:
        super().__init__(name=f"gateway-{scene.camera_id}", daemon=True)
        self._url = url
        self._scene = scene
        self._start_at = start
        self._dice = random.Random(f"{seed}/posts/{scene.camera_id}")
        self._sent = sent
        self.leave = threading.Event()

    def run(self) -> None:
        second = 0
        with httpx.Client(base_url=self._url, timeout=60) as client:
            while second < self._scene.seconds and not self.leave.is_set():
                count = self._dice.randint(1, MAX_FRAMES_PER_POST)
                span = range(second, min(second + count, self._scene.seconds))
                if not self._deliver(client, span):
                    return
                second = span.stop

    def _deliver(self, client: httpx.Client, span: range) -> bool:
        form = self._form(span)
        tries = 0
        while not self.leave.is_set():
            tries += 1
            try:
                answer = client.post("/v1/frames:batch", files=form)
            except httpx.TransportError:
                sleep(RETRY_S)
                continue
            if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                sleep(RETRY_S)
                continue
            return self._note(answer, span, tries)
        return False

    def _note(self, answer: httpx.Response, span: range, tries: int) -> bool:
        sent = self._sent
        results = answer.json()["results"] if answer.status_code == httpx.codes.OK else []
        wrong = [r for r in results if r["status"] == "error"]
        if wrong or not results:
            sent.failures.append(f"{self._scene.camera_id} {span}: {answer.text[:300]}")
            return False
        with sent.lock:
            sent.posts += 1
            sent.frames += len(span)
            sent.resent_posts += tries > 1
            sent.duplicates += sum(r["status"] != "ok" for r in results)
            sent.told += [incident for r in results for incident in r["incidents"]]
        return True

    def _form(self, span: range) -> list[tuple[str, Any]]:
        metadata = [
            {
                "camera_id": self._scene.camera_id,
                "ts": (self._start_at + timedelta(seconds=second)).isoformat(),
                "seq": second,
                "part": f"f{second}",
            }
            for second in span
        ]
        form: list[tuple[str, Any]] = [("metadata", (None, json.dumps(metadata)))]
        form += [(f"f{s}", (f"{s}.jpg", self._scene.jpeg(s), "image/jpeg")) for s in span]
        return form


class Reader(threading.Thread):
    """Reads the outbox with a cursor, as a consumer does that must not miss anything."""

    def __init__(self, url: str) -> None:
        super().__init__(name="reader", daemon=True)
        self._url = url
        self.events: list[dict[str, Any]] = []
        self.leave = threading.Event()

    def run(self) -> None:
        after = 0
        with httpx.Client(base_url=self._url, timeout=10) as client:
            while not self.leave.is_set():
                try:
                    answer = client.get("/v1/events", params={"after": after, "limit": 20})
                except httpx.TransportError:
                    sleep(RETRY_S)
                    continue
                if answer.status_code == httpx.codes.OK:
                    page = answer.json()
                    self.events += page["events"]
                    after = page["next_after"]
                sleep(RETRY_S)
