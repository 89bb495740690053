"""What one camera knows between frames: moving tracks, and stays where something came to rest.

Times are media seconds since the epoch; boxes are 0–1 of the frame, so that a change of resolution
moves nothing. A *stay* is the memory of a place: the box in which one object stands, whatever the
detector calls it from frame to frame, and however often it is hidden or missed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .families import TWO_WHEELER
from .incident import Box
from .onset import Spell


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one sighting says for or against a situation.

    Attributes:
        tau_s: seconds of seen time after which a sighting has lost 63 % of its weight in `share`.
        whole_s: seconds after which the next sighting is news; sooner ones count in proportion.
        pro, contra: log of how much likelier the sighting is with the situation than without it.
    """

    tau_s: float
    whole_s: float
    pro: float
    contra: float


LEAN_MOST = 6.0
# A share this near to none or all is none or all.
NO_SHARE = 1e-4


@dataclass(slots=True)
class Vote:
    """Evidence about one situation, gathered over media time.

    `lean` is a cumulative sum (Page, Continuous inspection schemes, 1954): the log likelihood
    ratio of all sightings since it last was 0, kept within 0 and `LEAN_MOST`. It starts from 0
    where the situation most probably began, however often a sighting flickered before.

    Attributes:
        share: 0–1, weighted towards the last `tau_s` seconds of seen time; for the reasons.
        lean: 0–6; about e^lean times likelier than not.
        since: the sighting with which `lean` left 0.
        first: the first sighting for which it held; None until then.
        last: the last one.
        total_s: seconds of seen time for which it held.
    """

    share: float = 0.0
    since: float = 0.0
    last: float = 0.0
    total_s: float = 0.0
    lean: float = 0.0
    first: float | None = None

    def cast(self, holds: bool, t: float, weight_s: float, evidence: Evidence) -> None:
        """Count one sighting that stands for `weight_s` seconds."""
        if holds:
            if self.lean <= 0.0:
                self.since = t
            if self.first is None:
                self.first = t
            self.last = t
            self.total_s = round(self.total_s + weight_s, 3)
            if self.lean < LEAN_MOST:
                news = min(1.0, weight_s / evidence.whole_s)
                self.lean = round(min(LEAN_MOST, self.lean + news * evidence.pro), 6)
            if self.share < 1.0:
                kept = math.exp(-weight_s / evidence.tau_s)
                lacking = round((1.0 - self.share) * kept, 6)
                self.share = 1.0 if lacking < NO_SHARE else round(1.0 - lacking, 6)
            return
        # Most votes are for what never was: nothing to lower.
        if self.lean > 0.0:
            news = min(1.0, weight_s / evidence.whole_s)
            self.lean = round(max(0.0, self.lean - news * evidence.contra), 6)
        if self.share > 0.0:
            share = round(self.share * math.exp(-weight_s / evidence.tau_s), 6)
            self.share = share if share >= NO_SHARE else 0.0

    @property
    def strength(self) -> float:
        """`lean` as 0–1."""
        return self.lean / LEAN_MOST


@dataclass(slots=True)
class Stay:
    """One object at rest.

    Attributes:
        id: the track it came from.
        anchor: where it stands (x1, y1, x2, y2); drifts only over many minutes.
        home: the first anchor, from which creeping is measured.
        box: as last seen.
        since: when it came to rest.
        last_seen: last confirmed sighting.
        seen_s: time credited as present; a gap between sightings counts up to a bound.
        hit_s, empty_s: time in which its place was in clear view, by whether it was seen there.
        votes: per label.
        attended: whether a person is near.
        absent_since: first frame in which the place was in clear view and empty; None otherwise.
        unseen_s: clear views without it since it was last seen; counted as empty when it is back.
        brief_s: so long it may go unseen, by how often it was missed before this absence.
        spread: how far its boxes scatter round the anchor, in its own sizes (standard deviation).
        visited: whether two people or more are near.
        queued_at: when it was last seen to stand in a queue that it had joined.
        recent: mean of its last few boxes; sides that were hidden left out.
        look: its appearance (`vision.appearance`) as hex digits; empty when never known.
        back_boxes, back_since, back_last, back_strong: sightings after an absence, not yet
            believed; whether one of them was confident.
        strong_s: part of `seen_s` for which its boxes were confident.
        reported: an incident of it was opened.
        filling: of a bin, what its sightings said of being full (`vision.onset`).
        kept: of a stall, whether somebody near is one who stays, …
        bystanders: … by where people stood some seconds ago.
        replaced: something else stands here now.
        longest_gap_s: longest absence it came back from: the detector's weakness at this place.
        left_by: track that seems to be this object driving off.
        left: that track was seen well away from here.
        departed: it left, and its place was then seen empty.
        seen_now, credit_s: of the present frame.
    """

    id: int
    family: str
    anchor: Box
    home: Box
    box: Box
    since: float
    last_seen: float
    seen_s: float
    hits: int
    score: float
    votes: dict[str, Vote]
    attended: Vote
    hit_s: float = 0.0
    empty_s: float = 0.0
    absent_since: float | None = None
    covered_since: float | None = None
    longest_gap_s: float = 0.0
    left_by: int | None = None
    left: bool = False
    departed: bool = False
    seen_now: bool = True
    credit_s: float = 0.0
    unseen_s: float = 0.0
    brief_s: float = 0.0
    spread: float = 0.02
    visited: Vote = field(default_factory=Vote)
    queued_at: float | None = None
    recent: Box = (0.0, 0.0, 0.0, 0.0)
    look: str = ""
    back_boxes: list[Box] = field(default_factory=list)
    back_since: float = 0.0
    back_last: float = 0.0
    back_strong: bool = False
    strong_s: float = 0.0
    replaced: bool = False
    reported: bool = False
    filling: list[Spell] = field(default_factory=list)
    kept: Vote = field(default_factory=Vote)
    bystanders: list[tuple[float, Box]] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The label it bore for most of the time."""
        return max(self.votes, key=lambda name: (self.votes[name].total_s, name))

    @property
    def presence(self) -> float:
        """Share of clear views in which it was seen; what only passes by is there now and then."""
        viewed_s = self.hit_s + self.empty_s + self.unseen_s
        return self.hit_s / viewed_s if viewed_s > 0 else 0.0

    def share(self, label: str) -> float:
        """Recent share of a label, 0 when never seen as such."""
        return self.votes[label].share if label in self.votes else 0.0

    def absent_s(self, t: float) -> float:
        """How long its place has been seen empty."""
        return 0.0 if self.absent_since is None else t - self.absent_since

    def covered_s(self, t: float) -> float:
        """How long other things have stood or passed before it."""
        return 0.0 if self.covered_since is None else t - self.covered_since


@dataclass(slots=True)
class Track:
    """One object in motion, or not yet at rest for long enough.

    `rest_boxes` are its boxes since `rest_since`, the moment from which it has not moved; `stray`
    is one box outside that place, believed to be jitter until a second one confirms it.
    """

    id: int
    family: str
    label: str
    box: Box
    first_box: Box
    first_seen: float
    last_seen: float
    score: float
    velocity: tuple[float, float] = (0.0, 0.0)
    rest_since: float = 0.0
    rest_hits: int = 0
    rest_boxes: list[Box] = field(default_factory=list)
    stray: tuple[float, Box] | None = None
    look: str = ""


@dataclass(slots=True)
class Scene:
    """All state of the tracker between two frames."""

    started_at: float | None = None
    last_t: float | None = None
    period_s: float = 0.0
    next_id: int = 1
    stays: list[Stay] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)


def ground_point(box: Box) -> tuple[float, float]:
    """Where a box touches the ground: bottom centre, a little inside the box."""
    x1, y1, x2, y2 = box
    return (x1 + x2) / 2, y2 - 0.05 * (y2 - y1)


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union."""
    shared = box_shared(a, b)
    union = box_area(a) + box_area(b) - shared
    return shared / union if union > 0 else 0.0


def box_area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def box_shared(a: Box, b: Box) -> float:
    """Area of the intersection."""
    ax1, ay1, ax2, ay2 = a
    bx1, by1, bx2, by2 = b
    if ax1 >= bx2 or bx1 >= ax2 or ay1 >= by2 or by1 >= ay2:
        return 0.0
    width = (ax2 if ax2 < bx2 else bx2) - (ax1 if ax1 > bx1 else bx1)
    height = (ay2 if ay2 < by2 else by2) - (ay1 if ay1 > by1 else by1)
    return width * height


def same_object(family: str, a: Box, b: Box) -> bool:
    """Whether two boxes of one family in one frame box one thing. Parked bicycles overlap much."""
    return box_iou(a, b) >= 0.7 if family == TWO_WHEELER else same_place(a, b)


def same_place(a: Box, b: Box) -> bool:
    """Whether two boxes can only be one object standing on the ground.

    Two parked cars may overlap much in a flat view, but then they touch the ground at different
    heights; a box nested in another with the same foot is the same object boxed twice.
    """
    if box_iou(a, b) >= 0.45:
        return True
    small, large = sorted((a, b), key=box_area)
    if box_area(small) <= 0:
        return False
    nested = box_shared(small, large) / box_area(small) >= 0.75
    return nested and abs(small[3] - large[3]) <= 0.15 * (large[3] - large[1])
