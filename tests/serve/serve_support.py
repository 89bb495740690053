"""What the service's tests share: pictures, requests, and a real service on a real socket."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import cv2
import httpx
import numpy as np
import uvicorn

from xiaozheng.serve.app import create_app
from xiaozheng.serve.settings import Settings

BGR = {"car": (0, 0, 255), "person": (0, 255, 0), "bin": (255, 0, 0)}
CELL = 64
CAMERAS = {
    "cameras": [
        {
            "id": "cam-1",
            "name": "建设路北口",
            "zones": [
                {
                    "id": "kerb",
                    "name": "东侧路缘",
                    "polygon": [[0, 0], [0.5, 0], [0.5, 1], [0, 1]],
                    "forbids": ["illegal_parking"],
                    "dwell_s": 10,
                }
            ],
        },
        {"id": "cam-2", "zones": []},
    ]
}


def picture(*things: tuple[str, int, int], suffix: str = ".jpg") -> bytes:
    """An encoded 640×384 picture with things in cells (column, row) of 64 pixels."""
    image = np.full((384, 640, 3), 110, np.uint8)
    for name, column, row in things:
        image[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL] = BGR[name]
    done, encoded = cv2.imencode(suffix, image)
    assert done
    return encoded.tobytes()


def entry(index: int, ts: datetime | str, camera_id: str = "cam-1", **other: Any) -> dict[str, Any]:
    """One entry of `metadata`, for part `f<index>`."""
    text = ts if isinstance(ts, str) else ts.isoformat()
    return {"camera_id": camera_id, "ts": text, "seq": index, "part": f"f{index}", **other}


def post_frames(client: httpx.Client, entries: Any, pictures: dict[str, bytes]) -> httpx.Response:
    """Post a batch; `entries` is the metadata part, text as it is or data as JSON."""
    metadata = entries if isinstance(entries, str | bytes) else json.dumps(entries)
    files: list[tuple[str, Any]] = [("metadata", (None, metadata, "application/json"))]
    files += [(name, (f"{name}.jpg", data, "image/jpeg")) for name, data in pictures.items()]
    return client.post("/v1/frames:batch", files=files)


def metrics_of(client: httpx.Client) -> dict[str, float]:
    """Every sample of `/metrics` by its name with labels."""
    lines = client.get("/metrics").text.splitlines()
    pairs = [line.rpartition(" ") for line in lines if line and not line.startswith("#")]
    return {name: float(value) for name, _, value in pairs}


@contextmanager
def running(
    settings: Settings, now: Callable[[], datetime] | None = None
) -> Iterator[httpx.Client]:
    """The service on a socket of its own, and a client of it."""
    app = create_app(settings) if now is None else create_app(settings, now)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="on")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=address, timeout=30) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


PROGRAM = """
from xiaozheng.serve.run import run
from xiaozheng.serve.settings import read_settings
run(read_settings())
"""


class ServerProcess:
    """The service as a process of its own, told by its environment all that differs from the
    defaults."""

    def __init__(self, settings: Settings, **environment: str) -> None:
        told = {"port": 0} | settings.model_dump(exclude_unset=True)
        env = {f"XIAOZHENG_{name.upper()}": str(value) for name, value in told.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, **env, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert "http://" in line
        self.url = line.split()[-1]

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        self.process.communicate(timeout=60)
        return self.process.returncode
