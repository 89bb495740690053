"""What the hotline writes to the store: each change is stored whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ..nlp.matter.profile import Place
from ..nlp.matter.score import SameMatter

Action = Literal["accept", "override", "return"]


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted original and the name of its key."""

    key_id: str
    data: bytes


@dataclass(frozen=True, slots=True)
class EmbeddingsChange:
    """What stored calls mean to `model`: ids and packed vectors, in place of other models'."""

    model: str
    vectors: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class CallChange:
    """A routed call with its suggestion, masked, and the proposals to merge it.

    `department` is where it goes; `model_department` what the model ranked first. `override` is
    the rule that spoke, as JSON, empty without one. `at` is when it came in. `embedding` is packed,
    None from a model without encoder.
    """

    transcript_id: str
    channel: str
    received_at: datetime | None
    at: datetime
    title: str
    text: str
    place: Place
    category: str
    department: str
    model_department: str
    confidence: float
    decision: str
    model: str
    suggestion: dict[str, Any]
    override: dict[str, Any] = field(default_factory=dict)
    proposals: tuple[SameMatter, ...] = ()
    sealed: Sealed | None = None
    urgency: str = "normal"
    urgent_reasons: tuple[str, ...] = ()
    embedding: bytes | None = None


@dataclass(frozen=True, slots=True)
class FeedbackChange:
    """What somebody did with a call's suggestion."""

    transcript_id: str
    at: datetime
    by: str
    role: str
    action: Action
    department_to: str
    reason: str


@dataclass(frozen=True, slots=True)
class CloseChange:
    """A call is closed, or open again; a closed one gets no proposals."""

    transcript_id: str
    state: Literal["open", "closed"]


@dataclass(frozen=True, slots=True)
class MatterChange:
    """Somebody accepted or rejected a proposal."""

    proposal_id: int
    state: Literal["accepted", "rejected"]
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class OriginalReadChange:
    """Somebody asked for an original."""

    transcript_id: str
    at: datetime
    by: str
    reason: str
    outcome: str


@dataclass(frozen=True, slots=True)
class PruneCalls:
    """Forget the words of calls recorded before this time; the journals stay."""

    before: datetime


HotlineChange = (
    CallChange
    | EmbeddingsChange
    | FeedbackChange
    | CloseChange
    | MatterChange
    | OriginalReadChange
    | PruneCalls
)
