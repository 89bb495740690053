"""Writing the hotline's changes within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from .hotline_changes import (
    CallChange,
    CloseChange,
    EmbeddingsChange,
    FeedbackChange,
    HotlineChange,
    MatterChange,
    OriginalReadChange,
    PruneCalls,
)
from .tables import SuggestionRow
from .tables_hotline import (
    CallRow,
    DecisionRow,
    EmbeddingRow,
    OriginalReadRow,
    OriginalRow,
    ProposalRow,
)


def write_hotline(session: Session, change: HotlineChange, recorded_at: datetime) -> None:
    """Add one change to the session's transaction. What refers to a call that is no longer there
    changes nothing: a retention run may pass between the question and the write."""
    if isinstance(change, CallChange):
        _write_call(session, change, recorded_at)
    elif isinstance(change, EmbeddingsChange):
        _write_embeddings(session, change)
    elif isinstance(change, FeedbackChange):
        _write_feedback(session, change)
    elif isinstance(change, CloseChange):
        session.execute(
            update(CallRow)
            .where(CallRow.transcript_id == change.transcript_id)
            .values(state=change.state)
        )
    elif isinstance(change, MatterChange):
        _write_matter(session, change)
    elif isinstance(change, OriginalReadChange):
        session.add(OriginalReadRow(**asdict(change)))
    else:
        _prune(session, change)


def _write_call(session: Session, change: CallChange, recorded_at: datetime) -> None:
    known = session.get(CallRow, change.transcript_id)
    handled = known is not None and _is_handled(session, change.transcript_id)
    session.merge(
        CallRow(
            transcript_id=change.transcript_id,
            at=change.at,
            recorded_at=recorded_at,
            channel=change.channel,
            title=change.title,
            text=change.text,
            place=asdict(change.place),
            category=change.category,
            department=change.department,
            # A call that is sent again goes on where staff have put it.
            assigned=known.assigned if known is not None and handled else change.department,
            model_department=change.model_department,
            confidence=change.confidence,
            decision=change.decision,
            model=change.model,
            rule=change.override.get("rule"),
            override=change.override,
            state=known.state if known is not None else "open",
            matter_id=known.matter_id if known is not None else None,
            urgency=change.urgency,
            urgent_reasons=list(change.urgent_reasons),
        )
    )
    session.merge(
        SuggestionRow(
            transcript_id=change.transcript_id,
            channel=change.channel,
            received_at=change.received_at,
            recorded_at=recorded_at,
            decision=change.decision,
            department=change.department,
            model=change.model,
            suggestion=change.suggestion,
        )
    )
    session.flush()
    _write_embedding(session, change)
    if change.sealed is not None:
        session.merge(
            OriginalRow(
                transcript_id=change.transcript_id,
                key_id=change.sealed.key_id,
                sealed=change.sealed.data,
                recorded_at=recorded_at,
            )
        )
    for pair in change.proposals:
        if not _pair_known(session, pair.call_id, pair.other_id):
            session.add(
                ProposalRow(
                    call_id=pair.call_id,
                    other_id=pair.other_id,
                    kind=pair.kind,
                    score=pair.score,
                    reasons=list(pair.reasons),
                    state="proposed",
                    proposed_at=recorded_at,
                )
            )
            session.flush()


def _write_embedding(session: Session, change: CallChange) -> None:
    if change.embedding is not None:
        row = EmbeddingRow(
            transcript_id=change.transcript_id, model=change.model, vector=change.embedding
        )
        session.merge(row)
    elif (old := session.get(EmbeddingRow, change.transcript_id)) is not None:
        # It is of the words that stood here before.
        session.delete(old)


def _write_embeddings(session: Session, change: EmbeddingsChange) -> None:
    for transcript_id, vector in change.vectors:
        if session.get(CallRow, transcript_id) is not None:
            session.merge(
                EmbeddingRow(transcript_id=transcript_id, model=change.model, vector=vector)
            )


def _is_handled(session: Session, transcript_id: str) -> bool:
    found = session.scalar(
        select(DecisionRow.seq).where(DecisionRow.transcript_id == transcript_id).limit(1)
    )
    return found is not None


def _pair_known(session: Session, a: str, b: str) -> bool:
    """A pair is proposed once, in whichever order: what was rejected does not come back."""
    both = or_(
        (ProposalRow.call_id == a) & (ProposalRow.other_id == b),
        (ProposalRow.call_id == b) & (ProposalRow.other_id == a),
    )
    return session.scalar(select(ProposalRow.id).where(both).limit(1)) is not None


def _write_feedback(session: Session, change: FeedbackChange) -> None:
    call = session.get(CallRow, change.transcript_id)
    if call is None:
        return
    session.add(
        DecisionRow(
            transcript_id=change.transcript_id,
            at=change.at,
            by=change.by,
            role=change.role,
            action=change.action,
            department_from=call.assigned,
            department_to=change.department_to,
            reason=change.reason,
            model=call.model,
            model_department=call.model_department,
            confidence=call.confidence,
        )
    )
    call.assigned = change.department_to


def _write_matter(session: Session, change: MatterChange) -> None:
    proposal = session.get(ProposalRow, change.proposal_id)
    if proposal is None:
        return
    proposal.state = change.state
    proposal.decided_at = change.at
    proposal.decided_by = change.by
    proposal.decision_reason = change.reason
    session.flush()
    for start in (proposal.call_id, proposal.other_id):
        _regroup(session, start)


def _regroup(session: Session, start: str) -> None:
    """A matter is what accepted proposals hold together; it is named after its earliest call."""
    seen, edge = {start}, [start]
    while edge:
        pairs = session.execute(
            select(ProposalRow.call_id, ProposalRow.other_id).where(
                ProposalRow.state == "accepted",
                or_(ProposalRow.call_id.in_(edge), ProposalRow.other_id.in_(edge)),
            )
        ).all()
        edge = sorted({call_id for pair in pairs for call_id in pair} - seen)
        seen.update(edge)
    calls = _calls(session, sorted(seen))
    name = calls[0].transcript_id if len(calls) > 1 else None
    for call in calls:
        call.matter_id = name


def _calls(session: Session, ids: Sequence[str]) -> list[CallRow]:
    found = session.scalars(
        select(CallRow)
        .where(CallRow.transcript_id.in_(ids))
        .order_by(CallRow.at, CallRow.transcript_id)
    )
    return list(found)


def _prune(session: Session, change: PruneCalls) -> None:
    old = select(CallRow.transcript_id).where(CallRow.recorded_at < change.before)
    for table, column in (
        (OriginalRow, OriginalRow.transcript_id),
        (EmbeddingRow, EmbeddingRow.transcript_id),
        (SuggestionRow, SuggestionRow.transcript_id),
        (ProposalRow, ProposalRow.call_id),
        (ProposalRow, ProposalRow.other_id),
    ):
        session.execute(
            delete(table).where(column.in_(old)).execution_options(synchronize_session=False)
        )
    session.execute(
        delete(CallRow)
        .where(CallRow.recorded_at < change.before)
        .execution_options(synchronize_session=False)
    )
