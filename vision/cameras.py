"""`cameras.yaml`: cameras, their zones and what each zone forbids."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import shapely
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from ..config.errors import ConfigError, InputError
from ..config.yamlfile import KeyPath, parse_with_lines, parse_yaml, read_text
from .health_settings import HealthSettings
from .kinds import PARAMETER_OF, Kinds, Tune

MIN_ZONE_AREA = 1e-4


def _time_range(text: Any) -> Any:
    """`"07:00-22:00"` → two times; a range may pass midnight (`"22:00-06:00"`)."""
    if not isinstance(text, str):
        return text
    start, dash, end = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is not of the form HH:MM-HH:MM")
    return [start.strip(), end.strip()]


def _polygon(points: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
    if any(not 0.0 <= value <= 1.0 for point in points for value in point):
        raise ValueError("polygon points are normalised: every x and y lies in 0–1")
    polygon = shapely.Polygon(points)
    if not polygon.is_valid:
        raise ValueError(f"polygon crosses itself ({shapely.is_valid_reason(polygon)})")
    if polygon.area < MIN_ZONE_AREA:
        raise ValueError("polygon has next to no area")
    return points


Point = tuple[float, float]
TimeRange = Annotated[tuple[time, time], BeforeValidator(_time_range)]
Polygon = Annotated[
    tuple[Point, ...], Field(min_length=3, max_length=200), AfterValidator(_polygon)
]


class Zone(BaseModel):
    """A polygon of one camera and the kinds it forbids.

    Attributes:
        polygon: ≥ 3 points (x, y), each 0–1 of the frame's width and height.
        forbids: kind ids of `kinds.yaml`.
        dwell_s: media seconds a situation lasts before it is reported; one number for all kinds
            or a number per kind; kinds left out take the default of `kinds.yaml`.
        active: local hours in which the zone counts; empty means always.
        place: name of the real place; cameras that see one place give it the same name, and
            incidents that both see are linked.
        tune: parameters per kind that differ from `kinds.yaml` here.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    name: str = ""
    polygon: Polygon
    forbids: tuple[str, ...] = Field(min_length=1)
    dwell_s: float | dict[str, float] | None = None
    active: tuple[TimeRange, ...] = ()
    place: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    tune: dict[str, Tune] = Field(default_factory=dict)

    @field_validator("dwell_s")
    @classmethod
    def _positive(cls, value: float | dict[str, float] | None) -> float | dict[str, float] | None:
        numbers = value.values() if isinstance(value, dict) else [1.0 if value is None else value]
        if any(not 0 < number <= 86_400 for number in numbers):
            raise ValueError("dwell_s must be above 0 and at most 86400 seconds")
        return value

    def is_active(self, local: datetime) -> bool:
        """Whether the zone counts at this local time; a range includes its start, not its end."""
        clock = local.timetz().replace(tzinfo=None)
        return not self.active or any(
            start <= clock < end if start <= end else (clock >= start or clock < end)
            for start, end in self.active
        )

    def dwell_for(self, kind_id: str, default_s: float) -> float:
        """Dwell of a kind in this zone, in media seconds."""
        if isinstance(self.dwell_s, dict):
            return self.dwell_s.get(kind_id, default_s)
        return default_s if self.dwell_s is None else self.dwell_s


class Frontage(BaseModel):
    """Where a shop ends and the pavement begins.

    Either a `polygon` round what is the shop's own, or a `line` along its front with one point
    `inside` the shop. All coordinates are 0–1 of the frame.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    name: str = ""
    polygon: Polygon | None = None
    line: tuple[Point, ...] | None = Field(default=None, min_length=2, max_length=200)
    inside: Point | None = None

    @model_validator(mode="after")
    def _one_shape(self) -> Frontage:
        if (self.polygon is None) == (self.line is None):
            raise ValueError(f"frontage {self.id!r} needs either a polygon or a line")
        if (self.line is None) != (self.inside is None):
            raise ValueError(f"frontage {self.id!r}: a line goes with one point inside the shop")
        points = [*(self.line or ()), *([self.inside] if self.inside else ())]
        if any(not 0.0 <= value <= 1.0 for point in points for value in point):
            raise ValueError("frontage points are normalised: every x and y lies in 0–1")
        return self


class Camera(BaseModel):
    """One camera.

    Attributes:
        id: the gateway's id; GB/T 28181 ids have 20 digits.
        timezone: in which the zones' `active` hours are meant.
        zones: what is watched, and for what.
        frontages: shop fronts, for goods put out before them.
        max_gap_credit_s: media seconds that one gap between two sightings may count towards a
            dwell. Sources slower than a third of that get three sampling periods, at most 180 s.
        evidence_clip: a film of the 10 s round the opening of each of its incidents; null leaves
            that to the kind.
        health: when the camera itself is reported, and its zones suspended.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")
    name: str = ""
    timezone: str = "Asia/Shanghai"
    zones: tuple[Zone, ...] = ()
    frontages: tuple[Frontage, ...] = ()
    max_gap_credit_s: float = Field(default=10, ge=0, le=180)
    evidence_clip: bool | None = None
    health: HealthSettings = HealthSettings()

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"unknown time zone {value!r}") from None
        return value

    @model_validator(mode="after")
    def _ids_differ(self) -> Camera:
        ids = [zone.id for zone in self.zones]
        for zone_id in ids:
            if ids.count(zone_id) > 1:
                raise ValueError(f"zone id {zone_id!r} appears twice in camera {self.id!r}")
        if len({frontage.id for frontage in self.frontages}) < len(self.frontages):
            raise ValueError(f"a frontage id appears twice in camera {self.id!r}")
        return self

    @property
    def tzinfo(self) -> ZoneInfo:
        """The time zone in which `active` hours are meant."""
        return ZoneInfo(self.timezone)

    def zone(self, zone_id: str) -> Zone:
        """The zone with this id; KeyError when there is none."""
        for zone in self.zones:
            if zone.id == zone_id:
                return zone
        raise KeyError(zone_id)


class Cameras(BaseModel):
    """`cameras.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cameras: tuple[Camera, ...] = ()

    @model_validator(mode="after")
    def _ids_differ(self) -> Cameras:
        seen: set[str] = set()
        for camera in self.cameras:
            if camera.id in seen:
                raise ValueError(f"camera id {camera.id!r} appears twice")
            seen.add(camera.id)
        return self

    def by_id(self) -> dict[str, Camera]:
        """Cameras keyed by id."""
        return {camera.id: camera for camera in self.cameras}


def load_cameras(path: Path, kinds: Kinds) -> Cameras:
    """Read `cameras.yaml` and check its kinds against `kinds.yaml`.

    Raises:
        ConfigError: with file and line.
    """
    text = read_text(path)
    cameras = parse_yaml(text, path, Cameras)
    _, lines = parse_with_lines(text, path)
    check_kinds(cameras, kinds, path, lines)
    return cameras


def check_kinds(
    cameras: Cameras, kinds: Kinds, path: Path | str, lines: Mapping[KeyPath, int] | None = None
) -> None:
    """Refuse zones that name a kind that `kinds.yaml` does not have, or tune what it has not.

    Raises:
        ConfigError: with the line where `lines` (from `parse_with_lines`) knows it, else 0.
    """
    known = {kind.id: kind for kind in kinds.kinds}
    for i, camera in enumerate(cameras.cameras):
        for j, zone in enumerate(camera.zones):
            timed = zone.dwell_s if isinstance(zone.dwell_s, dict) else {}
            for field, used in (("forbids", zone.forbids), ("dwell_s", timed), ("tune", zone.tune)):
                line = (lines or {}).get(("cameras", i, "zones", j, field), 0)
                where = f"camera {camera.id!r}, zone {zone.id!r}, {field}"
                for kind_id in sorted(set(used) - known.keys()):
                    raise ConfigError(
                        path,
                        line,
                        f"{where}: unknown kind {kind_id!r}; known: {', '.join(sorted(known))}",
                        message_zh=f"摄像机 {camera.id} 的区域 {zone.id} 使用了未知类型 {kind_id}",
                    )
            for kind_id, tune in zone.tune.items():
                for name in sorted(tune.model_fields_set & PARAMETER_OF.keys()):
                    rule = known[kind_id].rule
                    if rule not in PARAMETER_OF[name]:
                        raise ConfigError(
                            path,
                            (lines or {}).get(("cameras", i, "zones", j, "tune"), 0),
                            f"camera {camera.id!r}, zone {zone.id!r}, tune: "
                            f"rule {rule!r} has no parameter {name!r}",
                            message_zh=f"摄像机 {camera.id} 的区域 {zone.id}："
                            f"规则 {rule} 没有参数 {name}",
                        )


def parse_zone(text: str, number: int, kinds: Kinds) -> Zone:
    """A zone from one line: `kind:x,y x,y x,y[:dwell_s]`, named `zone<number>`.

    Raises:
        InputError: `bad_zone`; the text says what is wrong with which part.
    """
    try:
        kind_id, points_text, *rest = text.split(":")
        points = [tuple(float(v) for v in pair.split(",")) for pair in points_text.split()]
        kinds.by_id(kind_id)
        return Zone.model_validate(
            {
                "id": f"zone{number}",
                "polygon": points,
                "forbids": [kind_id],
                "dwell_s": float(rest[0]) if rest else None,
            }
        )
    except KeyError:
        known = ", ".join(kind.id for kind in kinds.kinds)
        why = f"unknown kind {kind_id!r}; known: {known}"
    except ValidationError as error:
        why = "; ".join(
            f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
            for detail in error.errors(include_url=False)
        )
    except ValueError:
        why = "expected kind:x,y x,y x,y[:dwell_s]"
    raise InputError(
        f"zone {number} {text!r}: {why}",
        message_zh=f"第 {number} 个区域 {text!r} 无效：{why}",
        code="bad_zone",
    )
