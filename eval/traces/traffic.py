"""Who merely passes or waits: traffic, people on foot, queues at a signal, and ghosts."""

from __future__ import annotations

import numpy as np

from ...vision.cameras import Zone
from .day import Rhythm, level, moments
from .street import Street
from .things import SIZES, Drive, Thing, passing, random_vehicle, still
from .view import KERB_LANE, LANES, PAVEMENT


def add_traffic(
    street: Street,
    per_hour: float,
    lanes: tuple[float, ...] = LANES,
    rhythm: Rhythm | None = None,
) -> None:
    """Vehicles that drive through, lane by lane, with at least 3 s between two of a lane."""
    rng, reach = street.rng, street.view.reach()
    for lane in lanes:
        times = np.sort(moments(rng, per_hour / len(LANES), street.duration_s, rhythm))
        speed = float(rng.uniform(6, 12))
        last = -10.0
        for t in times.tolist():
            if t - last < 3.0 or (lane == LANES[0] and _is_blocked(street, t)):
                continue
            last = t
            _, size, names = random_vehicle(rng)
            heading = 1 if lane == LANES[0] else -1
            thing = passing(size, names, t, heading, lane, speed, reach)
            if street.is_night(t):
                thing.swell = [((thing.t[0], thing.t[-1]), (0.1, 0.1, 0.05))]
            street.things.append(thing)


def _is_blocked(street: Street, t: float) -> bool:
    return any(begin - 8 < t < end + 8 for begin, end in street.blocked)


def add_walkers(street: Street, per_hour: float, rhythm: Rhythm | None = None) -> None:
    """People on the pavement; a few ride in the kerb lane on motorcycles."""
    rng, reach = street.rng, street.view.reach()
    for t in moments(rng, per_hour, street.duration_s, rhythm).tolist():
        heading = 1 if rng.random() < 0.5 else -1
        if rng.random() < 0.12:
            names = {"motorcycle": 0.85, "bicycle": 0.15}
            size = SIZES["motorcycle"]
            street.things.append(passing(size, names, t, heading, KERB_LANE - 1.6, 5.0, reach))
        else:
            across = float(rng.uniform(0.5, 3.4))
            speed = float(rng.uniform(0.9, 1.6))
            size, names = SIZES["person"], {"person": 1.0}
            street.things.append(passing(size, names, t, heading, across, speed, reach))


def add_signal(street: Street, red_s: float, per_hour: float, rhythm: Rhythm | None = None) -> None:
    """A lane that queues: cars close up behind the line during red and leave one by one."""
    rng = street.rng
    low, high = street.view.reach()
    line = float(rng.uniform(low + 0.6 * (high - low), high))
    cycle_s = red_s + float(rng.uniform(30, 70))
    red_at = -float(rng.uniform(0, cycle_s))
    while red_at < street.duration_s:
        green_at = red_at + red_s
        come = per_hour * level(rhythm, red_at) * red_s / 3600
        arrivals = np.sort(rng.uniform(red_at + 2, green_at - 4, rng.poisson(come)))
        # Nobody stops exactly at the line.
        back = float(rng.uniform(0, 2.0))
        for i, stop_s in enumerate(arrivals.tolist()):
            if i and stop_s - arrivals[i - 1] < 2.0:
                continue
            _, size, names = random_vehicle(rng)
            drive = Drive(heading=1)
            at = line - back - size[0] / 2
            drive.arrive(stop_s, at, LANES[0], LANES[0], 7.0)
            drive.leave(green_at + 1.5 * i + 1.0, LANES[0], 8.0)
            street.things.append(Thing(size, drive.t, drive.along, drive.across, names))
            back += size[0] + float(rng.uniform(1.2, 2.5))
        red_at += cycle_s


def add_ghosts(street: Street) -> None:
    """Spots where the detector sees, weakly and now and then, what is not there."""
    names = [("car", KERB_LANE, (4.5, 1.8, 1.5)), ("garbage", PAVEMENT, SIZES["garbage"])]
    names += [("stall", PAVEMENT, SIZES["tricycle"]), ("person", PAVEMENT, SIZES["person"])]
    name, across, size = names[int(street.rng.integers(len(names)))]
    along = street.place(across, size, _any_zone(street), room_m=3.0)
    if along is not None:
        ghost = still(size, (0, street.duration_s), along, across, {name: 1.0}, bias=-5.2)
        ghost.wobble = 1.0
        street.things.append(ghost)


def _any_zone(street: Street) -> Zone | None:
    return street.zones[0] if street.zones and street.chance(0.5) else None
