"""The service's one settings object, read once at the start.

Every field can be given as an environment variable with the prefix `XIAOZHENG_` (for example
`XIAOZHENG_PORT=8700`) or as an option of `xiaozheng serve`; options win. `docs/api.md` lists them.
"""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ..config.errors import InputError
from ..models.runtimes import Backend

MIB = 1024 * 1024
DAY_S = 86_400.0
EVIDENCE_FOLDER = "evidence"

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """Defaults suit one machine with two cores and a gateway on loopback.

    Attributes:
        host, port: where to listen; port 0 takes a free one.
        auth: `auto` asks for API keys wherever other machines can reach the host; `required` also
            on loopback, as behind a reverse proxy.
        allow_anonymous: ask nobody for a key, whatever the host.
        var: folder of everything that changes: database, evidence pictures, lock.
        db_url: SQLAlchemy URL; empty means SQLite at `<var>/xiaozheng.db`.
        cameras, kinds, departments: YAML files; without `cameras` no camera is known, the other
            two default to the files that ship with the package.
        shelf: model shelf; defaults to the one that ships with the package.
        detector, router: `name`, `name@alias` or `name@version`; empty switches that half off.
        places: the model that finds places in calls; without it on the shelf, or empty, calls have
            no place.
        backend, threads: inference runtime and its CPU threads (0: the runtime decides).
        model_poll_s: how often the shelf is asked for promoted models.
        max_batch, max_queue, max_queue_bytes: how frames are merged and how many may wait. On a
            CPU a larger batch is hardly faster and takes about 25 MB a frame more.
        max_texts_batch, max_texts_queue: the same for transcripts.
        max_future_s, max_past_s: how far a frame's media time may differ from this clock.
        max_inflight_bytes: bodies of all requests now being read or worked on, together.
        serve_originals: give evidence pictures without blurred faces and plates where
            `?original=true` asks for them.
        max_history_bytes: recent frames kept for evidence pictures, all cameras together.
        keep_events_s, max_events: how long and how many events the outbox keeps for readers.
        keep_observations_s, max_observations: the same for what rules said of single frames.
        delivery: YAML file of webhooks and the broker that are told of events; none without it.
        max_streams: listeners of `/v1/events` at once; an idle one is sent a comment every
            `stream_heartbeat_s`, one that takes nothing for `stream_stall_s` is dropped.
        rules: YAML file of legal duties that may override the router.
        divisions, points, grids: the city's divisions and named points (CSV) and its grids
            (GeoJSON), against which places in calls are resolved.
        keep_calls_days: how long calls are kept, masked; the journals of what staff did stay.
        keep_originals: keep unmasked calls too, sealed with `originals_key` (base64 of 32 bytes)
            or the key in `originals_key_file`.
        matter_window_days, max_open_calls: which open calls a new one is compared with.
        max_similar_calls: the newest past calls among which similar ones are looked for.
        hotline_timezone: where a day of the hotline begins at midnight.
        drift_days: length of the recent window of the drift gauges; the reference is the four
            times longer span before it.
        keep_audit_s: how long the audit log is kept.
        keep_pictures_days: how long pictures and clips of closed incidents are kept; removed by
            `xiaozheng gc`, not by the service.
        min_free_bytes: while the state's disk has less room, frames and calls are refused; 0 never.
        prune_every_s: how often what is over these limits is removed.
    """

    model_config = SettingsConfigDict(env_prefix="XIAOZHENG_", extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8600, ge=0, le=65_535)
    auth: Literal["auto", "required"] = "auto"
    allow_anonymous: bool = False

    var: Path = Path("var")
    db_url: str = ""
    cameras: Path | None = None
    kinds: Path | None = None
    departments: Path | None = None
    rules: Path | None = None
    divisions: Path | None = None
    points: Path | None = None
    grids: Path | None = None
    delivery: Path | None = None

    shelf: Path | None = None
    detector: str = "detector"
    router: str = "router"
    places: str = "places"
    backend: Backend = "auto"
    threads: int = Field(default=0, ge=0, le=256)

    model_poll_s: Seconds = 1.0

    max_batch: Count = 4
    max_queue: Count = 512
    max_queue_bytes: Count = 256 * MIB
    max_texts_batch: Count = 32
    max_texts_queue: Count = 4_000
    batch_stall_s: Seconds = 60.0

    max_body_bytes: Count = 64 * MIB
    max_inflight_bytes: Count = 384 * MIB
    max_history_bytes: Count = 128 * MIB
    serve_originals: bool = False
    max_frames: Count = 256
    max_transcripts: Count = 1_000
    max_pixels: Count = 25_000_000
    max_image_bytes: Count = 16 * MIB
    max_transcript_chars: Count = 20_000
    max_future_s: Seconds = 60.0
    max_past_s: Seconds = 7 * DAY_S

    keep_events_s: Seconds = 30 * DAY_S
    max_events: Count = 1_000_000
    keep_observations_s: Seconds = DAY_S
    max_observations: Count = 1_000_000
    keep_audit_s: Seconds = 180 * DAY_S
    prune_every_s: Seconds = 600.0
    keep_pictures_days: Annotated[float, Field(gt=0)] = 365.0
    min_free_bytes: Annotated[int, Field(ge=0)] = 512 * MIB

    keep_calls_days: Annotated[float, Field(gt=0)] = 730.0
    keep_originals: bool = False
    originals_key: SecretStr = SecretStr("")
    originals_key_file: Path | None = None
    matter_window_days: Annotated[float, Field(gt=0, le=366)] = 30.0
    max_open_calls: Count = 5_000
    max_similar_calls: Count = 20_000
    hotline_timezone: str = "Asia/Shanghai"
    drift_days: Annotated[float, Field(gt=0, le=366)] = 7.0

    max_streams: Count = 1_000
    stream_heartbeat_s: Seconds = 15.0
    stream_stall_s: Seconds = 30.0

    queue_timeout_s: Seconds = 60.0
    drain_s: Seconds = 30.0
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")

    @field_validator("hotline_timezone")
    @classmethod
    def _zone_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"unknown time zone {name!r}") from None
        return name

    @model_validator(mode="after")
    def _limits_fit(self) -> Self:
        for small, large in (
            ("max_frames", "max_queue"),
            ("max_transcripts", "max_texts_queue"),
            ("max_body_bytes", "max_queue_bytes"),
            ("max_body_bytes", "max_inflight_bytes"),
        ):
            if getattr(self, small) > getattr(self, large):
                raise ValueError(f"{small} must not exceed {large}: such a request could never fit")
        return self

    @model_validator(mode="after")
    def _auth_is_clear(self) -> Self:
        if self.allow_anonymous and self.auth == "required":
            raise ValueError("auth=required and allow_anonymous contradict each other")
        return self

    @property
    def keys_required(self) -> bool:
        """Whether nobody comes in without an API key."""
        open_host = not is_loopback(self.host) and not self.allow_anonymous
        return self.auth == "required" or open_host

    @property
    def database(self) -> str:
        """The SQLAlchemy URL in use."""
        return self.db_url or f"sqlite:///{self.var / 'xiaozheng.db'}"

    @property
    def evidence_folder(self) -> Path:
        return self.var / EVIDENCE_FOLDER

    @property
    def recent_folder(self) -> Path:
        """The last frames of each camera, for pictures from before an incident."""
        return self.var / "recent"


def is_loopback(host: str) -> bool:
    """Whether an address or name can only be reached from this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def read_settings(**options: Any) -> Settings:
    """Settings from the environment, with `options` that are not None on top.

    Where `XIAOZHENG_SECRETS_DIR` names a folder, a file `xiaozheng_<field>` in it gives that field
    (`xiaozheng_db_url`): what containers and systemd hand over as secrets.

    Raises:
        InputError: a value is refused; the text names each field.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        return Settings(_secrets_dir=os.environ.get("XIAOZHENG_SECRETS_DIR"), **given)
    except ValidationError as error:
        raise _refused(error) from None


def _refused(error: ValidationError) -> InputError:
    complaints = [
        f"{'.'.join(str(part) for part in detail['loc']) or 'settings'}: {detail['msg']}"
        for detail in error.errors(include_url=False)
    ]
    text = "; ".join(complaints)
    return InputError(text, message_zh=f"服务设置无效：{text}", code="bad_settings")
