"""Event kinds with their city-management codes, kept as data."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..config.yamlfile import load_yaml

RuleName = Literal[
    "stationary_vehicle",
    "two_wheeler_clutter",
    "bin_state",
    "exposed_garbage",
    "street_vending",
    "shop_overflow",
]
# Parameters that only some rules read; to set one for another rule is a mistake worth telling.
PARAMETER_OF: dict[str, tuple[str, ...]] = {
    "attended_grace_s": ("stationary_vehicle",),
    "queue_dwell_s": ("stationary_vehicle",),
    "min_count": ("two_wheeler_clutter",),
    "frontage_reach": ("shop_overflow", "street_vending"),
}

DEFAULT_KINDS = Path(__file__).parent / "data" / "kinds.yaml"


class Tune(BaseModel):
    """Parameters of a kind that a zone may set for itself; what is left out stays the kind's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    end_after_s: float | None = Field(default=None, gt=0, le=86_400)
    cooldown_s: float | None = Field(default=None, ge=0, le=86_400)
    attended_grace_s: float | None = Field(default=None, ge=0, le=86_400)
    queue_dwell_s: float | None = Field(default=None, ge=0, le=86_400)
    min_count: int | None = Field(default=None, ge=1, le=1000)
    frontage_reach: float | None = Field(default=None, gt=0, le=20)


class Kind(BaseModel):
    """One event class.

    `code` is the city-management code where one exists (GB/T 30428 family); `city_extension`
    marks kinds that a city adds itself. Seconds are media time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    zh: str = Field(min_length=1)
    code: str = Field(pattern=r"^[0-9A-Z]{4,8}$")
    standard_name: str = ""
    city_extension: bool = False
    rule: RuleName = Field(description="Name of the rule that decides it")
    labels: tuple[str, ...] = Field(min_length=1, description="Detector classes it looks at")
    dwell_s: float = Field(gt=0, le=86_400)
    end_after_s: float = Field(gt=0, le=86_400, description="Unseen or undone this long: ended")
    cooldown_s: float = Field(default=60, ge=0, le=86_400)
    handling_hours: float | None = Field(default=None, gt=0, description="Working hours to handle")
    attended_grace_s: float = Field(
        default=0, ge=0, le=86_400, description="Time with somebody at the vehicle that is forgiven"
    )
    queue_dwell_s: float = Field(
        default=0, ge=0, le=86_400, description="Least dwell of a vehicle that stopped in a queue"
    )
    min_count: int = Field(default=3, ge=1, le=1000, description="Two-wheelers that make clutter")
    frontage_reach: float = Field(
        default=1.5, gt=0, le=20, description="How far from its shop goods stand, in own widths"
    )

    evidence_clip: bool = Field(
        default=False, description="A film of the 10 s round the opening, unless a camera differs"
    )

    @model_validator(mode="after")
    def _parameters_fit(self) -> Kind:
        for name, rules in PARAMETER_OF.items():
            is_default = getattr(self, name) == type(self).model_fields[name].default
            if self.rule not in rules and not is_default:
                raise ValueError(f"rule {self.rule!r} has no parameter {name!r}")
        return self

    def tuned(self, tune: Tune | None) -> Kind:
        """The kind as one zone wants it.

        Raises:
            ValidationError: `tune` sets a parameter that the kind's rule does not have.
        """
        if tune is None:
            return self
        return Kind.model_validate(
            self.model_dump(exclude_unset=True) | tune.model_dump(exclude_unset=True)
        )


class Kinds(BaseModel):
    """`kinds.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: tuple[Kind, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_differ(self) -> Kinds:
        ids = [kind.id for kind in self.kinds]
        for kind_id in ids:
            if ids.count(kind_id) > 1:
                raise ValueError(f"kind id {kind_id!r} appears twice")
        return self

    def by_id(self, kind_id: str) -> Kind:
        """The kind with this id.

        Raises:
            KeyError: unknown id.
        """
        for kind in self.kinds:
            if kind.id == kind_id:
                return kind
        raise KeyError(kind_id)


def load_kinds(path: Path = DEFAULT_KINDS) -> Kinds:
    """Read `kinds.yaml`; ConfigError names file and line."""
    return load_yaml(path, Kinds)
