"""A street being filled: its view, its zones, its things, and what is true of them.

The rule of truth: a situation is an event when it lasts at least `1.3 × dwell + 20 s + 2 sampling
periods` within the clip and the zone's hours, and is none when it lasts at most `0.6 × dwell` and
at least 20 s less than the dwell. What lies between, and what is hidden from the camera for more
than half of its time, careful people would judge either way: it is optional.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import shapely

from ...vision.cameras import Frontage, Zone
from ..events import TrueEvent
from .things import Size, Span, Thing
from .view import View, ground_point

INSIDE_MARGIN, OUTSIDE_MARGIN = 0.008, 0.012


@dataclass(frozen=True, slots=True)
class Marked:
    """An event and the things that have to be seen for it: one of each group.

    The event is seen to begin when one of the first group is; one that is seen for less than
    `least_s` is doubtful.
    """

    event: TrueEvent
    least_s: float
    groups: tuple[tuple[int, ...], ...]


@dataclass(slots=True)
class Street:
    """One camera's clip in the making. Seconds count from the clip's first moment."""

    view: View
    rng: np.random.Generator
    duration_s: float
    period_s: float
    nights: list[Span]
    hard: bool
    zones: list[Zone] = field(default_factory=list)
    frontages: list[Frontage] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    marked: list[Marked] = field(default_factory=list)
    places: list[tuple[bool, float]] = field(default_factory=list)
    blocked: list[Span] = field(default_factory=list)
    hours: Span | None = None

    def zone(
        self,
        zone_id: str,
        across: Span,
        dwell_s: dict[str, float],
        along: Span | None = None,
        active: tuple[tuple[str, str], ...] = (),
    ) -> Zone | None:
        """Draw a zone over a strip of ground; None where none of it is seen."""
        polygon = self.view.strip(along or self.view.reach(), across)
        if len(polygon) < 3 or shapely.Polygon(polygon).area < 0.002:
            return None
        zone = Zone.model_validate(
            {
                "id": zone_id,
                "polygon": polygon,
                "forbids": tuple(dwell_s),
                "dwell_s": dwell_s,
                "active": active,
            }
        )
        self.zones.append(zone)
        return zone

    def least_event_s(self, dwell_s: float) -> float:
        """What lasts at least this long is an event."""
        return 1.3 * dwell_s + 20.0 + 2 * self.period_s

    def is_night(self, t: float) -> bool:
        """Whether it is dark at `t`."""
        return any(begin <= t < end for begin, end in self.nights)

    def dark_spans(self, span: Span) -> list[Span]:
        """The parts of a span that lie in a night."""
        cut = [(max(a, span[0]), min(b, span[1])) for a, b in self.nights]
        return [(a, b) for a, b in cut if a < b]

    def most_nothing_s(self, dwell_s: float) -> float:
        """What lasts at most this long is none."""
        return max(3.0, min(0.6 * dwell_s, dwell_s - 20.0))

    def is_event(self, span: Span, dwell_s: float) -> bool | None:
        """Whether what lasts over `span` is an event; None when people would differ."""
        begin, end = self._counted(span)
        if end - begin >= self.least_event_s(dwell_s):
            return True
        return False if end - begin <= self.most_nothing_s(dwell_s) else None

    def _counted(self, span: Span) -> Span:
        """The part of a span within the clip and the hours of its zones."""
        low, high = self.hours or (0.0, self.duration_s)
        return max(span[0], low), min(span[1], high)

    def put(self, thing: Thing) -> int:
        """Add a thing; returns its number."""
        self.things.append(thing)
        return len(self.things) - 1

    def note(
        self,
        kind: str,
        zone: Zone,
        span: Span,
        place: tuple[float, float, Size],
        verdict: bool | None,
        *groups: tuple[int, ...],
    ) -> None:
        """Put a situation at `place` (along, across, size) into the truth unless it is no event.

        Of each group of things one has to be seen. What stands on the zone's edge is doubtful.
        """
        if verdict is False:
            return
        verdict = verdict if self._fits(*place, zone) else None
        begin, end = self._counted(span)
        box = self.view.box(*place)
        event = TrueEvent(kind, zone.id, begin, end, box, optional=verdict is None)
        least_s = self.least_event_s(zone.dwell_for(kind, 0.0))
        self.marked.append(Marked(event, least_s, groups))

    def place(self, across: float, size: Size, zone: Zone | None, room_m: float) -> float | None:
        """A free place along the street, in view; inside `zone`, or in no zone at all if None."""
        low, high = self.view.reach()
        for _ in range(30):
            along = float(self.rng.uniform(low, high))
            row = across > 0
            if any(row == taken and abs(along - at) < room_m for taken, at in self.places):
                continue
            if self.is_seen(along, across, size) and self._fits(along, across, size, zone):
                self.places.append((row, along))
                return along
        return None

    def is_seen(self, along: float, across: float, size: Size) -> bool:
        """Wholly in the picture and large enough for a detector."""
        x1, y1, x2, y2 = self.view.box(along, across, size)
        inside = x1 > 0.01 and y1 > 0.01 and x2 < 0.99 and y2 < 0.99
        return inside and (y2 - y1) * 720 >= 16 and (x2 - x1) * 1280 >= 14

    def _fits(self, along: float, across: float, size: Size, zone: Zone | None) -> bool:
        point = shapely.Point(ground_point(self.view.box(along, across, size)))
        if zone is not None:
            return bool(shapely.Polygon(zone.polygon).buffer(-INSIDE_MARGIN).contains(point))
        return not any(
            shapely.Polygon(z.polygon).buffer(OUTSIDE_MARGIN).contains(point) for z in self.zones
        )

    def log_uniform(self, low: float, high: float) -> float:
        """A length between two bounds, short ones as likely as long ones."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(max(high, low * 1.001)))))

    def wait_s(self, mean_s: float) -> float:
        """Exponential waiting time; `mean_s` is for an hour, in short clips all comes sooner."""
        return float(self.rng.exponential(mean_s * min(1.0, self.duration_s / 3600)))

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)
