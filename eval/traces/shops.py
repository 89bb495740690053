"""Goods that a shop puts out before its front, and goods that stay inside it."""

from __future__ import annotations

import shapely

from ...vision.cameras import Frontage, Zone
from .street import Street
from .things import SIZES, Span, spans, still
from .view import View

KIND = "shop_overflow"
FRONT_M = 3.7
OUTSIDE, INSIDE = 2.9, 4.6
GOODS = {"stall": 1.0}


def frontage(view: View) -> Frontage | None:
    """The strip of ground that belongs to the shops; None where none of it is seen."""
    polygon = view.strip(view.reach(), (FRONT_M, 6.5))
    if len(polygon) < 3 or shapely.Polygon(polygon).area < 0.002:
        return None
    return Frontage(id="shops", polygon=polygon)


def add_goods(street: Street, zone: Zone) -> None:
    """Some put out in the way, some kept inside."""
    dwell_s = zone.dwell_for(KIND, 180.0)
    along = street.place(OUTSIDE, SIZES["goods"], zone, room_m=3.5)
    if along is not None:
        _put_out(street, zone, along, dwell_s)
    inside = street.place(INSIDE, SIZES["goods"], None, room_m=3.0)
    if inside is not None:
        span = (-10.0, street.duration_s + 10.0)
        goods_inside(street, inside, span)


def _put_out(street: Street, zone: Zone, along: float, dwell_s: float) -> None:
    t = 20 + street.wait_s(900)
    while t < street.duration_s:
        if street.chance(0.65):
            low = street.least_event_s(dwell_s)
            lasts_s = street.log_uniform(low, max(1.5 * low, 3000.0))
        else:
            lasts_s = street.log_uniform(5.0, street.most_nothing_s(dwell_s))
        goods_out(street, zone, along, (t, t + lasts_s))
        t += lasts_s + 120 + street.wait_s(1500)


def goods_out(street: Street, zone: Zone, along: float, span: Span) -> None:
    """Goods that stand in the way over `span`."""
    at = along + float(street.rng.normal(0, 0.3))
    goods = still(SIZES["goods"], span, at, OUTSIDE, dict(GOODS), bias=-0.2)
    goods.opacity = 0.6
    goods.blind = spans(street.rng, span, 1.5, (4, 45))
    number = street.put(goods)
    verdict = street.is_event(span, zone.dwell_for(KIND, 180.0))
    street.note(KIND, zone, span, (at, OUTSIDE, SIZES["goods"]), verdict, (number,))


def goods_inside(street: Street, along: float, span: Span) -> None:
    """Goods within the shop's own front: nobody's concern."""
    street.put(still(SIZES["goods"], span, along, INSIDE, dict(GOODS)))
