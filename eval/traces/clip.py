"""One simulated camera from its seed: zones, frames as a detector reports them, and the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from ...vision.cameras import Camera
from ...vision.detections import Detections
from ..events import TrueEvent
from . import bins, cycles, garbage, parking, shops, traffic, vending
from .seeing import Light, Sightings, see
from .street import Marked, Street
from .things import SIZES, inside, spans
from .view import LANES, Floats, random_view

LEAST_CLEAR = 0.5
START = datetime(2026, 5, 1, 0, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mix:
    """How often a sampling rate is drawn (share of hours) and how long such a clip is."""

    fps: float
    share: float
    hours: float


# Most cameras of a city send a frame in some seconds; a few are watched closely.
MIXES = (
    Mix(0.2, 0.800, 1.0),
    Mix(0.5, 0.140, 1.0),
    Mix(1.0, 0.050, 1.0),
    Mix(5.0, 0.008, 0.5),
    Mix(25.0, 0.002, 0.1),
)


@dataclass(frozen=True, slots=True)
class Faults:
    """What the way from camera to engine does to frames: shares of frames, spans without any."""

    dropped: float = 0.04
    repeated: float = 0.01
    swapped: float = 0.01
    gaps_per_hour: float = 1.0
    restarts_per_hour: float = 3.0


@dataclass(frozen=True, slots=True)
class TraceClip:
    """One camera's simulated clip.

    Attributes:
        times_s: media seconds of each frame from the clip's start.
        delivery: frame numbers in the order of arrival, late and repeated ones included.
        restarts: positions in `delivery` before which the engine is restarted.
        named: whether the source gives track ids of its own.
    """

    name: str
    camera: Camera
    fps: float
    duration_s: float
    times_s: Floats
    sightings: Sightings
    truth: tuple[TrueEvent, ...]
    delivery: tuple[int, ...]
    restarts: frozenset[int]
    named: bool
    night: bool

    def frames(self) -> Iterator[tuple[datetime, int, Detections]]:
        """Time stamp, number and detections in the order of arrival."""
        for k in self.delivery:
            yield self.moment(k), k, self.sightings.frame(k, named=self.named)

    def moment(self, k: int) -> datetime:
        """Media time of frame k, to the millisecond."""
        return START + timedelta(milliseconds=round(float(self.times_s[k]) * 1000))


def make_clip(seed: int, index: int, mix: Mix, faults: Faults = Faults()) -> TraceClip:
    """The clip that `seed` and `index` stand for; the same every time."""
    rng = np.random.default_rng([seed, index])
    street = _street(rng, mix)
    light = _light(street)
    times = _times(rng, mix, faults)
    sightings = see(street.view, street.things, times, light, rng)
    delivery = _delivery(rng, len(times), faults)
    restarts = rng.integers(0, len(delivery), rng.poisson(faults.restarts_per_hour * mix.hours))
    name = f"trace-{seed}-{index:05d}-{mix.fps:g}fps"
    return TraceClip(
        name=name,
        camera=Camera(id=name, zones=tuple(street.zones), frontages=tuple(street.frontages)),
        fps=mix.fps,
        duration_s=street.duration_s,
        times_s=times,
        sightings=sightings,
        truth=_truth(street, sightings, times),
        delivery=tuple(delivery.tolist()),
        restarts=frozenset(restarts.tolist()),
        named=bool(rng.random() < 0.2),
        night=street.night,
    )


def _street(rng: np.random.Generator, mix: Mix) -> Street:
    street = Street(
        view=random_view(rng),
        rng=rng,
        duration_s=mix.hours * 3600,
        period_s=1 / mix.fps,
        night=bool(rng.random() < 0.3),
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
    traffic.add_walkers(street, street.log_uniform(10, 200) * (0.3 if street.night else 1.0))
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
    """A zone of its own for two-wheelers, since clutter is counted by zone."""
    rng = street.rng
    room = 6 * cycles.SPACING_M
    low, high = street.view.reach()
    if high - low < room + 4:
        return
    begin = float(rng.uniform(low + 1, high - room - 1))
    dwell = float(rng.choice([40.0] if short else [120.0, 300.0]))
    ends = (begin - 2.0, begin + room + 1.0)
    zone = street.zone("cycles", (0.4, 3.6), {cycles.KIND: dwell}, along=ends)
    sizes = SIZES["bicycle"]
    in_view = all(
        street.is_seen(begin + k * cycles.SPACING_M, cycles.ACROSS, sizes) for k in range(5)
    )
    if zone is not None and in_view:
        street.places += [(True, begin + k * 1.5) for k in range(5)]
        cycles.add_cycles(street, zone, begin)


def _traffic(street: Street) -> float:
    return street.log_uniform(60, 700) * (0.4 if street.night else 1.0)


def _truth(street: Street, sightings: Sightings, times: Floats) -> tuple[TrueEvent, ...]:
    """Events in order, as somebody who sees the frames would mark them.

    What nobody could see at first begins when it comes into view, and ends when it was last seen if
    it is hidden then; what is mostly hidden from the camera becomes optional.
    """
    events = [_as_seen(marked, sightings.clear, times, street.period_s) for marked in street.marked]
    return tuple(sorted(events, key=lambda e: (e.start_s, e.kind)))


def _as_seen(marked: Marked, clear: NDArray[np.int64], times: Floats, period_s: float) -> TrueEvent:
    event = marked.event
    begin, end = np.searchsorted(times, [event.start_s, event.end_s])
    during = clear[(clear[:, 0] >= begin) & (clear[:, 0] < end)]
    seen = [np.unique(during[np.isin(during[:, 1], group), 0]) for group in marked.groups]
    if min(len(frames) for frames in seen) < LEAST_CLEAR * (end - begin) or begin == end:
        return replace(event, optional=True)
    first_s, last_s = (float(times[k]) for k in seen[0][[0, -1]])
    if first_s > event.start_s + 2 * period_s:
        event = replace(event, start_s=first_s)
    if last_s < event.end_s - 2 * period_s:
        event = replace(event, end_s=last_s)
    too_short = event.end_s - event.start_s < marked.least_s
    return replace(event, optional=event.optional or too_short)


def _light(street: Street) -> Light:
    whole = (0.0, street.duration_s)
    return Light(
        night=1.0 if street.night else 0.0,
        dim=spans(street.rng, whole, 0.5, (60, 400)),
        blinding=spans(street.rng, whole, 0.2, (5, 30)),
        shake_px=float(street.rng.uniform(0.5, 2.5)) if street.chance(0.25) else 0.0,
    )


def _times(rng: np.random.Generator, mix: Mix, faults: Faults) -> Floats:
    """Frame times with a shaky clock, single frames lost, and gaps."""
    period_s = 1 / mix.fps
    times = np.arange(0, mix.hours * 3600, period_s)
    if period_s >= 0.2:
        times = times + rng.uniform(0, 0.15 * period_s, len(times))
    kept = rng.random(len(times)) >= faults.dropped
    kept &= inside(times, spans(rng, (0, mix.hours * 3600), faults.gaps_per_hour, (8, 150))) == 0
    return np.asarray(times[kept])


def _delivery(rng: np.random.Generator, count: int, faults: Faults) -> NDArray[np.int64]:
    """Numbers in order of arrival: some twice, some after their successor."""
    order = np.arange(count)
    swaps = np.flatnonzero(rng.random(max(count - 1, 0)) < faults.swapped)
    for k in swaps.tolist():
        order[k], order[k + 1] = order[k + 1], order[k]
    again = 1 + (rng.random(count) < faults.repeated)
    return np.asarray(np.repeat(order, again))
