"""The detector model: things in view become boxes with scores, names and the usual faults.

Vectorised over all boxes of a clip. What lowers a score: small size, occlusion by nearer things,
night, a slow wobble per thing (so that misses come in runs), blind spans, dim light.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter
from scipy.special import ndtr

from ...datasets.labels import DETECTOR_LABELS
from ...vision.detections import Detections
from .things import Span, Thing, inside
from .view import HEIGHT_PX, WIDTH_PX, Floats, View

MIN_SCORE = 0.1
MIN_HEIGHT_PX = 9.0
MIN_VISIBLE = 0.3
CERTAIN_HEIGHT_PX = 60.0
CERTAIN_LOGIT = 1.9
WOBBLE_TAU_S = 4.0
FLICKER_TAU_S = 2.0
BLIND_LOGIT = 4.5
CHUNK_FRAMES = 2000


@dataclass(frozen=True, slots=True)
class Light:
    """What light and wind do to the picture.

    Attributes:
        nights: spans in which it is dark.
        dim, blinding: spans in which scores are lower, or next to nothing is found.
        shake_px: standard deviation of the whole picture's place.
    """

    nights: Sequence[Span] = field(default_factory=tuple)
    shake_px: float = 0.0
    dim: Sequence[Span] = field(default_factory=tuple)
    blinding: Sequence[Span] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Sightings:
    """Boxes of a clip, sorted by frame; `first[k]:first[k + 1]` are those of frame k.

    `clear` (N, 2) lists frame and thing wherever somebody looking would see the thing, whether or
    not the detector did. `hidden` (B,) is the share of each box that nearer things hide, `hider`
    the thing that hides most of it, -1 for none.
    """

    xyxy: NDArray[np.float32]
    score: NDArray[np.float32]
    class_id: NDArray[np.int64]
    thing: NDArray[np.int64]
    first: NDArray[np.int64]
    clear: NDArray[np.int64]
    hidden: Floats
    hider: NDArray[np.int64]

    def frame(self, k: int, *, named: bool = False) -> Detections:
        """Detections of frame k; `named` with the thing's number as the source's track id."""
        rows = slice(self.first[k], self.first[k + 1])
        ids = self.thing[rows] if named else np.full(rows.stop - rows.start, -1, dtype=np.int64)
        return Detections(
            xyxy=self.xyxy[rows],
            score=self.score[rows],
            class_id=self.class_id[rows],
            labels=DETECTOR_LABELS,
            width=WIDTH_PX,
            height=HEIGHT_PX,
            track_id=ids,
        )


@dataclass(slots=True)
class _Rows:
    """One row per thing and frame."""

    frame: NDArray[np.int64]
    thing: NDArray[np.int64]
    along: Floats
    across: Floats
    size: Floats
    bias: Floats
    name: NDArray[np.int64]
    swell: Floats


def see(
    view: View, things: Sequence[Thing], times: Floats, light: Light, rng: np.random.Generator
) -> Sightings:
    """What the detector says of every frame at `times` (seconds, growing)."""
    rows = _rows(things, times, rng)
    boxes, depth = view.boxes(rows.along, rows.across, rows.size)
    boxes = _swollen(boxes, rows.swell)
    clipped = np.clip(boxes, 0, [WIDTH_PX - 1, HEIGHT_PX - 1] * 2)
    shown = _areas(clipped) / np.maximum(_areas(boxes), 1e-6)
    kept = (shown > 0.3) & (clipped[:, 3] - clipped[:, 1] >= MIN_HEIGHT_PX) & (depth > 1.5)
    rows, clipped, depth = _take(rows, kept), clipped[kept], depth[kept]
    opacity = np.array([thing.opacity for thing in things])[rows.thing]
    covered, by, trimmed = _occlude(rows.frame, clipped, depth, opacity, len(times))
    step_s = _step_s(times)
    sway = np.stack([_wobble(rng, len(times), step_s, 1.0) for _ in range(2)] * 2, axis=1)
    trimmed = trimmed + light.shake_px * sway[rows.frame]
    score = _scores(rows, trimmed, covered, times, light, rng)
    noisy = _jitter(trimmed, inside(times, light.nights)[rows.frame], rng)
    seen = (score >= MIN_SCORE) & (covered < 1 - MIN_VISIBLE)
    order = np.flatnonzero(seen)
    order = order[np.lexsort((-score[order], rows.frame[order]))]
    counts = np.bincount(rows.frame[order], minlength=len(times))
    return Sightings(
        xyxy=noisy[order].astype(np.float32),
        score=score[order].astype(np.float32),
        class_id=rows.name[order],
        thing=rows.thing[order],
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        clear=np.stack([rows.frame, rows.thing], axis=1)[covered < 1 - MIN_VISIBLE],
        hidden=covered[order],
        hider=np.where(by[order] >= 0, rows.thing[by[order]], -1),
    )


def _rows(things: Sequence[Thing], times: Floats, rng: np.random.Generator) -> _Rows:
    parts: list[tuple[Floats, ...]] = []
    step_s = _step_s(times)
    for number, thing in enumerate(things):
        begin, end = np.searchsorted(times, [thing.t[0], thing.t[-1]])
        if begin == end:
            continue
        at, count = times[begin:end], end - begin
        bias = (
            thing.score_bias
            + rng.normal(0, 0.4)
            + _wobble(rng, count, step_s, WOBBLE_TAU_S) * (thing.wobble)
        )
        if thing.blind:
            bias = bias - BLIND_LOGIT * inside(at, thing.blind)
        swell = np.zeros((count, 3))
        for span, shares in thing.swell:
            swell += inside(at, [span])[:, None] * shares
        parts.append(
            (
                np.arange(begin, end),
                np.full(count, number),
                np.interp(at, thing.t, thing.along),
                np.interp(at, thing.t, thing.across),
                np.tile(thing.size, (count, 1)),
                bias,
                _names(thing, count, step_s, rng),
                swell,
            )
        )
    if not parts:
        none = np.zeros(0)
        whole = none.astype(np.int64)
        return _Rows(whole, whole, none, none, np.zeros((0, 3)), none, whole, np.zeros((0, 3)))
    frame, thing_no, along, across, size, bias, name, swell = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    return _Rows(
        frame.astype(np.int64), thing_no.astype(np.int64), along, across, size, bias,
        name.astype(np.int64), swell,
    )  # fmt: skip


def _step_s(times: Floats) -> float:
    return float(np.median(np.diff(times))) if len(times) > 1 else 1.0


def _wobble(rng: np.random.Generator, count: int, step_s: float, tau_s: float) -> Floats:
    """Noise of standard deviation 1 that forgets within about `tau_s`."""
    keep = float(np.exp(-step_s / tau_s))
    white = rng.normal(0, 1, count)
    if count < 2 or keep < 0.05:
        return white
    white[1:] *= np.sqrt(1 - keep**2)
    return np.asarray(lfilter([1.0], [1.0, -keep], white))


def _names(thing: Thing, count: int, step_s: float, rng: np.random.Generator) -> Floats:
    ids = np.array([DETECTOR_LABELS.index(name) for name in thing.names])
    if len(ids) == 1:
        return np.full(count, ids[0])
    shares = np.cumsum(list(thing.names.values()))
    drawn = ndtr(_wobble(rng, count, step_s, FLICKER_TAU_S))
    picked = np.minimum(np.searchsorted(shares / shares[-1], drawn), len(ids) - 1)
    return np.asarray(ids[picked])


def _swollen(boxes: Floats, swell: Floats) -> Floats:
    if not swell.any():
        return boxes
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    grown = boxes.copy()
    grown[:, 0] -= swell[:, 0] * width
    grown[:, 2] += swell[:, 1] * width
    grown[:, 1] -= swell[:, 2] * height
    return grown


def _take(rows: _Rows, kept: NDArray[np.bool_]) -> _Rows:
    return _Rows(
        rows.frame[kept], rows.thing[kept], rows.along[kept], rows.across[kept], rows.size[kept],
        rows.bias[kept], rows.name[kept], rows.swell[kept],
    )  # fmt: skip


def _occlude(
    frame: NDArray[np.int64], boxes: Floats, depth: Floats, opacity: Floats, frames: int
) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Share of each box that nearer things hide, the row of what hides most of it (-1 for none),
    and its box cut back to what shows."""
    covered, trimmed = np.zeros(len(boxes)), boxes.copy()
    by = np.full(len(boxes), -1)
    order = np.lexsort((depth, frame))
    first = np.searchsorted(frame[order], np.arange(frames + 1))
    for begin in range(0, frames, CHUNK_FRAMES):
        end = min(begin + CHUNK_FRAMES, frames)
        a, b = first[begin], first[end]
        if a == b:
            continue
        mine = order[a:b]
        row = frame[mine] - begin
        column = np.arange(a, b) - first[frame[mine]]
        k = int(column.max()) + 1
        table = np.full((end - begin, k, 4), -1.0)
        table[row, column] = boxes[mine]
        far = np.full((end - begin, k), np.inf)
        far[row, column] = depth[mine]
        solid = np.zeros((end - begin, k))
        solid[row, column] = opacity[mine]
        number = np.full((end - begin, k), -1)
        number[row, column] = mine
        hidden, main, cut = _hidden(table, far, solid)
        covered[mine], trimmed[mine] = hidden[row, column], cut[row, column]
        by[mine] = np.where(covered[mine] > 0, number[row, main[row, column]], -1)
    return covered, by, trimmed


def _hidden(
    boxes: Floats, depth: Floats, opacity: Floats
) -> tuple[Floats, NDArray[np.int64], Floats]:
    """Boxes (F, K, 4) nearest first; hidden shares (F, K), what hides most, trimmed boxes."""
    low = np.maximum(boxes[:, :, None, :2], boxes[:, None, :, :2])
    high = np.minimum(boxes[:, :, None, 2:], boxes[:, None, :, 2:])
    width, height = np.moveaxis(np.maximum(high - low, 0), -1, 0)
    nearer = depth[:, None, :] < depth[:, :, None] - 0.2
    own_w = np.maximum(boxes[..., 2] - boxes[..., 0], 1e-6)
    own_h = np.maximum(boxes[..., 3] - boxes[..., 1], 1e-6)
    share = np.where(nearer, width * height, 0.0) / (own_w * own_h)[:, :, None]
    share *= opacity[:, None, :]
    main = share.argmax(axis=2)
    grid = np.ix_(*(np.arange(n) for n in main.shape))
    hider = boxes[grid[0], main]
    most = share[grid[0], grid[1], main]
    tall = height[grid[0], grid[1], main] >= 0.7 * own_h
    cut = boxes.copy()
    hides = tall & (most > 0.1) & (opacity[grid[0], main] > 0.9)
    from_left = hides & (hider[..., 0] <= boxes[..., 0]) & (hider[..., 2] < boxes[..., 2])
    from_right = hides & (hider[..., 2] >= boxes[..., 2]) & (hider[..., 0] > boxes[..., 0])
    # Detectors guess part of what is hidden: the edge goes back by four fifths.
    cut[..., 0] += np.where(from_left, 0.8 * (hider[..., 2] - boxes[..., 0]), 0.0)
    cut[..., 2] -= np.where(from_right, 0.8 * (boxes[..., 2] - hider[..., 0]), 0.0)
    return np.minimum(share.sum(axis=2), 1.0), main, cut


def _scores(
    rows: _Rows,
    boxes: Floats,
    covered: Floats,
    times: Floats,
    light: Light,
    rng: np.random.Generator,
) -> Floats:
    height = np.maximum(boxes[:, 3] - boxes[:, 1], 1.0)
    gain = CERTAIN_LOGIT + 1.2 * np.minimum(np.log(height / CERTAIN_HEIGHT_PX), 0.6)
    dark = (
        0.5 * inside(times, light.nights)
        + 1.0 * inside(times, light.dim)
        + 6.0 * inside(times, light.blinding)
    )
    logit = gain + rows.bias - 4.0 * covered**1.5 - dark[rows.frame]
    logit += rng.normal(0, 0.3, len(logit))
    return np.asarray(np.minimum(1 / (1 + np.exp(-logit)), 0.97))


def _jitter(boxes: Floats, night: Floats, rng: np.random.Generator) -> Floats:
    """Each side moves by about one per cent of the size and a pixel; stray boxes now and then."""
    size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    spread = (0.01 * size + 0.6) * (1.0 + 0.6 * night[:, None])
    stray = np.where(rng.random(len(boxes)) < 0.004, 6.0, 1.0)[:, None]
    noisy = boxes + rng.normal(0, 1, boxes.shape) * spread * stray
    noisy[:, 2:] = np.maximum(noisy[:, 2:], noisy[:, :2] + 2.0)
    return np.clip(noisy, 0, [WIDTH_PX, HEIGHT_PX] * 2)


def _areas(boxes: Floats) -> Floats:
    return np.asarray((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))
