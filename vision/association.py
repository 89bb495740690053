"""Which box is which: one optimal assignment per frame.

SciPy's Hungarian solver over two kinds of rows: stays, which claim boxes by place, and tracks,
which claim them by predicted motion. A stay never follows a box away from its place; so a bus that
hides a parked car cannot carry it off, and the car is found again by place, not by a chain of
boxes. Ready-made trackers (norfair, ByteTrack) were not used: their lives and hit counters are
counted in frames, the very defect to avoid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from .families import GARBAGE, STALL
from .geometry import areas, intersections, iou
from .incident import Box
from .scene import Stay, Track

Floats = NDArray[np.float64]

UNMATCHED_COST = 1.0
# Shapes without a firm outline: their boxes breathe more than a car's.
LOOSE_FAMILIES = frozenset({GARBAGE, STALL})


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Bounds of the tracker. Lengths are in box sizes unless they say pixels."""

    settle_s: float = 2.0
    min_presence: float = 0.4
    rest_radius: float = 0.15
    rest_jitter_px: float = 3.0
    fit_iou: float = 0.5
    loose_fit_iou: float = 0.35
    return_iou: float = 0.75
    long_absence_s: float = 20.0
    covered_share: float = 0.35
    credit_gap_s: float = 10.0
    credit_periods: float = 3.0
    max_credit_gap_s: float = 180.0
    max_covered_s: float = 900.0
    brief_s: float = 2.0
    brief_periods: float = 2.5
    resting_s: float = 6.0
    reach: float = 0.3
    reach_per_s: float = 2.5
    max_reach: float = 1.5
    left_distance: float = 0.8
    left_after_s: float = 3.0
    anchor_hits: int = 15
    anchor_drift_s: float = 600.0
    label_tau_s: float = 8.0
    label_periods: float = 3.0
    label_rising: float = 0.3
    attended_tau_s: float = 30.0
    attended_periods: float = 6.0
    attended_rising: float = 0.1
    attended_pause_s: float = 5.0
    rest_samples: int = 9


SETTINGS = TrackerSettings()


@dataclass(frozen=True, slots=True)
class Boxes:
    """One frame's boxes in 0–1, with what the tracker needs to know of each."""

    xyxy: Floats
    labels: list[str]
    families: list[str]
    scores: list[float]
    strong: list[bool]
    width_px: int
    height_px: int

    def box(self, i: int) -> Box:
        x1, y1, x2, y2 = self.xyxy[i].tolist()
        return x1, y1, x2, y2


@dataclass(frozen=True, slots=True)
class Matches:
    """Index of a box → whose it is: a stay by place, a track by motion, or a stay just left."""

    stays: dict[int, Stay]
    tracks: dict[int, Track]
    leaving: dict[int, Stay]


def associate(
    stays: list[Stay],
    tracks: list[Track],
    boxes: Boxes,
    t: float,
    brief_s: float,
    settings: TrackerSettings,
) -> Matches:
    """One optimal assignment for all; stays last seen within `brief_s` may be leaving."""
    if not boxes.labels or not (stays or tracks):
        return Matches({}, {}, {})
    fresh = [
        row
        for row, stay in enumerate(stays)
        if stay.left_by is None and t - stay.last_seen <= brief_s
    ]
    ghosts = [stays[row] for row in fresh]
    by_place = _place_cost(stays, boxes, t, settings)
    leaving = 0.3 + 0.7 * _motion_cost(ghosts, [stay.box for stay in ghosts], boxes, t, settings)
    # What fits the place has not left it.
    leaving[by_place[fresh] < UNMATCHED_COST] = UNMATCHED_COST
    # What moved may have gone on or have stopped: either continues it.
    by_motion = np.minimum(
        _motion_cost(tracks, [_predict(track, t) for track in tracks], boxes, t, settings),
        _motion_cost(tracks, [track.box for track in tracks], boxes, t, settings),
    )
    cost = np.concatenate([by_place, by_motion, leaving])
    rows, columns = linear_sum_assignment(np.minimum(cost, UNMATCHED_COST))
    stay_of: dict[int, Stay] = {}
    track_of: dict[int, Track] = {}
    ghost_of: dict[int, Stay] = {}
    for row, i in zip(rows.tolist(), columns.tolist(), strict=True):
        if cost[row, i] >= UNMATCHED_COST:
            continue
        if row < len(stays):
            stay_of[i] = stays[row]
        elif row < len(stays) + len(tracks):
            track_of[i] = tracks[row - len(stays)]
        else:
            ghost_of[i] = ghosts[row - len(stays) - len(tracks)]
    # A stay both seen at its place and "leaving" was confused with a neighbour.
    seen = {stay.id for stay in stay_of.values()}
    leaving_of = {i: stay for i, stay in ghost_of.items() if stay.id not in seen}
    return Matches(stay_of, track_of, leaving_of)


def _place_cost(stays: list[Stay], boxes: Boxes, t: float, settings: TrackerSettings) -> Floats:
    """Low where a box fits a stay's anchor; (stays, boxes)."""
    if not stays:
        return np.empty((0, len(boxes.labels)))
    anchors = np.array([stay.anchor for stay in stays])
    overlap = iou(anchors, boxes.xyxy)
    inside = intersections(anchors, boxes.xyxy) / np.maximum(areas(boxes.xyxy), 1e-9)
    bars = np.array([fit_bar(stay, t, settings) for stay in stays])[:, None]
    long_gone = np.array([is_long_gone(stay, t, settings) for stay in stays])[:, None]
    fits = overlap >= bars
    # The visible rest of something half hidden: inside the place, and not a mere speck of it.
    part = ~fits & ~long_gone & (inside >= 0.85) & (overlap >= 0.3)
    cost = np.where(fits, 0.7 * (1.0 - overlap), np.where(part, 0.85, UNMATCHED_COST))
    # A place given up leaves its boxes to whatever came to it by motion.
    handicap = np.array([_handicap(stay) for stay in stays])[:, None]
    cost = handicap + (1.0 - handicap) * cost
    cost[~_same_family([stay.family for stay in stays], boxes)] = UNMATCHED_COST
    return np.asarray(cost, dtype=np.float64)


def fit_bar(stay: Stay, t: float, settings: TrackerSettings) -> float:
    """IoU from which a box is this object. After a long absence only its very shape is."""
    if stay.family in LOOSE_FAMILIES:
        return settings.loose_fit_iou
    return settings.return_iou if is_long_gone(stay, t, settings) else settings.fit_iou


def is_long_gone(stay: Stay, t: float, settings: TrackerSettings) -> bool:
    """Whether its place has been seen empty for so long that something else may stand there."""
    return stay.absent_s(t) >= settings.long_absence_s


def _motion_cost(
    owners: list[Track] | list[Stay],
    predicted: list[Box],
    boxes: Boxes,
    t: float,
    settings: TrackerSettings,
) -> Floats:
    """Low where a box continues a motion; (owners, boxes)."""
    if not owners:
        return np.empty((0, len(boxes.labels)))
    at, found = np.array(predicted), boxes.xyxy
    size = np.maximum(at[:, 2:] - at[:, :2], 1e-6)
    shift = (found[None, :, :2] + found[None, :, 2:] - at[:, None, :2] - at[:, None, 2:]) / 2
    distance = np.hypot(shift[..., 0] / size[:, None, 0], shift[..., 1] / size[:, None, 1])
    ages = np.array([t - owner.last_seen for owner in owners])
    reach = np.minimum(settings.max_reach, settings.reach + settings.reach_per_s * ages)
    ratio = areas(found)[None, :] / np.maximum(areas(at), 1e-9)[:, None]
    allowed = (distance <= reach[:, None]) & (ratio > 0.4) & (ratio < 2.5)
    overlap = iou(at, found)
    far = 0.6 + 0.35 * distance / np.maximum(reach, 1e-6)[:, None]
    cost = np.where(overlap >= 0.3, 0.6 * (1.0 - overlap), far)
    allowed &= _same_family([owner.family for owner in owners], boxes)
    return np.asarray(np.where(allowed, cost, UNMATCHED_COST), dtype=np.float64)


def _same_family(families: list[str], boxes: Boxes) -> NDArray[np.bool_]:
    rows = np.array(families, dtype=object)
    columns = np.array(boxes.families, dtype=object)
    return np.asarray(rows[:, None] == columns[None, :], dtype=np.bool_)


def _predict(track: Track, t: float) -> Box:
    dt = min(t - track.last_seen, 2.0)
    dx, dy = track.velocity[0] * dt, track.velocity[1] * dt
    x1, y1, x2, y2 = track.box
    return x1 + dx, y1 + dy, x2 + dx, y2 + dy


def _handicap(stay: Stay) -> float:
    """How far a stay stands back behind tracks that claim the same box."""
    if stay.departed:
        return 0.8
    return 0.3 if stay.absent_since is not None else 0.0
