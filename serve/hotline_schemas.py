"""What the hotline's doors take and answer, as types."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .schemas import Name, SuggestionOut, TranscriptOut

Reason = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]


class OverrideOut(BaseModel):
    """A legal rule that spoke for this call."""

    rule: str
    title: str
    law: str = Field(description="source and text of the duty")
    department: str
    department_name: str
    replaced: str = Field(description="what the model had ranked first")
    replaced_name: str
    changed: bool = Field(description="false where the model had said the same")
    dispatch: Literal["keep", "auto", "suggest", "human"]
    matched: list[str] = Field(description="the conditions that held, in Chinese")
    also_fitting: list[str] = Field(description="rules of lower priority that fitted as well")


class PlaceOut(BaseModel):
    """Where the matter is, as far as it was found."""

    names: list[str]
    district: str
    grid: str


class ProposalOut(BaseModel):
    """Another open call that may be the same matter. Nothing is merged until staff accept."""

    id: int | None = Field(default=None, description="for `:decide`; null in the first answer")
    call_id: str
    other_id: str
    kind: Literal["repeat", "same"] = Field(description="`repeat`: nearly the same words")
    score: float = Field(ge=0, le=1)
    reasons: list[str]
    state: Literal["proposed", "accepted", "rejected"] = "proposed"
    other_text: str = Field(default="", description="masked title or beginning of the other call")
    decided_at: datetime | None = None
    decided_by: str | None = None
    decision_reason: str | None = None


class SimilarOut(BaseModel):
    """A past call that means nearly the same."""

    id: str
    department: str = Field(description="where it is now")
    department_name: str
    confirmed: bool = Field(description="a person said so; else it was merely suggested")
    text: str = Field(description="masked title, or beginning of the masked text")
    similarity: float = Field(ge=-1, le=1, description="cosine; no probability")


class RoutedOut(TranscriptOut):
    """What is suggested for one transcript, where it goes, and what it may belong to."""

    department: str | None = Field(
        default=None, description="where it goes: the rule's department, else the model's first"
    )
    override: OverrideOut | None = None
    place: PlaceOut | None = None
    proposals: list[ProposalOut] = Field(default=[])
    similar: list[SimilarOut] = Field(
        default=[], description="the nearest past calls; none from a model without encoder"
    )


class RoutedAnswer(BaseModel):
    """One result for each transcript, in order."""

    results: list[RoutedOut]
    model: str


class DecisionEntry(BaseModel):
    """One line of a call's journal."""

    at: datetime
    by: str
    role: str
    action: Literal["accept", "override", "return"]
    action_zh: str
    department_from: str
    department_to: str
    reason: str
    model: str


class CallOut(BaseModel):
    """One stored call. Title and text are masked."""

    id: str
    at: datetime
    recorded_at: datetime
    channel: str
    title: str
    text: str
    line: str = Field(description="the call in one line: title, or beginning of the caller's words")
    urgency: Literal["critical", "urgent", "normal"]
    urgency_zh: str
    urgent_reasons: list[str] = Field(description="what makes it so, with the caller's words")
    place: PlaceOut
    category: str
    department: str = Field(description="where it first went")
    department_name: str
    assigned: str = Field(description="where it is now")
    assigned_name: str
    decision: str
    confidence: float
    model: str
    state: Literal["open", "closed"]
    matter_id: str | None
    override: OverrideOut | None
    suggestion: SuggestionOut | None = None
    proposals: list[ProposalOut] | None = None
    similar: list[SimilarOut] | None = None
    journal: list[DecisionEntry] | None = None


class CallPage(BaseModel):
    """Newest first; ask again with `cursor=next_cursor` for older ones."""

    items: list[CallOut]
    next_cursor: str | None = None


class FeedbackIn(BaseModel):
    """What somebody did with a suggestion. `department` is needed for `override`; a `return` may
    name the department that should have had it."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["accept", "override", "return"]
    by: Name
    role: Name = "clerk"
    department: str | None = None
    reason: Reason = ""

    @model_validator(mode="after")
    def _says_where_and_why(self) -> FeedbackIn:
        if self.action == "override" and not self.department:
            raise ValueError("an override names its department")
        if self.action == "return" and not self.reason.strip():
            raise ValueError("a return gives its reason")
        return self


class StateIn(BaseModel):
    """A call is closed, or open again."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["open", "closed"]


class JudgementIn(BaseModel):
    """What somebody says of a proposal."""

    model_config = ConfigDict(extra="forbid")

    accept: bool
    by: Name
    reason: Reason = ""


class ReadingIn(BaseModel):
    """Who wants to see an original, and why."""

    model_config = ConfigDict(extra="forbid")

    by: Name
    reason: Reason


class OriginalOut(BaseModel):
    """A call's unmasked words."""

    id: str
    title: str
    text: str


class ReadingEntry(BaseModel):
    """One line of the access log."""

    at: datetime
    by: str
    reason: str
    outcome: str


class ReadingsAnswer(BaseModel):
    """Who asked for a call's original, oldest first."""

    reads: list[ReadingEntry]


class ProposalsAnswer(BaseModel):
    """Newest first."""

    proposals: list[ProposalOut]


class HotIssueOut(BaseModel):
    """One matter of a day, titled in its members' own words."""

    title: str
    size: int = Field(description="calls within the eight days up to the day's end")
    on_day: int = Field(description="those of the day itself")
    daily: list[int] = Field(description="calls on each of the eight days, the day itself last")
    trend: Literal["new", "rising", "steady", "falling"]
    trend_zh: str
    trend_ratio: float
    heat: float
    departments: list[str]
    places: list[str]
    members: list[str]
    first_at: datetime
    last_at: datetime


class HotIssuesAnswer(BaseModel):
    """Hottest first."""

    day: date
    timezone: str
    formula: str
    issues: list[HotIssueOut]


class RuleOut(BaseModel):
    """One rule in force and how many stored calls it spoke for."""

    id: str
    title: str
    law: str
    department: str
    department_name: str
    priority: int
    valid_from: date | None
    valid_until: date | None
    calls: int


class RulesAnswer(BaseModel):
    """All rules, as in rules.yaml."""

    rules: list[RuleOut]


class DepartmentEntry(BaseModel):
    """A department a call can be given to."""

    code: str
    name: str


class DepartmentsAnswer(BaseModel):
    """All departments, as in departments.yaml."""

    departments: list[DepartmentEntry]
