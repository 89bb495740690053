"""Bicycles and e-bikes left on the pavement: one or two, or so many that it is clutter."""

from __future__ import annotations

from collections.abc import Sequence

from ...vision.cameras import Zone
from .street import Street
from .things import SIZES, Span, Thing, spans, still

KIND = "non_motor_clutter"
ACROSS = 2.4
ENOUGH = 3
BIKE = {"bicycle": 0.7, "motorcycle": 0.3}
SPACING_M = 1.1


def stand(street: Street, dwells_s: Sequence[float]) -> tuple[Zone, float] | None:
    """A zone of its own for two-wheelers, since clutter is counted by zone; where a row begins."""
    rng = street.rng
    room = 6 * SPACING_M
    low, high = street.view.reach()
    if high - low < room + 4:
        return None
    begin = float(rng.uniform(low + 1, high - room - 1))
    dwell_s = float(rng.choice(dwells_s))
    ends = (begin - 2.0, begin + room + 1.0)
    zone = street.zone("cycles", (0.4, 3.6), {KIND: dwell_s}, along=ends)
    in_view = all(street.is_seen(begin + k * SPACING_M, ACROSS, SIZES["bicycle"]) for k in range(5))
    if zone is None or not in_view:
        return None
    street.places += [(True, begin + k * 1.5) for k in range(5)]
    return zone, begin


def add_cycles(street: Street, zone: Zone, along: float) -> None:
    """A row that fills up and empties again, round `along`; now and then only two are left there.

    An event begins when the third comes to rest and ends when only two are left.
    """
    rng = street.rng
    dwell_s = zone.dwell_for(KIND, 300.0)
    t = 20 + street.wait_s(700)
    while t < street.duration_s:
        most = int(rng.integers(3, 6)) if street.chance(0.65) else int(rng.integers(1, 3))
        low = street.least_event_s(dwell_s)
        lasts_s = street.log_uniform(low, max(1.5 * low, 2400.0))
        if most >= ENOUGH and street.chance(0.2):
            lasts_s = street.log_uniform(5.0, street.most_nothing_s(dwell_s))
        span = (t, t + lasts_s)
        left_there(street, zone, along, span, most)
        t = span[1] + 200 + street.wait_s(1500)


def left_there(street: Street, zone: Zone, along: float, span: Span, most: int) -> None:
    """A row of `most` over `span`; from the third on it is clutter."""
    bikes = _row(street, span, along, most)
    if most < ENOUGH:
        return
    place = (along + SPACING_M, ACROSS, (3 * SPACING_M, 1.8, 1.1))
    verdict = street.is_event(span, zone.dwell_for(KIND, 300.0))
    # The third makes it an event: first of those that have to be seen.
    groups = [(bike,) for bike in reversed(bikes[:ENOUGH])]
    street.note(KIND, zone, span, place, verdict, *groups)


def _row(street: Street, span: tuple[float, float], along: float, most: int) -> list[int]:
    """Two are there before the span and after it, the rest come at its start and go at its end."""
    rng = street.rng
    numbers: list[int] = []
    for place in range(most if span[1] - span[0] > 60 else min(most, ENOUGH)):
        begin = span[0] - float(rng.uniform(10, 200)) * (place < ENOUGH - 1)
        end = span[1] + float(rng.uniform(20, 160)) * (place < ENOUGH - 1)
        if place >= ENOUGH:
            # More than enough: they come later and go sooner, and change nothing.
            third = (span[1] - span[0]) / 3
            begin, end = begin + float(rng.uniform(5, third)), end - float(rng.uniform(5, third))
        at = along + place * SPACING_M + float(rng.normal(0, 0.06))
        bike = still(SIZES["bicycle"], (begin, end), at, ACROSS, dict(BIKE))
        bike.opacity = 0.4
        bike.blind = spans(rng, (begin, end), 1.0, (4, 30))
        numbers.append(street.put(bike))
        _rider(street, begin, end, at)
    return numbers


def _rider(street: Street, begin: float, end: float, along: float) -> None:
    """Comes with it, locks it, walks away; comes back for it."""
    size = SIZES["person"]
    for t, stays_s in ((begin, 8.0), (end - 6.0, 6.0)):
        street.put(
            Thing(
                size,
                (t, t + stays_s, t + stays_s + 9.0),
                (along + 0.6, along + 0.6, along + 10.0),
                (ACROSS - 0.6,) * 3,
                {"person": 1.0},
            )
        )
