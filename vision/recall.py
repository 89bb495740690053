"""Is what stands here now what stood here before? By place, by shape, and by appearance."""

from __future__ import annotations

import math

import numpy as np

from .appearance import similarity
from .association import TrackerSettings
from .incident import Box
from .motion import apart, median
from .scene import Stay, box_area, box_shared

CREEP_DISTANCE = 0.35
# What a detector misses at most, however well a place was seen so far.
LEAST_MISS, MOST_MISS = 0.05, 0.85
LEAST_SPREAD = 0.008
# Of a median, in variances of a mean: 1.35 of three, 1.5 of nine.
MEDIAN_VARIANCE = 1.4
SIDE_SHARE, EDGE, BEHIND = 0.3, 0.1, 0.15
PRIOR_FRAMES, PRIOR_SEEN = 4.0, 0.85


def brief_of(stay: Stay, brief_s: float, period_s: float, settings: TrackerSettings) -> float:
    """Seconds without a sighting that say nothing yet about this object.

    From the share p of clear views in which it used to be seen: so many misses in a row that
    chance alone would give them in 1 of 100 cases, ln 0.01 / ln(1 − p) frames.
    """
    viewed = stay.hit_s + stay.empty_s + PRIOR_FRAMES * period_s
    seen = stay.hit_s + PRIOR_FRAMES * PRIOR_SEEN * period_s
    miss = min(MOST_MISS, max(LEAST_MISS, 1.0 - seen / max(viewed, 1e-6)))
    frames = math.log(settings.miss_doubt) / math.log(miss)
    bound_s = max(settings.max_brief_s, settings.max_brief_periods * period_s)
    return max(brief_s, min(frames * period_s, bound_s))


def as_if_clear(anchor: Box, box: Box, others: list[Box], settings: TrackerSettings) -> Box:
    """A box whose sides that something hides are taken from where the object is known to end."""
    x1, y1, x2, y2 = anchor
    width, height = x2 - x1, y2 - y1
    left, top, right, bottom = box
    least = settings.hidden_share * width * height
    for other in others:
        # Most boxes are elsewhere: the cheapest tests come first.
        if other[0] >= x2 or other[2] <= x1 or other[1] >= y2 or other is box:
            continue
        if not is_nearer(other, anchor) or box_shared(anchor, other) < least:
            continue
        tall = min(y2, other[3]) - max(y1, other[1]) >= SIDE_SHARE * height
        wide = min(x2, other[2]) - max(x1, other[0]) >= SIDE_SHARE * width
        left = x1 if tall and other[0] <= x1 + EDGE * width else left
        right = x2 if tall and other[2] >= x2 - EDGE * width else right
        top = y1 if wide and other[1] <= y1 + EDGE * height else top
        bottom = y2 if wide and other[3] >= y2 - EDGE * height else bottom
    return left, top, right, bottom


def is_nearer(other: Box, place: Box) -> bool:
    """Whether something could stand before a place: what touches the ground further up in the
    picture stands behind it."""
    return other[3] >= place[3] - BEHIND * (place[3] - place[1])


def same_shape(stay: Stay, boxes: list[Box], settings: TrackerSettings) -> bool:
    """Whether boxes lie where this object's lay before.

    Sum over the four sides of the squared shift of the median, in standard errors: below 13.3 in
    99 of 100 cases for the same object (chi square, 4 degrees of freedom). One box swollen by
    headlights moves a median little. Another car seldom stops to within a few hundredths of its
    length at the same place with the same size.
    """
    x1, y1, x2, y2 = stay.recent
    width, height = max(x2 - x1, 1e-6), max(y2 - y1, 1e-6)
    n = len(boxes)
    variance = MEDIAN_VARIANCE * max(stay.spread, LEAST_SPREAD) ** 2 / n
    variance += settings.shape_tolerance**2
    middle = median(boxes)
    shifts = (
        (now - then) / size
        for now, then, size in zip(middle, stay.recent, (width, height) * 2, strict=True)
    )
    return bool(sum(shift * shift for shift in shifts) / variance <= settings.shape_chi2)


def alike(a: str, b: str, settings: TrackerSettings) -> bool | None:
    """True: the same by appearance; False: another; None: appearance does not decide."""
    if not a or not b:
        return None
    value = similarity(
        np.frombuffer(bytes.fromhex(a), np.uint8), np.frombuffer(bytes.fromhex(b), np.uint8)
    )
    if value is None or settings.unlike < value < settings.alike:
        return None
    return value >= settings.alike


def crept(home: Box, place: Box) -> bool:
    """Whether a thing has shifted, rather than been boxed larger or smaller where it is."""
    small, large = sorted((home, place), key=box_area)
    if box_shared(small, large) >= 0.85 * box_area(small):
        return False
    return apart(place, home) > CREEP_DISTANCE
