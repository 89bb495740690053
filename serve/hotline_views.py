"""Stored calls and proposals as the doors show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal, cast

from ..nlp.departments import Departments
from ..nlp.matter.hot import TRENDS_ZH, HotIssue
from ..nlp.matter.profile import Place
from ..nlp.matter.score import SameMatter
from ..nlp.urgency import LEVEL_ZH, Level, Urgency
from .hotline_intake import shown
from .hotline_schemas import (
    CallOut,
    DecisionEntry,
    HotIssueOut,
    OverrideOut,
    PlaceOut,
    ProposalOut,
    SimilarOut,
)
from .hotline_similar import Similar
from .hotline_store import StoredCall, StoredDecision, StoredProposal
from .schemas import SuggestionOut

ACTIONS_ZH = {"accept": "采纳", "override": "改派", "return": "退回"}


def department_name(departments: Departments, code: str) -> str:
    """The name, or the code of a department that is no longer listed."""
    known = departments.by_code.get(code)
    return code if known is None else known.name


def override_view(override: Mapping[str, Any], departments: Departments) -> OverrideOut | None:
    """A stored override; None for an empty one."""
    if not override:
        return None
    return OverrideOut(
        **override,
        department_name=department_name(departments, override["department"]),
        replaced_name=department_name(departments, override["replaced"]),
    )


def place_view(place: Place) -> PlaceOut:
    """Where it is."""
    return PlaceOut(**asdict(place))


def call_view(
    call: StoredCall,
    departments: Departments,
    proposals: Sequence[ProposalOut] | None = None,
    similar: Sequence[SimilarOut] | None = None,
    *,
    whole: bool = False,
) -> CallOut:
    """One call; its suggestion and journal when `whole`."""
    return CallOut(
        id=call.transcript_id,
        at=call.at,
        recorded_at=call.recorded_at,
        channel=call.channel,
        title=call.title,
        text=call.text,
        line=shown(call.title, call.text),
        urgency=cast(Level, call.urgency),
        urgency_zh=LEVEL_ZH[cast(Level, call.urgency)],
        urgent_reasons=list(call.urgent_reasons),
        place=place_view(call.place),
        category=call.category,
        department=call.department,
        department_name=department_name(departments, call.department),
        assigned=call.assigned,
        assigned_name=department_name(departments, call.assigned),
        decision=call.decision,
        confidence=call.confidence,
        model=call.model,
        state=cast(Literal["open", "closed"], call.state),
        matter_id=call.matter_id,
        override=override_view(call.override, departments),
        suggestion=SuggestionOut.model_validate(call.suggestion) if call.suggestion else None,
        proposals=None if proposals is None else list(proposals),
        similar=None if similar is None else list(similar),
        journal=[decision_view(step) for step in call.decisions] if whole else None,
    )


def similar_view(past: Similar, departments: Departments) -> SimilarOut:
    """A past call beside the one it is like."""
    return SimilarOut(
        id=past.id,
        department=past.department,
        department_name=department_name(departments, past.department),
        confirmed=past.confirmed,
        text=past.line,
        similarity=min(past.likeness, 1.0),
    )


def decision_view(step: StoredDecision) -> DecisionEntry:
    """One line of the journal."""
    return DecisionEntry(
        at=step.at,
        by=step.by,
        role=step.role,
        action=cast(Literal["accept", "override", "return"], step.action),
        action_zh=ACTIONS_ZH[step.action],
        department_from=step.department_from,
        department_to=step.department_to,
        reason=step.reason,
        model=step.model,
    )


def fresh_proposal(pair: SameMatter, other_text: str) -> ProposalOut:
    """A proposal that was made just now."""
    return ProposalOut(
        call_id=pair.call_id,
        other_id=pair.other_id,
        kind=cast(Literal["repeat", "same"], pair.kind),
        score=pair.score,
        reasons=list(pair.reasons),
        other_text=other_text,
    )


def proposal_view(found: StoredProposal, texts: Mapping[str, str], of: str = "") -> ProposalOut:
    """A stored proposal as call `of` sees it; the other one's words come from `texts`."""
    here, there = found.call_id, found.other_id
    if of == there:
        here, there = there, here
    return ProposalOut(
        id=found.id,
        call_id=here,
        other_id=there,
        kind=cast(Literal["repeat", "same"], found.kind),
        score=found.score,
        reasons=list(found.reasons),
        state=cast(Literal["proposed", "accepted", "rejected"], found.state),
        other_text=texts.get(there, ""),
        decided_at=found.decided_at,
        decided_by=found.decided_by,
        decision_reason=found.decision_reason,
    )


def urgent_reasons(urgency: Urgency) -> tuple[str, ...]:
    """What raises the level, each with the caller's words."""
    said = (f"{why.zh}：“{why.words}”" for why in urgency.reasons if why.state == "now")
    return tuple(dict.fromkeys(said))


def hot_view(issue: HotIssue, departments: Departments) -> HotIssueOut:
    """One hot issue."""
    return HotIssueOut(
        title=issue.title,
        size=issue.size,
        on_day=issue.on_day,
        daily=list(issue.daily),
        trend=cast(Literal["new", "rising", "steady", "falling"], issue.trend),
        trend_zh=TRENDS_ZH[issue.trend],
        trend_ratio=issue.trend_ratio,
        heat=issue.heat,
        departments=[department_name(departments, code) for code in issue.departments],
        places=list(issue.places),
        members=list(issue.members),
        first_at=issue.first_at,
        last_at=issue.last_at,
    )
