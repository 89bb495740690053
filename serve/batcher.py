"""Merge items of many callers into batches for a worker thread.

Usable alone: it knows asyncio and threads, nothing of HTTP or models.

    batcher = Batcher("squares", lambda: lambda numbers: [n * n for n in numbers])
    await batcher.start()
    assert await batcher.submit([3, 4]) == [9, 16]
    await batcher.close()

How it behaves:

- A lone item starts at once; batches form only from what arrives while the worker is busy.
- The queue is bounded by items and by bytes. A submission that does not fit whole is refused
  whole (`BusyError` with a wait computed from the measured throughput), so that its caller can
  simply send it again.
- An item whose deadline passed before its turn is answered with `ExpiredError`, unworked.
- A cancelled caller's waiting items leave the queue at once; its running items are finished and
  their results dropped.
- When the batch function raises, the batch is halved until only the item that cannot be worked
  on fails with that exception.
- When the worker itself dies or hangs, its items fail with `WorkerDiedError`, the batcher says
  that it is not ready, and a new worker is opened, after a growing pause where opening fails.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from ..config.errors import BusyError, ExpiredError
from .batch_queue import BatchLimits, BatchQueue, Entry, Ticket
from .errors import UnavailableError, WorkerDiedError

__all__ = ["BatchLimits", "BatchReport", "Batcher", "BatcherStats", "RunBatch"]

T = TypeVar("T")
R = TypeVar("R")
RunBatch = Callable[[list[T]], Sequence[R | Exception]]

log = logging.getLogger(__name__)

RATE_WEIGHT = 0.2
WATCH_S = 0.1
FIRST_RETRY_S = 0.5
LAST_RETRY_S = 30.0


@dataclass(frozen=True, slots=True)
class BatchReport:
    """One finished batch: its items, how long the oldest waited and how long the work took."""

    size: int
    wait_s: float
    run_s: float


@dataclass(slots=True)
class BatcherStats:
    """Counts of items since the start; `items_per_s` is one worker's recent throughput."""

    batches: int = 0
    items: int = 0
    failed: int = 0
    expired: int = 0
    cancelled: int = 0
    refused: int = 0
    restarts: int = 0
    largest_batch: int = 0
    items_per_s: float = 0.0


@dataclass(slots=True, eq=False)
class _Worker(Generic[T, R]):
    opened: bool = False
    retired: bool = False
    busy_since: float | None = None
    batch: list[Entry[T, R]] = field(default_factory=list)


class Batcher(Generic[T, R]):
    """See the module's text. `start`, `submit` and `close` belong to one event loop."""

    def __init__(
        self,
        name: str,
        open_run: Callable[[], RunBatch[T, R]],
        *,
        limits: BatchLimits | None = None,
        workers: int = 1,
        on_batch: Callable[[BatchReport], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`open_run` is called in each worker thread, and again after a death: it loads what the
        work needs and returns the batch function, which gives one result or exception an item.
        `on_batch` is called in the event loop."""
        self.name = name
        self.limits = limits or BatchLimits()
        self.stats = BatcherStats()
        self._open_run = open_run
        self._wanted = workers
        self._on_batch = on_batch
        self._clock = clock
        self._queue: BatchQueue[T, R] = BatchQueue(self.limits)
        self._changed = threading.Condition()
        self._workers: list[_Worker[T, R]] = []
        self._closing = False
        self._broken = False
        self._retry_s = FIRST_RETRY_S
        self._idle = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether an item submitted now would be worked on."""
        with self._changed:
            takes_work = not (self._closing or self._broken)
            return takes_work and any(w.opened and not w.retired for w in self._workers)

    @property
    def queued(self) -> int:
        """Items waiting."""
        return len(self._queue)

    @property
    def queued_bytes(self) -> int:
        """Bytes waiting."""
        return self._queue.size_bytes

    def wait_s(self) -> float:
        """Seconds until what is here now will be done, by the throughput measured so far."""
        if self.stats.items_per_s <= 0:
            return 1.0
        return self._held() / (self.stats.items_per_s * max(1, len(self._workers)))

    async def start(self) -> None:
        """Open the workers; an exception of `open_run` is raised here."""
        self._loop = asyncio.get_running_loop()
        await asyncio.gather(*(self._spawn() for _ in range(self._wanted)))
        self._watchdog = self._loop.create_task(self._watch())

    async def submit(
        self,
        items: Sequence[T],
        *,
        sizes: Sequence[int] | None = None,
        timeout_s: float | None = None,
    ) -> list[R | Exception]:
        """One result or exception for each item, in order.

        Args:
            sizes: bytes of each item, counted against the byte limits.
            timeout_s: items still waiting after this long are not worked on.

        Raises:
            BusyError: the queue cannot take all items now; none was taken.
            InputError: more items or bytes than the queue could ever hold.
            UnavailableError: not started, closing, or no worker can be opened.
        """
        if not items:
            return []
        ticket = self._admit(items, sizes or [0] * len(items), timeout_s)
        try:
            return await ticket.future
        except asyncio.CancelledError:
            with self._changed:
                self.stats.cancelled += self._queue.withdraw(ticket)
                self._note_idle()
            raise

    async def close(self, drain_s: float = 30.0) -> None:
        """Take nothing more, finish what waits for at most `drain_s`, stop the workers."""
        with self._changed:
            self._closing = True
            self._note_idle()
        try:
            await asyncio.wait_for(self._idle.wait(), drain_s)
        except TimeoutError:
            log.warning("%s: %d items unfinished after %.1f s", self.name, self._held(), drain_s)
        self._watchdog.cancel()
        with self._changed:
            entries = self._queue.clear()
            for worker in self._workers:
                worker.retired = True
                entries += worker.batch
            self._changed.notify_all()
        error = UnavailableError("the service is shutting down", message_zh="服务正在停止")
        _answer_all(entries, error)

    # -- in the event loop --------------------------------------------------------------------

    def _admit(
        self, items: Sequence[T], sizes: Sequence[int], timeout_s: float | None
    ) -> Ticket[R]:
        now = self._clock()
        total = sum(sizes)
        self._queue.check(len(items), total)
        with self._changed:
            if self._closing or self._broken or not self._workers:
                raise UnavailableError(f"{self.name} takes no work", message_zh="服务未就绪")
            if not self._queue.fits(len(items), total):
                self.stats.refused += len(items)
                raise BusyError(
                    f"{self.name}: {self.queued} items wait and {len(items)} more do not fit",
                    message_zh="队列已满，请稍后重试",
                    retry_after_s=self.wait_s(),
                )
            ticket: Ticket[R] = Ticket(self._loop.create_future(), len(items), {})
            deadline = None if timeout_s is None else now + timeout_s
            self._queue.put(items, sizes, deadline, now, ticket)
            self._changed.notify()
        return ticket

    async def _spawn(self) -> None:
        worker: _Worker[T, R] = _Worker()
        opened: asyncio.Future[None] = self._loop.create_future()
        with self._changed:
            self._workers.append(worker)
        threading.Thread(
            target=self._work, args=(worker, opened), name=f"{self.name}-worker", daemon=True
        ).start()
        try:
            await opened
        except BaseException:
            self._drop(worker)
            raise

    def _drop(self, worker: _Worker[T, R]) -> None:
        with self._changed:
            self._workers.remove(worker)

    async def _watch(self) -> None:
        """Replace dead and hung workers."""
        while True:
            await asyncio.sleep(min(WATCH_S, self.limits.stall_s / 4))
            now = self._clock()
            for worker in list(self._workers):
                since = worker.busy_since
                if since is not None and now - since > self.limits.stall_s:
                    log.error("%s: a batch has run for %.0f s", self.name, now - since)
                    self._give_up(worker)
                if worker.retired:
                    self._drop(worker)
            if len(self._workers) < self._wanted:
                await self._replace()

    async def _replace(self) -> None:
        self.stats.restarts += 1
        try:
            await self._spawn()
        except Exception as error:  # whatever opening raises, it is tried again later
            log.error("%s: no new worker (%r), next try in %.1f s", self.name, error, self._retry_s)
            self._refuse_all()
            await asyncio.sleep(self._retry_s)
            self._retry_s = min(2 * self._retry_s, LAST_RETRY_S)
        else:
            self._broken, self._retry_s = False, FIRST_RETRY_S

    def _refuse_all(self) -> None:
        """Nobody waits for a worker that cannot be opened."""
        with self._changed:
            self._broken = True
            entries = self._queue.clear()
            self._note_idle()
        error = UnavailableError(f"{self.name} has no worker", message_zh="处理进程无法启动")
        _answer_all(entries, error)

    def _give_up(self, worker: _Worker[T, R]) -> None:
        with self._changed:
            worker.retired = True
            entries, worker.batch, worker.busy_since = worker.batch, [], None
            self.stats.failed += len(entries)
            self._note_idle()
        error = WorkerDiedError(
            f"{self.name}: the worker broke off", message_zh="处理进程中断，请重试"
        )
        _answer_all(entries, error)

    def _finish(
        self, batch: list[Entry[T, R]], results: list[R | Exception], report: BatchReport
    ) -> None:
        for entry, result in zip(batch, results, strict=True):
            entry.ticket.answer(entry.index, result)
        if self._on_batch is not None:
            self._on_batch(report)

    # -- in a worker thread -------------------------------------------------------------------

    def _work(self, worker: _Worker[T, R], opened: asyncio.Future[None]) -> None:
        try:
            run = self._open_run()
        except BaseException as error:  # handed to whoever waits for the worker
            self._post(_settle, opened, error)
            return
        worker.opened = True
        self._post(_settle, opened, None)
        try:
            while (batch := self._take(worker)) is not None:
                if batch:
                    self._run_batch(worker, run, batch)
        except BaseException:  # the thread ends here; the watchdog replaces it
            worker.opened = False
            log.exception("%s: the worker died", self.name)
            if not worker.retired:
                self._post(self._give_up, worker)

    def _take(self, worker: _Worker[T, R]) -> list[Entry[T, R]] | None:
        """The next batch, perhaps empty; None when the worker is to stop."""
        with self._changed:
            while not self._queue and not worker.retired:
                self._changed.wait()
            if worker.retired:
                return None
            now = self._clock()
            batch, expired = self._queue.take(now)
            worker.batch, worker.busy_since = batch, now if batch else None
            self.stats.expired += len(expired)
            if self._queue:
                self._changed.notify()
            self._note_idle()
        if expired:
            late = ExpiredError("the deadline passed in the queue", message_zh="排队超时，未处理")
            self._post(_answer_all, expired, late)
        return batch

    def _run_batch(
        self, worker: _Worker[T, R], run: RunBatch[T, R], batch: list[Entry[T, R]]
    ) -> None:
        started = self._clock()
        results = self._isolate(run, [entry.item for entry in batch])
        ended = self._clock()
        report = BatchReport(len(batch), started - batch[0].queued_at, ended - started)
        with self._changed:
            if worker.retired:  # given up as hung; its items have their answer
                return
            worker.batch, worker.busy_since = [], None
            self._measure(report, sum(isinstance(result, Exception) for result in results))
            self._note_idle()
        self._post(self._finish, batch, results, report)

    def _isolate(self, run: RunBatch[T, R], items: list[T]) -> list[R | Exception]:
        try:
            results = list(run(items))
            if len(results) != len(items):
                raise TypeError(f"{len(results)} results for {len(items)} items")
            return results
        except Exception as error:  # foreign code: whatever it raises belongs to its item
            if len(items) == 1:
                log.warning("%s: an item failed: %s", self.name, type(error).__name__)
                return [error]
        half = len(items) // 2
        return self._isolate(run, items[:half]) + self._isolate(run, items[half:])

    def _measure(self, report: BatchReport, failed: int) -> None:
        stats = self.stats
        rate = report.size / max(report.run_s, 1e-6)
        stats.items_per_s += (RATE_WEIGHT if stats.batches else 1.0) * (rate - stats.items_per_s)
        stats.batches += 1
        stats.items += report.size
        stats.failed += failed
        stats.largest_batch = max(stats.largest_batch, report.size)

    # -- in either ----------------------------------------------------------------------------

    def _held(self) -> int:
        return len(self._queue) + sum(len(worker.batch) for worker in self._workers)

    def _note_idle(self) -> None:
        if self._closing and not self._held():
            self._post(self._idle.set)

    def _post(self, function: Callable[..., None], *arguments: object) -> None:
        self._loop.call_soon_threadsafe(function, *arguments)


def _answer_all(entries: Sequence[Entry[T, R]], error: Exception) -> None:
    for entry in entries:
        entry.ticket.answer(entry.index, error)


def _settle(future: asyncio.Future[None], error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
