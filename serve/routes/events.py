"""`GET /v1/events`: the outbox, read with a cursor."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ..errors import GoneError
from ..records import EventPage, StoredEvent
from ..schemas import EventOut, EventsAnswer
from ..services import Use
from .common import answer, problems

router = APIRouter(tags=["events"])

# The longest a signed 64-bit key gets, so that the order of the texts is that of the numbers.
SEQUENCE_DIGITS = 19


class Place(BaseModel):
    """Where to go on reading."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(
        default=0, ge=0, le=2**63 - 1, description="number of the last event already read"
    )
    limit: int = Field(default=100, ge=1, le=1_000)


@router.get(
    "/v1/events",
    summary="What happened to incidents and cameras, as CloudEvents in the order of storing",
    operation_id="listEvents",
    response_model=EventsAnswer,
    responses=problems(410, 422, 503),
)
async def list_events(services: Use, place: Annotated[Place, Query()]) -> Response:
    page = await asyncio.to_thread(services.store.events, place.after, place.limit)
    if 0 < place.after < page.first - 1:
        raise _gone(place.after, page)
    last_read = page.events[-1].seq if page.events else place.after
    return answer(
        EventsAnswer(
            events=[_event(event) for event in page.events],
            next_after=last_read,
            more=last_read < page.last,
            first_kept=page.first,
            last_kept=page.last,
        )
    )


def _event(event: StoredEvent) -> EventOut:
    return EventOut(
        id=event.id,
        type=event.type,
        source=event.source,
        subject=event.subject,
        time=event.time,
        sequence=f"{event.seq:0{SEQUENCE_DIGITS}}",
        data=event.data,
    )


def _gone(after: int, page: EventPage) -> GoneError:
    return GoneError(
        f"after: events {after + 1} to {page.first - 1} are no longer kept; read the incidents' "
        f"present state and go on with after={page.first - 1}",
        message_zh=f"事件 {after + 1} 至 {page.first - 1} 已超过保留期限，"
        f"请先读取事件现状，再从 after={page.first - 1} 继续",
        code="events_gone",
    )
