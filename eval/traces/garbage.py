"""Garbage on the pavement, growing heaps, and the bags of people who only wait."""

from __future__ import annotations

from ...vision.cameras import Zone
from .street import Street
from .things import SIZES, Span, spans, still
from .view import PAVEMENT

KIND = "exposed_garbage"
HEAP = {"garbage": 1.0}


def add_garbage(street: Street, zone: Zone) -> None:
    """Heaps that stay or are cleared at once, and people who put a bag down beside them."""
    dwell_s = zone.dwell_for(KIND, 300.0)
    for _ in range(int(street.rng.integers(1, 3))):
        along = street.place(PAVEMENT, SIZES["garbage"], zone, room_m=3.5)
        if along is not None:
            _heaps(street, zone, along, dwell_s)
    along = street.place(PAVEMENT, SIZES["bag"], zone, room_m=3.5)
    if along is not None:
        waiting(street, along)


def _heaps(street: Street, zone: Zone, along: float, dwell_s: float) -> None:
    t = 20 + street.wait_s(900)
    while t < street.duration_s:
        if street.chance(0.65):
            low = street.least_event_s(dwell_s)
            lasts_s = street.log_uniform(low, max(1.5 * low, 3600.0))
        else:
            lasts_s = street.log_uniform(5.0, street.most_nothing_s(dwell_s))
        heap(street, zone, along, (t, t + lasts_s))
        t += lasts_s + 120 + street.wait_s(1500)


def heap(street: Street, zone: Zone, along: float, span: Span) -> None:
    """One heap for as long as it lies there."""
    rng, (begin, end) = street.rng, span
    verdict = street.is_event(span, zone.dwell_for(KIND, 300.0))
    thing = still(SIZES["garbage"], span, along, PAVEMENT, dict(HEAP), bias=-0.1)
    thing.blind = spans(rng, span, 1.5, (4, 50))
    number = street.put(thing)
    if verdict and street.chance(0.3):
        # Others add theirs: one heap for whoever looks.
        lasts_s = end - begin
        more = (float(rng.uniform(begin + 0.1 * lasts_s, begin + 0.7 * lasts_s)), end)
        side = float(rng.choice([-1.0, 1.0])) * 0.9
        street.things.append(still(SIZES["bag"], more, along + side, PAVEMENT, dict(HEAP)))
    street.note(KIND, zone, span, (along, PAVEMENT, SIZES["garbage"]), verdict, (number,))


def waiting(street: Street, along: float, per_hour: float = 3.0) -> None:
    """Someone waits with a bag at the feet; both leave together."""
    rng = street.rng
    for begin, end in spans(rng, (20, street.duration_s), per_hour, (30, 500)):
        person = still(SIZES["person"], (begin, end), along, PAVEMENT, {"person": 1.0})
        bag = still(SIZES["bag"], (begin + 2, end - 1), along + 0.5, PAVEMENT - 0.2, dict(HEAP))
        street.things += [person, bag]
