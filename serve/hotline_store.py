"""Reading the hotline's tables. Blocking; call it from threads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, and_, func, or_, select
from sqlalchemy.orm import Session

from ..nlp.matter.groups import Pair, pair_of
from ..nlp.matter.profile import Call, Place
from .hotline_changes import Sealed
from .hotline_intake import spoken
from .tables import SuggestionRow
from .tables_hotline import CallRow, DecisionRow, OriginalReadRow, OriginalRow, ProposalRow

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """One line of the journal."""

    seq: int
    transcript_id: str
    at: datetime
    by: str
    role: str
    action: str
    department_from: str
    department_to: str
    reason: str
    model: str
    model_department: str
    confidence: float


@dataclass(frozen=True, slots=True)
class StoredProposal:
    """One pair that may be one matter."""

    id: int
    call_id: str
    other_id: str
    kind: str
    score: float
    reasons: tuple[str, ...]
    state: str
    proposed_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decision_reason: str | None


@dataclass(frozen=True, slots=True)
class StoredCall:
    """One call, masked, and what is known of it now."""

    transcript_id: str
    at: datetime
    recorded_at: datetime
    channel: str
    title: str
    text: str
    place: Place
    category: str
    department: str
    assigned: str
    model_department: str
    confidence: float
    decision: str
    model: str
    override: dict[str, Any]
    state: str
    matter_id: str | None
    urgency: str = "normal"
    urgent_reasons: tuple[str, ...] = ()
    suggestion: dict[str, Any] | None = None
    decisions: tuple[StoredDecision, ...] = ()

    def as_call(self) -> Call:
        """What is compared with other calls."""
        text = spoken(self.text)
        return Call(self.transcript_id, text, self.at, self.title, self.place, self.department)


@dataclass(frozen=True, slots=True)
class CallQuery:
    """Which calls; `after` is (at, id) of the last one already read."""

    limit: int = 50
    department: str | None = None
    decision: str | None = None
    state: str | None = None
    rule: str | None = None
    matter_id: str | None = None
    urgency: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    after: tuple[datetime, str] | None = None
    ids: tuple[str, ...] = field(default=())


class HotlineStore:
    """Calls, journals and proposals of a store's database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def calls(self, query: CallQuery) -> list[StoredCall]:
        """Newest first."""
        statement = select(CallRow).order_by(CallRow.at.desc(), CallRow.transcript_id.desc())
        for column, value in (
            (CallRow.assigned, query.department),
            (CallRow.decision, query.decision),
            (CallRow.state, query.state),
            (CallRow.rule, query.rule),
            (CallRow.matter_id, query.matter_id),
        ):
            if value is not None:
                statement = statement.where(column == value)
        if query.urgency:
            statement = statement.where(CallRow.urgency.in_(query.urgency))
        if query.ids:
            statement = statement.where(CallRow.transcript_id.in_(query.ids))
        if query.since is not None:
            statement = statement.where(CallRow.at >= query.since)
        if query.until is not None:
            statement = statement.where(CallRow.at < query.until)
        if query.after is not None:
            at, last = query.after
            older = and_(CallRow.at == at, CallRow.transcript_id < last)
            statement = statement.where(or_(CallRow.at < at, older))
        with Session(self._engine) as session:
            return [_call(row) for row in session.scalars(statement.limit(query.limit))]

    def call(self, transcript_id: str) -> StoredCall | None:
        """One call with its suggestion and journal."""
        with Session(self._engine) as session:
            row = session.get(CallRow, transcript_id)
            if row is None:
                return None
            suggested = session.get(SuggestionRow, transcript_id)
            journal = session.scalars(
                select(DecisionRow)
                .where(DecisionRow.transcript_id == transcript_id)
                .order_by(DecisionRow.seq)
            )
            return _call(
                row,
                None if suggested is None else suggested.suggestion,
                tuple(map(_decision, journal)),
            )

    def proposals(
        self, *, state: str | None = None, call_id: str | None = None, limit: int = 100
    ) -> list[StoredProposal]:
        """Newest first; those of one call where `call_id` is given."""
        statement = select(ProposalRow).order_by(ProposalRow.id.desc()).limit(limit)
        if state is not None:
            statement = statement.where(ProposalRow.state == state)
        if call_id is not None:
            statement = statement.where(
                or_(ProposalRow.call_id == call_id, ProposalRow.other_id == call_id)
            )
        with Session(self._engine) as session:
            return [_proposal(row) for row in session.scalars(statement)]

    def proposal(self, proposal_id: int) -> StoredProposal | None:
        """One proposal."""
        with Session(self._engine) as session:
            row = session.get(ProposalRow, proposal_id)
            return None if row is None else _proposal(row)

    def judged_pairs(self) -> tuple[frozenset[Pair], frozenset[Pair]]:
        """Pairs that staff accepted, and those they rejected."""
        statement = select(ProposalRow.call_id, ProposalRow.other_id, ProposalRow.state).where(
            ProposalRow.state != "proposed"
        )
        with Session(self._engine) as session:
            rows = session.execute(statement).all()
        accepted = frozenset(pair_of(a, b) for a, b, state in rows if state == "accepted")
        return accepted, frozenset(pair_of(a, b) for a, b, state in rows if state == "rejected")

    def original(self, transcript_id: str) -> Sealed | None:
        """A call's sealed original, where it was kept."""
        with Session(self._engine) as session:
            row = session.get(OriginalRow, transcript_id)
            return None if row is None else Sealed(row.key_id, row.sealed)

    def original_reads(self, transcript_id: str) -> list[tuple[datetime, str, str, str]]:
        """Who asked for a call's original: at, by, reason, outcome."""
        statement = (
            select(OriginalReadRow)
            .where(OriginalReadRow.transcript_id == transcript_id)
            .order_by(OriginalReadRow.seq)
        )
        with Session(self._engine) as session:
            return [(r.at, r.by, r.reason, r.outcome) for r in session.scalars(statement)]

    def rule_counts(self) -> dict[str, int]:
        """How many stored calls each rule spoke for."""
        statement = (
            select(CallRow.rule, func.count())
            .where(CallRow.rule.is_not(None))
            .group_by(CallRow.rule)
        )
        with Session(self._engine) as session:
            return {str(rule): count for rule, count in session.execute(statement)}

    def between(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[StoredCall]:
        """Every call of a span with its journal, oldest first."""
        statement = select(CallRow).order_by(CallRow.at, CallRow.transcript_id)
        if since is not None:
            statement = statement.where(CallRow.at >= since)
        if until is not None:
            statement = statement.where(CallRow.at < until)
        with Session(self._engine) as session:
            for rows in session.scalars(statement).partitions(CHUNK):
                journal = _journal(session, [row.transcript_id for row in rows])
                for row in rows:
                    yield _call(row, None, tuple(journal.get(row.transcript_id, ())))


def _journal(session: Session, ids: Sequence[str]) -> dict[str, list[StoredDecision]]:
    found: dict[str, list[StoredDecision]] = {}
    for row in session.scalars(
        select(DecisionRow).where(DecisionRow.transcript_id.in_(ids)).order_by(DecisionRow.seq)
    ):
        found.setdefault(row.transcript_id, []).append(_decision(row))
    return found


def _call(
    row: CallRow,
    suggestion: dict[str, Any] | None = None,
    decisions: tuple[StoredDecision, ...] = (),
) -> StoredCall:
    place = row.place
    return StoredCall(
        transcript_id=row.transcript_id,
        at=row.at,
        recorded_at=row.recorded_at,
        channel=row.channel,
        title=row.title,
        text=row.text,
        place=Place(tuple(place["names"]), place["district"], place["grid"]),
        category=row.category,
        department=row.department,
        assigned=row.assigned,
        model_department=row.model_department,
        confidence=row.confidence,
        decision=row.decision,
        model=row.model,
        override=row.override,
        state=row.state,
        matter_id=row.matter_id,
        urgency=row.urgency,
        urgent_reasons=tuple(row.urgent_reasons),
        suggestion=suggestion,
        decisions=decisions,
    )


def _decision(row: DecisionRow) -> StoredDecision:
    return StoredDecision(
        seq=row.seq,
        transcript_id=row.transcript_id,
        at=row.at,
        by=row.by,
        role=row.role,
        action=row.action,
        department_from=row.department_from,
        department_to=row.department_to,
        reason=row.reason,
        model=row.model,
        model_department=row.model_department,
        confidence=row.confidence,
    )


def _proposal(row: ProposalRow) -> StoredProposal:
    return StoredProposal(
        id=row.id,
        call_id=row.call_id,
        other_id=row.other_id,
        kind=row.kind,
        score=row.score,
        reasons=tuple(row.reasons),
        state=row.state,
        proposed_at=row.proposed_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        decision_reason=row.decision_reason,
    )
