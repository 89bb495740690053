"""Evidence pictures: before, at and after an incident, with zone, box and time drawn in."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from .cameras import Camera
from .detections import Detections
from .drawing import (
    BOX_BGR,
    FRONTAGE_BGR,
    OTHER_BGR,
    draw_banner,
    draw_box,
    draw_dashed,
    draw_line,
    draw_polygon,
    encode_jpeg,
    line_width,
)
from .engine import FrameOutcome
from .frame import Frame
from .images import Image, ImageLimits, decode, probe
from .incident import Box, Incident, IncidentState
from .kinds import Kind, Kinds
from .lettering import find_font
from .privacy import blur_private

Moment = Literal["before", "at", "after"]
MOMENT_ZH = {"before": "发生前", "at": "立案时", "after": "结束后", "clip": "立案前后"}
# Pictures in the history passed the door already; the limits there are the caller's.
NO_LIMITS = ImageLimits(max_bytes=2**31, max_pixels=2**31, min_side=1)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One annotated picture. `ts` is the media time of the frame it was made from.

    `frame`, `incident` and `others`, the further boxes drawn, are what it takes to draw it again.
    """

    incident_id: str
    moment: Moment
    ts: datetime
    jpeg: bytes
    sha256: str
    frame: Frame
    incident: Incident
    others: tuple[Box, ...] = ()


def draw(
    image: Image,
    camera: Camera,
    incident: Incident,
    moment: Moment,
    ts: datetime,
    boxes: Iterable[Box] = (),
    kind: Kind | None = None,
) -> bytes:
    """An annotated JPEG at the picture's own resolution.

    Args:
        image: H×W×3 BGR; not changed.
        camera: gives the zone's polygon and the local time.
        incident: its box is drawn thick in the picture of the opening; before and after, where
            it only tells the place, dashed.
        moment: which of the three pictures this is.
        ts: media time of the picture.
        boxes: further boxes in 0–1, drawn thin.
        kind: gives its name and city-management code, and whether shop fronts matter.
    """
    canvas = image.copy()
    line = line_width(canvas)
    zone = next((zone for zone in camera.zones if zone.id == incident.zone_id), None)
    if zone is not None:
        draw_polygon(canvas, zone.polygon)
    for box in boxes:
        draw_box(canvas, box, OTHER_BGR, max(1, line // 2))
    if kind is not None and kind.rule == "shop_overflow":
        for frontage in camera.frontages:
            corners = frontage.line or frontage.polygon or ()
            draw_line(canvas, corners, FRONTAGE_BGR, line + 1, closed=frontage.line is None)
    if moment == "at":
        draw_box(canvas, incident.box, BOX_BGR, line + 1)
    else:
        draw_dashed(canvas, incident.box, BOX_BGR, line)
    draw_banner(canvas, caption(camera, incident, moment, ts, kind))
    return encode_jpeg(canvas)


def coarse(evidence: Evidence, camera: Camera, kinds: Kinds | None, boxes: Detections) -> bytes:
    """The picture as it may leave the house, drawn again on a frame with heads and the places of
    plates made coarse.

    Args:
        boxes: all of its frame, weak ones included, in the frame's pixels.

    Raises:
        ImageError: the frame's data is not a whole picture.
    """
    image = decode(evidence.frame.data, probe(evidence.frame.data, NO_LIMITS))
    known = {kind.id: kind for kind in kinds.kinds} if kinds else {}
    kind = known.get(evidence.incident.kind)
    return draw(
        blur_private(image, boxes),
        camera,
        evidence.incident,
        evidence.moment,
        evidence.ts,
        evidence.others,
        kind,
    )


def caption(
    camera: Camera,
    incident: Incident,
    moment: Moment | Literal["clip"],
    ts: datetime,
    kind: Kind | None = None,
) -> tuple[str, str]:
    """Two lines: local time and camera; kind, zone, id and moment. Chinese where the machine has a
    font for it, else ids."""
    local = ts.astimezone(camera.tzinfo)
    clock = f"{local:%Y-%m-%d %H:%M:%S}.{local.microsecond // 100_000} {local:%z}"
    if find_font(16) is None:
        what = f"{kind.code if kind else ''} {incident.kind}".strip()
        marks = f"{incident.zone_id}  {incident.id[:8]}  {moment.upper()}"
        return f"{clock}  {camera.id}", f"{what}  {marks}"
    names = {zone.id: zone.name for zone in camera.zones}
    zone = names.get(incident.zone_id) or incident.zone_id
    what = f"{kind.zh} {kind.code}" if kind else incident.kind
    return (
        f"{clock}  {camera.name} {camera.id}".replace("   ", "  "),
        f"{what}  {zone}  {MOMENT_ZH[moment]}  编号 {incident.id[:8]}",
    )


class FrameHistory:
    """The last frames of one camera, still encoded, bounded by age and bytes.

    At most one frame per `min_step_s` is kept: a picture from before needs no film. Where one may
    be wanted, the last `film_s` hold a frame per `film_step_s`, thinned out as they grow older.
    """

    def __init__(
        self,
        *,
        max_bytes: int = 16 * 1024 * 1024,
        max_age_s: float = 30.0,
        min_step_s: float = 0.5,
        film_s: float = 0.0,
        film_step_s: float = 0.2,
    ) -> None:
        self.max_bytes = max_bytes
        self.max_age_s = max_age_s
        self.min_step_s = min_step_s
        self.film_s = film_s
        self.film_step_s = film_step_s
        self.bytes_held = 0
        self._frames: deque[Frame] = deque()

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Frame]:
        return iter(self._frames)

    def add(self, frame: Frame) -> bool:
        """Keep a frame that is later than all held, unless it follows too soon; older ones make
        room. Whether it was kept."""
        frames = self._frames
        step_s = self.film_step_s if self.film_s else self.min_step_s
        # Time stamps of a steady source are rounded.
        if frames and (frame.ts - frames[-1].ts).total_seconds() < step_s - 0.01:
            return False
        frames.append(frame)
        self.bytes_held += len(frame.data)
        while frames and (
            self.bytes_held > self.max_bytes
            or (frame.ts - frames[0].ts).total_seconds() > self.max_age_s
        ):
            self.bytes_held -= len(frames.popleft().data)
        if self.film_s:
            self._thin_out(frame.ts)
        return True

    def _thin_out(self, now: datetime) -> None:
        kept: deque[Frame] = deque()
        for frame in self._frames:
            old = (now - frame.ts).total_seconds() > self.film_s
            too_soon = kept and (frame.ts - kept[-1].ts).total_seconds() < self.min_step_s
            if old and too_soon:
                self.bytes_held -= len(frame.data)
            else:
                kept.append(frame)
        self._frames = kept

    def before(self, ts: datetime, margin_s: float = 2.0) -> Frame | None:
        """The latest frame at least `margin_s` before `ts`, else the earliest one before it."""
        earlier = [frame for frame in self._frames if frame.ts < ts]
        clear = [f for f in earlier if (ts - f.ts).total_seconds() >= margin_s]
        if clear:
            return clear[-1]
        return earlier[0] if earlier else None


class EvidenceRecorder:
    """Makes the three pictures of each incident of one camera.

    The `before` picture is set aside when an incident is first suspected, because the history will
    have moved on by the time it opens; it is dropped if the suspicion is.
    """

    def __init__(
        self,
        camera: Camera,
        *,
        kinds: Kinds | None = None,
        max_bytes: int = 16 * 1024 * 1024,
        max_age_s: float = 30.0,
    ) -> None:
        self.camera = camera
        self._kinds = {kind.id: kind for kind in kinds.kinds} if kinds else {}
        self._history = FrameHistory(max_bytes=max_bytes, max_age_s=max_age_s)
        self._before: dict[str, Frame] = {}

    def collect(self, frame: Frame, outcome: FrameOutcome) -> list[Evidence]:
        """Take a frame and what the engine made of it; late frames give nothing.

        Raises:
            ImageError: the frame's data is not a whole picture.
        """
        if outcome.status != "accepted":
            return []
        found: list[Evidence] = []
        for transition in outcome.transitions:
            if transition.changed:
                found += self._on_change(frame, transition.incident, outcome)
        self._history.add(frame)
        return found

    def _on_change(self, frame: Frame, incident: Incident, outcome: FrameOutcome) -> list[Evidence]:
        state, key = incident.state, incident.id
        if state in (IncidentState.SUSPECTED, IncidentState.OPEN) and key not in self._before:
            earlier = self._history.before(incident.onset_at)
            if earlier is not None:
                self._before[key] = earlier
        if state is IncidentState.OPEN and incident.opened_at == frame.ts:
            found = [self._picture(frame, incident, "at", _others(incident, outcome))]
            if key in self._before:
                found.insert(0, self._picture(self._before[key], incident, "before", ()))
            return found
        if state is IncidentState.DISCARDED:
            self._before.pop(key, None)
        if state is IncidentState.ENDED:
            self._before.pop(key, None)
            return [self._picture(frame, incident, "after", ())]
        return []

    def _picture(
        self, frame: Frame, incident: Incident, moment: Moment, boxes: Iterable[Box]
    ) -> Evidence:
        image = decode(frame.data, probe(frame.data, NO_LIMITS))
        kind, others = self._kinds.get(incident.kind), tuple(boxes)
        jpeg = draw(image, self.camera, incident, moment, frame.ts, others, kind)
        sha256 = hashlib.sha256(jpeg).hexdigest()
        return Evidence(incident.id, moment, frame.ts, jpeg, sha256, frame, incident, others)


def _others(incident: Incident, outcome: FrameOutcome) -> list[Box]:
    """The frame's confident boxes other than the incident's own."""
    seen = outcome.detections
    size = np.array([seen.width, seen.height] * 2, dtype=np.float64)
    boxes: list[Box] = []
    for row, score in zip((seen.xyxy / size).tolist(), seen.score.tolist(), strict=True):
        x1, y1, x2, y2 = row
        own = all(abs(a - b) < 0.01 for a, b in zip(row, incident.box, strict=True))
        if score >= 0.4 and not own:
            boxes.append((x1, y1, x2, y2))
    return boxes
