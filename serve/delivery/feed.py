"""The newest events in memory, and a bell for those who wait for more.

One look at the database serves everybody who listens, however many there are.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from itertools import takewhile

from ..records import StoredEvent
from ..store import Store

KEPT_EVENTS = 1_000
PAGE = 500


class Feed:
    """Belongs to one event loop; `look` is called again and again, and after each stored batch."""

    def __init__(self, store: Store, last: int) -> None:
        self.last = last
        self.closing = False
        self._store = store
        self._kept: deque[StoredEvent] = deque(maxlen=KEPT_EVENTS)
        # Everything after this number that exists is in `_kept`.
        self._kept_after = last
        self._bell = asyncio.Event()
        self._nudged = asyncio.Event()

    def nudge(self) -> None:
        """Something may have been stored; called in the event loop."""
        self._nudged.set()

    def close(self) -> None:
        """The service stops: wake everybody who waits, for the last time."""
        self.closing = True
        self._ring()

    async def watch(self, every_s: float) -> None:
        """Look now and after each nudge, at the latest every so often."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._nudged.wait(), every_s)
        self._nudged.clear()
        while True:
            page = await asyncio.to_thread(self._store.events, self.last, PAGE)
            for event in page.events:
                if len(self._kept) == KEPT_EVENTS:
                    self._kept_after = self._kept[0].seq
                self._kept.append(event)
                self.last = event.seq
            if page.events:
                self._ring()
            if len(page.events) < PAGE:
                return

    async def beyond(self, after: int) -> None:
        """Wait until there is an event after this number, or the service stops."""
        while self.last <= after and not self.closing:
            await self._bell.wait()

    async def read(self, after: int, limit: int) -> list[StoredEvent]:
        """Events after a number, oldest first; from memory where they are still there."""
        if after < self._kept_after:
            page = await asyncio.to_thread(self._store.events, after, limit)
            return list(page.events)
        if after >= self.last:
            return []
        newer = takewhile(lambda event: event.seq > after, reversed(self._kept))
        return list(newer)[::-1][:limit]

    async def lost_after(self, after: int) -> int:
        """How many events after a place are no longer kept."""
        page = await asyncio.to_thread(self._store.events, after, 1)
        return max(0, page.first - 1 - after) if after else 0

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()
