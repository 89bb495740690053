"""Which box of a frame belongs to what is already known: one optimal assignment.

Two kinds of owners: stays, which claim boxes by place, and tracks, which claim them by predicted
motion. A stay never follows a box away from its place; so a bus that hides a parked car cannot
carry it off, and the car is found again by place, not by a chain of boxes. Ready-made trackers
(norfair, ByteTrack) were not used: their lives and hit counters are counted in frames, the very
defect to avoid.

Most boxes have one candidate. Only where owners and boxes compete does SciPy's Hungarian solver
decide; plain Python for the rest, since for ten boxes an array library costs more in calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from .families import GARBAGE, STALL
from .incident import Box
from .scene import Stay, Track, box_area, box_shared

UNMATCHED_COST = 1.0
# Shapes without a firm outline: their boxes breathe more than a car's.
LOOSE_FAMILIES = frozenset({GARBAGE, STALL})


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Bounds of the tracker. Lengths are in box sizes unless they say pixels."""

    settle_s: float = 2.0
    min_presence: float = 0.25
    rest_radius: float = 0.15
    rest_jitter_px: float = 3.0
    fit_iou: float = 0.5
    loose_fit_iou: float = 0.35
    covered_share: float = 0.35
    credit_gap_s: float = 10.0
    credit_periods: float = 3.0
    max_credit_gap_s: float = 180.0
    max_covered_s: float = 900.0
    brief_s: float = 2.0
    brief_periods: float = 2.5
    max_brief_s: float = 30.0
    max_brief_periods: float = 4.0
    miss_doubt: float = 0.01
    brief_swap_s: float = 6.0
    swap_s: float = 22.0
    long_unseen_s: float = 20.0
    brief_share: float = 0.4
    shape_tolerance: float = 0.006
    shape_chi2: float = 13.3
    hidden_share: float = 0.04
    alike: float = 0.8
    unlike: float = 0.5
    resting_s: float = 6.0
    resting_periods: float = 8.0
    max_resting_s: float = 12.0
    reach: float = 0.3
    reach_per_s: float = 2.5
    max_reach: float = 1.5
    followed_s: float = 2.2
    left_distance: float = 0.8
    left_after_s: float = 3.0
    anchor_hits: int = 15
    anchor_drift_s: float = 600.0
    spread_hits: int = 30
    recent_hits: int = 8
    label_tau_s: float = 8.0
    label_whole_s: float = 4.0
    label_pro_llr: float = 1.2
    label_contra_llr: float = 1.6
    attended_tau_s: float = 30.0
    attended_whole_s: float = 5.0
    attended_pro_llr: float = 1.8
    attended_contra_llr: float = 0.7
    share_periods: float = 4.0
    born_sightings: float = 2.0
    rest_samples: int = 9


SETTINGS = TrackerSettings()


@dataclass(frozen=True, slots=True)
class Boxes:
    """One frame's boxes in 0–1, with what the tracker needs to know of each."""

    xyxy: list[Box]
    labels: list[str]
    families: list[str]
    scores: list[float]
    strong: list[bool]
    looks: list[str]
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Matches:
    """Index of a box → whose it is: a stay by place, a track by motion, or a stay just left."""

    stays: dict[int, Stay]
    tracks: dict[int, Track]
    leaving: dict[int, Stay]


Pairs = dict[tuple[int, int], float]


def associate(
    stays: list[Stay],
    tracks: list[Track],
    boxes: Boxes,
    t: float,
    settings: TrackerSettings,
) -> Matches:
    """One optimal assignment for all; stays seen a moment ago may be leaving."""
    of_family: dict[str, list[int]] = {}
    for i, family in enumerate(boxes.families):
        of_family.setdefault(family, []).append(i)
    pairs: Pairs = {}
    ghosts = len(stays) + len(tracks)
    for row, stay in enumerate(stays):
        mine = of_family.get(stay.family)
        if mine is None or stay.replaced:
            continue
        may_leave = stay.left_by is None and t - stay.last_seen <= settings.followed_s
        fit, handicap = fit_bar(stay, settings), _handicap(stay)
        motion = _motion(stay, stay.box, t, settings) if may_leave else None
        for i in mine:
            cost = _place_cost(stay, boxes.xyxy[i], fit, handicap)
            if cost < UNMATCHED_COST:
                pairs[row, i] = cost
            elif motion is not None:
                # What fits the place has not left it; what no longer does may be leaving.
                gone = motion(boxes.xyxy[i])
                if gone < UNMATCHED_COST:
                    pairs[ghosts + row, i] = 0.3 + 0.7 * gone
    for row, track in enumerate(tracks, len(stays)):
        mine = of_family.get(track.family)
        if mine is None:
            continue
        # What moved may have gone on or have stopped: either continues it.
        went_on = _motion(track, _predict(track, t), t, settings)
        stopped = (
            went_on if track.velocity == (0.0, 0.0) else _motion(track, track.box, t, settings)
        )
        for i in mine:
            box = boxes.xyxy[i]
            cost = min(went_on(box), stopped(box))
            if cost < UNMATCHED_COST:
                pairs[row, i] = cost
    return _matches(_assign(pairs), stays, tracks)


def _matches(
    assigned: Iterator[tuple[int, int]], stays: list[Stay], tracks: list[Track]
) -> Matches:
    stay_of: dict[int, Stay] = {}
    track_of: dict[int, Track] = {}
    ghost_of: dict[int, Stay] = {}
    for row, i in assigned:
        if row < len(stays):
            stay_of[i] = stays[row]
        elif row < len(stays) + len(tracks):
            track_of[i] = tracks[row - len(stays)]
        else:
            ghost_of[i] = stays[row - len(stays) - len(tracks)]
    # A stay both seen at its place and "leaving" was confused with a neighbour.
    seen = {stay.id for stay in stay_of.values()}
    leaving_of = {i: stay for i, stay in ghost_of.items() if stay.id not in seen}
    return Matches(stay_of, track_of, leaving_of)


def _assign(pairs: Pairs) -> Iterator[tuple[int, int]]:
    """Cheapest one-to-one choice among the pairs; unmatched costs 1 for either side."""
    boxes_of: dict[int, list[int]] = {}
    owners_of: dict[int, list[int]] = {}
    for owner, i in pairs:
        boxes_of.setdefault(owner, []).append(i)
        owners_of.setdefault(i, []).append(owner)
    done: set[int] = set()
    for start in boxes_of:
        if start in done:
            continue
        rows, columns = [start], []
        done.add(start)
        seen: set[int] = set()
        for owner in rows:
            for i in boxes_of[owner]:
                if i in seen:
                    continue
                seen.add(i)
                columns.append(i)
                for rival in owners_of[i]:
                    if rival not in done:
                        done.add(rival)
                        rows.append(rival)
        if len(rows) == len(columns) == 1:
            yield rows[0], columns[0]
            continue
        cost = np.array([[pairs.get((r, c), UNMATCHED_COST) for c in columns] for r in rows])
        for r, c in zip(*linear_sum_assignment(cost), strict=True):
            if (rows[r], columns[c]) in pairs:
                yield rows[r], columns[c]


def _place_cost(stay: Stay, box: Box, fit: float, handicap: float) -> float:
    """Low where a box fits a stay's anchor."""
    anchor = stay.anchor
    shared = box_shared(anchor, box)
    if shared <= 0.0:
        return UNMATCHED_COST
    area = box_area(box)
    overlap = shared / (box_area(anchor) + area - shared)
    if overlap >= fit:
        cost = 0.7 * (1.0 - overlap)
    elif overlap >= 0.3 and shared >= 0.85 * area and not stay.back_boxes:
        # The visible rest of something half hidden: inside the place, and not a mere speck of it.
        cost = 0.85
    else:
        return UNMATCHED_COST
    # A place given up leaves its boxes to whatever came to it by motion.
    return handicap + (1.0 - handicap) * cost


def fit_bar(stay: Stay, settings: TrackerSettings) -> float:
    """IoU from which a box is this object."""
    return settings.loose_fit_iou if stay.family in LOOSE_FAMILIES else settings.fit_iou


def _motion(
    owner: Track | Stay, at: Box, t: float, settings: TrackerSettings
) -> Callable[[Box], float]:
    """Cost of a box that continues the motion of what should be `at` by now."""
    width, height = max(at[2] - at[0], 1e-6), max(at[3] - at[1], 1e-6)
    x, y, area = (at[0] + at[2]) / 2, (at[1] + at[3]) / 2, max(box_area(at), 1e-9)
    reach = min(settings.max_reach, settings.reach + settings.reach_per_s * (t - owner.last_seen))

    def cost(box: Box) -> float:
        dx = ((box[0] + box[2]) / 2 - x) / width
        if abs(dx) > reach:
            return UNMATCHED_COST
        distance = math.hypot(dx, ((box[1] + box[3]) / 2 - y) / height)
        found = box_area(box)
        if distance > reach or not 0.4 < found / area < 2.5:
            return UNMATCHED_COST
        shared = box_shared(at, box)
        overlap = shared / max(area + found - shared, 1e-9)
        return 0.6 * (1.0 - overlap) if overlap >= 0.3 else 0.6 + 0.35 * distance / reach

    return cost


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
