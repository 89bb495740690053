"""The batcher alone: real threads, real event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from xiaozheng.config.errors import BusyError, ExpiredError, InputError
from xiaozheng.serve.batcher import Batcher, BatchLimits, BatchReport
from xiaozheng.serve.errors import UnavailableError, WorkerDiedError

PATIENCE_S = 20.0


class Gate:
    """A batch function that waits for a signal, so that a test decides when the worker is busy."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.go = threading.Event()
        self.seen: list[list[int]] = []

    def __call__(self, items: list[int]) -> list[int | Exception]:
        self.seen.append(items)
        self.entered.set()
        assert self.go.wait(PATIENCE_S)
        return [item * 2 for item in items]

    async def is_busy(self) -> None:
        await asyncio.to_thread(self.entered.wait, PATIENCE_S)


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(main(), 2 * PATIENCE_S))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def double(items: list[int]) -> list[int | Exception]:
    return [item * 2 for item in items]


def test_results_come_back_in_order() -> None:
    async def main() -> None:
        batcher = Batcher("b", lambda: double)
        await batcher.start()
        assert batcher.ready
        assert await batcher.submit([3, 1, 2]) == [6, 2, 4]
        assert await batcher.submit([]) == []
        await batcher.close()
        assert not batcher.ready

    run(main)


def test_none_is_a_result_like_any_other() -> None:
    async def main() -> None:
        batcher: Batcher[int, None] = Batcher("b", lambda: lambda items: [None] * len(items))
        await batcher.start()
        assert await batcher.submit([1, 2]) == [None, None]
        await batcher.close()

    run(main)


def test_a_lone_item_starts_at_once_and_later_ones_share_the_next_batch() -> None:
    async def main() -> None:
        gate = Gate()
        reports: list[BatchReport] = []
        batcher = Batcher("b", lambda: gate, on_batch=reports.append)
        await batcher.start()
        first = asyncio.create_task(batcher.submit([1]))
        await gate.is_busy()
        others = [asyncio.create_task(batcher.submit([n])) for n in range(2, 12)]
        await until(lambda: batcher.queued == 10)
        gate.go.set()
        assert await first == [2]
        assert await asyncio.gather(*others) == [[n * 2] for n in range(2, 12)]
        assert gate.seen == [[1], list(range(2, 12))]
        assert [report.size for report in reports] == [1, 10]
        assert batcher.stats.largest_batch == 10
        await batcher.close()

    run(main)


def test_batches_respect_count_and_bytes() -> None:
    async def main() -> None:
        gate = Gate()
        limits = BatchLimits(max_batch=3, max_batch_bytes=100)
        batcher = Batcher("b", lambda: gate, limits=limits)
        await batcher.start()
        first = asyncio.create_task(batcher.submit([0]))
        await gate.is_busy()
        rest = asyncio.create_task(
            batcher.submit([1, 2, 3, 4, 5, 6], sizes=[10, 10, 10, 60, 60, 500])
        )
        await until(lambda: batcher.queued == 6)
        gate.go.set()
        await asyncio.gather(first, rest)
        assert gate.seen == [[0], [1, 2, 3], [4], [5], [6]]
        await batcher.close()

    run(main)


@pytest.mark.parametrize(("count", "size"), [(3, 1), (1, 81)])
def test_a_submission_that_does_not_fit_is_refused_whole(count: int, size: int) -> None:
    async def main() -> None:
        gate = Gate()
        batcher = Batcher("b", lambda: gate, limits=BatchLimits(max_queue=4, max_queue_bytes=100))
        await batcher.start()
        running = asyncio.create_task(batcher.submit([0]))
        await gate.is_busy()
        waiting = asyncio.create_task(batcher.submit([1, 2], sizes=[10, 10]))
        await until(lambda: batcher.queued == 2)
        with pytest.raises(BusyError) as refused:
            await batcher.submit([7] * count, sizes=[size] * count)
        assert refused.value.retry_after_s > 0
        assert batcher.queued == 2
        assert batcher.stats.refused == count
        gate.go.set()
        assert await waiting == [2, 4]
        assert await running == [0]
        assert all(7 not in batch for batch in gate.seen)
        await batcher.close()

    run(main)


def test_what_can_never_fit_is_the_callers_fault() -> None:
    async def main() -> None:
        batcher = Batcher("b", lambda: double, limits=BatchLimits(max_queue=4, max_queue_bytes=9))
        await batcher.start()
        with pytest.raises(InputError, match="more than the queue"):
            await batcher.submit([1] * 5)
        with pytest.raises(InputError, match="10 bytes"):
            await batcher.submit([1], sizes=[10])
        await batcher.close()

    run(main)


def test_retry_after_follows_measured_throughput_and_queue_length() -> None:
    async def main() -> None:
        now = [100.0]
        gate = Gate()

        def timed(items: list[int]) -> list[int | Exception]:
            now[0] += 0.5 * len(items)
            return gate(items)

        batcher = Batcher(
            "b", lambda: timed, limits=BatchLimits(max_batch=1, max_queue=3), clock=lambda: now[0]
        )
        await batcher.start()
        gate.go.set()
        await batcher.submit([1])
        assert batcher.stats.items_per_s == pytest.approx(2.0)
        gate.go.clear()
        gate.entered.clear()
        running = asyncio.create_task(batcher.submit([1]))
        await gate.is_busy()
        waiting = asyncio.create_task(batcher.submit([1, 1, 1]))
        await until(lambda: batcher.queued == 3)
        with pytest.raises(BusyError) as refused:
            await batcher.submit([1])
        assert refused.value.retry_after_s == pytest.approx(4 / 2.0)
        gate.go.set()
        await asyncio.gather(running, waiting)
        await batcher.close()

    run(main)


def test_expired_items_are_dropped_before_work() -> None:
    async def main() -> None:
        now = [0.0]
        gate = Gate()
        batcher = Batcher("b", lambda: gate, clock=lambda: now[0])
        await batcher.start()
        running = asyncio.create_task(batcher.submit([1], timeout_s=1.0))
        await gate.is_busy()
        late = asyncio.create_task(batcher.submit([2, 3], timeout_s=5.0))
        patient = asyncio.create_task(batcher.submit([4], timeout_s=50.0))
        await until(lambda: batcher.queued == 3)
        now[0] = 10.0
        gate.go.set()
        assert await running == [2], "work that has begun is finished"
        assert all(isinstance(answer, ExpiredError) for answer in await late)
        assert await patient == [8]
        assert gate.seen == [[1], [4]]
        assert batcher.stats.expired == 2
        await batcher.close()

    run(main)


@pytest.mark.parametrize("bad", [{0}, {6}, {3, 5}, set(range(7))])
def test_poison_is_bisected_out(bad: set[int]) -> None:
    def picky(items: list[int]) -> list[int | Exception]:
        poison = bad.intersection(items)
        if poison:
            raise ValueError(f"cannot take {sorted(poison)}")
        return double(items)

    async def main() -> None:
        batcher = Batcher("b", lambda: picky)
        await batcher.start()
        answers = await batcher.submit(list(range(7)))
        for item, answer in enumerate(answers):
            if item in bad:
                assert isinstance(answer, ValueError)
                assert str(answer) == f"cannot take [{item}]"
            else:
                assert answer == item * 2
        assert batcher.ready
        assert batcher.stats.failed == len(bad)
        await batcher.close()

    run(main)


def test_a_batch_function_that_loses_items_fails_them_all() -> None:
    async def main() -> None:
        batcher: Batcher[int, int] = Batcher("b", lambda: lambda items: [])
        await batcher.start()
        answers = await batcher.submit([1, 2, 3])
        assert [type(answer) for answer in answers] == [TypeError] * 3
        await batcher.close()

    run(main)


def test_exceptions_returned_for_single_items_reach_only_their_callers() -> None:
    def judge(items: list[int]) -> list[int | Exception]:
        return [KeyError(item) if item < 0 else item for item in items]

    async def main() -> None:
        batcher = Batcher("b", lambda: judge)
        await batcher.start()
        good, bad = await asyncio.gather(batcher.submit([1, 2]), batcher.submit([-1, 3]))
        assert good == [1, 2]
        assert isinstance(bad[0], KeyError)
        assert bad[1] == 3
        await batcher.close()

    run(main)


def test_cancelled_callers_leave_the_queue() -> None:
    async def main() -> None:
        gate = Gate()
        batcher = Batcher("b", lambda: gate, limits=BatchLimits(max_queue=8, max_queue_bytes=80))
        await batcher.start()
        running = asyncio.create_task(batcher.submit([0]))
        await gate.is_busy()
        for _ in range(200):
            doomed = [asyncio.create_task(batcher.submit([9, 9], sizes=[9, 9])) for _ in range(4)]
            await until(lambda: batcher.queued == 8)
            for task in doomed:
                task.cancel()
            results = await asyncio.gather(*doomed, return_exceptions=True)
            assert all(isinstance(result, asyncio.CancelledError) for result in results)
            assert (batcher.queued, batcher.queued_bytes) == (0, 0)
        survivor = asyncio.create_task(batcher.submit([5]))
        await until(lambda: batcher.queued == 1)
        gate.go.set()
        assert await running == [0]
        assert await survivor == [10]
        assert gate.seen == [[0], [5]]
        assert batcher.stats.cancelled == 1600
        await batcher.close()

    run(main)


def test_cancelling_running_work_harms_nobody() -> None:
    async def main() -> None:
        gate = Gate()
        batcher = Batcher("b", lambda: gate)
        await batcher.start()
        running = asyncio.create_task(batcher.submit([1]))
        await gate.is_busy()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        gate.go.set()
        assert await batcher.submit([4]) == [8]
        await batcher.close()

    run(main)


def test_a_dead_worker_fails_its_items_and_is_replaced() -> None:
    opened: list[int] = []
    may_open = threading.Event()

    def open_run() -> Callable[[list[int]], list[int | Exception]]:
        if opened:
            assert may_open.wait(PATIENCE_S)
        opened.append(1)

        def fragile(items: list[int]) -> list[int | Exception]:
            if 13 in items:
                raise SystemExit("the worker is gone")
            return double(items)

        return fragile

    async def main() -> None:
        batcher = Batcher("b", open_run)
        await batcher.start()
        answers = await batcher.submit([13, 1])
        assert [type(answer) for answer in answers] == [WorkerDiedError, WorkerDiedError]
        assert not batcher.ready
        waiting = asyncio.create_task(batcher.submit([21]))
        may_open.set()
        assert await waiting == [42]
        assert batcher.ready
        assert batcher.stats.restarts == 1
        assert len(opened) == 2
        await batcher.close()

    run(main)


def test_a_hung_worker_is_given_up() -> None:
    stuck = threading.Event()

    def sometimes(items: list[int]) -> list[int | Exception]:
        if 13 in items:
            stuck.wait(PATIENCE_S)
        return double(items)

    async def main() -> None:
        batcher = Batcher("b", lambda: sometimes, limits=BatchLimits(stall_s=0.2))
        await batcher.start()
        (answer,) = await batcher.submit([13])
        assert isinstance(answer, WorkerDiedError)
        await until(lambda: batcher.ready)
        assert await batcher.submit([4]) == [8]
        stuck.set()
        assert await batcher.submit([5]) == [10], "the late thread disturbs nothing"
        await batcher.close()

    run(main)


def test_nobody_waits_for_a_worker_that_cannot_be_opened() -> None:
    healthy = threading.Event()
    healthy.set()

    def open_run() -> Callable[[list[int]], list[int | Exception]]:
        if not healthy.is_set():
            raise OSError("the model file is gone")

        def fragile(items: list[int]) -> list[int | Exception]:
            if 13 in items:
                healthy.clear()
                raise SystemExit("the worker is gone")
            return double(items)

        return fragile

    async def main() -> None:
        batcher = Batcher("b", open_run)
        await batcher.start()
        dead = asyncio.create_task(batcher.submit([13]))
        assert isinstance((await dead)[0], WorkerDiedError)
        try:
            (answer,) = await batcher.submit([1])
        except UnavailableError as refused:
            answer = refused
        assert isinstance(answer, UnavailableError)
        with pytest.raises(UnavailableError):
            await batcher.submit([1])
        healthy.set()
        await until(lambda: batcher.ready)
        assert await batcher.submit([1]) == [2]
        await batcher.close()

    run(main)


def test_failing_to_open_at_the_start_is_raised() -> None:
    def open_run() -> Callable[[list[int]], list[int | Exception]]:
        raise OSError("no such model")

    async def main() -> None:
        batcher = Batcher("b", open_run)
        with pytest.raises(OSError, match="no such model"):
            await batcher.start()
        assert not batcher.ready

    run(main)


def test_close_drains_what_waits_and_refuses_what_comes() -> None:
    async def main() -> None:
        gate = Gate()
        batcher = Batcher("b", lambda: gate)
        await batcher.start()
        running = asyncio.create_task(batcher.submit([1]))
        await gate.is_busy()
        waiting = asyncio.create_task(batcher.submit([2]))
        await until(lambda: batcher.queued == 1)
        closing = asyncio.create_task(batcher.close())
        await until(lambda: not batcher.ready)
        with pytest.raises(UnavailableError):
            await batcher.submit([3])
        gate.go.set()
        assert await running == [2]
        assert await waiting == [4]
        await closing

    run(main)


def test_a_drain_that_takes_too_long_answers_what_is_left() -> None:
    async def main() -> None:
        gate = Gate()
        batcher = Batcher("b", lambda: gate)
        await batcher.start()
        running = asyncio.create_task(batcher.submit([1]))
        await gate.is_busy()
        waiting = asyncio.create_task(batcher.submit([2]))
        await until(lambda: batcher.queued == 1)
        await batcher.close(drain_s=0.05)
        assert isinstance((await running)[0], UnavailableError)
        assert isinstance((await waiting)[0], UnavailableError)
        gate.go.set()

    run(main)


def test_two_workers_share_one_queue() -> None:
    async def main() -> None:
        meeting = threading.Barrier(2, timeout=PATIENCE_S)

        def meet(items: list[int]) -> list[int | Exception]:
            meeting.wait()
            return double(items)

        batcher = Batcher("b", lambda: meet, workers=2, limits=BatchLimits(max_batch=1))
        await batcher.start()
        assert await batcher.submit([1, 2]) == [2, 4]
        await batcher.close()

    run(main)
