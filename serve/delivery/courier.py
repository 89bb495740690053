"""Brings events to one receiver: at least once, in order for each incident.

What cannot be delivered is laid in the ledger and holds back only what follows of the same
incident. A receiver that is not there at all is asked with one parcel at a time until it is.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from ...config.errors import BusyError, XiaozhengError
from ..batcher import Batcher
from ..changes import Change
from ..errors import UnavailableError
from .config import Receiver
from .events import parcel_of, wanted
from .feed import Feed
from .ledger import Ledger
from .parcel import DeliveryChange, Parcel

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 1.0
MAX_PAUSE_S = 900.0
# While the receiver is away; it should not wait long once it is back.
MAX_AWAY_PAUSE_S = 15.0
AWAY_AFTER = 3
LANES = 8
PAGE = 200
IDLE_S = 2.0
TRY_AGAIN_S = 1.0


class NotTakenError(XiaozhengError):
    """The receiver did not take the parcel. `away`: it would take no other one now either;
    `final`: it never will. `retry_after_s` is its own wish."""

    default_code = "not_taken"

    def __init__(
        self, message: str, *, away: bool = False, final: bool = False, retry_after_s: float = 0
    ) -> None:
        super().__init__(message)
        self.away = away
        self.final = final
        self.retry_after_s = retry_after_s


class Sink(Protocol):
    """A way to one receiver."""

    name: str

    async def open(self) -> None:
        """Called once before the first parcel, for those who have to say hello."""

    async def send(self, parcel: Parcel) -> None:
        """Returns when the receiver has it for sure; raises NotTakenError."""

    async def close(self) -> None: ...


@dataclass(slots=True)
class _Turn:
    """What became of the parcels of one turn."""

    done: list[int] = field(default_factory=list)
    waiting: list[Parcel] = field(default_factory=list)
    dead: list[Parcel] = field(default_factory=list)


@dataclass(slots=True)
class CourierStats:
    """Since the start."""

    delivered: int = 0
    failed: int = 0
    dead: int = 0
    away: bool = False


class Courier:
    """One receiver's task. Belongs to one event loop."""

    def __init__(
        self,
        sink: Sink,
        receiver: Receiver,
        *,
        ledger: Ledger,
        feed: Feed,
        writer: Batcher[Change, None],
        now: Callable[[], datetime],
    ) -> None:
        self.sink = sink
        self.stats = CourierStats()
        self._receiver = receiver
        self._ledger = ledger
        self._feed = feed
        self._writer = writer
        self._now = now
        self._gate = asyncio.Semaphore(LANES)
        self._after = 0
        self._streak = 0
        self._away_streak = 0
        self._away_until: datetime | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Deliver until told to stop."""
        started = False
        while not self._stopping.is_set():
            try:
                if not started:
                    await self._begin()
                    started = True
                if not await self._turn():
                    await self._rest()
            except Exception:  # whatever it is, nothing is lost: it is tried again
                log.exception("delivery to %s", self.sink.name)
                await asyncio.sleep(TRY_AGAIN_S)

    async def stop(self, task: asyncio.Task[None], patience_s: float) -> None:
        """Let the turn in hand end, within bounds, and close the way."""
        self._stopping.set()
        await asyncio.wait([task], timeout=patience_s)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await self.sink.close()

    async def _begin(self) -> None:
        found = await asyncio.to_thread(self._ledger.cursor, self.sink.name)
        if found is None:
            found = self._feed.last if self._receiver.since == "now" else 0
            await self._store(DeliveryChange(self.sink.name, after=found))
        lost = await self._feed.lost_after(found)
        if lost:
            log.error(
                "delivery to %s: %d events were forgotten before it was told", self.sink.name, lost
            )
        self._after = found
        try:
            await self.sink.open()
        except NotTakenError as error:
            log.warning("delivery to %s: %s", self.sink.name, error)

    async def _turn(self) -> bool:
        """Deliver what is due and what is new; False when there was nothing."""
        now = self._now()
        if self._away_until is not None and now < self._away_until:
            return False
        away = self._away_until is not None
        lanes = await asyncio.to_thread(
            self._ledger.due, self.sink.name, now, 1 if away else 4 * LANES
        )
        if away:
            lanes = [lane[:1] for lane in lanes]
        events = []
        if not (away and lanes):
            events = await self._feed.read(self._after, 1 if away else PAGE)
        if not lanes and not events:
            return False
        fresh = [
            parcel_of(event)
            for event in events
            if wanted(event, self._receiver.types, self._receiver.cameras)
        ]
        streak = self._streak
        turn = _Turn()
        held = await self._hold_back(fresh, turn)
        new_lanes: dict[str, list[Parcel]] = {}
        for parcel in fresh:
            if parcel.subject not in held:
                new_lanes.setdefault(parcel.subject, []).append(parcel)
        old = {parcel.seq for lane in lanes for parcel in lane}
        await asyncio.gather(
            *(self._lane(lane, turn, old) for lane in [*lanes, *new_lanes.values()])
        )
        change = DeliveryChange(
            self.sink.name,
            after=events[-1].seq if events else None,
            done=tuple(seq for seq in turn.done if seq in old),
            waiting=tuple(turn.waiting),
            dead=tuple(turn.dead),
            hasten=streak >= AWAY_AFTER and self._streak == 0,
        )
        await self._store(change)
        if events:
            self._after = events[-1].seq
        return True

    async def _hold_back(self, fresh: Sequence[Parcel], turn: _Turn) -> set[str]:
        """Let parcels wait whose incident already has one that waits; their subjects."""
        if not fresh:
            return set()
        held = await asyncio.to_thread(
            self._ledger.waiting_among, self.sink.name, {parcel.subject for parcel in fresh}
        )
        turn.waiting += [parcel for parcel in fresh if parcel.subject in held]
        return held

    async def _lane(self, lane: Sequence[Parcel], turn: _Turn, old: set[int]) -> None:
        """Deliver one incident's parcels in order, up to the first that must wait."""
        for place, parcel in enumerate(lane):
            async with self._gate:
                try:
                    await self.sink.send(parcel)
                except NotTakenError as error:
                    tried = self._failed(parcel, error)
                else:
                    turn.done.append(parcel.seq)
                    self._succeeded()
                    continue
            if tried.next_at is None:
                turn.dead.append(tried)
                continue
            turn.waiting.append(tried)
            # What follows and is in the ledger already stays there as it is.
            turn.waiting += [later for later in lane[place + 1 :] if later.seq not in old]
            return

    def _succeeded(self) -> None:
        self.stats.delivered += 1
        self.stats.away = False
        self._streak = self._away_streak = 0
        self._away_until = None

    def _failed(self, parcel: Parcel, error: NotTakenError) -> Parcel:
        """The parcel with its next time; without one it is dead."""
        now = self._now()
        self.stats.failed += 1
        self._streak += 1
        pause_s = max(pause_after(parcel.tries), min(error.retry_after_s, MAX_PAUSE_S))
        if error.away:
            pause_s = min(pause_s, MAX_AWAY_PAUSE_S)
            self._away_streak += 1
            if self._away_streak >= AWAY_AFTER:
                wait_s = min(pause_after(self._away_streak - AWAY_AFTER), MAX_AWAY_PAUSE_S)
                self._away_until = now + timedelta(seconds=wait_s)
                self.stats.away = True
        else:
            self._away_streak, self._away_until, self.stats.away = 0, None, False
        first = parcel.first_failed_at or now
        tried = replace(parcel, tries=parcel.tries + 1, first_failed_at=first, error=str(error))
        if error.final or (now - first).total_seconds() >= self._receiver.give_up_s:
            self.stats.dead += 1
            log.error(
                "delivery to %s: event %s is dead after %d tries: %s",
                self.sink.name,
                parcel.id,
                tried.tries,
                error,
            )
            return replace(tried, next_at=None)
        if tried.tries == 1:
            log.warning("delivery to %s: event %s: %s", self.sink.name, parcel.id, error)
        return replace(tried, next_at=now + timedelta(seconds=pause_s))

    async def _store(self, change: DeliveryChange) -> None:
        """Until it is stored: forgetting would tell everything again."""
        while True:
            try:
                (answer,) = await self._writer.submit([change])
                if not isinstance(answer, Exception):
                    return
                log.error("delivery to %s: not stored: %s", self.sink.name, answer)
            except (BusyError, UnavailableError) as error:
                log.error("delivery to %s: not stored: %s", self.sink.name, error)
            await asyncio.sleep(TRY_AGAIN_S)

    async def _rest(self) -> None:
        """Until something is new or due; looked at now and then, since others may replay."""
        now, wait_s = self._now(), IDLE_S
        due = await asyncio.to_thread(self._ledger.next_due, self.sink.name)
        for moment in (due, self._away_until):
            if moment is not None:
                wait_s = min(wait_s, max(0.02, (moment - now).total_seconds()))
        waits: list[Coroutine[Any, Any, Any]] = [self._stopping.wait()]
        if self._away_until is None:
            waits.append(self._feed.beyond(self._after))
        tasks = [asyncio.ensure_future(wait) for wait in waits]
        try:
            await asyncio.wait(tasks, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()


def pause_after(tries: int) -> float:
    """Seconds to the next try: doubling from 1 s to 15 min, with up to a half taken off at random,
    so that a receiver that comes back is not met by everybody at once."""
    full = min(MAX_PAUSE_S, FIRST_PAUSE_S * 2.0 ** min(tries, 30))
    return full * random.uniform(0.5, 1.0)
