"""What the caller wants of the hotline: complain, ask for help, ask, suggest, report or praise.

Word patterns with scores as data (`data/intent.yaml`). A linear model on the router's own features
was tried on the same examples and is worse; see `docs/evaluation-router.md` for the figures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from ..config.yamlfile import load_yaml
from .calibrate import softmax
from .prepare import PreparedText
from .urgency import Pattern

INTENT_FILE = Path(__file__).resolve().parent / "data" / "intent.yaml"
MAX_WORDS = 4


@dataclass(frozen=True, slots=True)
class Intent:
    """The likeliest intent, how likely, and the caller's words behind it (strongest first)."""

    code: str
    zh: str
    probability: float
    words: tuple[str, ...]


class ScoredPattern(BaseModel):
    """A regular expression and what it adds to its intent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    score: float = Field(gt=0, le=10)
    pattern: Pattern


class IntentRule(BaseModel):
    """One intent with its patterns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(pattern=r"^[a-z]{3,16}$")
    zh: str = Field(min_length=1)
    prior: float = 0.0
    words: tuple[ScoredPattern, ...] = Field(min_length=1)


class IntentRules(BaseModel):
    """`intent.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sharpness: float = Field(gt=0, le=10)
    most: float = Field(gt=0)
    intents: tuple[IntentRule, ...] = Field(min_length=2)


@lru_cache(maxsize=8)
def load_intents(path: Path = INTENT_FILE) -> IntentRules:
    """Read a file of rules, the shipped one by default.

    Raises:
        ConfigError: with `file:line`.
    """
    return load_yaml(path, IntentRules)


def intent_of(text: PreparedText, rules: IntentRules | None = None) -> Intent:
    """The intent of a prepared call, title and reading together."""
    rules = rules or load_intents()
    said = text.encoder_text
    found = [_hits(rule.words, said) for rule in rules.intents]
    sums = np.array(
        [
            rule.prior + min(rules.most, sum(score for score, _ in hits))
            for rule, hits in zip(rules.intents, found, strict=True)
        ]
    )
    probabilities = softmax(rules.sharpness * sums[None])[0]
    best = int(probabilities.argmax())
    words = [word for _, word in sorted(found[best], key=lambda hit: -hit[0])]
    rule = rules.intents[best]
    return Intent(
        rule.code,
        rule.zh,
        round(float(probabilities[best]), 4),
        tuple(dict.fromkeys(words))[:MAX_WORDS],
    )


def _hits(patterns: Sequence[ScoredPattern], said: str) -> list[tuple[float, str]]:
    """Score and first words of each pattern that is met."""
    return [
        (pattern.score, match.group())
        for pattern in patterns
        if (match := re.search(pattern.pattern, said))
    ]
