"""Which scope each door asks for. What is not named here asks for `admin`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

READ, ANY = frozenset({"GET", "HEAD"}), frozenset({"*"})
PUBLIC = ""
SELF = "self"


@dataclass(frozen=True, slots=True)
class Door:
    """What a request asks for; `name` is the door without what callers choose."""

    name: str
    scope: str
    writes: bool


@dataclass(frozen=True, slots=True)
class _Rule:
    methods: frozenset[str]
    path: re.Pattern[str]
    scope: str


def _rule(methods: str, path: str, scope: str) -> _Rule:
    chosen = {"GET": READ, "*": ANY}.get(methods, frozenset(methods.split()))
    return _Rule(chosen, re.compile(path), scope)


RULES = (
    # Pages and files without data: what they show comes from the doors below.
    _rule("GET", r"/|/docs|/openapi\.json|/console(/.*)?|/favicon\.ico", PUBLIC),
    _rule("GET", r"/healthz|/readyz", PUBLIC),
    _rule("GET", r"/v2|/v2/health/(live|ready)", PUBLIC),
    _rule("*", r"/v2/models/router(/.*)?", "transcripts:write"),
    _rule("*", r"/v2/models/[^/]+(/.*)?", "frames:write"),
    _rule("GET", r"/metrics", "metrics:read"),
    _rule("GET", r"/v1/key", SELF),
    _rule("POST", r"/v1/frames:batch", "frames:write"),
    _rule("POST", r"/v1/transcripts:batch", "transcripts:write"),
    _rule("*", r"/v1/transcripts/[^/]+/original.*", "transcripts:originals"),
    _rule(
        "GET", r"/v1/(transcripts|matters|hot-issues|rules|departments)(/.*)?", "transcripts:read"
    ),
    _rule("*", r"/v1/(transcripts|matters)/.*", "transcripts:decide"),
    _rule("GET", r"/v1/incidents(/.*)?", "incidents:read"),
    _rule("GET", r"/v1/events", "events:read"),
    _rule("*", r"/v1/webhooks([/:].*)?", "deliveries:admin"),
    _rule("GET", r"/v1/cameras(/.*)?", "cameras:read"),
    _rule("*", r"/v1/cameras([/:].*)?", "cameras:write"),
    _rule("*", r"/v1/models([/:].*)?", "models:admin"),
)
SAFE = READ | {"OPTIONS"}


def door_of(method: str, path: str, query: str) -> Door:
    """What a request asks for; pictures that are not blurred need a scope of their own."""
    scope = "admin"
    for rule in RULES:
        if (rule.methods is ANY or method in rule.methods) and rule.path.fullmatch(path):
            scope = rule.scope
            break
    asked = {value.lower() for name, value in parse_qsl(query) if name == "original"}
    if scope == "incidents:read" and asked - {"false", "0", "no", "off", "f", "n"}:
        scope = "evidence:originals"
    return Door(f"{method} {_shape(path)}", scope, method not in SAFE)


def _shape(path: str) -> str:
    """A path without what callers choose: `/v1/webhooks/…:replay`."""
    parts = path.split("/")
    shown = parts[:3] + [f"…{part[part.rfind(':') :] if ':' in part else ''}" for part in parts[3:]]
    return "/".join(shown)[:96]
