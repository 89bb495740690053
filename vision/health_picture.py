"""One camera's pictures judged against what this camera usually shows."""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Mapping
from typing import Any, Literal

import cv2
import numpy as np

from .health_signs import Grey, Match, View, changed_share, light_of, sharpness

PictureFault = Literal[
    "camera_frozen", "camera_black", "camera_overexposed", "camera_blurred", "camera_moved"
]
Signs = dict[PictureFault, bool | None]

CHECK_EVERY_S = 5.0
LEARNT_AFTER = 5
USUAL_WEIGHT = 0.05
# A live picture differs from the last one in at least so many pixels; a source that never does,
# such as a drawn test picture, gives no sign until it has stood still for very long.
LIVELY_SHARE, FROZEN_FACTOR = 0.03, 0.05
BLURRED_BELOW, SHARP_FROM = 0.5, 0.7
LOST_TEXTURE, DARK_MEAN = 0.15, 40.0
MOVED_BELOW, IN_PLACE_FROM, MIN_SHIFT = 0.35, 0.6, 0.02
VIEWS_TO_LEARN, VIEW_EVERY_S, VIEW_WEIGHT = 3, 60.0, 0.2


class Usual:
    """A slow average that learns quickly while it is new."""

    def __init__(self, value: float = 0.0, count: int = 0) -> None:
        self.value, self.count = value, count

    @property
    def known(self) -> bool:
        """Whether enough was seen to judge by."""
        return self.count >= LEARNT_AFTER

    def take(self, value: float) -> None:
        """Count one more observation."""
        self.count += 1
        self.value += max(USUAL_WEIGHT, 1 / self.count) * (value - self.value)


class PictureJudge:
    """Says of each thumbnail, kind by kind, whether it is bad, well, or does not tell (None).

    Args:
        fixed: thumbnail of the view the zones were drawn on, if there is one.
    """

    def __init__(self, fixed: Grey | None = None) -> None:
        self._fixed = None if fixed is None else View(fixed)
        self._last: Grey | None = None
        self._change, self._sharpness = Usual(), Usual()
        self._view: View | None = None
        self._agreeing = 0
        self._viewed_t = self._checked_t = float("-inf")
        self._wary = False
        self._unwanted = ""

    @property
    def lively(self) -> bool:
        """Whether this camera's pictures usually differ from one another."""
        return self._change.known and self._change.value >= LIVELY_SHARE

    def judge(self, thumb: Grey, t: float, in_force: frozenset[str]) -> Signs:
        """Judge a thumbnail of media time `t` while the faults `in_force` stand."""
        light = light_of(thumb)
        signs: Signs = {
            "camera_frozen": None,
            "camera_black": light.black,
            "camera_overexposed": light.overexposed,
            "camera_blurred": None,
            "camera_moved": None,
        }
        last, self._last = self._last, thumb
        if light.black or light.overexposed:
            # Not the picture of before, whatever that was; and the step back out of the dark is no
            # measure of how much this camera's pictures differ.
            self._last = None
            signs["camera_frozen"] = False
            return signs
        if last is not None:
            signs["camera_frozen"] = self._is_frozen(changed_share(thumb, last))
        wary = self._wary or bool(in_force & {"camera_blurred", "camera_moved"})
        if wary or t - self._checked_t >= CHECK_EVERY_S:
            self._checked_t = t
            signs["camera_blurred"] = self._is_blurred(thumb, "camera_blurred" in in_force)
            if not signs["camera_blurred"]:
                signs |= self._place(thumb, t, light.mean, "camera_moved" in in_force)
            self._wary = bool(signs["camera_blurred"] or signs["camera_moved"])
        return signs

    def forget(self) -> None:
        """Learn the view and its sharpness anew: the camera was turned on purpose.

        The reference picture, if there is one, is not heeded again until it is another one.
        """
        if self._fixed is not None:
            self._unwanted = _named(self._fixed.picture)
        self._fixed = self._view = None
        self._agreeing, self._wary = 0, False
        self._sharpness = Usual()

    def snapshot(self) -> dict[str, Any]:
        """JSON-able state; times before anything was seen are null."""
        return {
            "change": [self._change.value, self._change.count],
            "sharpness": [self._sharpness.value, self._sharpness.count],
            "view": None if self._view is None else _packed(self._view.picture),
            "agreeing": self._agreeing,
            "last": None if self._last is None else _packed(self._last),
            "checked_t": _finite(self._checked_t),
            "viewed_t": _finite(self._viewed_t),
            "wary": self._wary,
            "unwanted": self._unwanted,
        }

    def restore(self, data: Mapping[str, Any], *, keep_view: bool) -> None:
        """Go on from `snapshot`; ValueError, KeyError or TypeError when it is none.

        What snapshots of version 1 lack is as if nothing had been seen yet.
        """
        self._change = Usual(*data["change"])
        self._sharpness = Usual(*data["sharpness"])
        self._last = _unpacked(data["last"]) if data.get("last") else None
        self._checked_t = _moment(data.get("checked_t"))
        self._wary = bool(data.get("wary", False))
        if keep_view:
            if data["view"] is not None:
                self._view, self._agreeing = View(_unpacked(data["view"])), int(data["agreeing"])
            self._viewed_t = _moment(data.get("viewed_t"))
            self._unwanted = str(data.get("unwanted", ""))
            if self._fixed is not None and _named(self._fixed.picture) == self._unwanted:
                self._fixed = None

    def _is_frozen(self, change: float) -> bool:
        frozen = change <= (FROZEN_FACTOR * self._change.value if self.lively else 0.0)
        if not (frozen and self.lively):
            self._change.take(change)
        return frozen

    def _is_blurred(self, thumb: Grey, standing: bool) -> bool | None:
        now, usual = sharpness(thumb), self._sharpness
        if now is None:
            return None
        if not usual.known:
            usual.take(now)
            return None
        if now >= SHARP_FROM * usual.value:
            usual.take(now)
        return now < (SHARP_FROM if standing else BLURRED_BELOW) * usual.value

    def _place(self, thumb: Grey, t: float, mean: float, standing: bool) -> Signs:
        """Whether the scene lies where it should; learns and renews the view."""
        if self._fixed is not None and self._fixed.telling and _went(self._fixed.match(thumb)):
            return {"camera_moved": True}
        view = self._view
        if view is None or not view.telling:
            self._learn(thumb, t)
            return {"camera_moved": None}
        match = view.match(thumb)
        if self._agreeing < VIEWS_TO_LEARN:
            if match.share >= IN_PLACE_FROM:
                self._agreeing += 1
            else:
                self._learn(thumb, t)
            return {"camera_moved": None}
        if match.texture < LOST_TEXTURE:
            # Fog, a fogged lens, a wall: nothing to recognise. A dark street may look so too.
            return {"camera_blurred": mean >= DARK_MEAN, "camera_moved": None}
        limit = IN_PLACE_FROM if standing else MOVED_BELOW
        moved = match.share < limit or _went(match)
        in_place = match.share >= IN_PLACE_FROM and not (moved or standing)
        if in_place and t - self._viewed_t >= VIEW_EVERY_S:
            # The view follows sun and seasons, so slowly that traffic leaves no trace.
            mixed = cv2.addWeighted(thumb, VIEW_WEIGHT, view.picture, 1 - VIEW_WEIGHT, 0)
            self._view, self._viewed_t = View(np.asarray(mixed, dtype=np.uint8)), t
        return {"camera_moved": moved}

    def _learn(self, thumb: Grey, t: float) -> None:
        self._view, self._agreeing, self._viewed_t = View(thumb), 1, t


def _went(match: Match) -> bool:
    """Whether the scene was found elsewhere: evidence that a mere mismatch is not."""
    x, y = match.shift or (0.0, 0.0)
    return max(abs(x), abs(y)) >= MIN_SHIFT


def _named(picture: Grey) -> str:
    return hashlib.sha256(picture.tobytes()).hexdigest()[:16]


def _finite(t: float) -> float | None:
    return t if math.isfinite(t) else None


def _moment(t: float | None) -> float:
    return float("-inf") if t is None else float(t)


def _packed(picture: Grey) -> str:
    return base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode("ascii")


def _unpacked(text: str) -> Grey:
    raw = np.frombuffer(base64.b64decode(text, validate=True), np.uint8)
    picture = cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise ValueError("the view is not a picture")
    return np.asarray(picture, dtype=np.uint8)
