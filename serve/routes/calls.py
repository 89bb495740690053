"""`/v1/transcripts`: stored calls, their state, and the guarded door to originals."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ...config.errors import InputError
from ..errors import ForbiddenError, NotFoundError, UnprocessableError
from ..hotline_changes import CloseChange, OriginalReadChange
from ..hotline_intake import shown
from ..hotline_schemas import (
    CallOut,
    CallPage,
    OriginalOut,
    ProposalOut,
    ReadingEntry,
    ReadingIn,
    ReadingsAnswer,
    StateIn,
)
from ..hotline_service import HotlineService
from ..hotline_store import CallQuery, StoredCall
from ..hotline_vault import may_read
from ..hotline_views import call_view, proposal_view, similar_view
from ..moments import parse_moment
from ..services import Use
from .common import answer, problems
from .incidents import read_cursor, write_cursor

router = APIRouter(tags=["transcripts"])


URGENT: dict[str | None, tuple[str, ...]] = {
    None: (),
    "urgent": ("urgent", "critical"),
    "critical": ("critical",),
}


class Filters(BaseModel):
    """Query parameters of the listing. Times are RFC 3339 with offset."""

    model_config = ConfigDict(extra="forbid")

    department: str | None = Field(default=None, max_length=64, description="where it is now")
    decision: Literal["auto", "suggest", "human"] | None = None
    state: Literal["open", "closed"] | None = None
    rule: str | None = Field(default=None, max_length=64)
    matter_id: str | None = Field(default=None, max_length=128)
    urgency: Literal["critical", "urgent"] | None = Field(
        default=None, description="at least so urgent"
    )
    since: str | None = Field(default=None, description="came in at or after this time")
    until: str | None = Field(default=None, description="came in before this time")
    limit: int = Field(default=50, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=512)


@router.get(
    "/v1/transcripts",
    summary="Calls, newest first, masked",
    operation_id="listTranscripts",
    response_model=CallPage,
    responses=problems(422, 503),
)
async def list_calls(services: Use, filters: Annotated[Filters, Query()]) -> Response:
    hotline = services.need_hotline()
    query = CallQuery(
        limit=filters.limit + 1,
        department=filters.department,
        decision=filters.decision,
        state=filters.state,
        rule=filters.rule,
        matter_id=filters.matter_id,
        urgency=URGENT[filters.urgency],
        since=None if filters.since is None else _moment(filters.since, "since"),
        until=None if filters.until is None else _moment(filters.until, "until"),
        after=None if filters.cursor is None else read_cursor(filters.cursor),
    )
    calls = await asyncio.to_thread(hotline.store.calls, query)
    page = CallPage(items=[call_view(c, hotline.departments) for c in calls[: filters.limit]])
    if len(calls) > filters.limit:
        last = calls[filters.limit - 1]
        page.next_cursor = write_cursor(last.at, last.transcript_id)
    return answer(page)


@router.get(
    "/v1/transcripts/{transcript_id}",
    summary="One call with its suggestion, proposals and journal",
    operation_id="getTranscript",
    response_model=CallOut,
    responses=problems(404, 503),
)
async def get_call(services: Use, transcript_id: str) -> Response:
    hotline = services.need_hotline()
    return answer(await whole_call(hotline, transcript_id))


@router.put(
    "/v1/transcripts/{transcript_id}/state",
    summary="Close a call, or open it again; closed ones get no more proposals",
    operation_id="setTranscriptState",
    response_model=CallOut,
    responses=problems(404, 422, 503),
)
async def set_state(services: Use, transcript_id: str, wanted: StateIn) -> Response:
    hotline = services.need_hotline()
    call = await need_call(hotline, transcript_id)
    await services.write(CloseChange(transcript_id, wanted.state))
    if wanted.state == "closed":
        hotline.desk.forget(transcript_id)
    else:
        await asyncio.to_thread(hotline.desk.remember, call.as_call())
    return answer(await whole_call(hotline, transcript_id))


@router.post(
    "/v1/transcripts/{transcript_id}/original:read",
    summary="The unmasked words, for a named person and a reason; every question is journalled",
    operation_id="readOriginal",
    response_model=OriginalOut,
    responses=problems(403, 404, 422, 503),
)
async def read_original(services: Use, transcript_id: str, asked: ReadingIn) -> Response:
    hotline = services.need_hotline()
    await need_call(hotline, transcript_id)
    sealed = await asyncio.to_thread(hotline.store.original, transcript_id)
    refusal: ForbiddenError | NotFoundError | None = None
    try:
        may_read(asked.by, asked.reason)
    except ForbiddenError as error:
        refusal = error
    if refusal is None and (sealed is None or hotline.vault is None):
        refusal = NotFoundError(
            "no original of this call is kept",
            message_zh="该来电未保存原文",
            code="no_original",
        )
    # Noted before anything is shown: what is not journalled is not read.
    await services.write(
        OriginalReadChange(
            transcript_id,
            services.now(),
            asked.by,
            asked.reason,
            "given" if refusal is None else refusal.code,
        )
    )
    if refusal is not None:
        raise refusal
    assert sealed is not None
    assert hotline.vault is not None
    original = hotline.vault.unseal(transcript_id, sealed)
    return answer(OriginalOut(id=transcript_id, title=original.title, text=original.text))


@router.get(
    "/v1/transcripts/{transcript_id}/original:reads",
    summary="Who asked for the unmasked words, when and why",
    operation_id="listOriginalReads",
    response_model=ReadingsAnswer,
    responses=problems(503),
)
async def list_reads(services: Use, transcript_id: str) -> Response:
    hotline = services.need_hotline()
    reads = await asyncio.to_thread(hotline.store.original_reads, transcript_id)
    return answer(
        ReadingsAnswer(
            reads=[
                ReadingEntry(at=at, by=by, reason=reason, outcome=outcome)
                for at, by, reason, outcome in reads
            ]
        )
    )


async def need_call(hotline: HotlineService, transcript_id: str) -> StoredCall:
    """Raises NotFoundError when there is no such call."""
    call = await asyncio.to_thread(hotline.store.call, transcript_id)
    if call is None:
        raise NotFoundError(
            f"no call {transcript_id[:64]!r}",
            message_zh=f"没有来电 {transcript_id[:64]}",
            code="unknown_transcript",
        )
    return call


async def whole_call(hotline: HotlineService, transcript_id: str) -> CallOut:
    """A call as its page shows it."""
    call = await need_call(hotline, transcript_id)
    found = await asyncio.to_thread(hotline.store.proposals, call_id=transcript_id)
    ids = {call_id for pair in found for call_id in (pair.call_id, pair.other_id)}
    texts = await texts_of(hotline, ids)
    proposals: list[ProposalOut] = [proposal_view(pair, texts, transcript_id) for pair in found]
    near = await asyncio.to_thread(hotline.similar_to, transcript_id)
    similar = [similar_view(past, hotline.departments) for past in near]
    return call_view(call, hotline.departments, proposals, similar, whole=True)


async def texts_of(hotline: HotlineService, ids: set[str]) -> dict[str, str]:
    """One line of each call."""
    if not ids:
        return {}
    query = CallQuery(limit=len(ids), ids=tuple(sorted(ids)))
    calls = await asyncio.to_thread(hotline.store.calls, query)
    return {call.transcript_id: shown(call.title, call.text) for call in calls}


def _moment(text: str, field: str) -> datetime:
    try:
        return parse_moment(text, field)
    except InputError as error:
        raise UnprocessableError(str(error), message_zh=error.message_zh, code="bad_ts") from None
