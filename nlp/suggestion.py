"""What the router answers: plain values that turn into JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .intent import Intent
from .urgency import Urgency

Verdict = Literal["auto", "suggest", "human"]


@dataclass(frozen=True, slots=True)
class RankedDepartment:
    """One candidate with its calibrated probability."""

    code: str
    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class RankedCategory:
    """One first-level category with its calibrated probability."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Decision:
    """`auto` may be dispatched, `suggest` is recommended to the clerk, `human` must be read.

    `rule` is a stable machine name, `reason` the Chinese sentence for the clerk.
    """

    verdict: Verdict
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A stretch of the masked text that speaks for the first department.

    `weight` is its share of all that speaks for it; `start`, `end` index into `masked_text`.
    """

    text: str
    weight: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """派单建议 for one transcript.

    `departments` are all the city's, best first; `assisting` is the second where joint handling is
    due, `categories` are all, best first. `duty` is empty when no duty of the first department
    shares a word with the text. `personal_data` lists the kinds that were masked; nothing in a
    suggestion holds what was masked. `intent` is what the caller wants of the hotline, `urgency`
    how soon somebody must act and why. `notes` say what was cut or repaired before reading.
    `embedding` (D,), of unit length, is for similar cases: the encoder's mean state, or None from a
    model without encoder; it is no part of the JSON.
    """

    id: str
    departments: tuple[RankedDepartment, ...]
    decision: Decision
    evidence: tuple[Evidence, ...]
    duty: str
    category: str
    category_probability: float
    masked_text: str
    masked_title: str
    personal_data: tuple[str, ...]
    model: str
    categories: tuple[RankedCategory, ...] = ()
    assisting: RankedDepartment | None = None
    notes: tuple[str, ...] = ()
    intent: Intent | None = None
    urgency: Urgency | None = None
    embedding: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)

    def to_dict(self, *, top: int | None = None) -> dict[str, Any]:
        """JSON-ready; `top` cuts the list of departments."""
        data = asdict(self)
        del data["embedding"]
        data["departments"] = data["departments"][:top]
        plain: dict[str, Any] = _lists(data)
        return plain


def _lists(value: Any) -> Any:
    """The same with lists for tuples, all the way down, as JSON gives it back."""
    if isinstance(value, dict):
        return {key: _lists(inner) for key, inner in value.items()}
    return [_lists(inner) for inner in value] if isinstance(value, (list, tuple)) else value
