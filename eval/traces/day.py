"""A day's course: how busy each hour is. Clips of a whole day begin at eight in the morning.

The shapes are what one knows of city streets, two rush hours and a quiet night; no counting stands
behind them.
"""

from __future__ import annotations

import numpy as np

from .view import Floats

Rhythm = tuple[float, ...]

FIRST_HOUR = 8
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
# Dark from 19:00 to 05:30.
NIGHT = ((19.0 - FIRST_HOUR) * HOUR_S, (29.5 - FIRST_HOUR) * HOUR_S)


def _rhythm(*by_hour: int) -> Rhythm:
    """Twenty-four weights from midnight on, scaled to a mean of one, from `FIRST_HOUR` on."""
    turned = by_hour[FIRST_HOUR:] + by_hour[:FIRST_HOUR]
    return tuple(24 * weight / sum(by_hour) for weight in turned)


TRAFFIC = _rhythm(
    12, 7, 5, 4, 6, 16, 40, 85, 100, 85, 75, 75, 72, 70, 72, 75, 82, 98, 96, 75, 60, 50, 35, 22
)
PEOPLE = _rhythm(
    4, 2, 1, 1, 3, 12, 35, 80, 85, 60, 60, 72, 75, 60, 55, 58, 70, 92, 100, 95, 80, 55, 28, 12
)
# Stops at the kerb, deliveries.
STOPS = _rhythm(
    6, 4, 3, 3, 5, 15, 35, 80, 90, 85, 85, 90, 80, 70, 75, 75, 80, 100, 95, 75, 60, 45, 25, 12
)
# Breakfast and the evening's food.
VENDORS = _rhythm(
    8, 2, 0, 0, 2, 25, 80, 90, 50, 25, 25, 40, 35, 20, 20, 30, 60, 95, 100, 100, 90, 70, 45, 20
)


def moments(
    rng: np.random.Generator, per_hour: float, duration_s: float, rhythm: Rhythm | None = None
) -> Floats:
    """Random times at a mean rate, unsorted; all hours alike without a rhythm."""
    count = int(rng.poisson(per_hour * duration_s / HOUR_S))
    if rhythm is None:
        return rng.uniform(0, duration_s, count)
    hours = np.arange(len(rhythm) + 1) * HOUR_S
    return np.asarray(np.interp(rng.uniform(0, 1, count), _cumulative(rhythm), hours))


def level(rhythm: Rhythm | None, t: float) -> float:
    """How busy it is at `t` against the day's mean."""
    return 1.0 if rhythm is None else rhythm[int(t % DAY_S // HOUR_S)]


def _cumulative(rhythm: Rhythm) -> Floats:
    return np.concatenate([[0.0], np.cumsum(rhythm)]) / sum(rhythm)
