"""Event suites: clips, the camera that sees each, and what truly happens in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..config.yamlfile import load_yaml

SAMPLES = Path(__file__).parent / "samples"
SAMPLE_SUITE = SAMPLES / "suite.yaml"
SAMPLE_TRANSCRIPTS = SAMPLES / "transcripts.jsonl"


class TrueEvent(BaseModel):
    """One real event; seconds count from the clip's first frame."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    zone: str
    start_s: float = Field(ge=0)
    end_s: float | None = Field(default=None, description="None: still going on at the end")

    @model_validator(mode="after")
    def _ends_after_start(self) -> TrueEvent:
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(f"end_s {self.end_s} is not after start_s {self.start_s}")
        return self


class SuiteClip(BaseModel):
    """One clip. `camera` has the form of an entry of `cameras.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str
    camera: dict[str, Any]
    truth: tuple[TrueEvent, ...] = ()


class Suite(BaseModel):
    """A suite file. Clip paths are relative to it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    clips: tuple[SuiteClip, ...] = Field(min_length=1)


def load_suite(path: Path = SAMPLE_SUITE) -> Suite:
    """Read a suite; ConfigError names file and line."""
    return load_yaml(path, Suite)
