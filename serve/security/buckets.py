"""Token buckets, one for each name, a bounded number of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

MAX_BUCKETS = 10_000


class Buckets:
    """`take` answers 0 when a request may go on, else the seconds until one may."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, rate_per_s: float, burst: int) -> float:
        """Take one token from a bucket that holds `burst` and is filled with `rate_per_s`."""
        now = self._clock()
        level, at = self._levels.pop(name, (float(burst), now))
        level = min(float(burst), level + (now - at) * rate_per_s)
        enough = level >= 1
        self._levels[name] = (level - 1 if enough else level, now)
        if len(self._levels) > MAX_BUCKETS:
            self._levels.popitem(last=False)
        return 0.0 if enough else (1 - level) / rate_per_s
