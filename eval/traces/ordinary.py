"""The ordinary part: what a city camera sees in a day, mostly nothing. See docs for the rates.

The things, lights and faults are those of the dense part; they only come as rarely, and last as
long, as they do in a street.
"""

from __future__ import annotations

import numpy as np

from ...vision.cameras import Zone
from . import bins, cycles, garbage, parking, shops, traffic, vending
from .day import DAY_S, HOUR_S, NIGHT, PEOPLE, STOPS, TRAFFIC, VENDORS, moments
from .seeing import Light
from .street import Street
from .things import SIZES, Drive, Span, Thing, random_vehicle, spans
from .view import KERB_LANE, LANES, OPPOSITE_KERB, PAVEMENT, random_view

# Shares of cameras that watch these; two-wheelers and shops of those that watch the pavement.
KERB, PAVEMENT_WATCHED, BINS, CYCLES, SHOPS = 0.6, 0.4, 0.35, 0.3, 0.25
STOPS_PER_DAY = (8.0, 60.0)
STOP_MEDIAN_S, STOP_SIGMA = 55.0, 1.25
HEAPS_PER_DAY, CLEARED_PER_DAY, BAGS_PER_DAY = 0.25, 0.5, 4.0
VENDORS_PER_DAY, VENDORS_PER_MARKET_DAY, MARKETS = 0.3, 3.0, 0.2
VENDOR_MEDIAN_S, VENDOR_SIGMA = 900.0, 1.2
PASSERS_PER_DAY = 5.0
CLUTTER_PER_DAY, FEW_CYCLES_PER_DAY = 0.6, 2.0
# Local 14:30 and 06:00.
PICKUPS_S = (6.5 * HOUR_S, 22.0 * HOUR_S)
OVERFLOWS, NEARLY = 0.25, 0.35


def ordinary_street(rng: np.random.Generator, duration_s: float, period_s: float) -> Street:
    """A street of its own for a day from eight in the morning."""
    street = Street(
        view=random_view(rng),
        rng=rng,
        duration_s=duration_s,
        period_s=period_s,
        nights=[NIGHT],
        hard=bool(rng.random() < 0.15),
    )
    pavement, watched_bins = street.chance(PAVEMENT_WATCHED), street.chance(BINS)
    # A camera that watches nothing else was put up for its kerb.
    if street.chance(KERB) or not (pavement or watched_bins):
        _kerb(street)
    else:
        traffic.add_traffic(street, _traffic(street), rhythm=TRAFFIC)
    if pavement:
        _pavement(street)
    if watched_bins:
        _bins(street)
    _parked(street, OPPOSITE_KERB, int(rng.integers(0, 4)))
    traffic.add_walkers(street, street.log_uniform(3, 120), PEOPLE)
    if street.chance(0.1):
        traffic.add_ghosts(street)
    return street


def ordinary_light(street: Street) -> Light:
    """Clouds and rain for up to an hour, sun in the lens once a day, wind."""
    whole = (0.0, street.duration_s)
    return Light(
        nights=street.nights,
        dim=spans(street.rng, whole, 4 / 24, (300, 3600)),
        blinding=spans(street.rng, whole, 1 / 24, (5, 120)),
        shake_px=float(street.rng.uniform(0.5, 2.5)) if street.chance(0.25) else 0.0,
    )


def _traffic(street: Street) -> float:
    return street.log_uniform(20, 400)


def _kerb(street: Street) -> None:
    """A no-parking zone, often not all along the kerb; stops of every length, one distribution."""
    dwell_s = float(street.rng.choice([120.0, 180.0, 300.0, 600.0]))
    signal = street.chance(0.25)
    low, high = street.view.reach()
    along = (low, high)
    bays = street.chance(0.3)
    if bays:
        middle = low + float(street.rng.uniform(0.4, 0.6)) * (high - low)
        along = (low, middle) if street.chance(0.5) else (middle, high)
    active, hours = _hours(street)
    across = (-5.9 if signal else -2.9, 0.5)
    zone = street.zone("kerb", across, {parking.KIND: dwell_s}, along=along, active=active)
    per_hour = _traffic(street)
    if zone is None:
        traffic.add_traffic(street, per_hour, rhythm=TRAFFIC)
        return
    street.hours = hours
    _stops(street, zone)
    if bays:
        _parked(street, KERB_LANE, 2)
    if signal:
        red_s = min(street.most_nothing_s(dwell_s), 75.0)
        traffic.add_signal(street, red_s, per_hour, TRAFFIC)
        traffic.add_traffic(street, per_hour, LANES[1:], TRAFFIC)
    else:
        parking.add_blockers(street, 0.3)
        traffic.add_traffic(street, per_hour, rhythm=TRAFFIC)
    street.hours = None


def _hours(street: Street) -> tuple[tuple[tuple[str, str], ...], Span | None]:
    """Local hours of a zone in one camera of seven, and the same in seconds of the clip."""
    if not street.chance(0.15):
        return (), None
    if street.chance(0.5):
        return (("08:00", "20:00"),), (0.0, 12 * HOUR_S)
    return (("17:00", "23:00"),), (9 * HOUR_S, 15 * HOUR_S)


def _stops(street: Street, zone: Zone) -> None:
    """Set down, wait, deliver, park: whoever finds no room drives on."""
    rng = street.rng
    tried = (street.place(KERB_LANE, (5.5, 1.9, 2.0), zone, room_m=8.5) for _ in range(4))
    free_at = {place: -np.inf for place in tried if place is not None}
    per_day = street.log_uniform(*STOPS_PER_DAY)
    for t in np.sort(moments(rng, per_day / 24, street.duration_s, STOPS)).tolist():
        lasts_s = _lasting(street, STOP_MEDIAN_S, STOP_SIGMA, 5 * HOUR_S)
        free = [place for place, since in free_at.items() if since < t]
        if free:
            place = free[int(rng.integers(len(free)))]
            verdict = street.is_event((t, t + lasts_s), zone.dwell_for(parking.KIND, 180.0))
            at = place + float(rng.normal(0, 0.3))
            parking.stay(street, zone, t, t + lasts_s, at, verdict)
            free_at[place] = t + lasts_s + 20 + 2 * street.period_s


def _lasting(street: Street, median_s: float, sigma: float, most_s: float) -> float:
    return float(min(max(median_s * np.exp(street.rng.normal(0, sigma)), 5.0), most_s))


def _parked(street: Street, across: float, places: int) -> None:
    """Lawful parking for minutes to a night, one car after another."""
    rng = street.rng
    lane, heading = (LANES[0], 1) if across == KERB_LANE else (LANES[1], -1)
    for _ in range(places):
        along = street.place(across, (5.5, 1.9, 2.0), None, room_m=8.0)
        t = -float(rng.uniform(0, 4)) * HOUR_S
        while along is not None and t < street.duration_s:
            name, size, names = random_vehicle(rng)
            until = t + street.log_uniform(600, 36_000)
            if name != "bus":
                drive = Drive(heading)
                drive.arrive(t, along, lane, across, float(rng.uniform(5, 9)))
                drive.leave(until, lane, float(rng.uniform(5, 9)))
                thing = Thing(size, drive.t, drive.along, drive.across, names)
                thing.blind = parking.blind_spans(street, (t, until))
                street.put(thing)
            t = until + street.log_uniform(60, 7200)


def _bins(street: Street) -> None:
    zone = street.zone("bins", (0.2, 1.9), {bins.KIND: float(street.rng.choice([120.0, 300.0]))})
    for _ in range(int(street.rng.integers(1, 4)) if zone else 0):
        along = street.place(bins.ACROSS, SIZES["full_bin"], zone, room_m=1.6)
        if along is not None and zone is not None:
            _bin_day(street, zone, along)


def _bin_day(street: Street, zone: Zone, along: float) -> None:
    """Emptied twice a day; in one case of five it has overflowed by then."""
    t, kin = -600.0, len(street.things)
    for pickup_s in (*PICKUPS_S, PICKUPS_S[0] + DAY_S):
        leaves_s = pickup_s + float(street.rng.uniform(-2400, 2400))
        full_s = leaves_s
        if street.chance(OVERFLOWS):
            full_s -= street.log_uniform(600, 5 * HOUR_S)
        nearly_s = full_s
        if full_s < leaves_s or street.chance(NEARLY):
            nearly_s = max(t, full_s - street.log_uniform(1200, 4 * HOUR_S))
        _fine(street, (t, nearly_s), along, kin)
        if nearly_s < full_s:
            bins.phase(street, (nearly_s, full_s), along, bins.NEARLY, full=False, kin=kin)
        if full_s < leaves_s:
            _overflowing(street, zone, along, (full_s, leaves_s), kin)
        away_s = float(street.rng.uniform(8, 30))
        bins.collect(street, leaves_s, away_s, along)
        t = leaves_s + away_s


def _fine(street: Street, span: Span, along: float, kin: int) -> None:
    """Not full; in half the cases somebody lays a bag on top for a moment."""
    begin, end = span
    if end - begin > 600 and street.chance(0.5):
        on_top = float(street.rng.uniform(begin + 100, end - 200))
        off = on_top + street.log_uniform(5, 60)
        bins.phase(street, (begin, on_top), along, bins.OK, full=False, kin=kin)
        bins.phase(street, (on_top, off), along, bins.FULL, full=True, kin=kin)
        begin = off
    bins.phase(street, (begin, end), along, bins.OK, full=False, kin=kin)


def _overflowing(street: Street, zone: Zone, along: float, span: Span, kin: int) -> None:
    number = bins.phase(street, span, along, bins.FULL, full=True, kin=kin)
    verdict = street.is_event(span, zone.dwell_for(bins.KIND, 120.0))
    street.note(bins.KIND, zone, span, (along, bins.ACROSS, SIZES["full_bin"]), verdict, (number,))


def _pavement(street: Street) -> None:
    rng = street.rng
    if street.chance(CYCLES):
        _cycles(street)
    fronts = shops.frontage(street.view) if street.chance(SHOPS) else None
    if fronts is not None:
        street.frontages.append(fronts)
        strip = street.zone("fronts", (2.35, shops.FRONT_M), {shops.KIND: 180.0})
        if strip is not None:
            _shop(street, strip)
    dwells = {
        vending.KIND: float(rng.choice([60.0, 120.0])),
        garbage.KIND: float(rng.choice([300.0, 600.0])),
    }
    zone = street.zone("pavement", (0.3, 3.6 if fronts is None else 2.3), dwells)
    if zone is not None:
        _vending(street, zone)
        _garbage(street, zone)


def _vending(street: Street, zone: Zone) -> None:
    rng = street.rng
    dwell_s = zone.dwell_for(vending.KIND, 120.0)
    along = street.place(PAVEMENT, (2.5, 2.2, 2.4), zone, room_m=5.5)
    per_day = VENDORS_PER_MARKET_DAY if street.chance(MARKETS) else VENDORS_PER_DAY
    if along is not None:
        free_at = 30.0
        for t in np.sort(moments(rng, per_day / 24, street.duration_s, VENDORS)).tolist():
            if t > free_at:
                lasts_s = _lasting(street, VENDOR_MEDIAN_S, VENDOR_SIGMA, 5 * HOUR_S)
                vending.sells(street, zone, along, (t, t + lasts_s))
                free_at = t + lasts_s + 120
    alone = street.place(PAVEMENT, SIZES["tricycle"], zone, room_m=5.5)
    if alone is not None and street.chance(0.2):
        begin = float(rng.uniform(0, DAY_S))
        vending.left_alone(street, alone, (begin, begin + street.log_uniform(1, 9) * HOUR_S))
    for t in moments(rng, PASSERS_PER_DAY / 24, street.duration_s, VENDORS).tolist():
        vending.passer(street, t, dwell_s)


def _garbage(street: Street, zone: Zone) -> None:
    rng = street.rng
    along = street.place(PAVEMENT, SIZES["garbage"], zone, room_m=3.5)
    if along is not None:
        most_s = street.most_nothing_s(zone.dwell_for(garbage.KIND, 300.0))
        lying = [(600.0, 10 * HOUR_S)] * int(rng.poisson(HEAPS_PER_DAY))
        lying += [(5.0, most_s)] * int(rng.poisson(CLEARED_PER_DAY))
        free_at = 0.0
        for t, (low, high) in zip(np.sort(rng.uniform(0, DAY_S, len(lying))), lying, strict=True):
            if t > free_at:
                lasts_s = street.log_uniform(low, high)
                garbage.heap(street, zone, along, (float(t), float(t) + lasts_s))
                free_at = float(t) + lasts_s + 120
    aside = street.place(PAVEMENT, SIZES["bag"], zone, room_m=3.5)
    if aside is not None:
        garbage.waiting(street, aside, BAGS_PER_DAY / 24)


def _shop(street: Street, strip: Zone) -> None:
    """Goods in the way for most of a day, or a delivery that is cleared soon."""
    rng = street.rng
    out = street.place(shops.OUTSIDE, SIZES["goods"], strip, room_m=3.5)
    if out is not None and street.chance(0.4):
        day = (float(rng.uniform(0.5, 2)) * HOUR_S, float(rng.uniform(10, 14)) * HOUR_S)
        shops.goods_out(street, strip, out, day)
    elif out is not None:
        most_s = street.most_nothing_s(strip.dwell_for(shops.KIND, 180.0))
        for k in range(int(rng.poisson(2))):
            begin = (1 + 3 * k + float(rng.uniform(0, 2))) * HOUR_S
            shops.goods_out(street, strip, out, (begin, begin + street.log_uniform(5, most_s)))
    inside = street.place(shops.INSIDE, SIZES["goods"], None, room_m=3.0)
    if inside is not None:
        shops.goods_inside(street, inside, (0.0, 14 * HOUR_S))


def _cycles(street: Street) -> None:
    rng = street.rng
    found = cycles.stand(street, [300.0, 600.0])
    if found is None:
        return
    zone, along = found
    rows = [int(rng.integers(3, 6)) for _ in range(int(rng.poisson(CLUTTER_PER_DAY)))]
    rows += [int(rng.integers(1, 3)) for _ in range(int(rng.poisson(FEW_CYCLES_PER_DAY)))]
    rng.shuffle(rows)
    t = 0.0
    for most in rows:
        t += street.log_uniform(900, 4 * HOUR_S)
        lasts_s = street.log_uniform(900, 8 * HOUR_S)
        cycles.left_there(street, zone, along, (t, t + lasts_s), most)
        t += lasts_s + 200
