"""One track's way: velocity, and since when it has not moved."""

from __future__ import annotations

import math

from .association import Boxes, TrackerSettings
from .incident import Box
from .scene import Track

VELOCITY_MEMORY_S = 0.3


def move(track: Track, boxes: Boxes, i: int, t: float, settings: TrackerSettings) -> None:
    """The track goes on to box `i` at media time `t`."""
    box, dt = boxes.xyxy[i], t - track.last_seen
    if dt <= 2.0:
        dx = ((box[0] + box[2]) - (track.box[0] + track.box[2])) / 2 / dt
        dy = ((box[1] + box[3]) - (track.box[1] + track.box[3])) / 2 / dt
        # A box of jitter over a short step is a large speed: average over about 0.3 s.
        known = track.rest_hits > 1 or track.velocity != (0.0, 0.0)
        k = min(1.0, dt / VELOCITY_MEMORY_S) if known else 1.0
        vx, vy = track.velocity
        track.velocity = (round(vx + k * (dx - vx), 6), round(vy + k * (dy - vy), 6))
    else:
        track.velocity = (0.0, 0.0)
    track.box, track.last_seen = box, t
    if boxes.scores[i] > track.score:
        track.score, track.label = boxes.scores[i], boxes.labels[i]
        track.look = boxes.looks[i] or track.look
    _rest(track, box, t, boxes, settings)


def _rest(track: Track, box: Box, t: float, boxes: Boxes, settings: TrackerSettings) -> None:
    """Has it moved since `rest_since`? One stray box is jitter, two are motion."""
    if at_rest(median(track.rest_boxes), box, boxes, settings):
        track.rest_hits += 1
        track.stray = None
        if len(track.rest_boxes) < settings.rest_samples:
            track.rest_boxes.append(box)
        return
    if track.stray is None and track.rest_hits > 1:
        track.stray = (t, box)
        return
    stray, track.stray = track.stray, None
    if stray is not None and at_rest(stray[1], box, boxes, settings):
        track.rest_since, track.rest_hits, track.rest_boxes = stray[0], 2, [stray[1], box]
    else:
        track.rest_since, track.rest_hits, track.rest_boxes = t, 1, [box]


def at_rest(place: Box, box: Box, boxes: Boxes, settings: TrackerSettings) -> bool:
    """Whether a box is within jitter of a place."""
    width, height = place[2] - place[0], place[3] - place[1]
    slack_x = settings.rest_radius * width + settings.rest_jitter_px / boxes.width_px
    slack_y = settings.rest_radius * height + settings.rest_jitter_px / boxes.height_px
    shift_x = abs(place[0] + place[2] - box[0] - box[2]) / 2
    shift_y = max(abs(place[1] + place[3] - box[1] - box[3]) / 2, abs(place[3] - box[3]))
    return shift_x <= slack_x and shift_y <= slack_y


def median(boxes: list[Box]) -> Box:
    """Side by side."""
    if len(boxes) == 1:
        return boxes[0]
    x1, y1, x2, y2 = (round(sorted(side)[len(boxes) // 2], 5) for side in zip(*boxes, strict=True))
    return x1, y1, x2, y2


def apart(a: Box, b: Box) -> float:
    """Distance of centres in sizes of `b`."""
    dx = (a[0] + a[2] - b[0] - b[2]) / 2 / max(b[2] - b[0], 1e-6)
    dy = (a[1] + a[3] - b[1] - b[3]) / 2 / max(b[3] - b[1], 1e-6)
    return math.hypot(dx, dy)
