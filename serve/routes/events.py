"""`GET /v1/events`: the outbox, read with a cursor or listened to."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ...config.errors import BusyError
from ..delivery.events import cloud_event, wanted
from ..delivery.stream import MEDIA_TYPE, EventStream, StreamRules
from ..errors import GoneError, UnprocessableError
from ..records import EventPage, StoredEvent
from ..schemas import EventsAnswer
from ..services import Services, Use
from .common import answer, problems

router = APIRouter(tags=["events"])

MAX_SEQ = 2**63 - 1
FULL_RETRY_S = 5.0
Pattern = Annotated[str, Field(min_length=1, max_length=128)]


class Place(BaseModel):
    """Where to go on reading, and what to leave out."""

    model_config = ConfigDict(extra="forbid")

    after: int | None = Field(
        default=None,
        ge=0,
        le=MAX_SEQ,
        description="number of the last event already read; a stream without it begins with what "
        "comes next, a page with the oldest event kept",
    )
    limit: int = Field(default=100, ge=1, le=1_000, description="events read for one page")
    type: list[Pattern] = Field(
        default=[], max_length=32, description="patterns of types, such as `incident.*`; none: all"
    )
    camera_id: list[Pattern] = Field(
        default=[], max_length=1_000, description="only of these cameras; none: all"
    )

    def wants(self, event: StoredEvent) -> bool:
        return wanted(event, self.type or ("*",), self.camera_id)


@router.get(
    "/v1/events",
    summary="What happened to incidents and cameras, as CloudEvents in the order of storing",
    description="With `Accept: text/event-stream` the answer does not end: events are told as they "
    "are stored, after `Last-Event-ID` or `after`.",
    operation_id="listEvents",
    response_model=EventsAnswer,
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
        **problems(410, 422, 429, 503),
    },
)
async def list_events(
    services: Use,
    place: Annotated[Place, Query()],
    accept: Annotated[str, Header()] = "",
    last_event_id: Annotated[str | None, Header(max_length=32)] = None,
) -> Response:
    if MEDIA_TYPE in accept:
        return await _stream(services, place, last_event_id)
    after = place.after or 0
    page = await asyncio.to_thread(services.store.events, after, place.limit)
    _check_kept(after, page)
    last_read = page.events[-1].seq if page.events else after
    return answer(
        EventsAnswer(
            events=[cloud_event(event) for event in page.events if place.wants(event)],
            next_after=last_read,
            more=last_read < page.last,
            first_kept=page.first,
            last_kept=page.last,
        )
    )


async def _stream(services: Services, place: Place, last_event_id: str | None) -> Response:
    feed, settings = services.feed, services.settings
    after = place.after
    if last_event_id:
        after = _number(last_event_id)
    if after is None:
        after = feed.last
    else:
        _check_kept(after, await asyncio.to_thread(services.store.events, after, 1))
    if services.listeners >= settings.max_streams:
        raise BusyError(
            f"{services.listeners} listeners are connected, no more are taken",
            retry_after_s=FULL_RETRY_S,
            message_zh=f"事件流连接已达上限（{settings.max_streams}）",
        )
    services.listeners += 1

    def end() -> None:
        services.listeners -= 1

    rules = StreamRules(settings.stream_heartbeat_s, settings.stream_stall_s)
    return EventStream(feed, after, place.wants, rules, end)


def _number(last_event_id: str) -> int:
    if not (last_event_id.isascii() and last_event_id.isdigit()) or int(last_event_id) > MAX_SEQ:
        raise UnprocessableError(
            "Last-Event-ID: not the id of an event of this stream",
            message_zh="Last-Event-ID 不是本事件流的编号",
            code="bad_parameter",
        )
    return int(last_event_id)


def _check_kept(after: int, page: EventPage) -> None:
    if not 0 < after < page.first - 1:
        return
    raise GoneError(
        f"after: events {after + 1} to {page.first - 1} are no longer kept; read the incidents' "
        f"present state and go on with after={page.first - 1}",
        message_zh=f"事件 {after + 1} 至 {page.first - 1} 已超过保留期限，"
        f"请先读取事件现状，再从 after={page.first - 1} 继续",
        code="events_gone",
    )
