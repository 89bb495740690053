"""Work done again and again beside the requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

log = logging.getLogger(__name__)


async def repeat(what: str, every_s: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` every so often, for ever; when it fails, that is logged and the next turn comes."""
    while True:
        await asyncio.sleep(every_s)
        try:
            await work()
        except Exception:  # whatever it is, the service goes on and the next turn may succeed
            log.exception("%s failed", what)


async def cancel(task: asyncio.Task[Any]) -> None:
    """Stop a task and wait until it has stopped."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
