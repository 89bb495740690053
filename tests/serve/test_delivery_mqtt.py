"""MQTT: a real Mosquitto that goes and comes, and a service that is killed."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from delivery_support import T0, delivering, free_port, in_order, life, until
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from serve_support import ServerProcess

from xiaozheng.serve.changes import HealthChange
from xiaozheng.serve.settings import Settings
from xiaozheng.serve.store import Store
from xiaozheng.vision.health import HealthIncident

PASSWORD = "correct horse"
ODD = "city/events/%E8%B7%AF%E5%8F%A3%2F%2B%23/incident.opened.v1"


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

    def __init__(self, port: int, client_id: str = "reader") -> None:
        self.messages: list[tuple[str, dict[str, Any], bool]] = []
        self._lock = threading.Lock()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id, clean_session=False)
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

    def topics(self) -> set[str]:
        with self._lock:
            return {topic for topic, _, _ in self.messages}

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
def told(tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings of the delivery."""
    monkeypatch.setenv("BROKER_PASSWORD", PASSWORD)
    file = tmp_path / "delivery.yaml"
    file.write_text(
        f"mqtt: {{host: 127.0.0.1, port: {broker.port}, tls: false, username: xz,"
        " password: 'env:BROKER_PASSWORD', prefix: city, since: start, timeout_s: 3}\n"
    )
    return file


def test_a_broker_that_was_away_gets_everything_in_order(
    tmp_path: Path, told: Path, broker: Broker
) -> None:
    status = "city/status"

    async def tell() -> list[dict[str, Any]]:
        async with delivering(f"sqlite:///{tmp_path / 'x.db'}", told) as (store, service):
            with broker.running():
                subscriber = Subscriber(broker.port)
                store.write([life("a")])
                await asyncio.to_thread(until, lambda: len(subscriber.events()) == 2)
                assert subscriber.last(status)["state"] == "online"
            store.write([life(f"b{n}", minute=n) for n in range(40)])
            await asyncio.to_thread(until, lambda: service.couriers[0].stats.away)
            store.write([life("c", camera_id="路口/+#")])
            with broker.running(), subscriber:
                await asyncio.to_thread(until, lambda: len(subscriber.events()) >= 84)
                await service.close()
                await asyncio.to_thread(
                    until, lambda: subscriber.last(status)["state"] == "offline"
                )
            assert {"city/events/cam-1/incident.opened.v1", ODD} <= subscriber.topics()
        return subscriber.events()

    events = asyncio.run(tell())
    assert len({event["id"] for event in events}) == 84
    assert in_order(events)


def test_a_service_that_is_killed_is_said_to_be_offline_and_goes_on_where_it_was(
    make_settings: Callable[..., Settings], told: Path, broker: Broker
) -> None:
    settings = make_settings(delivery=told, detector="")
    store = Store.open(settings.database)
    store.write([life(f"i{n:03}", minute=n) for n in range(300)])
    store.close()
    with broker.running(), Subscriber(broker.port) as subscriber:
        with ServerProcess(settings) as server:
            until(subscriber.events)
            server.kill()
            until(lambda: subscriber.last("city/status")["state"] == "offline")
        assert len({event["id"] for event in subscriber.events()}) < 600
        with ServerProcess(settings) as server:
            until(lambda: len({event["id"] for event in subscriber.events()}) == 600)
            assert server.stop() == 0
        assert in_order(subscriber.events())
        until(lambda: subscriber.last("city/status")["state"] == "offline")


def test_a_cameras_health_is_kept_at_the_broker(tmp_path: Path, told: Path, broker: Broker) -> None:
    topic = "city/cameras/cam-1/health"
    fault = HealthIncident("f1", "cam-1", "camera_frozen", T0, T0 + timedelta(seconds=20))

    async def tell() -> None:
        async with delivering(f"sqlite:///{tmp_path / 'x.db'}", told) as (store, _):
            with Subscriber(broker.port) as subscriber:
                for change, state in (
                    ((), "well"),
                    ((fault,), "camera_frozen"),
                    ((replace(fault, ended_at=T0 + timedelta(minutes=1)),), "well"),
                    ((replace(fault, id="f2"),), "camera_frozen"),
                ):
                    store.write([HealthChange("cam-1", None, change)])
                    await asyncio.to_thread(
                        until, lambda s=state: subscriber.last(topic).get("state") == s
                    )

    with broker.running():
        asyncio.run(tell())
        with Subscriber(broker.port, "late") as late:
            until(lambda: late.last(topic).get("state") == "camera_frozen")
            assert late.last(topic)["faults"][0]["id"] == "f2"
