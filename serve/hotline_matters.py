"""The desk that keeps open calls at hand and says which may be one matter, and what is hot."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

from ..nlp.matter.hot import DAYS_BEFORE, HotIssue, hot_issues
from ..nlp.matter.index import CallIndex, Weighed
from ..nlp.matter.profile import Call, profile
from ..nlp.matter.score import SameMatter, propose
from .hotline_intake import shown
from .hotline_store import CallQuery, HotlineStore

REMEMBER_HOT_S = 30.0
HOT_CALLS = 5_000
"""Calls of the eight days that hot issues are looked for in; the newest when there are more."""


class MatterDesk:
    """Safe to use from several threads."""

    def __init__(
        self, store: HotlineStore, *, window: timedelta, max_calls: int, zone: str
    ) -> None:
        self._store = store
        self._window = window
        self._max_calls = max_calls
        self._zone = ZoneInfo(zone)
        self._index = CallIndex()
        self._lock = threading.Lock()
        self._hot: dict[date, tuple[float, list[HotIssue]]] = {}

    def load(self, now: datetime) -> int:
        """Take in the newest open calls of the window; says how many."""
        query = CallQuery(limit=self._max_calls, state="open", since=now - self._window)
        calls = self._store.calls(query)
        with self._lock:
            for call in reversed(calls):
                self._index.add(self._index.weigh(profile(call.as_call())))
            return len(self._index)

    def take(self, call: Call, now: datetime) -> tuple[SameMatter, ...]:
        """Proposals for a new call, which is found from now on."""
        read = profile(call)
        with self._lock:
            # Callers may give any time; only the clock decides what is forgotten.
            self._forget_some(now - self._window)
            found = self._index.weigh(read)
            proposals = propose(self._index, found)
            self._index.add(found)
            return proposals

    def line_of(self, call_id: str) -> str:
        """One line of an open call."""
        with self._lock:
            found = self._index.get(call_id)
        return "" if found is None else shown(found.call.title, found.call.text)

    def forget(self, call_id: str) -> None:
        """A call was closed, or could not be stored."""
        with self._lock:
            self._index.remove(call_id)

    def remember(self, call: Call) -> None:
        """A call was opened again."""
        read = profile(call)
        with self._lock:
            self._index.add(self._index.weigh(read))

    def hot(self, day: date, limit: int) -> list[HotIssue]:
        """Hot issues of a day of the city, hottest first; at most half a minute old."""
        known = self._hot.get(day)
        if known is not None and time.monotonic() - known[0] < REMEMBER_HOT_S:
            return known[1][:limit]
        end = datetime.combine(day + timedelta(days=1), clock_time(), self._zone)
        calls = self._store.calls(
            CallQuery(limit=HOT_CALLS, since=end - timedelta(days=DAYS_BEFORE + 1), until=end)
        )
        index = CallIndex()
        weighed = self._weighed([call.as_call() for call in calls], index)
        accepted, rejected = self._store.judged_pairs()
        found = hot_issues(weighed, index, end, together=accepted, apart=rejected, limit=100)
        self._hot = {
            kept: value
            for kept, value in self._hot.items()
            if time.monotonic() - value[0] < REMEMBER_HOT_S
        }
        self._hot[day] = (time.monotonic(), found)
        return found[:limit]

    def today(self, now: datetime) -> date:
        """The day it is in the city."""
        return now.astimezone(self._zone).date()

    def changed(self) -> None:
        """Staff have judged a pair: what is hot is looked at anew."""
        self._hot.clear()

    def _weighed(self, calls: Sequence[Call], index: CallIndex) -> list[Weighed]:
        """The calls in an index of their own; what is at hand is not read twice."""
        found: list[Weighed] = []
        for call in reversed(calls):
            with self._lock:
                known = self._index.get(call.id)
            weighed = known if known is not None else index.weigh(profile(call))
            index.add(weighed)
            found.append(weighed)
        return found

    def _forget_some(self, oldest: datetime) -> None:
        """The oldest calls leave once they are out of the window, or there are too many."""
        while (first := self._index.first()) is not None and (
            first.call.at < oldest or len(self._index) > self._max_calls
        ):
            self._index.remove(first.call.id)
