"""What the HTTP doors answer, as types; `/openapi.json` is made from these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .problems import ItemError

# What is stored and shown as a name: short, without control characters.
Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Box(BaseModel):
    """One object seen in one frame."""

    label: str
    label_zh: str
    score: float = Field(ge=0, le=1)
    box: tuple[float, float, float, float] = Field(
        description="x1, y1, x2, y2 in pixels of the submitted frame"
    )
    track_id: int | None = Field(default=None, description="the same object in other frames")


class EvidenceOut(BaseModel):
    """One evidence picture, or the clip of the 10 s round the opening. `sha256`, `path` and `url`
    are those of the copy with blurred faces and plates; a picture of a version that made none has
    only its original."""

    moment: Literal["before", "at", "after", "clip"]
    media_type: Literal["image/jpeg", "video/mp4"]
    ts: datetime = Field(description="media time; of a clip, that of its first frame")
    sha256: str
    url: str
    path: str = Field(description="file below the service's `var` folder")
    blurred: bool
    original_sha256: str


class JournalOut(BaseModel):
    """One step of an incident's life."""

    state: str
    state_zh: str
    media_at: datetime
    recorded_at: datetime


class ObservationOut(BaseModel):
    """What the rule saw at one moment, for or against the incident."""

    at: datetime
    strength: float = Field(ge=0, le=1)
    holds: bool
    reasons: list[str]


class LinkOut(BaseModel):
    """Another incident that is the same real event."""

    incident_id: str
    kind: str
    camera_id: str
    state: str
    reasons: list[str]


class IncidentOut(BaseModel):
    """One incident; every `_at` is media time in UTC except `recorded_at`."""

    id: str
    kind: str
    kind_zh: str
    code: str
    camera_id: str
    camera_name: str
    zone_id: str
    zone_name: str
    state: Literal["suspected", "open", "ended", "discarded"]
    state_zh: str
    onset_at: datetime
    opened_at: datetime | None
    last_seen_at: datetime
    ended_at: datetime | None
    dwell_s: float
    box: tuple[float, float, float, float] = Field(description="x1, y1, x2, y2 in 0–1 of the frame")
    label: str
    score: float
    reasons: list[str]
    model: str
    rule: str
    evidence: list[EvidenceOut] = []
    journal: list[JournalOut] | None = None
    observations: list[ObservationOut] | None = None
    links: list[LinkOut] | None = None


class IncidentPage(BaseModel):
    """Newest onset first; ask again with `cursor=next_cursor` for older ones."""

    items: list[IncidentOut]
    next_cursor: str | None = None


class EventOut(BaseModel):
    """A CloudEvents 1.0 event in its JSON form. A repeat has the same `id` and `source`."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    type: str = Field(description="such as `cn.xiaozheng.incident.opened.v1`")
    source: str = Field(description="`urn:xiaozheng:camera:<id>`")
    subject: str = Field(description="the incident's id")
    time: datetime = Field(description="media time of the step")
    datacontenttype: Literal["application/json"] = "application/json"
    sequence: str = Field(description="its number in the order of storing, 19 digits")
    data: dict[str, Any] = Field(description="the incident as of that step")


class EventsAnswer(BaseModel):
    """Oldest first; ask again with `after=next_after`, at once while `more` is true."""

    events: list[EventOut]
    next_after: int
    more: bool
    first_kept: int = Field(description="number of the oldest event kept; 0 when there is none")
    last_kept: int


class FrameOut(BaseModel):
    """What became of one frame. `late` and `duplicate` frames changed nothing."""

    index: int
    status: Literal["ok", "late", "duplicate", "error"]
    camera_id: str | None = None
    model: str | None = Field(default=None, description="the detector that saw it")
    detections: list[Box] | None = None
    incidents: list[IncidentOut] = []
    zones_suspended: bool = Field(
        default=False, description="the picture cannot be trusted: no incident is drawn of it"
    )
    error: ItemError | None = None


class FramesAnswer(BaseModel):
    """One result for each entry of `metadata`, in its order; `model` is the detector in use now."""

    results: list[FrameOut]
    model: str


class FrameMeta(BaseModel):
    """One entry of the `metadata` part."""

    camera_id: Name = Field(description="as in cameras.yaml; GB/T 28181 ids have 20 digits")
    ts: str = Field(
        description="media time, RFC 3339 with offset", json_schema_extra={"format": "date-time"}
    )
    seq: int = Field(ge=0, le=2**53, description="sequence number, growing within a camera")
    part: str = Field(min_length=1, description="name of the form part that holds the picture")


class TurnIn(BaseModel):
    """What one of the two said before the other spoke."""

    speaker: Literal["agent", "caller"]
    text: str


class TranscriptIn(BaseModel):
    """One call or message: `text`, or the `turns` of a dialogue, but not both."""

    id: Name
    text: str = Field(default="", description="with or without speaker tags (`坐席：…`, `市民：…`)")
    turns: list[TurnIn] = Field(default=[], description="instead of `text`")
    title: str = ""
    channel: Name | Literal[""] = ""
    received_at: str | None = Field(
        default=None,
        description="RFC 3339 with offset",
        json_schema_extra={"format": "date-time"},
    )


class DepartmentOut(BaseModel):
    """One candidate with its calibrated probability."""

    code: str
    name: str
    probability: float = Field(ge=0, le=1)


class DecisionOut(BaseModel):
    """`auto` may be dispatched, `suggest` is recommended to the clerk, `human` must be read."""

    verdict: Literal["auto", "suggest", "human"]
    rule: str = Field(description="stable machine name")
    reason: str = Field(description="Chinese sentence for the clerk")


class EvidenceWordOut(BaseModel):
    """Characters `start` to `end` of `masked_text`, and their share of all that speaks for the
    first department."""

    text: str
    weight: float
    start: int
    end: int


class CategoryOut(BaseModel):
    """One first-level category with its calibrated probability."""

    name: str
    probability: float = Field(ge=0, le=1)


class IntentOut(BaseModel):
    """What the caller wants of the hotline."""

    code: str
    zh: str
    probability: float = Field(ge=0, le=1)
    words: list[str] = Field(description="the caller's words behind it")


class UrgentReasonOut(BaseModel):
    """One urgent thing said. Only what is `now` raises the level."""

    kind: str
    zh: str
    words: str
    state: Literal["now", "negated", "past", "hypothetical"]
    start: int = Field(description="in `masked_text`; -1 where the title says it")
    end: int


class UrgencyOut(BaseModel):
    """How soon somebody must act. It orders the reading, and takes nothing away from anybody."""

    level: Literal["critical", "urgent", "normal"]
    zh: str
    reasons: list[UrgentReasonOut]


class SuggestionOut(BaseModel):
    """派单建议. Nothing in it holds what was masked."""

    departments: list[DepartmentOut] = Field(description="the likeliest, best first")
    decision: DecisionOut
    evidence: list[EvidenceWordOut]
    duty: str = Field(description="the first department's duty that fits, or empty")
    category: str
    category_probability: float = Field(ge=0, le=1)
    categories: list[CategoryOut] = Field(default=[], description="the three likeliest")
    intent: IntentOut | None = None
    urgency: UrgencyOut | None = None
    assisting: DepartmentOut | None = Field(
        default=None, description="who should help, where joint handling is due"
    )
    notes: list[str] = Field(default=[], description="what was cut or repaired before reading")
    masked_text: str
    masked_title: str
    personal_data: list[str] = Field(description="kinds of personal data that were masked")
    model: str


class TranscriptOut(BaseModel):
    """What is suggested for one transcript."""

    index: int
    id: str | None = None
    status: Literal["ok", "error"]
    suggestion: SuggestionOut | None = None
    error: ItemError | None = None


class ZoneOut(BaseModel):
    """A zone of a camera; the polygon is in 0–1 of the frame."""

    id: str
    name: str
    polygon: list[tuple[float, float]]
    forbids: list[str]


class FaultOut(BaseModel):
    """One fault of a camera that is in force."""

    id: str
    kind: str
    kind_zh: str
    began_at: datetime = Field(description="first sign of it")
    noticed_at: datetime = Field(description="when it had lasted long enough to be reported")


class CameraHealthOut(BaseModel):
    """Whether a camera shows what it should; `state` and `since` are those of its first fault."""

    state: str = Field(description="`well`, or the kind of the first fault")
    state_zh: str
    since: datetime | None
    reason_zh: str = Field(description="all faults in force, in words; empty while it is well")
    zones_suspended: bool = Field(description="frames are taken, but no incident is drawn of them")
    faults: list[FaultOut]


class ViewIn(BaseModel):
    """Who says that a camera's present view is the right one."""

    model_config = ConfigDict(extra="forbid")

    by: Name = Field(description="the person's name or number, for the journal")


class CameraOut(BaseModel):
    """One camera of cameras.yaml and what is known of it now."""

    id: str
    name: str
    timezone: str
    zones: list[ZoneOut]
    last_frame_at: datetime | None
    open_incidents: int
    health: CameraHealthOut | None = Field(description="null while the detector is switched off")


class KindOut(BaseModel):
    """One kind of incident."""

    id: str
    zh: str
    code: str


class CamerasAnswer(BaseModel):
    """All cameras, and the kinds their zones may forbid."""

    cameras: list[CameraOut]
    kinds: list[KindOut]


class RefusedModel(BaseModel):
    """What the shelf points to and why it is not in use; the model of before goes on serving."""

    model: str
    code: str
    reason: str
    reason_zh: str


class Check(BaseModel):
    """One thing the service cannot do without."""

    ok: bool
    detail: str = ""
    refused: RefusedModel | None = None


class Readiness(BaseModel):
    """Whether work sent now would be done; 503 when not."""

    ready: bool
    checks: dict[str, Check]
    version: str
