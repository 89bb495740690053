"""Work that outlives its caller."""

from __future__ import annotations

import asyncio
import gc

import pytest

from xiaozheng.serve.finisher import Finisher


def test_work_goes_on_when_its_caller_is_cancelled_and_drain_waits_for_it() -> None:
    async def main() -> None:
        finisher = Finisher()
        go, done = asyncio.Event(), []

        async def work() -> None:
            await go.wait()
            done.append(1)

        caller = asyncio.create_task(finisher.run(work()))
        await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        gc.collect()
        drained = asyncio.create_task(finisher.drain())
        await asyncio.sleep(0)
        assert not drained.done()
        go.set()
        await drained
        assert done == [1]

    asyncio.run(main())


def test_results_and_exceptions_reach_the_caller() -> None:
    async def good() -> int:
        return 7

    async def bad() -> int:
        raise KeyError("x")

    async def main() -> None:
        finisher = Finisher()
        assert await finisher.run(good()) == 7
        with pytest.raises(KeyError):
            await finisher.run(bad())
        await finisher.drain()

    asyncio.run(main())
