"""Made-up street scenes as detections: what a detector would say, frame by frame, with its faults.

Faults depend on the seed and the frame's time only, so any part of a scene can be replayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from xiaozheng.vision.cameras import Camera, Zone
from xiaozheng.vision.detections import Detections
from xiaozheng.vision.engine import CameraEngine, FrameOutcome
from xiaozheng.vision.incident import Incident, IncidentState
from xiaozheng.vision.kinds import load_kinds

LABELS = (
    "person",
    "bicycle",
    "motorcycle",
    "car",
    "bus",
    "truck",
    "bin",
    "overflowing_bin",
    "garbage",
    "stall",
)
KINDS = load_kinds()
ALL_KINDS = tuple(kind.id for kind in KINDS.kinds)
START = datetime(2026, 5, 1, 1, 0, tzinfo=UTC)
SIZE = (1280, 720)
SHELF = Path(__file__).parent.parent / "fixtures" / "shelf"
WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))

PixelBox = tuple[float, float, float, float]
Step = tuple[datetime, int, Detections]


@dataclass(frozen=True)
class Actor:
    """One thing in the scene: where it is at each second (None: nowhere), and as what.

    `miss` is the share of frames in which the detector overlooks it, `jitter` the standard
    deviation of each box side in pixels, `labels` what it is called, one drawn per frame.
    """

    where: Callable[[float], PixelBox | None]
    labels: Sequence[str] | Callable[[float], str]
    miss: float = 0.0
    jitter: float = 0.0
    score: float = 0.8


def standing(
    box: PixelBox, start_s: float = 0.0, end_s: float = 1e9
) -> Callable[[float], PixelBox | None]:
    """At one place for some time, nowhere else."""
    return lambda s: box if start_s <= s < end_s else None


def parking(
    box: PixelBox, arrive_s: float, leave_s: float, speed: float = 200.0, run_px: float = 900.0
) -> Callable[[float], PixelBox | None]:
    """Drives in from the left at `speed` px/s, stands, drives off to the right."""

    def where(s: float) -> PixelBox | None:
        shift = min(s - arrive_s, 0.0) * speed + max(s - leave_s, 0.0) * speed
        if abs(shift) > run_px:
            return None
        x1, y1, x2, y2 = box
        return x1 + shift, y1, x2 + shift, y2

    return where


def passing(
    y1: float, size: tuple[float, float], speed: float, every_s: float, phase_s: float = 0.0
) -> Callable[[float], PixelBox | None]:
    """One vehicle after the other from left to right, `every_s` apart."""

    def where(s: float) -> PixelBox | None:
        x = ((s + phase_s) % every_s) * speed - size[0]
        return None if x > SIZE[0] else (x, y1, x + size[0], y1 + size[1])

    return where


def clip(box: PixelBox) -> PixelBox | None:
    """The part inside the frame; None when too little is left to be seen."""
    x1, y1, x2, y2 = max(box[0], 0), max(box[1], 0), min(box[2], SIZE[0]), min(box[3], SIZE[1])
    visible = max(x2 - x1, 0) * max(y2 - y1, 0)
    return (x1, y1, x2, y2) if visible > 0.3 * (box[2] - box[0]) * (box[3] - box[1]) else None


def scene(
    actors: Iterable[Actor], duration_s: float, fps: float, seed: int = 0, hides: bool = True
) -> list[Step]:
    """Frames of a scene; with `hides`, later actors hide earlier ones they cover by half."""
    cast = list(actors)
    steps: list[Step] = []
    for seq in range(round(duration_s * fps)):
        s = seq / fps
        rng = np.random.default_rng([seed, round(s * 1000)])
        found: list[tuple[PixelBox, float, str]] = []
        for actor in cast:
            place = actor.where(s)
            overlooked = rng.random() < actor.miss
            shift = rng.normal(0, actor.jitter, 4) if actor.jitter else np.zeros(4)
            pick = int(rng.integers(1000))
            box = clip(place) if place else None
            if box is None:
                continue
            if hides:
                found = [other for other in found if not _hidden(other[0], box)]
            if overlooked:
                continue
            x1, y1, x2, y2 = (np.asarray(box) + shift).tolist()
            names = actor.labels
            label = names(s) if callable(names) else names[pick % len(names)]
            found.append(((x1, y1, x2, y2), actor.score, label))
        steps.append((START + timedelta(seconds=s), seq, detections(found)))
    return steps


def _hidden(box: PixelBox, by: PixelBox) -> bool:
    width = min(box[2], by[2]) - max(box[0], by[0])
    height = min(box[3], by[3]) - max(box[1], by[1])
    area = (box[2] - box[0]) * (box[3] - box[1])
    return max(width, 0) * max(height, 0) > 0.5 * area and by[3] >= box[3]


def detections(found: Sequence[tuple[PixelBox, float, str]]) -> Detections:
    """From (box in pixels, score, label)."""
    return Detections.of(
        [box for box, _, _ in found],
        [score for _, score, _ in found],
        [label for _, _, label in found],
        LABELS,
        SIZE,
    )


def zone(
    kinds: Sequence[str] = ALL_KINDS, dwell_s: float = 60.0, zone_id: str = "z", **fields: object
) -> Zone:
    """The whole picture, unless a polygon is given."""
    return Zone.model_validate(
        {"id": zone_id, "polygon": WHOLE, "forbids": kinds, "dwell_s": dwell_s} | fields
    )


def camera(*zones: Zone) -> Camera:
    return Camera(id="cam-1", zones=zones or (zone(),))


def new_engine(eye: Camera | None = None) -> CameraEngine:
    return CameraEngine(eye or camera(), KINDS, model_ref="test@1.0.0")


def play(steps: Iterable[Step], engine: CameraEngine | None = None) -> list[Incident]:
    """Final state of every incident the engine ever told of, in order of appearance."""
    engine = engine or new_engine()
    told: dict[str, Incident] = {}
    for ts, seq, found in steps:
        for transition in engine.update(ts, seq, found).transitions:
            told[transition.incident.id] = transition.incident
    return list(told.values())


def opened(steps: Iterable[Step], engine: CameraEngine | None = None) -> list[Incident]:
    """Incidents that were reported, not merely suspected."""
    return [incident for incident in play(steps, engine) if incident.opened_at is not None]


def changes(outcomes: Iterable[FrameOutcome]) -> list[tuple[str, IncidentState]]:
    """(id, state) of every change of state, in order."""
    return [(t.incident.id, t.incident.state) for o in outcomes for t in o.transitions if t.changed]


def seconds(moment: datetime | None) -> float:
    """Seconds since the scene's start."""
    assert moment is not None
    return (moment - START).total_seconds()
