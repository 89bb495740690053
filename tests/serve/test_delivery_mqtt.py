"""MQTT: a real Mosquitto that goes and comes, and a service that is killed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from delivery_support import free_port, in_order, until
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from serve_support import ServerProcess, entry, picture, post_frames
from test_api_events import park

from xiaozheng.serve.settings import Settings

PASSWORD = "correct horse"


class Broker:
    """A Mosquitto that keeps its sessions over restarts, as one in use does."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        if program is None:
            pytest.skip("needs Mosquitto")
        self.port = free_port()
        self._program = program
        self._file = folder / "mosquitto.conf"
        passwords = folder / "passwords"
        hashing = ["mosquitto_passwd", "-b", "-c", str(passwords), "xz", PASSWORD]
        subprocess.run(hashing, check=True, capture_output=True)
        for path in (folder, passwords):
            path.chmod(0o777)
        self._file.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
            f"persistence true\npersistence_location {folder}/\nlog_dest none\n"
            f"user {'root' if os.getuid() == 0 else 'nobody'}\n"
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        process = subprocess.Popen([self._program, "-c", str(self._file)])
        try:
            until(self._answers)
            yield
        finally:
            process.terminate()
            process.wait(30)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Subscriber:
    """Keeps a session too: what is published while it is away waits for it."""

    def __init__(self, port: int) -> None:
        self.messages: list[tuple[str, dict[str, Any], bool]] = []
        self._lock = threading.Lock()
        self._client = Client(CallbackAPIVersion.VERSION2, "reader", clean_session=False)
        self._client.username_pw_set("xz", PASSWORD)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda *_: self._client.subscribe("city/#", 1)
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _take(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        with self._lock:
            self.messages.append((message.topic, json.loads(message.payload), message.retain))

    def __enter__(self) -> Subscriber:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def events(self) -> list[dict[str, Any]]:
        with self._lock:
            return [body for topic, body, _ in self.messages if "/events/" in topic]

    def last(self, topic: str) -> dict[str, Any]:
        with self._lock:
            found = [body for name, body, _ in self.messages if name == topic]
        return found[-1] if found else {}


@pytest.fixture
def broker(tmp_path: Path) -> Broker:
    folder = tmp_path / "broker"
    folder.mkdir()
    return Broker(folder)


@pytest.fixture
def settings(
    make_settings: Callable[..., Settings],
    tmp_path: Path,
    broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
) -> Settings:
    monkeypatch.setenv("BROKER_PASSWORD", PASSWORD)
    file = tmp_path / "delivery.yaml"
    file.write_text(
        f"mqtt: {{host: 127.0.0.1, port: {broker.port}, tls: false, username: xz,"
        " password: 'env:BROKER_PASSWORD', prefix: city, since: start, timeout_s: 3}\n"
    )
    return make_settings(delivery=file)


def test_broker_away_and_service_killed_meanwhile_and_all_is_published_in_order(
    settings: Settings, broker: Broker, now: datetime
) -> None:
    with broker.running():
        subscriber = Subscriber(broker.port)
        with ServerProcess(settings) as server, httpx.Client(base_url=server.url) as client:
            client.timeout = 60
            park(client, now - timedelta(minutes=60))
            until(lambda: len(subscriber.events()) == 2)
            assert subscriber.last("city/status")["state"] == "online"
            server.kill()
            until(lambda: subscriber.last("city/status").get("state") == "offline")
    with subscriber:
        with ServerProcess(settings) as server, httpx.Client(base_url=server.url) as client:
            client.timeout = 60
            park(client, now - timedelta(minutes=50))
            server.kill()
        with ServerProcess(settings) as server, httpx.Client(base_url=server.url) as client:
            with broker.running():
                ids = lambda: {event["id"] for event in subscriber.events()}  # noqa: E731
                until(lambda: len(ids()) == 4, 60)
                until(lambda: subscriber.last("city/status")["state"] == "online")
                stored = client.get("/v1/events").json()["events"]
                assert server.stop() == 0
                until(lambda: subscriber.last("city/status")["state"] == "offline")
    events = subscriber.events()
    assert in_order(events)
    told = {event["id"]: event for event in events}
    assert [told[event["id"]] for event in stored] == stored
    topics = {topic for topic, _, _ in subscriber.messages if "/events/" in topic}
    assert topics == {
        "city/events/cam-1/incident.opened.v1",
        "city/events/cam-1/incident.ended.v1",
    }


def test_a_cameras_health_is_kept_at_the_broker(
    settings: Settings, broker: Broker, now: datetime
) -> None:
    health = "city/cameras/cam-1/health"
    with broker.running(), ServerProcess(settings) as server:
        with Subscriber(broker.port) as subscriber:
            until(lambda: subscriber.last(health).get("state") == "well")
        with httpx.Client(base_url=server.url, timeout=60) as client:
            start = now - timedelta(seconds=100)
            blank = {f"f{s}": picture() for s in range(80)}
            entries = [entry(s, start + timedelta(seconds=s)) for s in range(80)]
            # The same picture for a minute and more: a camera that has frozen.
            assert post_frames(client, entries, blank).status_code == 200
            faults = client.get("/v1/cameras").json()["cameras"][0]["health"]["faults"]
        with Subscriber(broker.port) as late:
            until(lambda: late.last(health).get("faults"))
            assert late.last(health)["faults"][0]["id"] == faults[0]["id"]
            assert late.last(health)["state"] == faults[0]["kind"]
