"""`/v1/webhooks`: how far each receiver is, and what it would not take."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from ..delivery.parcel import Parcel
from ..errors import NotFoundError
from ..services import Services, Use
from .common import answer, problems

router = APIRouter(tags=["events"])


class ReceiverOut(BaseModel):
    """One receiver. `behind` events were stored after the last one that is settled."""

    sink: str
    away: bool
    after: int
    behind: int
    waiting: int
    dead: int


class ReceiversAnswer(BaseModel):
    """Every receiver in the settings."""

    receivers: list[ReceiverOut]


class DeadOut(BaseModel):
    """An event that a receiver refused until the bound."""

    seq: int
    tries: int
    first_failed_at: datetime | None
    error: str
    event: dict[str, Any]


class DeadAnswer(BaseModel):
    """Oldest first, at most 1,000."""

    dead: list[DeadOut]


class ReplayAnswer(BaseModel):
    """How many dead events wait again."""

    replayed: int


@router.get(
    "/v1/webhooks",
    summary="Receivers of events, and how far each is",
    operation_id="listReceivers",
    response_model=ReceiversAnswer,
    responses=problems(503),
)
async def list_receivers(services: Use) -> Response:
    states = {s.sink: s for s in await asyncio.to_thread(services.delivery.ledger.states)}
    return answer(
        ReceiversAnswer(
            receivers=[
                ReceiverOut(
                    sink=name,
                    away=courier.stats.away,
                    after=state.after,
                    behind=max(0, services.feed.last - state.after),
                    waiting=state.waiting,
                    dead=state.dead,
                )
                for courier in services.delivery.couriers
                if (state := states.get(name := courier.sink.name)) is not None
            ]
        )
    )


@router.get(
    "/v1/webhooks/{sink}/dead",
    summary="Events that a receiver would not take",
    operation_id="listDeadEvents",
    response_model=DeadAnswer,
    responses=problems(404, 503),
)
async def list_dead(services: Use, sink: str) -> Response:
    _check(services, sink)
    found = await asyncio.to_thread(services.delivery.ledger.dead, sink)
    return answer(DeadAnswer(dead=[_dead(parcel) for _, parcel in found]))


@router.post(
    "/v1/webhooks/{sink}:replay",
    summary="Deliver dead events again: all, or those numbered",
    operation_id="replayDeadEvents",
    response_model=ReplayAnswer,
    responses=problems(404, 422, 503),
)
async def replay(
    services: Use, sink: str, seq: Annotated[list[int] | None, Query(max_length=1_000)] = None
) -> Response:
    _check(services, sink)
    count = await asyncio.to_thread(services.delivery.ledger.replay, sink, seq, services.now())
    return answer(ReplayAnswer(replayed=count))


def _check(services: Services, sink: str) -> None:
    if sink not in {courier.sink.name for courier in services.delivery.couriers}:
        raise NotFoundError(
            f"no receiver {sink!r}", message_zh=f"没有这个接收方：{sink}", code="no_receiver"
        )


def _dead(parcel: Parcel) -> DeadOut:
    return DeadOut(
        seq=parcel.seq,
        tries=parcel.tries,
        first_failed_at=parcel.first_failed_at,
        error=parcel.error,
        event=parcel.event,
    )
