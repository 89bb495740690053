"""Engine state as JSON-able data and back, exactly: what goes on after a restart is the same.

Objects become lists in field order, which keeps a camera's checkpoint to a few kilobytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ..config.errors import InputError
from .incident import Box, IncidentState
from .lifecycle import Claim
from .scene import Scene, Stay, Track, Vote

STATE_VERSION = 1


def pack(
    scene: Scene, claims: Sequence[Claim], active_since: Mapping[str, float]
) -> dict[str, Any]:
    """All that decides, as plain lists and numbers."""
    return {
        "version": STATE_VERSION,
        "last_t": scene.last_t,
        "period_s": scene.period_s,
        "next_id": scene.next_id,
        "stays": [_row(stay) for stay in scene.stays],
        "tracks": [_row(track) for track in scene.tracks],
        "claims": [_row(claim) for claim in claims],
        "active_since": dict(active_since),
    }


def unpack(state: Mapping[str, Any]) -> tuple[Scene, list[Claim], dict[str, float]]:
    """The reverse of `pack`.

    Raises:
        InputError: not a snapshot, or one of another version.
    """
    if state.get("version") != STATE_VERSION:
        raise InputError(
            f"snapshot version {state.get('version')!r}, expected {STATE_VERSION}",
            message_zh="引擎状态快照的版本不符",
            code="bad_snapshot",
        )
    try:
        scene = Scene(
            last_t=state["last_t"],
            period_s=state["period_s"],
            next_id=state["next_id"],
            stays=[_stay(row) for row in state["stays"]],
            tracks=[_track(row) for row in state["tracks"]],
        )
        return scene, [_claim(row) for row in state["claims"]], dict(state["active_since"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"damaged snapshot: {error!r}", message_zh="引擎状态快照已损坏", code="bad_snapshot"
        ) from None


def _row(value: Any) -> list[Any]:
    return [_plain(getattr(value, field.name)) for field in fields(value)]


def _plain(value: Any) -> Any:
    if isinstance(value, Vote):
        return _row(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _named(kind: type, row: Sequence[Any]) -> dict[str, Any]:
    return {field.name: item for field, item in zip(fields(kind), row, strict=True)}


def _box(row: Sequence[float]) -> Box:
    x1, y1, x2, y2 = row
    return x1, y1, x2, y2


def _stay(row: Sequence[Any]) -> Stay:
    values = _named(Stay, row)
    for name in ("anchor", "home", "box"):
        values[name] = _box(values[name])
    values["votes"] = {name: Vote(*vote) for name, vote in values["votes"].items()}
    values["attended"] = Vote(*values["attended"])
    return Stay(**values)


def _track(row: Sequence[Any]) -> Track:
    values = _named(Track, row)
    values["box"], values["first_box"] = _box(values["box"]), _box(values["first_box"])
    values["velocity"] = tuple(values["velocity"])
    values["rest_boxes"] = [_box(box) for box in values["rest_boxes"]]
    if values["stray"] is not None:
        t, box = values["stray"]
        values["stray"] = (t, _box(box))
    return Track(**values)


def _claim(row: Sequence[Any]) -> Claim:
    values = _named(Claim, row)
    values["state"] = IncidentState(values["state"])
    values["box"], values["reasons"] = _box(values["box"]), tuple(values["reasons"])
    return Claim(**values)
