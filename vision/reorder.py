"""Frames that overtake each other on the way are put back in order before the engine."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta
from typing import Generic, TypeVar

Item = TypeVar("Item")


class ReorderBuffer(Generic[Item]):
    """Holds items back until none that is older by up to `reorder_s` can still come.

    Every item leaves exactly once. What comes later than that leaves at once, for the engine to
    call it late; of two at the same time the first to come leaves first. Costs a delay of
    `reorder_s` of media time.

    Args:
        reorder_s: seconds of media time; 0 lets everything through as it comes.
    """

    def __init__(self, reorder_s: float) -> None:
        self._reorder = timedelta(seconds=reorder_s)
        self._held: list[tuple[datetime, int, Item]] = []
        self._count = 0
        self._newest: datetime | None = None

    def __len__(self) -> int:
        return len(self._held)

    def push(self, ts: datetime, item: Item) -> list[Item]:
        """Take an item of media time `ts`; returns those whose turn has come, in order."""
        if self._newest is None or ts > self._newest:
            self._newest = ts
        heapq.heappush(self._held, (ts, self._count, item))
        self._count += 1
        released: list[Item] = []
        while self._held and self._held[0][0] <= self._newest - self._reorder:
            released.append(heapq.heappop(self._held)[2])
        return released

    def flush(self) -> list[Item]:
        """Everything still held, in order: the source has ended."""
        rest = [item for _, _, item in sorted(self._held, key=lambda entry: entry[:2])]
        self._held = []
        return rest
