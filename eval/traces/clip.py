"""One simulated camera from its seed: zones, frames as a detector reports them, and the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from ...vision.appearance import Looks
from ...vision.cameras import Camera
from ...vision.detections import Detections
from ..events import TrueEvent
from .dense import dense_light, dense_street
from .looks import looks_of_sightings
from .ordinary import ordinary_light, ordinary_street
from .seeing import Light, Sightings, see
from .street import Marked, Street
from .things import Span, inside, spans
from .view import Floats

DENSE, ORDINARY = "dense", "ordinary"
LEAST_CLEAR = 0.5
START = datetime(2026, 5, 1, 0, 0, tzinfo=UTC)
STREETS = {DENSE: (dense_street, dense_light), ORDINARY: (ordinary_street, ordinary_light)}
NAMES = {DENSE: "trace", ORDINARY: "ordinary"}


@dataclass(frozen=True, slots=True)
class Mix:
    """How often a sampling rate is drawn (share of a part's hours) and how long such a clip is."""

    fps: float
    share: float
    hours: float
    part: str = DENSE


# Most cameras of a city send a frame in some seconds; a few are watched closely. Ordinary clips
# are whole days, from eight in the morning.
MIXES = {
    DENSE: (
        Mix(0.2, 0.800, 1.0),
        Mix(0.5, 0.140, 1.0),
        Mix(1.0, 0.050, 1.0),
        Mix(5.0, 0.008, 0.5),
        Mix(25.0, 0.002, 0.1),
    ),
    ORDINARY: (
        Mix(0.2, 0.90, 24.0, ORDINARY),
        Mix(0.5, 0.08, 24.0, ORDINARY),
        Mix(1.0, 0.02, 24.0, ORDINARY),
    ),
}


@dataclass(frozen=True, slots=True)
class Faults:
    """What the way from camera to engine does to frames: shares of frames, spans without any."""

    dropped: float = 0.04
    repeated: float = 0.01
    swapped: float = 0.01
    gaps_per_hour: float = 1.0
    restarts_per_hour: float = 3.0


FAULTS = {
    DENSE: Faults(),
    ORDINARY: Faults(
        dropped=0.01, repeated=0.002, swapped=0.002, gaps_per_hour=0.15, restarts_per_hour=0.04
    ),
}


@dataclass(frozen=True, slots=True)
class TraceClip:
    """One camera's simulated clip.

    Attributes:
        times_s: media seconds of each frame from the clip's start.
        delivery: frame numbers in the order of arrival, late and repeated ones included.
        restarts: positions in `delivery` before which the engine is restarted.
        named: whether the source gives track ids of its own.
        appearance: one descriptor per box of `sightings`; None without looks.
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
    nights: tuple[Span, ...]
    appearance: Looks | None

    def frames(self) -> Iterator[tuple[datetime, int, Detections]]:
        """Time stamp, number and detections in the order of arrival."""
        for k in self.delivery:
            yield self.moment(k), k, self.sightings.frame(k, named=self.named)

    def looks(self, k: int) -> Looks | None:
        """Appearance of frame k's boxes, for `CameraEngine.update`."""
        if self.appearance is None:
            return None
        return self.appearance[self.sightings.first[k] : self.sightings.first[k + 1]]

    def moment(self, k: int) -> datetime:
        """Media time of frame k, to the millisecond."""
        return START + timedelta(milliseconds=round(float(self.times_s[k]) * 1000))


def make_clip(
    seed: int, index: int, mix: Mix, faults: Faults | None = None, *, looks: bool = True
) -> TraceClip:
    """The clip that `seed`, `index` and `mix` stand for; the same every time.

    Without `faults`, those of its part. With and without `looks` all else is the same.
    """
    rng = np.random.default_rng([seed, index])
    faults = faults or FAULTS[mix.part]
    make, lit = STREETS[mix.part]
    street = make(rng, mix.hours * 3600, 1 / mix.fps)
    light = lit(street)
    times = _times(rng, mix, faults)
    sightings = see(street.view, street.things, times, light, rng)
    delivery = _delivery(rng, len(times), faults)
    restarts = rng.integers(0, len(delivery), rng.poisson(faults.restarts_per_hour * mix.hours))
    name = f"{NAMES[mix.part]}-{seed}-{index:05d}-{mix.fps:g}fps"
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
        nights=tuple(street.nights),
        appearance=_appearance(seed, index, street, sightings, times, light) if looks else None,
    )


def _appearance(
    seed: int, index: int, street: Street, sightings: Sightings, times: Floats, light: Light
) -> Looks:
    rng = np.random.default_rng([seed, index, 1])
    return looks_of_sightings(street.things, sightings, times, light, rng)


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
