"""Vendors: set up for good, stopping for one customer, passing; and tricycles without a vendor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...vision.cameras import Zone
from .street import Street
from .things import SIZES, Size, Span, Thing, spans, still
from .view import PAVEMENT

KIND = "street_vending"
STALL = {"stall": 1.0}
PERSON = {"person": 1.0}
WALK_M_S = 1.0


def add_vending(street: Street, zone: Zone) -> None:
    """A few places, each used by one vendor after another; and what only resembles vending."""
    dwell_s = zone.dwell_for(KIND, 120.0)
    for _ in range(int(street.rng.integers(1, 3))):
        along = street.place(PAVEMENT, (2.5, 2.2, 2.4), zone, room_m=5.5)
        if along is None:
            continue
        if street.chance(0.2):
            begin = float(street.rng.uniform(-0.3, 0.5)) * street.duration_s
            left_alone(street, along, (begin, begin + street.duration_s))
        else:
            _place(street, zone, along, dwell_s)
    for t in street.rng.uniform(0, street.duration_s, street.rng.poisson(2)).tolist():
        passer(street, t, dwell_s)


def _place(street: Street, zone: Zone, along: float, dwell_s: float) -> None:
    t = 30 + street.wait_s(900)
    while t < street.duration_s:
        if street.chance(0.65):
            low = street.least_event_s(dwell_s)
            stay_s = street.log_uniform(low, max(1.5 * low, 3000.0))
        else:
            stay_s = street.log_uniform(5.0, street.most_nothing_s(dwell_s))
        sells(street, zone, along, (t, t + stay_s))
        t += stay_s + 90 + street.wait_s(1800)


def sells(street: Street, zone: Zone, along: float, span: Span) -> None:
    """One vendor's stay."""
    verdict = street.is_event(span, zone.dwell_for(KIND, 120.0))
    at = along + float(street.rng.normal(0, 0.4))
    groups = _vendor(street, span, at)
    street.note(KIND, zone, span, (at, PAVEMENT, SIZES["tricycle"]), verdict, *groups)


def _vendor(street: Street, span: tuple[float, float], along: float) -> list[tuple[int, ...]]:
    """A tricycle pushed in and out by its vendor; returns the goods and the people."""
    rng = street.rng
    low, high = street.view.reach()
    come, go = low - 6.0, high + 6.0
    in_s, out_s = (along - come) / WALK_M_S, (go - along) / WALK_M_S
    size = SIZES["tricycle"]
    t = (span[0] - in_s, span[0], span[1], span[1] + out_s)
    path = (come, along, along, go)
    goods = [street.put(_carrier(size, t, path, PAVEMENT))]
    people = [street.put(_attendant(street, t, path))]
    lasts_s = span[1] - span[0]
    if lasts_s > 150 and street.chance(0.4):
        # The umbrella goes up over the tricycle a little later.
        up = (span[0] + float(rng.uniform(20, 60)), span[1] - float(rng.uniform(5, 30)))
        umbrella = still(SIZES["umbrella"], up, along + 0.4, PAVEMENT, dict(STALL), -0.2)
        umbrella.opacity = 0.25
        goods.append(street.put(umbrella))
    for begin, end in spans(rng, span, 40.0, (12, 90)):
        offset = float(rng.uniform(-1.3, 1.3))
        visit = (begin, min(end, span[1]))
        visitor = still(SIZES["person"], visit, along + offset, PAVEMENT - 0.9, dict(PERSON))
        people.append(street.put(visitor))
    return [tuple(goods), tuple(people)]


def _carrier(size: Size, t: Sequence[float], along: Sequence[float], across: float) -> Thing:
    """A tricycle or cart; one sees through it in part."""
    return Thing(size, t, along, [across] * len(t), dict(STALL), score_bias=-0.2, opacity=0.6)


def _attendant(street: Street, t: tuple[float, ...], along: tuple[float, ...]) -> Thing:
    """Beside the tricycle, shifting about; away for a few minutes now and then."""
    rng = street.rng
    begin, end = t[1], t[2]
    keys = [(t[0], along[0] - 1.4, PAVEMENT), (begin, along[1] - 1.0, PAVEMENT + 0.7)]
    away = spans(rng, (begin + 60, end - 60), 1.5, (40, 200)) if end - begin > 400 else []
    now = begin
    while now < end - 15:
        now += float(rng.uniform(10, 60))
        if now >= end - 5:
            break
        if away and now >= away[0][0]:
            _, back_s = away.pop(0)
            back_s = min(back_s, end - 12)
            if back_s > now + 30:
                far = along[1] + float(rng.choice([-1.0, 1.0])) * 12.0
                keys += [(now + 9, far, PAVEMENT + 1), (back_s - 9, far, PAVEMENT + 1)]
                now = back_s
        # At one end of the tricycle, or behind it.
        end_on = float(rng.choice([-1.5, 1.5])), float(rng.uniform(-0.4, 0.5))
        behind = float(rng.uniform(-1.0, 1.0)), float(rng.uniform(0.7, 1.0))
        side, back = end_on if rng.random() < 0.6 else behind
        keys.append((now, along[1] + side, PAVEMENT + back))
    keys += [(end, along[2] - 1.2, PAVEMENT), (t[3], along[3] - 1.4, PAVEMENT)]
    times, alongs, acrosses = (list(column) for column in zip(*keys, strict=True))
    return Thing(SIZES["person"], times, alongs, acrosses, dict(PERSON))


def left_alone(street: Street, along: float, span: Span) -> None:
    """A parked tricycle whose owner is elsewhere."""
    street.things.append(still(SIZES["tricycle"], span, along, PAVEMENT, dict(STALL), -0.4))


def passer(street: Street, t: float, dwell_s: float) -> None:
    """Pushes a cart through and stops for a customer on the way, not for long."""
    rng = street.rng
    low, high = street.view.reach()
    stops = np.sort(rng.uniform(low, high, int(rng.integers(0, 3)))).tolist()
    keys = [(t, low - 8.0)]
    for stop in stops:
        at_s = keys[-1][0] + (stop - keys[-1][1]) / WALK_M_S
        wait_s = street.log_uniform(4.0, street.most_nothing_s(dwell_s))
        keys += [(at_s, stop), (at_s + wait_s, stop)]
    keys.append((keys[-1][0] + (high + 8.0 - keys[-1][1]) / WALK_M_S, high + 8.0))
    times, alongs = [k[0] for k in keys], [k[1] for k in keys]
    across = PAVEMENT + 0.2
    street.put(_carrier(SIZES["tricycle"], times, alongs, across))
    beside = [along - 1.5 for along in alongs]
    street.things.append(
        Thing(SIZES["person"], times, beside, [across + 0.4] * len(keys), dict(PERSON))
    )
