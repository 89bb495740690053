"""`/v1/matters/proposals` and `/v1/hot-issues`: what may be one matter, and what is hot."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ...nlp.mask import mask_personal_data
from ...nlp.matter.hot import FORMULA_ZH
from ..errors import NotFoundError
from ..hotline_changes import MatterChange
from ..hotline_schemas import HotIssuesAnswer, JudgementIn, ProposalOut, ProposalsAnswer
from ..hotline_views import hot_view, proposal_view
from ..services import Use
from .calls import texts_of
from .common import answer, problems

router = APIRouter(tags=["matters"])


class Wanted(BaseModel):
    """Query parameters of the listing."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["proposed", "accepted", "rejected"] | None = "proposed"
    limit: int = Field(default=100, ge=1, le=500)


class Day(BaseModel):
    """Which day, in the city's time zone; today without one."""

    model_config = ConfigDict(extra="forbid")

    day: date | None = None
    limit: int = Field(default=10, ge=1, le=100)


@router.get(
    "/v1/matters/proposals",
    summary="Pairs of calls that may be one matter, newest first",
    operation_id="listProposals",
    response_model=ProposalsAnswer,
    responses=problems(422, 503),
)
async def list_proposals(services: Use, wanted: Annotated[Wanted, Query()]) -> Response:
    hotline = services.need_hotline()
    found = await asyncio.to_thread(
        lambda: hotline.store.proposals(state=wanted.state, limit=wanted.limit)
    )
    texts = await texts_of(hotline, {pair.other_id for pair in found})
    return answer(ProposalsAnswer(proposals=[proposal_view(pair, texts) for pair in found]))


@router.post(
    "/v1/matters/proposals/{proposal_id}:decide",
    summary="Accept a proposal (the calls become one matter) or reject it; may be changed later",
    operation_id="decideProposal",
    response_model=ProposalOut,
    responses=problems(404, 422, 503),
)
async def decide(services: Use, proposal_id: int, said: JudgementIn) -> Response:
    hotline = services.need_hotline()
    if await asyncio.to_thread(hotline.store.proposal, proposal_id) is None:
        raise NotFoundError(
            f"no proposal {proposal_id}",
            message_zh=f"没有编号为 {proposal_id} 的合并建议",
            code="unknown_proposal",
        )
    state: Literal["accepted", "rejected"] = "accepted" if said.accept else "rejected"
    reason = mask_personal_data(said.reason.strip()).text
    await services.write(MatterChange(proposal_id, state, services.now(), said.by, reason))
    services.metrics.matter_judgements.labels(state).inc()
    hotline.desk.changed()
    found = await asyncio.to_thread(hotline.store.proposal, proposal_id)
    assert found is not None
    return answer(proposal_view(found, await texts_of(hotline, {found.other_id})))


@router.get(
    "/v1/hot-issues",
    summary="What many called about on a day, hottest first",
    operation_id="listHotIssues",
    response_model=HotIssuesAnswer,
    responses=problems(422, 503),
)
async def list_hot_issues(services: Use, asked: Annotated[Day, Query()]) -> Response:
    hotline = services.need_hotline()
    day = asked.day or hotline.desk.today(services.now())
    found = await asyncio.to_thread(hotline.desk.hot, day, asked.limit)
    return answer(
        HotIssuesAnswer(
            day=day,
            timezone=services.settings.hotline_timezone,
            formula=FORMULA_ZH,
            issues=[hot_view(issue, hotline.departments) for issue in found],
        )
    )
