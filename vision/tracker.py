"""Boxes to tracks and stays, on media time."""

from __future__ import annotations

import numpy as np

from .association import (
    SETTINGS,
    Boxes,
    TrackerSettings,
    associate,
    fit_bar,
    is_long_gone,
)
from .families import PERSON
from .geometry import areas, intersections
from .incident import Box
from .scene import Pace, Scene, Stay, Track, Vote, box_area, box_iou, box_shared, same_place

CREEP_DISTANCE = 0.25


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
        matches = associate(
            scene.stays, scene.tracks, self.boxes, self.t, self.brief_s, self.settings
        )
        for i, stay in matches.stays.items():
            self._see(stay, i)
        for i, track in matches.tracks.items():
            self._move(track, i)
        for i, stay in matches.leaving.items():
            self._depart(stay, i)
        self._begin(matches.stays.keys() | matches.tracks.keys() | matches.leaving.keys())
        self._judge_unseen()
        self._settle()
        scene.tracks = [track for track in scene.tracks if not self._is_lost(track)]
        scene.last_t = self.t
        return self.ids

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
            other = is_long_gone(old, self.t, self.settings) and box_iou(
                place, old.anchor
            ) < fit_bar(old, self.t, self.settings)
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
