"""Server-sent events: one open answer for each listener, and no thread or queue for any of them.

A listener is only a place in the order of events. One that reads slowly is sent nothing until it
has read, and is dropped when that takes too long; it comes back with `Last-Event-ID`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..records import StoredEvent
from .events import SEQUENCE_DIGITS, cloud_event
from .feed import Feed

MEDIA_TYPE = "text/event-stream"
PAGE = 100
RETRY_MS = 2_000


@dataclass(frozen=True, slots=True)
class StreamRules:
    """How often an idle listener is shown that the line is alive, and how long a slow one may keep
    us from sending."""

    heartbeat_s: float = 15.0
    stall_s: float = 30.0


class EventStream(Response):
    """Events after a place, as long as the listener stays and the service runs."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        feed: Feed,
        after: int,
        wants: Callable[[StoredEvent], bool],
        rules: StreamRules,
        on_end: Callable[[], None],
    ) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._feed = feed
        self._after = after
        self._wants = wants
        self._rules = rules
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
            await send(start)
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b""})
                return
            telling = asyncio.ensure_future(self._tell(send))
            leaving = asyncio.ensure_future(_left(receive))
            try:
                await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
                telling.cancel()
                with suppress(asyncio.CancelledError, OSError):
                    await telling
        finally:
            self._on_end()

    async def _tell(self, send: Send) -> None:
        async def out(text: str, more: bool = True) -> None:
            async with asyncio.timeout(self._rules.stall_s):
                body = text.encode()
                await send({"type": "http.response.body", "body": body, "more_body": more})

        await out(f"retry: {RETRY_MS}\n\n")
        while not self._feed.closing:
            events = await self._feed.read(self._after, PAGE)
            if events:
                self._after = events[-1].seq
                for event in filter(self._wants, events):
                    # One by one: what waits for a slow listener stays small.
                    await out(message(event))
                continue
            try:
                await asyncio.wait_for(self._feed.beyond(self._after), self._rules.heartbeat_s)
            except TimeoutError:
                # The id lets a listener whose filters fit nothing come back to here all the same.
                await out(f": alive\nid: {self._after:0{SEQUENCE_DIGITS}}\n\n")
        await out(": the service stops\n\n", more=False)


def message(event: StoredEvent) -> str:
    """One event of a stream; its id is its number, for `Last-Event-ID`."""
    data = cloud_event(event)
    return f"id: {data.sequence}\nevent: {data.type}\ndata: {data.model_dump_json()}\n\n"


async def _left(receive: Receive) -> None:
    """Until the listener has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
