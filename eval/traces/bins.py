"""Bins: filling, overflowing, knocked aside, emptied, and merely looking full for a moment."""

from __future__ import annotations

from ...vision.cameras import Zone
from .street import Street
from .things import SIZES, Drive, Thing, spans, still
from .view import KERB_LANE, LANES

KIND = "bin_overflow"
ACROSS = 1.0
OK = {"bin": 0.96, "overflowing_bin": 0.04}
NEARLY = {"bin": 0.82, "overflowing_bin": 0.18}
FULL = {"overflowing_bin": 0.84, "bin": 0.16}


def add_bins(street: Street, zone: Zone) -> None:
    """One to three bins, each with its own day."""
    dwell_s = zone.dwell_for(KIND, 120.0)
    for _ in range(int(street.rng.integers(1, 4))):
        along = street.place(ACROSS, SIZES["full_bin"], zone, room_m=1.6)
        if along is not None:
            _bin(street, zone, along, dwell_s)


def _bin(street: Street, zone: Zone, along: float, dwell_s: float) -> None:
    rng = street.rng
    t = -float(rng.uniform(0, 600))
    # All its states look like the first one.
    kin = len(street.things)
    while t < street.duration_s:
        fine_until = t + 60 + street.wait_s(1500)
        phase(
            street,
            (t, fine_until),
            along,
            OK if street.chance(0.8) else NEARLY,
            full=False,
            kin=kin,
        )
        if fine_until >= street.duration_s:
            return
        full_s = _full_length(street, dwell_s)
        span = (fine_until, fine_until + full_s)
        verdict = street.is_event(span, dwell_s)
        moved = along
        full: tuple[int, ...]
        if verdict and street.chance(0.2):
            # Somebody pushes it aside: the same bin, the same event.
            pushed_s = float(rng.uniform(span[0] + 0.3 * full_s, span[0] + 0.8 * full_s))
            moved = along + float(rng.uniform(-0.5, 0.5))
            full = (
                phase(street, (span[0], pushed_s), along, FULL, full=True, kin=kin),
                phase(street, (pushed_s, span[1]), moved, FULL, full=True, kin=kin),
            )
        else:
            full = (phase(street, span, along, FULL, full=True, kin=kin),)
        place = ((along + moved) / 2, ACROSS, SIZES["full_bin"])
        street.note(KIND, zone, span, place, verdict, full)
        t = span[1]
        if verdict:
            # Emptying: a truck stands before it, the bin is away for a little.
            away_s = float(rng.uniform(8, 30))
            collect(street, t, away_s, along)
            t += away_s


def _full_length(street: Street, dwell_s: float) -> float:
    if street.chance(0.6):
        low = street.least_event_s(dwell_s)
        return street.log_uniform(low, max(1.5 * low, 3600.0))
    return street.log_uniform(5.0, street.most_nothing_s(dwell_s))


def phase(
    street: Street,
    span: tuple[float, float],
    along: float,
    names: dict[str, float],
    *,
    full: bool,
    kin: int,
) -> int:
    """A bin in one state; `kin` is the number of its first."""
    thing = still(SIZES["full_bin" if full else "bin"], span, along, ACROSS, dict(names))
    thing.blind = spans(street.rng, span, 1.0, (4, 40))
    thing.kin = kin
    return street.put(thing)


def collect(street: Street, t: float, away_s: float, along: float) -> None:
    drive = Drive(heading=1)
    drive.arrive(t - 6.0, along - 5.0, LANES[0], KERB_LANE, 6.0)
    drive.leave(t + away_s + 4.0, LANES[0], 6.0)
    size = (6.5, 2.2, 2.6)
    street.things.append(Thing(size, drive.t, drive.along, drive.across, {"truck": 1.0}))
