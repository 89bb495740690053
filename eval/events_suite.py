"""Event suites as files: clips with their cameras and truth, or parameters of simulated traces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..config.errors import ConfigError
from ..config.yamlfile import KeyPath, parse_with_lines, parse_yaml, read_text
from ..vision.cameras import Camera
from ..vision.kinds import Kinds

SUITES = Path(__file__).parent / "suites"
TRACES = "traces"


class MarkedEvent(BaseModel):
    """One real event; seconds count from the clip's first frame."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    zone: str
    start_s: float = Field(ge=0, description="When the situation began, not when it was too long")
    end_s: float | None = Field(default=None, description="None: still going on at the clip's end")

    @model_validator(mode="after")
    def _ends_after_start(self) -> MarkedEvent:
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(f"end_s {self.end_s} is not after start_s {self.start_s}")
        return self


class MarkedClip(BaseModel):
    """One video file, the camera that made it, and what truly happens in it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(min_length=1, description="Relative to the suite file, or to --root")
    camera: Camera
    truth: tuple[MarkedEvent, ...] = ()
    note: str = ""


class TraceSettings(BaseModel):
    """How much to simulate. Every seed of `seeds` gets an equal share of `hours` and `days`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hours: float = Field(default=2000, ge=0, le=1_000_000, description="Camera-hours, dense part")
    days: float = Field(default=200, ge=0, le=100_000, description="Camera-days, ordinary part")
    seeds: tuple[int, ...] = Field(default=(1, 2, 3, 4), min_length=1)
    random_hours: float = Field(default=100, ge=0, description="More hours, of a seed of each run")
    random_days: float = Field(default=10, ge=0, description="More days, of a seed of each run")
    looks: bool = Field(default=True, description="Boxes come with appearance, as in the service")

    @model_validator(mode="after")
    def _something(self) -> TraceSettings:
        if self.hours + self.days + self.random_hours + self.random_days == 0:
            raise ValueError("neither hours nor days: nothing to simulate")
        return self


class EventSuite(BaseModel):
    """A suite file: `clips`, or `traces`, not both."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clips: tuple[MarkedClip, ...] = ()
    traces: TraceSettings | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> EventSuite:
        if bool(self.clips) == (self.traces is not None):
            raise ValueError("a suite has either clips or traces")
        seen: set[str] = set()
        for clip in self.clips:
            if clip.file in seen:
                raise ValueError(f"clip {clip.file!r} appears twice")
            seen.add(clip.file)
        return self


def load_event_suite(name: str, kinds: Kinds) -> EventSuite:
    """Read a suite file; `traces` alone stands for the standard trace suite.

    Raises:
        ConfigError: with file and line.
    """
    if name == TRACES:
        return EventSuite(traces=TraceSettings())
    path = Path(name)
    text = read_text(path)
    suite = parse_yaml(text, path, EventSuite)
    _, lines = parse_with_lines(text, path)
    _check_names(suite, kinds, path, lines)
    return suite


def _check_names(suite: EventSuite, kinds: Kinds, path: Path, lines: Mapping[KeyPath, int]) -> None:
    """Kinds must be known, and truth must be about a zone that forbids it."""
    known = {kind.id for kind in kinds.kinds}
    for i, clip in enumerate(suite.clips):
        for j, zone in enumerate(clip.camera.zones):
            if strange := sorted(set(zone.forbids) - known):
                line = lines.get(("clips", i, "camera", "zones", j, "forbids"), 0)
                raise ConfigError(
                    path,
                    line,
                    f"clip {clip.file!r}, zone {zone.id!r}: unknown kind {strange[0]!r}; "
                    f"known: {', '.join(sorted(known))}",
                    message_zh=f"{clip.file} 的区域 {zone.id} 使用了未知类型 {strange[0]}",
                )
        zones = {zone.id: zone for zone in clip.camera.zones}
        for j, event in enumerate(clip.truth):
            if event.zone not in zones or event.kind not in zones[event.zone].forbids:
                raise ConfigError(
                    path,
                    lines.get(("clips", i, "truth", j), 0),
                    f"clip {clip.file!r}: no zone {event.zone!r} that forbids {event.kind!r}",
                    message_zh=f"{clip.file} 没有禁止 {event.kind} 的区域 {event.zone}",
                )
