"""Which steps of incidents the world is told, and in which words.

The rows have the shape of CloudEvents 1.0 and are written in the transaction that stores the step
itself: an event is announced if and only if its step is stored. Ids are made from the step alone,
so that a step taken again after a crash has the id it had, and a consumer can drop repeats.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from ..vision.health import HEALTH_ZH, HealthIncident
from ..vision.incident import Incident, IncidentState
from .changes import ViewLearnt

PREFIX = "cn.xiaozheng."
OPENED = PREFIX + "incident.opened.v1"
REOPENED = PREFIX + "incident.reopened.v1"
ENDED = PREFIX + "incident.ended.v1"
FAULT = PREFIX + "camera.fault.v1"
RECOVERED = PREFIX + "camera.recovered.v1"
VIEW_LEARNT = PREFIX + "camera.view_learnt.v1"


@dataclass(frozen=True, slots=True)
class Event:
    """A CloudEvents 1.0 event that has no place in the outbox yet; `time` is media time."""

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    data: dict[str, Any]


def event_of(incident: Incident, before: IncidentState | None) -> Event | None:
    """The event of a step to the incident's present state; None where nobody is told.

    `before` is the state it had, None for a new one. What was only suspected is nobody's business.
    """
    if incident.state is IncidentState.OPEN:
        kind = REOPENED if before is IncidentState.ENDED else OPENED
    elif incident.state is IncidentState.ENDED and before is not IncidentState.ENDED:
        kind = ENDED
    else:
        return None
    name = kind.removeprefix(PREFIX).split(".")[1]
    # An incident may end and go on more than once; it was seen later each time.
    seen_ms = round(incident.last_seen_at.timestamp() * 1000)
    return Event(
        id=f"{incident.id}.{name}.{seen_ms}",
        type=kind,
        source=_source(incident.camera_id),
        subject=incident.id,
        time=step_time(incident),
        data=incident_data(incident),
    )


def fault_event(fault: HealthIncident) -> Event:
    """The event of a camera's fault that was noticed, or is over."""
    over = fault.ended_at is not None
    return Event(
        id=f"{fault.id}.{'recovered' if over else 'fault'}",
        type=RECOVERED if over else FAULT,
        source=_source(fault.camera_id),
        subject=fault.id,
        time=fault.ended_at or fault.noticed_at,
        data={
            "id": fault.id,
            "camera_id": fault.camera_id,
            "kind": fault.kind,
            "kind_zh": HEALTH_ZH[fault.kind],
            "began_at": fault.began_at.isoformat(),
            "noticed_at": fault.noticed_at.isoformat(),
            "ended_at": _text(fault.ended_at),
        },
    )


def view_event(learnt: ViewLearnt) -> Event:
    """The event of a camera whose present view somebody took as the right one."""
    stamp_ms = round(learnt.at.timestamp() * 1000)
    return Event(
        id=f"view_learnt.{learnt.camera_id}.{stamp_ms}",
        type=VIEW_LEARNT,
        source=_source(learnt.camera_id),
        subject=learnt.camera_id,
        time=learnt.at,
        data={"camera_id": learnt.camera_id, "by": learnt.by, "at": learnt.at.isoformat()},
    )


def step_time(incident: Incident) -> datetime:
    """The media time of the step that led to the incident's present state."""
    times = {
        IncidentState.SUSPECTED: incident.onset_at,
        IncidentState.OPEN: incident.opened_at,
        IncidentState.ENDED: incident.ended_at,
        IncidentState.DISCARDED: incident.ended_at,
    }
    return times[incident.state] or incident.last_seen_at


def incident_data(incident: Incident) -> dict[str, Any]:
    """The incident as JSON-able data, times as RFC 3339."""
    return {
        "id": incident.id,
        "kind": incident.kind,
        "camera_id": incident.camera_id,
        "zone_id": incident.zone_id,
        "state": incident.state.value,
        "onset_at": incident.onset_at.isoformat(),
        "opened_at": _text(incident.opened_at),
        "last_seen_at": incident.last_seen_at.isoformat(),
        "ended_at": _text(incident.ended_at),
        "box": list(incident.box),
        "label": incident.label,
        "score": incident.score,
        "reasons": list(incident.reasons),
        "model": incident.model,
        "rule": incident.rule,
    }


def _source(camera_id: str) -> str:
    return f"urn:xiaozheng:camera:{quote(camera_id)}"


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
