"""Engine state as JSON-able data and back, exactly: what goes on after a restart is the same.

Objects become lists in field order, which keeps a camera's checkpoint to a few kilobytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from ..config.errors import InputError
from .claims import Claim
from .incident import Box, IncidentState
from .scene import Scene, Stay, Track, Vote

STATE_VERSION = 3
# Fields a stay had in version 2, of those it has now; tracks and claims are as they were.
STAY_V2 = 36
# Fields a row had in version 1, in order; later ones take their defaults.
STAY_V1 = [
    "id",
    "family",
    "anchor",
    "home",
    "box",
    "since",
    "last_seen",
    "seen_s",
    "hits",
    "score",
    "votes",
    "attended",
    "hit_s",
    "empty_s",
    "absent_since",
    "covered_since",
    "back_hits",
    "longest_gap_s",
    "left_by",
    "left",
    "departed",
    "seen_now",
    "credit_s",
]
TRACK_V1 = [
    "id",
    "family",
    "label",
    "box",
    "first_box",
    "first_seen",
    "last_seen",
    "score",
    "velocity",
    "rest_since",
    "rest_hits",
    "rest_boxes",
    "stray",
]
CLAIM_V1 = [
    "id",
    "kind_id",
    "zone_id",
    "stay_id",
    "state",
    "onset",
    "credit_s",
    "last",
    "box",
    "label",
    "score",
    "reasons",
    "opened_at",
    "ended_at",
    "opposed_since",
    "closed_at",
]
# What was counted in version 1 and is no longer.
DROPPED = {"back_hits"}


def pack(
    scene: Scene, claims: Sequence[Claim], active_since: Mapping[str, float]
) -> dict[str, Any]:
    """All that decides, as plain lists and numbers."""
    return {
        "version": STATE_VERSION,
        "started_at": scene.started_at,
        "last_t": scene.last_t,
        "period_s": scene.period_s,
        "next_id": scene.next_id,
        "stays": [_row(stay) for stay in scene.stays],
        "tracks": [_row(track) for track in scene.tracks],
        "claims": [_row(claim) for claim in claims],
        "active_since": dict(active_since),
    }


def unpack(state: Mapping[str, Any]) -> tuple[Scene, list[Claim], dict[str, float]]:
    """The reverse of `pack`; also reads versions 1 and 2.

    Raises:
        InputError: not a snapshot, or one of a version that is not known.
    """
    version = state.get("version")
    if version not in (1, 2, STATE_VERSION):
        raise InputError(
            f"engine snapshot has version {version!r}; this release reads 1 to {STATE_VERSION}",
            message_zh=f"引擎状态快照版本为 {version!r}，本版本只能读取 1 至 {STATE_VERSION}",
            code="bad_snapshot",
        )
    old = version == 1
    stay_names = {1: STAY_V1, 2: [f.name for f in fields(Stay)][:STAY_V2]}.get(version)
    try:
        scene = Scene(
            started_at=state["last_t"] if old else state["started_at"],
            last_t=state["last_t"],
            period_s=state["period_s"],
            next_id=state["next_id"],
            stays=[_stay(row, stay_names) for row in state["stays"]],
            tracks=[_track(row, TRACK_V1 if old else None) for row in state["tracks"]],
        )
        claims = [_claim(row, CLAIM_V1 if old else None) for row in state["claims"]]
        return scene, claims, dict(state["active_since"])
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


def _named(kind: type, row: Sequence[Any], names: Sequence[str] | None) -> dict[str, Any]:
    if names is None:
        names = [field.name for field in fields(kind)]
    pairs = zip(names, row, strict=True)
    return {name: item for name, item in pairs if name not in DROPPED}


def _box(row: Sequence[float]) -> Box:
    x1, y1, x2, y2 = row
    return x1, y1, x2, y2


def _stay(row: Sequence[Any], names: Sequence[str] | None) -> Stay:
    values = _named(Stay, row, names)
    for name in ("anchor", "home", "box"):
        values[name] = _box(values[name])
    values["votes"] = {name: Vote(*vote) for name, vote in values["votes"].items()}
    values["attended"] = Vote(*values["attended"])
    if names is not STAY_V1:
        values["recent"] = _box(values["recent"])
        values["visited"] = Vote(*values["visited"])
        values["back_boxes"] = [_box(box) for box in values["back_boxes"]]
        values["filling"] = [_box(spell) for spell in values.get("filling", ())]
        values["kept"] = Vote(*values["kept"]) if names is None else _copy(values["attended"])
        values["bystanders"] = [(t, _box(box)) for t, box in values.get("bystanders", ())]
    else:
        values["strong_s"], values["recent"] = values["seen_s"], values["anchor"]
        values["kept"] = _copy(values["attended"])
    return Stay(**values)


def _copy(vote: Vote) -> Vote:
    return Vote(*_row(vote))


def _track(row: Sequence[Any], names: Sequence[str] | None) -> Track:
    values = _named(Track, row, names)
    values["box"], values["first_box"] = _box(values["box"]), _box(values["first_box"])
    vx, vy = values["velocity"]
    values["velocity"] = (vx, vy)
    values["rest_boxes"] = [_box(box) for box in values["rest_boxes"]]
    if values["stray"] is not None:
        t, box = values["stray"]
        values["stray"] = (t, _box(box))
    return Track(**values)


def _claim(row: Sequence[Any], names: Sequence[str] | None) -> Claim:
    values = _named(Claim, row, names)
    values["state"] = IncidentState(values["state"])
    values["box"], values["reasons"] = _box(values["box"]), tuple(values["reasons"])
    return Claim(**values)
