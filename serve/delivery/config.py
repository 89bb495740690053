"""`delivery.yaml`: who is told of events, and how."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ...config.yamlfile import load_yaml
from ..security.secrets import SecretRef
from ..security.targets import Targets

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,47}$")]
Seconds = Annotated[float, Field(gt=0)]
DAY_S = 86_400.0
TOPIC_PATTERN = r"^[^+#\x00/$]+(/[^+#\x00/]+)*$"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Receiver(_Part):
    """What every receiver has.

    Attributes:
        types: patterns of event types, `cn.xiaozheng.` left out: `incident.*`, `camera.fault.v1`.
        cameras: only events of these; empty for all.
        since: a receiver that is new gets events from `now` on, or all that are still kept.
        timeout_s: how long one try may take.
        give_up_s: an event that was refused for so long is laid aside as dead.
    """

    types: tuple[str, ...] = ("*",)
    cameras: tuple[str, ...] = ()
    since: Literal["now", "start"] = "now"
    timeout_s: Seconds = 10.0
    give_up_s: Seconds = 3 * DAY_S


class Webhook(Receiver):
    """A receiver over HTTP.

    Attributes:
        secrets: what deliveries are signed with, newest first; more than one while a receiver
            changes over.
    """

    id: Name
    url: str = Field(max_length=2_000)
    secrets: tuple[SecretRef, ...] = Field(min_length=1, max_length=3)

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an http:// or https:// address")
        if parts.username or parts.password or parts.fragment:
            raise ValueError("must hold no user, password or fragment")
        _ = parts.port  # raises ValueError when it is none
        return url


class Mqtt(Receiver):
    """A broker. The session is kept under `client_id`, which no other client may use."""

    host: str
    port: int = Field(default=8_883, ge=1, le=65_535)
    tls: bool = True
    ca_file: Path | None = None
    client_id: str = Field(default="xiaozheng", min_length=1, max_length=64)
    username: str | None = None
    password: SecretRef | None = None
    prefix: str = Field(default="xiaozheng", pattern=TOPIC_PATTERN, max_length=128)
    keepalive_s: int = Field(default=30, ge=5, le=600)


class Delivery(_Part):
    """Everyone who is told. `allow_networks` are those besides public ones that webhooks may be
    in."""

    allow_networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    mqtt: Mqtt | None = None

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        ids = [webhook.id for webhook in self.webhooks]
        twice = {name for name in ids if ids.count(name) > 1}
        if twice:
            raise ValueError(f"webhooks: id {sorted(twice)[0]!r} twice")
        return self

    @property
    def targets(self) -> Targets:
        return Targets(self.allow_networks)


def load_delivery(path: Path) -> Delivery:
    """Raises ConfigError with file and line."""
    return load_yaml(path, Delivery)
