"""A broker as receiver: MQTT 3.1.1, QoS 1.

    <prefix>/events/<camera>/<type>   each event, such as …/cam-1/incident.opened.v1
    <prefix>/cameras/<camera>/health  the camera's present health, retained
    <prefix>/status                   online or offline, retained; the broker says it for us when
                                      we are gone (last will)

What a camera's id holds beyond letters, digits and `_.-~` is percent-encoded in topics. An event
counts as delivered once the broker has acknowledged it. A connection that breaks is given up with
all it held, and what was not acknowledged is published again over the next one: the client's own
queue would send repeats behind our back.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from paho.mqtt.client import MQTT_ERR_SUCCESS, Client, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion

from ...config.errors import InputError
from ...vision.health import HEALTH_ZH, HealthIncident
from ..outbox import PREFIX
from ..security.secrets import read_secret
from .config import Mqtt
from .courier import NotTakenError
from .events import source_name
from .parcel import Parcel

log = logging.getLogger(__name__)

NAME = "mqtt"
QOS = 1
# Each lane has one event on its way; health goes beside.
MAX_ON_THE_WAY = 64

Health = Callable[[], Mapping[str, Sequence[HealthIncident]]]


class _Connection:
    """One life of a connection. Belongs to one event loop; the client's thread only reports."""

    def __init__(self, config: Mqtt, password: str | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._acknowledged: dict[int, asyncio.Future[None]] = {}
        self.alive = False
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=config.client_id,
            clean_session=False,
            protocol=MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = config.timeout_s
        client.max_inflight_messages_set(MAX_ON_THE_WAY)
        client.will_set(status_topic(config), status(config, "offline"), QOS, retain=True)
        if config.tls:
            client.tls_set(ca_certs=str(config.ca_file) if config.ca_file else None)
        if config.username is not None:
            client.username_pw_set(config.username, password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        self._client = client
        self._config = config

    async def open(self) -> None:
        """Raises NotTakenError when the broker is not there or does not let us in."""
        config = self._config
        try:
            await asyncio.to_thread(
                self._client.connect, config.host, config.port, config.keepalive_s
            )
            self._client.loop_start()
            await asyncio.wait_for(self._opened, config.timeout_s)
        except (OSError, TimeoutError) as error:
            raise NotTakenError(f"{type(error).__name__}: {error}", away=True) from None

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Returns when the broker has acknowledged it."""
        info = self._client.publish(topic, payload, QOS, retain)
        if info.rc != MQTT_ERR_SUCCESS:
            raise NotTakenError(f"not connected ({info.rc})", away=True)
        done = self._acknowledged[info.mid] = self._loop.create_future()
        try:
            await asyncio.wait_for(done, self._config.timeout_s)
        except TimeoutError:
            self.alive = False
            text = f"not acknowledged within {self._config.timeout_s:g} s"
            raise NotTakenError(text, away=True) from None
        finally:
            self._acknowledged.pop(info.mid, None)

    async def close(self) -> None:
        """Leave, and end the client's thread."""
        self.alive = False
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    # -- in the client's thread ---------------------------------------------------------------

    def _on_connect(self, _c: Client, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        refused = str(reason) if reason.is_failure else None
        self._loop.call_soon_threadsafe(self._connected, refused)

    def _on_disconnect(self, _c: Client, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        self._loop.call_soon_threadsafe(self._broken, str(reason))

    def _on_publish(self, _c: Client, _u: Any, mid: int, _r: Any, _p: Any) -> None:
        self._loop.call_soon_threadsafe(self._settle, mid)

    # -- in the event loop --------------------------------------------------------------------

    def _connected(self, refused: str | None) -> None:
        if self._opened.done():
            return
        if refused is None:
            self.alive = True
            self._opened.set_result(None)
        else:
            error = NotTakenError(f"the broker refuses us: {refused}", away=True)
            self._opened.set_exception(error)

    def _settle(self, mid: int) -> None:
        done = self._acknowledged.get(mid)
        if done is not None and not done.done():
            done.set_result(None)

    def _broken(self, reason: str) -> None:
        self.alive = False
        for waiting in (self._opened, *self._acknowledged.values()):
            if not waiting.done():
                waiting.set_exception(NotTakenError(f"disconnected: {reason}", away=True))


class MqttSink:
    """Publishes events one lane beside the other, and connects when there is something to say."""

    name = NAME

    def __init__(self, config: Mqtt, health: Health, now: Callable[[], datetime]) -> None:
        """`health` reads the faults that last now, by camera, with an empty list for those that
        are well. Raises InputError when the password or the certificates cannot be read."""
        self._config = config
        self._health = health
        self._now = now
        self._password = read_secret(config.password) if config.password else None
        if config.ca_file is not None and not config.ca_file.is_file():
            raise InputError(
                f"mqtt: no file {config.ca_file}", message_zh=f"mqtt：没有证书文件 {config.ca_file}"
            )
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()
        # A camera's health is read and told in one go: an older one must not come last.
        self._telling_health = asyncio.Lock()

    async def open(self) -> None:
        """Say that we are there, before there is anything else to say."""
        await self._connected()

    async def send(self, parcel: Parcel) -> None:
        connection = await self._connected()
        camera = source_name(str(parcel.event["source"]))
        kind = str(parcel.event["type"]).removeprefix(PREFIX)
        body = json.dumps(parcel.event, ensure_ascii=False).encode()
        topic = f"{self._config.prefix}/events/{quote(camera, safe='')}/{quote(kind, safe='')}"
        await connection.publish(topic, body)
        if kind.startswith("camera."):
            await self._tell_health(connection, camera)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.alive:
            try:
                await self._say(connection, "offline")
            except NotTakenError as error:
                log.info("mqtt: %s", error)
        await connection.close()

    async def _connected(self) -> _Connection:
        async with self._connecting:
            if self._connection is not None and self._connection.alive:
                return self._connection
            if self._connection is not None:
                await self._connection.close()
            self._connection = connection = _Connection(self._config, self._password)
            try:
                await connection.open()
                await self._say(connection, "online")
                await self._tell_health(connection)
            except BaseException:
                self._connection = None
                await connection.close()
                raise
            return connection

    async def _say(self, connection: _Connection, state: str) -> None:
        await connection.publish(
            status_topic(self._config), status(self._config, state), retain=True
        )

    async def _tell_health(self, connection: _Connection, only: str | None = None) -> None:
        async with self._telling_health:
            faults = await asyncio.to_thread(self._health)
            cameras = faults if only is None else [only]
            for camera in cameras:
                topic = f"{self._config.prefix}/cameras/{quote(camera, safe='')}/health"
                body = self._health_body(camera, faults.get(camera, ()))
                await connection.publish(topic, body, retain=True)

    def _health_body(self, camera_id: str, faults: Sequence[HealthIncident]) -> bytes:
        told = {
            "camera_id": camera_id,
            "state": faults[0].kind if faults else "well",
            "faults": [
                {
                    "id": fault.id,
                    "kind": fault.kind,
                    "kind_zh": HEALTH_ZH[fault.kind],
                    "began_at": fault.began_at.isoformat(),
                }
                for fault in faults
            ],
            "told_at": self._now().isoformat(),
        }
        return json.dumps(told, ensure_ascii=False).encode()


def status_topic(config: Mqtt) -> str:
    return f"{config.prefix}/status"


def status(config: Mqtt, state: str) -> bytes:
    return json.dumps({"state": state, "client_id": config.client_id}).encode()
