"""Vehicles at the kerb: parked too long, loading, creeping, taking a freed place."""

from __future__ import annotations

import numpy as np

from ...vision.cameras import Zone
from .street import Street
from .things import Drive, Size, Thing, random_vehicle, spans, still
from .view import KERB_LANE, LANES, OPPOSITE_KERB

KIND = "illegal_parking"


def add_parking(street: Street, zone: Zone, busy: float) -> None:
    """Fill the kerb lane; `busy` is about how many stays a place sees in an hour."""
    dwell_s = zone.dwell_for(KIND, 180.0)
    for _ in range(int(street.rng.integers(1, 4))):
        along = street.place(KERB_LANE, (5.5, 1.9, 2.0), zone, room_m=8.5)
        if along is not None:
            _slot(street, zone, along, dwell_s, busy)


def add_lawful(street: Street) -> None:
    """Cars parked where nothing forbids it, all the time or for some of it."""
    for _ in range(int(street.rng.integers(0, 3))):
        name, size, names = random_vehicle(street.rng)
        if name == "bus":
            continue
        along = street.place(OPPOSITE_KERB, size, None, room_m=7.0)
        if along is None:
            continue
        begin = float(street.rng.uniform(-0.5, 0.5)) * street.duration_s
        thing = still(size, (begin, begin + street.duration_s), along, OPPOSITE_KERB, names)
        thing.blind = blind_spans(street, (0, street.duration_s))
        street.things.append(thing)


def add_blockers(street: Street, per_hour: float = 1.0) -> None:
    """Buses and trucks that wait in the next lane for a while and hide what stands behind."""
    low, high = street.view.reach()
    for begin, end in spans(street.rng, (30, street.duration_s), per_hour, (12, 90)):
        size: Size = (10.5, 2.5, 3.1) if street.chance(0.6) else (7.0, 2.3, 2.9)
        drive = Drive(heading=1)
        lane = LANES[0]
        drive.arrive(begin, float(street.rng.uniform(low, high)), lane, lane, 7.0)
        end = min(end, begin + _longest_wait(street))
        drive.leave(end, lane, 7.0)
        street.blocked.append((begin, end))
        names = {"bus": 0.9, "truck": 0.1} if size[0] > 8 else {"truck": 0.95, "bus": 0.05}
        street.things.append(Thing(size, drive.t, drive.along, drive.across, names))


def _longest_wait(street: Street) -> float:
    dwells = [zone.dwell_for(KIND, 1e9) for zone in street.zones if KIND in zone.forbids]
    return street.most_nothing_s(min(dwells, default=180.0))


def _slot(street: Street, zone: Zone, along: float, dwell_s: float, busy: float) -> None:
    """One place: stays and gaps in turn."""
    t = 12.0 + street.wait_s(1200.0 / busy)
    if street.chance(0.2):
        t = -float(street.rng.uniform(60, 2000))
    while t < street.duration_s - 5:
        stay_s = _stay_length(street, dwell_s)
        verdict = street.is_event((t, t + stay_s), dwell_s)
        at = along + float(street.rng.normal(0, 0.3))
        if t + stay_s > 0:
            stay(street, zone, t, t + stay_s, at, verdict)
        # A queue of takers in busy hours: the next one may come at once.
        soon = street.chance(0.3)
        gap_s = street.log_uniform(18, 90) if soon else 30 + street.wait_s(2400.0 / busy)
        t = t + stay_s + gap_s + 2 * street.period_s


def _stay_length(street: Street, dwell_s: float) -> float:
    if street.chance(0.55):
        low = street.least_event_s(dwell_s)
        return street.log_uniform(low, max(low * 1.5, min(8 * dwell_s, 3600.0)))
    return street.log_uniform(4.0, street.most_nothing_s(dwell_s))


def stay(
    street: Street, zone: Zone, stop_s: float, go_s: float, along: float, verdict: bool | None
) -> None:
    rng = street.rng
    name, size, names = random_vehicle(rng)
    if name == "bus":
        size = (7.0, 2.3, 2.9)
        names = {"truck": 0.9, "bus": 0.1}
    across = KERB_LANE + float(rng.normal(0, 0.12))
    drive = Drive(heading=1)
    drive.arrive(stop_s, along, LANES[0], across, float(rng.uniform(5, 9)))
    middle = along
    if verdict and street.chance(0.15):
        # A van that creeps: a little forward in its place, one stay for anybody who looks.
        for at_s in np.sort(rng.uniform(stop_s + 8, go_s - 8, int(rng.integers(1, 3)))):
            drive.shift(max(float(at_s), drive.t[-1] + 2.0), float(rng.uniform(0.2, 0.8)))
        middle = drive.along[-1]
    drive.leave(go_s, LANES[0], float(rng.uniform(5, 9)))
    thing = Thing(size, drive.t, drive.along, drive.across, names)
    thing.blind = blind_spans(street, (stop_s, go_s))
    if street.is_night(stop_s):
        thing.swell = _lights(street, stop_s, go_s)
    number = street.put(thing)
    if name in ("truck", "van") and street.chance(0.15):
        street.put(_cab(thing, number))
    place = ((along + middle) / 2, across, size)
    street.note(KIND, zone, (stop_s, go_s), place, verdict, (number,))


def _cab(thing: Thing, number: int) -> Thing:
    """Its front, which the detector now and then boxes as a vehicle of its own."""
    length, width, height = thing.size
    along = [a + 0.3 * length for a in thing.along]
    size = (0.4 * length, width, 0.8 * height)
    cab = Thing(size, thing.t, along, thing.across, {"car": 1.0}, -3.0, wobble=1.0, opacity=0.0)
    cab.kin = number
    return cab


def blind_spans(street: Street, span: tuple[float, float]) -> list[tuple[float, float]]:
    """When the detector does not get it: rain, reflections, glare of others' lights at night."""
    blind = spans(street.rng, span, 1.2, (4, 45))
    if street.hard:
        blind += spans(street.rng, span, 2.0, (20, 110))
    for dark in street.dark_spans(span):
        blind += spans(street.rng, dark, 30.0, (0.8, 3.0))
    return blind


def _lights(
    street: Street, stop_s: float, go_s: float
) -> list[tuple[tuple[float, float], tuple[float, float, float]]]:
    """Its own lights after it stopped, before it goes, and now and then between."""
    rng = street.rng
    on = [(stop_s - 30, stop_s + street.log_uniform(3, 40)), (go_s - rng.uniform(2, 15), go_s + 30)]
    on += spans(rng, (stop_s, go_s), 2.0, (5, 60))
    shares = (0.0, float(rng.uniform(0.08, 0.35)), float(rng.uniform(0.0, 0.1)))
    if street.chance(0.5):
        shares = (shares[1], 0.0, shares[2])
    return [(span, shares) for span in on]
