"""The batcher's bounded queue: what waits, for whom, and until when."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..config.errors import InputError

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Sizes in items and bytes; `stall_s` is how long one batch may take before its worker is
    given up for hung."""

    max_batch: int = 32
    max_batch_bytes: int = 64 * 1024 * 1024
    max_queue: int = 512
    max_queue_bytes: int = 256 * 1024 * 1024
    stall_s: float = 60.0


@dataclass(slots=True, eq=False)
class Ticket(Generic[R]):
    """One submission, and the answers it has so far by the item's place in it."""

    future: asyncio.Future[list[R | Exception]]
    wanted: int
    answers: dict[int, R | Exception]

    def answer(self, index: int, result: R | Exception) -> None:
        """Note one answer; the first for a place counts, the last one wakes the caller."""
        self.answers.setdefault(index, result)
        if len(self.answers) == self.wanted and not self.future.done():
            self.future.set_result([self.answers[i] for i in range(self.wanted)])


@dataclass(slots=True, eq=False)
class Entry(Generic[T, R]):
    """One waiting item; `deadline` and `queued_at` are the batcher's clock."""

    item: T
    size: int
    deadline: float | None
    queued_at: float
    ticket: Ticket[R]
    index: int


class BatchQueue(Generic[T, R]):
    """First come, first served, bounded by items and bytes. Not locked: the batcher does that."""

    def __init__(self, limits: BatchLimits) -> None:
        self._limits = limits
        self._entries: deque[Entry[T, R]] = deque()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def check(self, count: int, total_bytes: int) -> None:
        """Refuse what could not even fit into the empty queue.

        Raises:
            InputError: code `exceeds_queue`.
        """
        if count > self._limits.max_queue or total_bytes > self._limits.max_queue_bytes:
            raise InputError(
                f"{count} items of {total_bytes} bytes are more than the queue ever holds",
                message_zh=f"一次提交 {count} 项（{total_bytes} 字节），超过队列容量",
                code="exceeds_queue",
            )

    def fits(self, count: int, total_bytes: int) -> bool:
        """Whether there is room now."""
        return (
            len(self._entries) + count <= self._limits.max_queue
            and self.size_bytes + total_bytes <= self._limits.max_queue_bytes
        )

    def put(
        self,
        items: Sequence[T],
        sizes: Sequence[int],
        deadline: float | None,
        now: float,
        ticket: Ticket[R],
    ) -> None:
        """Append all items of one submission."""
        self._entries.extend(
            Entry(item, size, deadline, now, ticket, index)
            for index, (item, size) in enumerate(zip(items, sizes, strict=True))
        )
        self.size_bytes += sum(sizes)

    def take(self, now: float) -> tuple[list[Entry[T, R]], list[Entry[T, R]]]:
        """The next batch, and the items before its end whose deadline has passed."""
        batch: list[Entry[T, R]] = []
        expired: list[Entry[T, R]] = []
        batch_bytes = 0
        while self._entries and len(batch) < self._limits.max_batch:
            entry = self._entries[0]
            if batch and batch_bytes + entry.size > self._limits.max_batch_bytes:
                break
            self._entries.popleft()
            self.size_bytes -= entry.size
            if entry.deadline is not None and now > entry.deadline:
                expired.append(entry)
            else:
                batch.append(entry)
                batch_bytes += entry.size
        return batch, expired

    def withdraw(self, ticket: Ticket[R]) -> int:
        """Remove a submission's waiting items; how many there were."""
        before = len(self._entries)
        self._entries = deque(entry for entry in self._entries if entry.ticket is not ticket)
        self.size_bytes = sum(entry.size for entry in self._entries)
        return before - len(self._entries)

    def clear(self) -> list[Entry[T, R]]:
        """Remove and return everything."""
        entries = list(self._entries)
        self._entries.clear()
        self.size_bytes = 0
        return entries
