"""How urgent a call is, and the caller's words that say so.

Word patterns as data (`data/urgency.yaml`), each judged in its context: 没有人受伤 is denied,
去年着过火 is past, 万一着火 is feared. Such words are shown with their state, yet raise nothing.
This is triage for the order of reading: it takes nothing away from anybody.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ..config.yamlfile import load_yaml
from .prepare import PreparedText

Level = Literal["critical", "urgent", "normal"]
State = Literal["now", "negated", "past", "hypothetical"]

LEVEL_ZH: dict[Level, str] = {"critical": "特急", "urgent": "紧急", "normal": "一般"}
STATE_ZH: dict[State, str] = {
    "now": "",
    "negated": "（说没有）",
    "past": "（说的是过去）",
    "hypothetical": "（说的是担心）",
}
CONTEXT_CHARS = 16
URGENCY_FILE = Path(__file__).resolve().parent / "data" / "urgency.yaml"


@dataclass(frozen=True, slots=True)
class Reason:
    """One urgent thing said. `start`, `end` index into `masked_text` (−1: said in the title)."""

    kind: str
    zh: str
    words: str
    state: State
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Urgency:
    """`level` with its Chinese name; `reasons` are all words found, those that count first."""

    level: Level
    zh: str
    reasons: tuple[Reason, ...]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_compiles)]


class UrgentKind(BaseModel):
    """One thing that makes a call urgent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str = Field(pattern=r"^[a-z][a-z_]{1,31}$")
    zh: str = Field(min_length=1)
    level: Literal["critical", "urgent"]
    patterns: tuple[Pattern, ...] = Field(min_length=1)
    needs: tuple[Pattern, ...] = ()
    threat: bool = False


class UrgentContext(BaseModel):
    """What takes urgency away, and what gives it back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    negated_before: Pattern
    negated_after: Pattern
    past_before: Pattern
    past_after: Pattern
    hypothetical_before: Pattern
    hypothetical_after: Pattern
    now: Pattern


class UrgencyRules(BaseModel):
    """`urgency.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kinds: tuple[UrgentKind, ...] = Field(min_length=1)
    context: UrgentContext


@lru_cache(maxsize=8)
def load_urgency(path: Path = URGENCY_FILE) -> UrgencyRules:
    """Read a file of rules, the shipped one by default.

    Raises:
        ConfigError: with `file:line`.
    """
    return load_yaml(path, UrgencyRules)


def urgency_of(text: PreparedText, rules: UrgencyRules | None = None) -> Urgency:
    """Level and reasons of a prepared call."""
    rules = rules or load_urgency()
    found = _reasons(text.headline, text, rules, titled=True)
    found += _reasons(text.reading.text, text, rules, titled=False)
    level_of = {kind.kind: kind.level for kind in rules.kinds}
    counting = {level_of[reason.kind] for reason in found if reason.state == "now"}
    level: Level = (
        "critical" if "critical" in counting else "urgent" if "urgent" in counting else "normal"
    )
    found.sort(key=lambda r: (r.state != "now", level_of[r.kind] != "critical"))
    return Urgency(level, LEVEL_ZH[level], tuple(found))


def _reasons(said: str, text: PreparedText, rules: UrgencyRules, *, titled: bool) -> list[Reason]:
    """The first match of each kind and state in one text."""
    found: dict[tuple[str, State], Reason] = {}
    for kind in rules.kinds:
        if not all(re.search(pattern, said) for pattern in kind.needs):
            continue
        for pattern in kind.patterns:
            for match in re.finditer(pattern, said):
                state = _state(said, match, kind, rules.context)
                start, end = (
                    (-1, -1) if titled else text.reading.source_span(match.start(), match.end())
                )
                words = match.group() if titled else text.masked_text[start:end]
                reason = Reason(kind.kind, kind.zh, words, state, start, end)
                found.setdefault((kind.kind, state), reason)
    return list(found.values())


def _state(said: str, match: re.Match[str], kind: UrgentKind, context: UrgentContext) -> State:
    before = said[max(0, match.start() - CONTEXT_CHARS) : match.start()]
    after = said[match.end() : match.end() + CONTEXT_CHARS]
    if re.search(context.negated_before, before) or re.search(context.negated_after, after):
        return "negated"
    if kind.threat:
        return "now"
    again = re.search(context.now, before)
    fear = re.search(context.hypothetical_before, before)
    if (fear and not (again and again.start() > fear.start())) or re.search(
        context.hypothetical_after, after
    ):
        return "hypothetical"
    done = "过" in match.group() and not re.search(context.now, match.group())
    past = re.search(context.past_before, before) or done
    if (past and not again) or re.search(context.past_after, after):
        return "past"
    return "now"
