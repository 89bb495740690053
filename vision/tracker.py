"""Boxes to tracks and stays, on media time."""

from __future__ import annotations

from .association import SETTINGS, Boxes, TrackerSettings, associate
from .bystanders import stays_by
from .families import BIN, OVERFLOWING, PERSON, STALL, VEHICLE
from .incident import Box
from .motion import apart, at_rest, median, move
from .onset import heard
from .recall import alike, as_if_clear, brief_of, crept, is_nearer, same_shape
from .scene import (
    Evidence,
    Scene,
    Stay,
    Track,
    Vote,
    box_area,
    box_iou,
    box_shared,
    same_object,
    same_place,
)

SEEN_SCORE = 0.2
TAKES_IOU = 0.45
# Whoever stands by something begins nothing, so a weaker box will do.
PERSON_SCORE = 0.25
STEP_ASIDE, STEP_DEEP = 0.5, 0.3
# What a thing was before it was first seen, nobody saw for long.
UNKNOWN_BEFORE_S = 60.0


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
        if scene.started_at is None:
            scene.started_at = t
        dt = 0.0 if scene.last_t is None else t - scene.last_t
        if scene.period_s == 0.0:
            scene.period_s = dt
        scene.period_s += 0.2 * (min(dt, 3 * scene.period_s) - scene.period_s)
        period_s = scene.period_s
        self.step_s = min(dt, 3 * period_s)
        self.brief_s = max(settings.brief_s, settings.brief_periods * period_s)
        self.resting_s = max(
            self.brief_s,
            min(
                max(settings.resting_s, settings.resting_periods * period_s), settings.max_resting_s
            ),
        )
        self.credit_bound_s = min(
            settings.max_credit_gap_s,
            max(settings.credit_gap_s, settings.credit_periods * period_s),
        )
        # A share over fewer than a handful of frames would be a matter of luck.
        least_tau_s = settings.share_periods * period_s
        self.label_evidence = Evidence(
            max(settings.label_tau_s, least_tau_s),
            settings.label_whole_s,
            settings.label_pro_llr,
            settings.label_contra_llr,
        )
        self.attended_evidence = Evidence(
            max(settings.attended_tau_s, least_tau_s),
            settings.attended_whole_s,
            settings.attended_pro_llr,
            settings.attended_contra_llr,
        )
        self.ids = [-1] * len(boxes.labels)
        self.aspect = boxes.height_px / boxes.width_px
        self.people = [
            box
            for box, family, score in zip(boxes.xyxy, boxes.families, boxes.scores, strict=True)
            if family == PERSON and score >= PERSON_SCORE
        ]

    def run(self) -> list[int]:
        scene = self.scene
        for stay in scene.stays:
            stay.seen_now, stay.credit_s = False, 0.0
        matches = associate(scene.stays, scene.tracks, self.boxes, self.t, self.settings)
        for i, stay in sorted(matches.stays.items()):
            self._see(stay, i)
        for i, track in sorted(matches.tracks.items()):
            self.ids[i] = track.id
            move(track, self.boxes, i, self.t, self.settings)
        for i, stay in sorted(matches.leaving.items()):
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
        gap_s, seen_s = self.t - stay.last_seen, 0.0
        first = self.t
        if self._is_doubtful(stay, gap_s):
            verdict = self._return(stay, i)
            if verdict is None:
                return
            if not verdict:
                self._replace(stay, i)
                return
            first = stay.back_since
            gap_s, seen_s = first - stay.last_seen, self.t - first
            if stay.absent_since is not None:
                stay.longest_gap_s = max(stay.longest_gap_s, round(gap_s, 3))
        self._confirm(stay, i, round(min(gap_s, self.credit_bound_s) + seen_s, 3), first)

    def _confirm(self, stay: Stay, i: int, credit_s: float, first: float) -> None:
        """It is the object, seen again since `first`: its clock goes on."""
        settings, box = self.settings, self.boxes.xyxy[i]
        stay.hit_s = round(stay.hit_s + self.step_s, 3)
        if stay.unseen_s:
            stay.empty_s, stay.unseen_s = round(stay.empty_s + stay.unseen_s, 3), 0.0
        stay.absent_since, stay.left_by, stay.left, stay.departed = None, None, False, False
        if stay.back_boxes:
            stay.back_boxes = []
        stay.seen_now, stay.credit_s = True, credit_s
        stay.seen_s = round(stay.seen_s + credit_s, 3)
        if self.boxes.strong[i]:
            stay.strong_s = round(stay.strong_s + credit_s, 3)
        gap_s, stay.last_seen = first - stay.last_seen, self.t
        stay.hits += 1
        stay.box = box
        if box_iou(box, stay.anchor) >= 0.6:
            self._learn_shape(stay, box)
        look = self.boxes.looks[i]
        if look and (not stay.look or stay.hits <= settings.anchor_hits):
            stay.look = look if self.boxes.strong[i] else stay.look
        self._vote(stay, i, first, gap_s)

    def _learn_shape(self, stay: Stay, box: Box) -> None:
        """The place itself drifts only slowly; how the object was last boxed is kept beside it."""
        settings = self.settings
        young = stay.hits < settings.anchor_hits
        drift = min(0.2, stay.credit_s / settings.anchor_drift_s)
        stay.anchor = _blend(stay.anchor, box, 1 / (stay.hits + 1) if young else drift)
        x1, y1, x2, y2 = recent = stay.recent
        clear = as_if_clear(recent, box, self.boxes.xyxy, settings)
        width, height = max(x2 - x1, 1e-6), max(y2 - y1, 1e-6)
        shift = (abs(clear[0] - x1) + abs(clear[2] - x2)) / width
        shift = (shift + (abs(clear[1] - y1) + abs(clear[3] - y2)) / height) / 4
        # 1.25 turns a mean absolute deviation into a standard one.
        pull = 1 / min(stay.hits, settings.spread_hits)
        stay.spread = round(stay.spread + pull * (1.25 * shift - stay.spread), 5)
        stay.recent = _blend(recent, clear, 1 / min(stay.hits, settings.recent_hits))

    def _is_doubtful(self, stay: Stay, gap_s: float) -> bool:
        """Whether it has been away for so long that something else may stand there."""
        if stay.back_boxes:
            return True
        if gap_s <= self.brief_s:
            return False
        bound_s = brief_of(stay, self.brief_s, self.scene.period_s, self.settings)
        if stay.absent_since is None:
            bound_s = max(bound_s, self.settings.long_unseen_s)
        return gap_s > bound_s

    def _return(self, stay: Stay, i: int) -> bool | None:
        """After an absence. True: it is back; False: another stands there; None: not yet known."""
        settings, boxes, t = self.settings, self.boxes, self.t
        box = as_if_clear(stay.recent, boxes.xyxy[i], boxes.xyxy, settings)
        if stay.back_boxes and t - stay.back_last > self.resting_s:
            stay.back_boxes = []
        if stay.back_boxes and not at_rest(median(stay.back_boxes), box, boxes, settings):
            # A passer-by: it moves.
            stay.back_boxes = []
        if not stay.back_boxes:
            stay.back_since, stay.back_strong = t, False
        stay.back_strong |= boxes.strong[i]
        stay.back_boxes, stay.back_last = [*stay.back_boxes, box][-settings.rest_samples :], t
        if len(stay.back_boxes) < 2:
            return None
        looks_same = alike(stay.look, self.boxes.looks[i], settings)
        if looks_same:
            return True
        gap_s = stay.back_since - stay.last_seen
        swap_s = settings.swap_s if stay.reported else settings.brief_swap_s
        if looks_same is None and not stay.departed and gap_s <= max(swap_s, self.brief_s):
            return True
        if t - stay.back_since < settings.settle_s or len(stay.back_boxes) < 3:
            return None
        # What was seen leaving is not back because something stands there as it did; and what
        # stood there briefly and was then long away has given way to the next in a queue.
        vague = stay.family == VEHICLE and not stay.reported
        fleeting = vague and stay.unseen_s > settings.brief_share * stay.seen_s
        other = looks_same is False or stay.departed or fleeting
        if not other:
            other = stay.family == VEHICLE and not same_shape(stay, stay.back_boxes, settings)
        # Weak boxes begin nothing.
        return None if other and not stay.back_strong else not other

    def _replace(self, old: Stay, i: int) -> None:
        """Another object has taken the place while nobody looked."""
        old.departed = old.replaced = True
        boxes, old.back_boxes = old.back_boxes, []
        place, rested_s = median(boxes), self.t - old.back_since
        stay = Stay(
            id=self.scene.next_id,
            family=old.family,
            anchor=place,
            home=place,
            recent=place,
            box=self.boxes.xyxy[i],
            since=old.back_since,
            last_seen=self.t,
            seen_s=round(rested_s, 3),
            hits=len(boxes),
            hit_s=round(len(boxes) * self.scene.period_s, 3),
            empty_s=round(max(rested_s - len(boxes) * self.scene.period_s, 0.0), 3),
            score=self.boxes.scores[i],
            votes={},
            attended=Vote(since=old.back_since, last=old.back_since),
            credit_s=rested_s,
            look=self.boxes.looks[i],
        )
        self.scene.next_id += 1
        self._enter(stay, i)

    def _enter(self, stay: Stay, i: int) -> None:
        """A new stay: what it was when first believed, it was since it came to rest."""
        self.ids[i] = stay.id
        self.scene.stays.append(stay)
        self._vote(stay, i, stay.since, UNKNOWN_BEFORE_S)
        stay.strong_s = stay.seen_s
        for vote in stay.votes.values():
            vote.share, vote.since, vote.first = 1.0, stay.since, stay.since
            vote.lean = self.settings.born_sightings * self.settings.label_pro_llr

    def _vote(self, stay: Stay, i: int, first: float, gap_s: float) -> None:
        label, score = self.boxes.labels[i], self.boxes.scores[i]
        stay.score = max(stay.score, score)
        if label not in stay.votes:
            stay.votes[label] = Vote()
        credit_s = stay.credit_s
        for name, vote in stay.votes.items():
            vote.cast(name == label, self.t, credit_s, self.label_evidence)
        if stay.family == BIN:
            news = min(1.0, credit_s / self.settings.label_whole_s)
            heard(stay.filling, label == OVERFLOWING, first, gap_s, news)
        near = self._people_near(stay.anchor)
        stay.attended.cast(bool(near), self.t, credit_s, self.attended_evidence)
        stay.visited.cast(len(near) > 1, self.t, credit_s, self.attended_evidence)
        if stay.family == STALL:
            stays = stays_by(stay.bystanders, near, self.t, self.step_s)
            stay.kept.cast(stays, self.t, credit_s, self.attended_evidence)

    def _people_near(self, place: Box) -> list[Box]:
        """Who stands within about a step: half a height aside, a quarter in depth."""
        x1, y1, x2, y2 = place
        near: list[Box] = []
        for person in self.people:
            px1, py1, px2, foot = person
            tall = foot - py1
            reach_x, reach_y = STEP_ASIDE * tall * self.aspect, STEP_DEEP * tall
            middle = (px1 + px2) / 2
            beside = x1 - reach_x <= middle <= x2 + reach_x
            if beside and y2 - (y2 - y1) / 2 - reach_y <= foot <= y2 + reach_y:
                near.append(person)
        return near

    def _depart(self, stay: Stay, i: int) -> None:
        """A box that no longer fits continues what stood here a moment ago."""
        track = self._new_track(i)
        track.first_box = stay.anchor
        stay.left_by = track.id

    def _judge_unseen(self) -> None:
        """Empty, hidden, or driven away?"""
        t, last_t = self.t, self.scene.last_t or self.t
        by_id = {track.id: track for track in self.scene.tracks}
        visible = [
            box
            for box, score in zip(self.boxes.xyxy, self.boxes.scores, strict=True)
            if score >= SEEN_SCORE
        ]
        for stay in self.scene.stays:
            if stay.seen_now or stay.replaced:
                continue
            if stay.back_boxes:
                if stay.back_last == t:
                    # On trial: hold the clock.
                    if stay.absent_since is not None:
                        stay.absent_since += t - last_t
                    continue
                if t - stay.back_last > self.resting_s:
                    stay.back_boxes = []
            leaver = by_id.get(stay.left_by) if stay.left_by is not None else None
            if leaver is not None:
                stay.left |= apart(leaver.box, stay.anchor) >= self.settings.left_distance
            anchor = stay.anchor
            covering = sum([box_shared(anchor, b) for b in visible if is_nearer(b, anchor)])
            if covering >= self.settings.covered_share * max(box_area(anchor), 1e-9):
                stay.covered_since = t if stay.covered_since is None else stay.covered_since
                if stay.absent_since is not None:
                    # Time behind something else is no evidence of emptiness: hold the clock.
                    stay.absent_since += t - last_t
                continue
            stay.covered_since = None
            stay.unseen_s = round(stay.unseen_s + self.step_s, 3)
            if stay.absent_since is None:
                stay.absent_since = t
                stay.brief_s = round(
                    brief_of(stay, self.brief_s, self.scene.period_s, self.settings), 3
                )
            stay.departed |= stay.left and stay.absent_s(t) >= self.settings.left_after_s

    # --- tracks ------------------------------------------------------------------------------

    def _new_track(self, i: int) -> Track:
        box = self.boxes.xyxy[i]
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
            look=self.boxes.looks[i],
        )
        self.scene.next_id += 1
        self.scene.tracks.append(track)
        self.ids[i] = track.id
        return track

    def _begin(self, taken: set[int]) -> None:
        """Confident boxes nobody claimed begin tracks, unless they box a claimed object again."""
        boxes = self.boxes
        claimed: list[tuple[str, Box]] | None = None
        for i, strong in enumerate(boxes.strong):
            if i in taken or not strong:
                continue
            if claimed is None:
                claimed = [(boxes.families[j], boxes.xyxy[j]) for j in sorted(taken)]
            family, box = boxes.families[i], boxes.xyxy[i]
            if family != PERSON and any(f == family and same_object(f, b, box) for f, b in claimed):
                continue
            self._new_track(i)
            claimed.append((family, box))

    def _is_lost(self, track: Track) -> bool:
        """Something that has begun to rest is waited for a little longer."""
        unseen_s = self.t - track.last_seen
        return unseen_s > (self.resting_s if track.rest_hits > 1 else self.brief_s)

    def _settle(self) -> None:
        """Tracks that have rested long enough become stays."""
        needed = 3 if self.scene.period_s <= 1.0 else 2
        for track in list(self.scene.tracks):
            if track.family == PERSON or track.rest_hits < needed or track.stray is not None:
                continue
            rested_s = self.t - track.rest_since
            if track.last_seen != self.t or rested_s < self.settings.settle_s:
                continue
            frames = rested_s / max(self.scene.period_s, 1e-3) + 1
            if track.rest_hits >= self.settings.min_presence * frames:
                self.scene.tracks.remove(track)
                self._stay(track)

    def _stay(self, track: Track) -> None:
        place = median(track.rest_boxes)
        i = self.ids.index(track.id)
        rivals = [
            stay
            for stay in self.scene.stays
            if stay.family == track.family
            and not stay.replaced
            and same_object(track.family, stay.anchor, place)
        ]
        if any(stay.seen_now for stay in rivals):
            return
        for old in rivals:
            if self._is_the_same(old, track, place):
                old.anchor = old.recent = place
                gap_s = track.rest_since - old.last_seen
                credit_s = min(max(gap_s, 0.0), self.credit_bound_s)
                self.ids[i] = old.id
                old.covered_since = None
                rested_s = self.t - track.rest_since
                self._confirm(old, i, round(credit_s + rested_s, 3), track.rest_since)
                return
            # Something smaller or larger beside it takes no place.
            old.departed |= box_iou(old.anchor, place) >= TAKES_IOU
        rested_s = self.t - track.rest_since
        stay = Stay(
            id=track.id,
            family=track.family,
            anchor=place,
            home=place,
            recent=place,
            box=track.box,
            since=track.rest_since,
            last_seen=self.t,
            seen_s=round(rested_s, 3),
            hits=track.rest_hits,
            hit_s=round(track.rest_hits * self.scene.period_s, 3),
            empty_s=round(max(rested_s - track.rest_hits * self.scene.period_s, 0.0), 3),
            score=track.score,
            votes={},
            attended=Vote(since=track.rest_since, last=track.rest_since),
            credit_s=rested_s,
            look=track.look,
        )
        self._enter(stay, i)

    def _is_the_same(self, old: Stay, track: Track, place: Box) -> bool:
        """Whether a track that came to rest here is what stood here, boxed differently."""
        settings = self.settings
        looks_same = alike(old.look, track.look, settings)
        if looks_same is not None:
            return looks_same and not crept(old.home, place)
        if track.family == BIN:
            # It was pushed a little, or looks larger for being full.
            return True
        if not same_place(track.first_box, old.anchor):
            return False
        swap_s = max(settings.long_unseen_s, self.brief_s)
        if track.rest_since - old.last_seen > swap_s:
            return same_shape(old, track.rest_boxes, settings)
        # Boxed differently, for example by its headlights.
        return not crept(old.home, place)


def _blend(a: Box, b: Box, pull: float) -> Box:
    ax1, ay1, ax2, ay2 = a
    bx1, by1, bx2, by2 = b
    return (
        round(ax1 + pull * (bx1 - ax1), 5),
        round(ay1 + pull * (by1 - ay1), 5),
        round(ax2 + pull * (bx2 - ax2), 5),
        round(ay2 + pull * (by2 - ay2), 5),
    )
