"""Legal duty lists as data that may override the model: `rules.yaml`.

A rule names its source in law, when it is valid, which calls it fits and which department must
have them. Of several that fit, the highest priority wins, then the one written first; the others
are named too. What was overridden stays visible in the answer.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from ..config.errors import ConfigError
from ..config.yamlfile import KeyPath, load_yaml, parse_with_lines, read_text
from .departments import Departments
from .matter.profile import Place

_HOURS = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)$")
Dispatch = Literal["keep", "auto", "suggest", "human"]


class When(BaseModel):
    """Which calls a rule fits: every condition that is given must hold, any of its values does.

    `district` and `place` look at the place that was found, and at the words where none was;
    `words`, `all_words` and `not_words` look at masked title and text; `category` and
    `department` at what the model ranked first; `hours` at the call's local time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    district: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    all_words: tuple[str, ...] = ()
    not_words: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    hours: tuple[str, ...] = Field(default=(), description="`HH:MM-HH:MM`, may pass midnight")

    @field_validator("hours")
    @classmethod
    def _hours_read(cls, spans: tuple[str, ...]) -> tuple[str, ...]:
        for span in spans:
            if not _HOURS.match(span):
                raise ValueError(f"{span!r} is not HH:MM-HH:MM")
        return spans

    @field_validator("*")
    @classmethod
    def _nothing_blank(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        if any(not value.strip() for value in values):
            raise ValueError("an empty text would fit every call")
        return values

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any(getattr(self, name) for name in type(self).model_fields if name != "not_words"):
            raise ValueError("no condition: the rule would override every call")
        return self


class Then(BaseModel):
    """What follows. `dispatch` is the decision of an overridden call: `keep` leaves the model's,
    which judged another department, only where the rule agrees with the model."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    department: str
    dispatch: Dispatch = "suggest"


class Rule(BaseModel):
    """One entry of a legal duty list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    title: str = Field(min_length=1, max_length=100)
    law: str = Field(min_length=1, max_length=2_000, description="source and text of the duty")
    when: When
    then: Then
    priority: int = Field(default=0, ge=-1_000, le=1_000, description="higher wins")
    valid_from: date | None = None
    valid_until: date | None = Field(default=None, description="last day, itself included")

    @model_validator(mode="after")
    def _days_in_order(self) -> Self:
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError("valid_until is before valid_from")
        return self


class OverrideRules(BaseModel):
    """`rules.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timezone: str = "Asia/Shanghai"
    rules: tuple[Rule, ...] = ()

    @field_validator("timezone")
    @classmethod
    def _zone_known(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"unknown time zone {name!r}") from None
        return name

    @model_validator(mode="after")
    def _no_id_twice(self) -> Self:
        ids = [rule.id for rule in self.rules]
        for at, rule_id in enumerate(ids):
            if rule_id in ids[:at]:
                raise ValueError(f"rule {rule_id!r} twice")
        return self


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules may look at; text and title are masked, `at` is aware."""

    text: str
    title: str
    place: Place
    category: str
    department: str
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Override:
    """A rule that fitted: what it put in the place of what, by which conditions, and which others
    fitted as well. `changed` is False where the model had said the same."""

    rule: str
    title: str
    law: str
    department: str
    replaced: str
    changed: bool
    dispatch: Dispatch
    matched: tuple[str, ...]
    also_fitting: tuple[str, ...]


def load_rules(path: Path, departments: Departments) -> OverrideRules:
    """Read and check `rules.yaml`.

    Raises:
        ConfigError: file, line and field; also for a department that `departments.yaml` lacks.
    """
    rules = load_yaml(path, OverrideRules)
    _, lines = parse_with_lines(read_text(path), path)
    known = departments.by_code
    for at, rule in enumerate(rules.rules):
        _check_code(rule.then.department, ("rules", at, "then", "department"), known, lines, path)
        for code in rule.when.department:
            _check_code(code, ("rules", at, "when", "department"), known, lines, path)
    return rules


def apply_rules(rules: OverrideRules, facts: Facts) -> Override | None:
    """The override that holds for a call, or None."""
    local = facts.at.astimezone(ZoneInfo(rules.timezone))
    fitting = [
        (rule, matched)
        for rule in rules.rules
        if _valid(rule, local.date()) and (matched := _fits(rule.when, facts, local.time()))
    ]
    if not fitting:
        return None
    rule, matched = max(fitting, key=lambda found: found[0].priority)
    return Override(
        rule=rule.id,
        title=rule.title,
        law=rule.law,
        department=rule.then.department,
        replaced=facts.department,
        changed=rule.then.department != facts.department,
        dispatch=rule.then.dispatch,
        matched=matched,
        also_fitting=tuple(other.id for other, _ in fitting if other.id != rule.id),
    )


def _valid(rule: Rule, day: date) -> bool:
    return (rule.valid_from is None or rule.valid_from <= day) and (
        rule.valid_until is None or day <= rule.valid_until
    )


def _fits(when: When, facts: Facts, clock: time) -> tuple[str, ...]:
    """What matched, one Chinese phrase a condition; empty when the rule does not fit."""
    said = f"{facts.title}\n{facts.text}"
    if any(word in said for word in when.not_words):
        return ()
    matched: list[str] = []
    for name, found in (
        ("区县", _district(when.district, facts, said)),
        ("地点", _place(when.place, facts, said)),
        ("提到", next((word for word in when.words if word in said), None)),
        ("类别", facts.category if facts.category in when.category else None),
        ("模型首选", facts.department if facts.department in when.department else None),
        ("渠道", facts.channel if facts.channel in when.channel else None),
        ("时段", next((span for span in when.hours if _within(span, clock)), None)),
    ):
        if not _asked(when, name):
            continue
        if found is None:
            return ()
        matched.append(f"{name}：{found}")
    if when.all_words:
        if not all(word in said for word in when.all_words):
            return ()
        matched.append(f"都提到：{'、'.join(when.all_words)}")
    return tuple(matched)


def _asked(when: When, name: str) -> bool:
    fields = {
        "区县": when.district,
        "地点": when.place,
        "提到": when.words,
        "类别": when.category,
        "模型首选": when.department,
        "渠道": when.channel,
        "时段": when.hours,
    }
    return bool(fields[name])


def _district(wanted: Sequence[str], facts: Facts, said: str) -> str | None:
    """A district that was resolved decides; else the caller's words do."""
    if facts.place.district:
        return facts.place.district if facts.place.district in wanted else None
    return next((name for name in wanted if name in said), None)


def _place(wanted: Sequence[str], facts: Facts, said: str) -> str | None:
    places = facts.place.names
    for name in wanted:
        if any(name in found for found in places) or (not places and name in said):
            return name
    return None


def _within(span: str, clock: time) -> bool:
    begin_text, end_text = span.split("-")
    begin, end, now = _minutes(begin_text), _minutes(end_text), clock.hour * 60 + clock.minute
    return begin <= now < end if begin <= end else now >= begin or now < end


def _minutes(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _check_code(
    code: str, at: KeyPath, known: Container[str], lines: dict[KeyPath, int], path: Path
) -> None:
    if code not in known:
        where = ".".join(map(str, at))
        raise ConfigError(
            path,
            lines.get(at, 0),
            f"{where}: no department {code!r} in departments.yaml",
            message_zh=f"{where}：departments.yaml 中没有部门 {code}",
        )
