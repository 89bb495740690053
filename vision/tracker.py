"""Boxes to tracks and stays, on media time.

Association is one optimal assignment per frame (SciPy's Hungarian solver) over two kinds of
rows: stays, which claim boxes by place, and tracks, which claim them by predicted motion. A stay
never follows a box away from its place; so a bus that hides a parked car cannot carry it off, and
the car is found again by place, not by a chain of boxes. Ready-made trackers (norfair, ByteTrack)
were not used: their lives and hit counters are counted in frames, the very defect to avoid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from .families import GARBAGE, PERSON, STALL
from .geometry import areas, intersections, iou
from .incident import Box
from .scene import Pace, Scene, Stay, Track, Vote, box_area, box_iou, box_shared, same_place

Floats = NDArray[np.float64]

UNMATCHED_COST = 1.0
CREEP_DISTANCE = 0.25


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
# Shapes without a firm outline: their boxes breathe more than a car's.
LOOSE_FAMILIES = frozenset({GARBAGE, STALL})


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


def advance(
    scene: Scene, t: float, boxes: Boxes, settings: TrackerSettings = SETTINGS
) -> list[int]:
    """Take one frame into `scene`; returns a track id per box, −1 where it has none.

    `t` must be later than the scene's last time.
    """
    return _Step(scene, t, boxes, settings).run()


class _Step:
    """One frame's work; lives only for the call."""

    def __init__(self, scene: Scene, t: float, boxes: Boxes, settings: TrackerSettings) -> None:
        self.scene, self.t, self.boxes, self.settings = scene, t, boxes, settings
        dt = 0.0 if scene.last_t is None else t - scene.last_t
        if scene.period_s == 0.0:
            scene.period_s = dt
        scene.period_s += 0.2 * (min(dt, 3 * scene.period_s) - scene.period_s)
        self.step_s = min(dt, 3 * scene.period_s)
        self.brief_s = max(settings.brief_s, settings.brief_periods * scene.period_s)
        self.credit_bound_s = min(
            settings.max_credit_gap_s,
            max(settings.credit_gap_s, settings.credit_periods * scene.period_s),
        )
        # A share over fewer than a handful of frames would be a matter of luck.
        period_s = scene.period_s
        self.label_pace = Pace(
            max(settings.label_tau_s, settings.label_periods * period_s), settings.label_rising, 0.0
        )
        self.attended_pace = Pace(
            max(settings.attended_tau_s, settings.attended_periods * period_s),
            settings.attended_rising,
            max(settings.attended_pause_s, settings.brief_periods * period_s),
        )
        self.ids = [-1] * len(boxes.labels)

    def run(self) -> list[int]:
        scene = self.scene
        for stay in scene.stays:
            stay.seen_now, stay.credit_s = False, 0.0
        stay_of, track_of, ghost_of = self._assign()
        for i, stay in stay_of.items():
            self._see(stay, i)
        for i, track in track_of.items():
            self._move(track, i)
        for i, stay in ghost_of.items():
            self._depart(stay, i)
        self._begin(stay_of.keys() | track_of.keys() | ghost_of.keys())
        self._judge_unseen()
        self._settle()
        scene.tracks = [track for track in scene.tracks if not self._is_lost(track)]
        scene.last_t = self.t
        return self.ids

    # --- association -------------------------------------------------------------------------

    def _assign(self) -> tuple[dict[int, Stay], dict[int, Track], dict[int, Stay]]:
        """Box index → stay (by place), track (by motion), or stay it has just left."""
        stays, tracks = self.scene.stays, self.scene.tracks
        fresh = [
            row
            for row, stay in enumerate(stays)
            if stay.left_by is None and self.t - stay.last_seen <= self.brief_s
        ]
        ghosts = [stays[row] for row in fresh]
        if not self.ids or not (stays or tracks):
            return {}, {}, {}
        by_place = self._place_cost(stays)
        leaving = 0.3 + 0.7 * self._motion_cost(ghosts, [stay.box for stay in ghosts])
        # What fits the place has not left it.
        leaving[by_place[fresh] < UNMATCHED_COST] = UNMATCHED_COST
        # What moved may have gone on or have stopped: either continues it.
        by_motion = np.minimum(
            self._motion_cost(tracks, [self._predict(track) for track in tracks]),
            self._motion_cost(tracks, [track.box for track in tracks]),
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
        return stay_of, track_of, {i: s for i, s in ghost_of.items() if s.id not in seen}

    def _place_cost(self, stays: list[Stay]) -> Floats:
        """Low where a box fits a stay's anchor; (stays, boxes)."""
        if not stays:
            return np.empty((0, len(self.ids)))
        anchors = np.array([stay.anchor for stay in stays])
        overlap = iou(anchors, self.boxes.xyxy)
        inside = intersections(anchors, self.boxes.xyxy) / np.maximum(areas(self.boxes.xyxy), 1e-9)
        bars = np.array([self._fit_bar(stay) for stay in stays])[:, None]
        long_gone = np.array([self._is_long_gone(stay) for stay in stays])[:, None]
        fits = overlap >= bars
        # The visible rest of something half hidden: inside the place, and not a mere speck of it.
        part = ~fits & ~long_gone & (inside >= 0.85) & (overlap >= 0.3)
        cost = np.where(fits, 0.7 * (1.0 - overlap), np.where(part, 0.85, UNMATCHED_COST))
        # A place given up leaves its boxes to whatever came to it by motion.
        handicap = np.array([_handicap(stay) for stay in stays])[:, None]
        cost = handicap + (1.0 - handicap) * cost
        cost[~self._same_family([stay.family for stay in stays])] = UNMATCHED_COST
        return np.asarray(cost, dtype=np.float64)

    def _fit_bar(self, stay: Stay) -> float:
        """IoU from which a box is this object. After a long absence only its very shape is."""
        settings = self.settings
        if stay.family in LOOSE_FAMILIES:
            return settings.loose_fit_iou
        return settings.return_iou if self._is_long_gone(stay) else settings.fit_iou

    def _is_long_gone(self, stay: Stay) -> bool:
        return stay.absent_s(self.t) >= self.settings.long_absence_s

    def _motion_cost(self, owners: list[Track] | list[Stay], predicted: list[Box]) -> Floats:
        """Low where a box continues a motion; (owners, boxes)."""
        if not owners:
            return np.empty((0, len(self.ids)))
        at, found = np.array(predicted), self.boxes.xyxy
        size = np.maximum(at[:, 2:] - at[:, :2], 1e-6)
        shift = (found[None, :, :2] + found[None, :, 2:] - at[:, None, :2] - at[:, None, 2:]) / 2
        distance = np.hypot(shift[..., 0] / size[:, None, 0], shift[..., 1] / size[:, None, 1])
        ages = np.array([self.t - owner.last_seen for owner in owners])
        settings = self.settings
        reach = np.minimum(settings.max_reach, settings.reach + settings.reach_per_s * ages)
        ratio = areas(found)[None, :] / np.maximum(areas(at), 1e-9)[:, None]
        allowed = (distance <= reach[:, None]) & (ratio > 0.4) & (ratio < 2.5)
        overlap = iou(at, found)
        far = 0.6 + 0.35 * distance / np.maximum(reach, 1e-6)[:, None]
        cost = np.where(overlap >= 0.3, 0.6 * (1.0 - overlap), far)
        allowed &= self._same_family([owner.family for owner in owners])
        return np.asarray(np.where(allowed, cost, UNMATCHED_COST), dtype=np.float64)

    def _same_family(self, families: list[str]) -> NDArray[np.bool_]:
        rows = np.array(families, dtype=object)
        columns = np.array(self.boxes.families, dtype=object)
        return np.asarray(rows[:, None] == columns[None, :], dtype=np.bool_)

    def _predict(self, track: Track) -> Box:
        dt = min(self.t - track.last_seen, 2.0)
        dx, dy = track.velocity[0] * dt, track.velocity[1] * dt
        x1, y1, x2, y2 = track.box
        return x1 + dx, y1 + dy, x2 + dx, y2 + dy

    # --- stays -------------------------------------------------------------------------------

    def _see(self, stay: Stay, i: int) -> None:
        """A box fits the stay's place."""
        self.ids[i] = stay.id
        stay.covered_since = None
        gap_s = self.t - stay.last_seen
        if stay.absent_since is not None and gap_s > self.brief_s:
            # After a real absence one fitting box may be a passer-by; two in a row are not.
            stay.back_hits += 1
            if stay.back_hits < 2:
                return
            stay.longest_gap_s = max(stay.longest_gap_s, round(gap_s, 3))
        stay.hit_s = round(stay.hit_s + self.step_s, 3)
        stay.absent_since, stay.back_hits = None, 0
        stay.left_by, stay.left, stay.departed = None, False, False
        stay.seen_now = True
        stay.credit_s = min(gap_s, self.credit_bound_s)
        stay.seen_s = round(stay.seen_s + stay.credit_s, 3)
        stay.last_seen = self.t
        stay.hits += 1
        box = self.boxes.box(i)
        stay.box = box
        if box_iou(box, stay.anchor) >= 0.6:
            settings = self.settings
            young = stay.hits < settings.anchor_hits
            drift = min(0.2, stay.credit_s / settings.anchor_drift_s)
            stay.anchor = _blend(stay.anchor, box, 1 / (stay.hits + 1) if young else drift)
        self._vote(stay, i)

    def _vote(self, stay: Stay, i: int) -> None:
        label, score = self.boxes.labels[i], self.boxes.scores[i]
        stay.score = max(stay.score, score)
        stay.votes.setdefault(label, Vote())
        for name, vote in stay.votes.items():
            vote.cast(name == label, self.t, stay.credit_s, self.label_pace)
        near = self._person_near(stay.anchor)
        stay.attended.cast(near, self.t, stay.credit_s, self.attended_pace)

    def _person_near(self, place: Box) -> bool:
        """Whether a person's feet are within about half a box of the place."""
        x1, y1, x2, y2 = place
        reach_x, reach_y = 0.6 * (x2 - x1), 0.5 * (y2 - y1)
        for i, family in enumerate(self.boxes.families):
            if family == PERSON and self.boxes.strong[i]:
                px1, _, px2, foot = self.boxes.box(i)
                middle = (px1 + px2) / 2
                if x1 - reach_x <= middle <= x2 + reach_x and y1 <= foot <= y2 + reach_y:
                    return True
        return False

    def _depart(self, stay: Stay, i: int) -> None:
        """A box that no longer fits continues what stood here a moment ago."""
        track = self._new_track(i)
        track.first_box = stay.anchor
        stay.left_by = track.id

    def _judge_unseen(self) -> None:
        """Empty, hidden, or driven away?"""
        boxes = self.boxes
        by_id = {track.id: track for track in self.scene.tracks}
        visible = boxes.xyxy[[score >= 0.2 for score in boxes.scores]]
        for stay in self.scene.stays:
            if stay.seen_now or (stay.back_hits and stay.id in self.ids):
                continue
            stay.back_hits = 0
            leaver = by_id.get(stay.left_by) if stay.left_by is not None else None
            if leaver is not None:
                stay.left |= _apart(leaver.box, stay.anchor) >= self.settings.left_distance
            anchor = np.array([stay.anchor])
            covering = intersections(anchor, visible).sum() / max(float(areas(anchor)[0]), 1e-9)
            if covering >= self.settings.covered_share:
                stay.covered_since = self.t if stay.covered_since is None else stay.covered_since
                if stay.absent_since is not None:
                    # Time behind something else is no evidence of emptiness: hold the clock.
                    stay.absent_since += self.t - (self.scene.last_t or self.t)
                continue
            stay.covered_since = None
            stay.empty_s = round(stay.empty_s + self.step_s, 3)
            if stay.absent_since is None:
                stay.absent_since = self.t
            stay.departed |= stay.left and stay.absent_s(self.t) >= self.settings.left_after_s

    # --- tracks ------------------------------------------------------------------------------

    def _new_track(self, i: int) -> Track:
        box = self.boxes.box(i)
        track = Track(
            id=self.scene.next_id,
            family=self.boxes.families[i],
            label=self.boxes.labels[i],
            box=box,
            first_box=box,
            first_seen=self.t,
            last_seen=self.t,
            score=self.boxes.scores[i],
            rest_since=self.t,
            rest_hits=1,
            rest_boxes=[box],
        )
        self.scene.next_id += 1
        self.scene.tracks.append(track)
        self.ids[i] = track.id
        return track

    def _begin(self, taken: set[int]) -> None:
        """Confident boxes nobody claimed begin tracks, unless they box a claimed object again."""
        claimed = [(self.boxes.families[j], self.boxes.box(j)) for j in taken]
        for i in range(len(self.ids)):
            if i in taken or not self.boxes.strong[i]:
                continue
            family, box = self.boxes.families[i], self.boxes.box(i)
            if family != PERSON and any(f == family and same_place(b, box) for f, b in claimed):
                continue
            self._new_track(i)
            claimed.append((family, box))

    def _move(self, track: Track, i: int) -> None:
        box, dt = self.boxes.box(i), self.t - track.last_seen
        self.ids[i] = track.id
        if dt <= 2.0:
            dx = ((box[0] + box[2]) - (track.box[0] + track.box[2])) / 2 / dt
            dy = ((box[1] + box[3]) - (track.box[1] + track.box[3])) / 2 / dt
            # A box of jitter over a short step is a large speed: average over about 0.3 s.
            k = min(1.0, dt / 0.3) if track.rest_hits > 1 or track.velocity != (0.0, 0.0) else 1.0
            vx, vy = track.velocity
            track.velocity = (round(vx + k * (dx - vx), 6), round(vy + k * (dy - vy), 6))
        else:
            track.velocity = (0.0, 0.0)
        track.box, track.last_seen = box, self.t
        if self.boxes.scores[i] > track.score:
            track.score, track.label = self.boxes.scores[i], self.boxes.labels[i]
        self._rest(track, box)

    def _is_lost(self, track: Track) -> bool:
        """Something that has begun to rest is waited for a little longer."""
        patience_s = self.settings.resting_s if track.rest_hits > 1 else 0.0
        return self.t - track.last_seen > max(self.brief_s, patience_s)

    def _rest(self, track: Track, box: Box) -> None:
        """Has it moved since `rest_since`? One stray box is jitter, two are motion."""
        if self._at_rest(_median(track.rest_boxes), box):
            track.rest_hits += 1
            track.stray = None
            if len(track.rest_boxes) < self.settings.rest_samples:
                track.rest_boxes.append(box)
            return
        if track.stray is None and track.rest_hits > 1:
            track.stray = (self.t, box)
            return
        stray, track.stray = track.stray, None
        if stray is not None and self._at_rest(stray[1], box):
            track.rest_since, track.rest_hits, track.rest_boxes = stray[0], 2, [stray[1], box]
        else:
            track.rest_since, track.rest_hits, track.rest_boxes = self.t, 1, [box]

    def _at_rest(self, place: Box, box: Box) -> bool:
        width, height = place[2] - place[0], place[3] - place[1]
        settings, boxes = self.settings, self.boxes
        slack_x = settings.rest_radius * width + settings.rest_jitter_px / boxes.width_px
        slack_y = settings.rest_radius * height + settings.rest_jitter_px / boxes.height_px
        shift_x = abs(place[0] + place[2] - box[0] - box[2]) / 2
        shift_y = max(abs(place[1] + place[3] - box[1] - box[3]) / 2, abs(place[3] - box[3]))
        return shift_x <= slack_x and shift_y <= slack_y

    def _settle(self) -> None:
        """Tracks that have rested long enough become stays."""
        needed = 3 if self.scene.period_s <= 1.0 else 2
        for track in list(self.scene.tracks):
            rested = track.last_seen == self.t and track.stray is None
            if track.family == PERSON or not rested or track.rest_hits < needed:
                continue
            rested_s = self.t - track.rest_since
            frames = rested_s / max(self.scene.period_s, 1e-3) + 1
            if rested_s < self.settings.settle_s:
                continue
            if track.rest_hits >= self.settings.min_presence * frames:
                self.scene.tracks.remove(track)
                self._stay(track)

    def _stay(self, track: Track) -> None:
        place = _median(track.rest_boxes)
        rivals = [
            stay
            for stay in self.scene.stays
            if stay.family == track.family and same_place(stay.anchor, place)
        ]
        if any(stay.seen_now for stay in rivals):
            return
        for old in rivals:
            born_here = same_place(track.first_box, old.anchor)
            other = self._is_long_gone(old) and box_iou(place, old.anchor) < self._fit_bar(old)
            if born_here and not other and not _crept(old.home, place):
                # The same object boxed differently, for example by its headlights.
                old.anchor = place
                self._see(old, self.ids.index(track.id))
                return
            old.departed = True
        stay = Stay(
            id=track.id,
            family=track.family,
            anchor=place,
            home=place,
            box=track.box,
            since=track.rest_since,
            last_seen=self.t,
            seen_s=round(self.t - track.rest_since, 3),
            hits=track.rest_hits,
            hit_s=round(track.rest_hits * self.scene.period_s, 3),
            score=track.score,
            votes={},
            attended=Vote(since=track.rest_since, last=track.rest_since),
            credit_s=self.t - track.rest_since,
        )
        self.scene.stays.append(stay)
        self._vote(stay, self.ids.index(track.id))
        # What it was when first believed, it was since it came to rest.
        for vote in stay.votes.values():
            vote.share, vote.since = 1.0, track.rest_since


def _handicap(stay: Stay) -> float:
    """How far a stay stands back behind tracks that claim the same box."""
    if stay.departed:
        return 0.8
    return 0.3 if stay.absent_since is not None else 0.0


def _crept(home: Box, place: Box) -> bool:
    """Whether a thing has shifted, rather than been boxed larger or smaller where it is."""
    small, large = sorted((home, place), key=box_area)
    if box_shared(small, large) >= 0.85 * box_area(small):
        return False
    return _apart(place, home) > CREEP_DISTANCE


def _blend(a: Box, b: Box, pull: float) -> Box:
    x1, y1, x2, y2 = (round(p + pull * (q - p), 5) for p, q in zip(a, b, strict=True))
    return x1, y1, x2, y2


def _median(boxes: list[Box]) -> Box:
    if len(boxes) == 1:
        return boxes[0]
    x1, y1, x2, y2 = (round(sorted(side)[len(boxes) // 2], 5) for side in zip(*boxes, strict=True))
    return x1, y1, x2, y2


def _apart(a: Box, b: Box) -> float:
    """Distance of centres in sizes of `b`."""
    dx = (a[0] + a[2] - b[0] - b[2]) / 2 / max(b[2] - b[0], 1e-6)
    dy = (a[1] + a[3] - b[1] - b[3]) / 2 / max(b[3] - b[1], 1e-6)
    return float(np.hypot(dx, dy))
