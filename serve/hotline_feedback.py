"""From the journal to a training set: what staff said of masked calls, with where it comes from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..nlp.mask import mask_personal_data
from ..nlp.matter.grams import reading
from .hotline_store import StoredCall, StoredDecision

SURE, LIKELY, DISPUTED = 3, 2, 1


@dataclass(frozen=True, slots=True)
class Conflict:
    """Labels that contradict each other. `kind` is `decisions` (of one call, by several people or
    turns) or `same_text` (calls with the same words)."""

    kind: str
    ids: tuple[str, ...]
    departments: tuple[str, ...]


@dataclass(slots=True)
class TrainingSet:
    """Rows as in `departments.train.jsonl` plus `provenance` and `feedback`; `without_label`
    counts calls that were returned and never given to anybody."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)
    calls: int = 0
    without_label: int = 0


def training_set(calls: Iterable[StoredCall]) -> TrainingSet:
    """Every call that staff judged. The last word is the label; a disputed call is kept with
    confidence 1, so that whoever trains can leave it out."""
    found = TrainingSet()
    by_text: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for call in calls:
        if not call.decisions:
            continue
        found.calls += 1
        last = _last_word(call.decisions)
        if last is None:
            found.without_label += 1
            continue
        said = tuple(dict.fromkeys(_label(step) for step in call.decisions if _label(step)))
        if _disputed(call.decisions):
            found.conflicts.append(Conflict("decisions", (call.transcript_id,), said))
        row = _row(call, last)
        found.rows.append(row)
        by_text[reading(f"{call.title}\n{call.text}")].append(row)
    for same in by_text.values():
        labels = tuple(dict.fromkeys(row["department"] for row in same))
        if len(labels) > 1:
            found.conflicts.append(Conflict("same_text", tuple(row["id"] for row in same), labels))
            for row in same:
                row["confidence"] = DISPUTED
    return found


def _label(step: StoredDecision) -> str:
    """What a step says the department is; a return that names nobody says nothing."""
    if step.action == "return" and step.department_to == step.department_from:
        return ""
    return step.department_to


def _last_word(steps: tuple[StoredDecision, ...]) -> StoredDecision | None:
    """The last step that names a department, unless a bare return came after it."""
    last = steps[-1]
    return last if _label(last) else None


def _disputed(steps: tuple[StoredDecision, ...]) -> bool:
    """Whether anybody's own choice was later changed; overriding the model is no dispute."""
    chosen = {_label(step) for step in steps} - {""}
    return len(chosen) > 1


def _row(call: StoredCall, last: StoredDecision) -> dict[str, Any]:
    confidence = SURE if last.action in ("accept", "override") else LIKELY
    return {
        "id": call.transcript_id,
        "title": mask_personal_data(call.title).text,
        "text": mask_personal_data(call.text).text,
        "department": _label(last),
        "second": "",
        "confidence": DISPUTED if _disputed(call.decisions) else confidence,
        "category": call.category,
        "provenance": "feedback",
        "feedback": {
            "model": last.model,
            "suggested": last.model_department,
            "probability": last.confidence,
            "decision": call.decision,
            "rule": call.override.get("rule", ""),
            "action": last.action,
            "role": last.role,
            "at": last.at.isoformat(),
            "steps": len(call.decisions),
            "category_by": "model",
        },
    }
