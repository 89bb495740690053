"""Work that runs to its end, even when whoever waits for it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

ResultT = TypeVar("ResultT")


class Finisher:
    """`asyncio.shield` with a memory: the event loop itself holds tasks only weakly, and a service
    that stops must wait for those that nobody awaits any more."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Await `work`; a cancelled caller leaves, the work goes on."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def drain(self) -> None:
        """Wait until everything begun has ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)
