"""What a check of `xiaozheng doctor` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """In Chinese; `advice` is empty where nothing is to be done."""

    subject: str
    level: Level
    found: str
    advice: str = ""


def ok(subject: str, found: str) -> Finding:
    return Finding(subject, "ok", found)


def warn(subject: str, found: str, advice: str) -> Finding:
    return Finding(subject, "warn", found, advice)


def fail(subject: str, found: str, advice: str) -> Finding:
    return Finding(subject, "fail", found, advice)
