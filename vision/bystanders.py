"""Does somebody near stay, or do people merely pass? By place, since their ids do not last."""

from __future__ import annotations

from .incident import Box
from .scene import box_iou

# Who walks on has left his own place after so long; who stays still overlaps it.
STAYS_S, SAME_PERSON_IOU = 4.0, 0.3
# Places are kept so long, or three frames where those come seldom, one set in two seconds.
MEMORY_S, MEMORY_FRAMES, NOTE_EVERY_S, MOST_PLACES = 8.0, 2.2, 2.0, 8


def stays_by(places: list[tuple[float, Box]], near: list[Box], t: float, step_s: float) -> bool:
    """Whether one of those `near` at media time `t` stood there at least 4 s ago, too.

    `places`, where people stood lately, is brought up to date.
    """
    oldest = t - max(MEMORY_S, MEMORY_FRAMES * step_s)
    places[:] = [place for place in places if place[0] >= oldest]
    stays = any(
        t - then >= STAYS_S and box_iou(box, person) >= SAME_PERSON_IOU
        for then, box in places
        for person in near
    )
    if near and (not places or t - places[-1][0] >= NOTE_EVERY_S):
        places += [(t, person) for person in near]
        del places[:-MOST_PLACES]
    return stays
