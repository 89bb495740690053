"""The dense part: streets made to bring the engine into trouble, an hour as full as a bad day."""

from __future__ import annotations

import numpy as np

from . import bins, cycles, garbage, parking, shops, traffic, vending
from .seeing import Light
from .street import Street
from .things import spans
from .view import LANES, random_view

ALWAYS = (-1e9, 1e9)


def dense_street(rng: np.random.Generator, duration_s: float, period_s: float) -> Street:
    """A street of its own for a clip; by day or by night, whole."""
    street = Street(
        view=random_view(rng),
        rng=rng,
        duration_s=duration_s,
        period_s=period_s,
        nights=[ALWAYS] if rng.random() < 0.3 else [],
        hard=bool(rng.random() < 0.15),
    )
    short = street.duration_s < 1000
    if street.chance(0.85):
        _add_kerb(street, short)
    else:
        traffic.add_traffic(street, _traffic(street))
    if street.chance(0.55):
        _add_pavement(street, short)
    if street.chance(0.45):
        dwell = float(rng.choice([30.0] if short else [60.0, 120.0]))
        zone = street.zone("bins", (0.2, 1.9), {bins.KIND: dwell})
        if zone is not None:
            bins.add_bins(street, zone)
    parking.add_lawful(street)
    traffic.add_walkers(street, street.log_uniform(10, 200) * (0.3 if street.nights else 1.0))
    if street.chance(0.1):
        traffic.add_ghosts(street)
    return street


def _add_kerb(street: Street, short: bool) -> None:
    rng = street.rng
    dwell = float(rng.choice([30.0, 45.0] if short else [60.0, 120.0, 180.0, 300.0]))
    signal = dwell >= 120 and street.chance(0.3)
    near = -5.9 if signal else -2.9
    active: tuple[tuple[str, str], ...] = ()
    if not short and street.chance(0.12):
        begin, lasts = int(rng.integers(5, 25)), int(rng.integers(20, 35))
        # The clip begins at 08:00 local time.
        active = ((f"08:{begin:02d}", f"08:{begin + lasts:02d}"),)
        street.hours = (begin * 60.0, (begin + lasts) * 60.0)
    zone = street.zone("kerb", (near, 0.5), {parking.KIND: dwell}, active=active)
    if zone is None:
        street.hours = None
        return
    parking.add_parking(street, zone, busy=street.log_uniform(0.5, 3.0))
    per_hour = _traffic(street)
    if signal:
        traffic.add_signal(street, min(street.most_nothing_s(dwell), 75.0), per_hour)
        traffic.add_traffic(street, per_hour, LANES[1:])
    else:
        parking.add_blockers(street)
        traffic.add_traffic(street, per_hour)
    street.hours = None


def _add_pavement(street: Street, short: bool) -> None:
    rng = street.rng
    if street.chance(0.2):
        _add_cycles(street, short)
    fronts = shops.frontage(street.view) if street.chance(0.3) else None
    if fronts is not None:
        # The strip before the shops is theirs to leave free, the rest of the pavement everybody's.
        street.frontages.append(fronts)
        goods_s = float(rng.choice([30.0] if short else [60.0, 120.0]))
        strip = street.zone("fronts", (2.35, shops.FRONT_M), {shops.KIND: goods_s})
        if strip is not None:
            shops.add_goods(street, strip)
    vending_s = float(rng.choice([30.0] if short else [60.0, 120.0]))
    garbage_s = float(rng.choice([40.0] if short else [120.0, 300.0]))
    dwells = {vending.KIND: vending_s, garbage.KIND: garbage_s}
    zone = street.zone("pavement", (0.3, 3.6 if fronts is None else 2.3), dwells)
    if zone is not None:
        vending.add_vending(street, zone)
        garbage.add_garbage(street, zone)


def _add_cycles(street: Street, short: bool) -> None:
    found = cycles.stand(street, [40.0] if short else [120.0, 300.0])
    if found is not None:
        cycles.add_cycles(street, *found)


def _traffic(street: Street) -> float:
    return street.log_uniform(60, 700) * (0.4 if street.nights else 1.0)


def dense_light(street: Street) -> Light:
    """Clouds, sun in the lens, wind."""
    whole = (0.0, street.duration_s)
    return Light(
        nights=street.nights,
        dim=spans(street.rng, whole, 0.5, (60, 400)),
        blinding=spans(street.rng, whole, 0.2, (5, 30)),
        shake_px=float(street.rng.uniform(0.5, 2.5)) if street.chance(0.25) else 0.0,
    )
