"""The city's departments as data: names, duties and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..config.errors import ConfigError
from ..config.yamlfile import load_yaml

CODE_PATTERN = r"^[a-z][a-z0-9_]{1,31}$"


class DecisionRules(BaseModel):
    """When a suggestion may be dispatched, recommended, or must be read by a person.

    `min_gap` is the model's own where it is not given (see `models tune router`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_gap: float | None = Field(default=None, ge=0, le=1)
    suggest_threshold: float = Field(default=0.30, ge=0, le=1)
    min_chars: int = Field(default=6, ge=1, le=100)
    min_known_share: float = Field(default=0.35, ge=0, le=1)
    min_han_share: float = Field(default=0.40, ge=0, le=1)


class Department(BaseModel):
    """One desk. `auto_threshold` overrides the model's own; `never_auto` keeps a person in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=CODE_PATTERN)
    name: str = Field(min_length=1, max_length=60)
    duties: tuple[str, ...] = Field(min_length=1)
    not_duties: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    auto_threshold: float | None = Field(default=None, gt=0, le=1)
    suggest_threshold: float | None = Field(default=None, ge=0, le=1)
    never_auto: bool = False

    @property
    def model_labels(self) -> tuple[str, ...]:
        """The model's answers that mean this department."""
        return self.labels or (self.code,)


class Departments(BaseModel):
    """`departments.yaml`. A call about a matter in another city than `city` goes to a person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    city: str = Field(default="", max_length=20)
    decision: DecisionRules = DecisionRules()
    departments: tuple[Department, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _no_code_or_label_twice(self) -> Self:
        for what, values in (
            ("code", [d.code for d in self.departments]),
            ("name", [d.name for d in self.departments]),
            ("label", [label for d in self.departments for label in d.model_labels]),
        ):
            twice = sorted({value for value in values if values.count(value) > 1})
            if twice:
                raise ValueError(f"{what} given twice: {', '.join(twice)}")
        return self

    @cached_property
    def by_code(self) -> dict[str, Department]:
        """Departments keyed by code."""
        return {department.code: department for department in self.departments}


def default_departments_path() -> Path:
    """The file that ships with the package."""
    return Path(__file__).resolve().parent / "data" / "departments.yaml"


def load_departments(path: Path | None = None) -> Departments:
    """Read `departments.yaml`, the shipped one by default.

    Raises:
        ConfigError: with `file:line`.
    """
    return load_yaml(path or default_departments_path(), Departments)


def check_covers(departments: Departments, labels: Sequence[str], path: Path | str) -> None:
    """Every label of the model must lead to exactly one department of the city.

    Raises:
        ConfigError: labels without a department, or departments that ask for unknown labels.
    """
    taken = {label for d in departments.departments for label in d.model_labels}
    missing = sorted(set(labels) - taken)
    unknown = sorted(taken - set(labels))
    if missing:
        raise ConfigError(
            path,
            0,
            f"no department takes the model's label(s) {', '.join(missing)}",
            message_zh=f"以下模型标签没有对应部门：{'、'.join(missing)}",
        )
    if unknown:
        raise ConfigError(
            path,
            0,
            f"the model has no label(s) {', '.join(unknown)}",
            message_zh=f"模型没有以下标签：{'、'.join(unknown)}",
        )
