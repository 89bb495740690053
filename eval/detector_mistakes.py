"""The worst mistakes of a detector, chosen for variety and drawn for the eye."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from ..vision.drawing import draw_box, encode_jpeg
from ..vision.geometry import iou
from ..vision.images import Image, decode_scaled, probe
from .detector import Evaluation
from .detector_match import MIN_IOU, NOBODY, Floats, Judged
from .report import Shot

TRUE_BGR, FOUND_BGR, MISTAKE_BGR = (110, 200, 60), (230, 160, 60), (50, 60, 235)
SIDE_PX = 560
NEAR_IOU = 0.1

Sort = Literal["confused", "loose", "twice", "nothing", "missed"]
SORTS_ZH: dict[Sort, str] = {
    "confused": "认错类别",
    "loose": "框偏得太远",
    "twice": "重复的框",
    "nothing": "标注中没有",
    "missed": "漏检",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong or missing box.

    Attributes:
        item: its picture.
        sort: what went wrong.
        label: class of the wrong box, or of the labelled one that was missed.
        truth: class that was labelled at the place, "" where nothing was.
        score: of the wrong box; for a miss, the best score any box of the class had there.
        box: x1, y1, x2, y2 in pixels.
        weight: 0–1, how bad: the score of a wrong box; for a miss its size and lack of score.
    """

    item: Judged
    sort: Sort
    label: str
    truth: str
    score: float
    box: Floats
    weight: float


def worst_mistakes(result: Evaluation, count: int) -> list[Mistake]:
    """The worst of each (class, sort) in turn: one frequent mistake must not fill the page."""
    kinds: defaultdict[tuple[str, Sort], list[Mistake]] = defaultdict(list)
    for firm, everything in zip(result.firm, result.everything, strict=True):
        for mistake in [*_wrong(firm, result.names), *_missed(firm, everything, result.names)]:
            kinds[mistake.label, mistake.sort].append(mistake)
    ranked = [sorted(group, key=lambda m: -m.weight) for group in kinds.values()]
    depth = max((len(group) for group in ranked), default=0)
    rounds = [[group[i] for group in ranked if i < len(group)] for i in range(depth)]
    return [m for turn in rounds for m in sorted(turn, key=lambda m: -m.weight)][:count]


def draw(mistake: Mistake, names_zh: dict[str, str]) -> Shot:
    """The picture with labelled boxes, found boxes and, thick, the mistake."""
    found = mistake.item.found.firm
    path = mistake.item.found.picture.path
    data = path.read_bytes()
    canvas = _small(decode_scaled(data, probe(data), SIDE_PX))
    unit = np.array([found.width, found.height] * 2, dtype=np.float64)
    thin = 2
    _draw_boxes(canvas, mistake.item.truth / unit, TRUE_BGR, thin)
    _draw_boxes(canvas, mistake.item.boxes / unit, FOUND_BGR, thin)
    _draw_boxes(canvas, mistake.box[None] / unit, MISTAKE_BGR, 2 * thin)
    return Shot(encode_jpeg(canvas), f"{_caption(mistake, names_zh)} · {path.name}")


def _caption(mistake: Mistake, names_zh: dict[str, str]) -> str:
    name = names_zh[mistake.label]
    if mistake.sort == "missed":
        return f"漏检：{name}（该处最高得分 {mistake.score:.2f}）"
    if mistake.sort == "confused":
        return f"认错：标注为{names_zh[mistake.truth]}，识别成{name} {mistake.score:.2f}"
    return f"误报：{name} {mistake.score:.2f}（{SORTS_ZH[mistake.sort]}）"


def _wrong(item: Judged, names: tuple[str, ...]) -> list[Mistake]:
    overlap = iou(item.boxes, item.truth)
    mistakes: list[Mistake] = []
    for row in np.flatnonzero(item.partner == NOBODY):
        same = item.truth_classes == item.classes[row]
        near_same = float(overlap[row][same].max(initial=0.0))
        near_other = float(overlap[row][~same].max(initial=0.0))
        sort: Sort = "nothing"
        truth = ""
        if near_same >= MIN_IOU:
            sort = "twice"
        elif near_other >= MIN_IOU:
            sort = "confused"
            truth = names[item.truth_classes[int(np.where(same, -1.0, overlap[row]).argmax())]]
        elif near_same >= NEAR_IOU:
            sort = "loose"
        score = float(item.scores[row])
        label = names[item.classes[row]]
        mistakes.append(Mistake(item, sort, label, truth, score, item.boxes[row], score))
    return mistakes


def _missed(firm: Judged, everything: Judged, names: tuple[str, ...]) -> list[Mistake]:
    """A large miss counts more than a small one, one without any score more than a near thing."""
    overlap = iou(everything.boxes, firm.truth)
    pixels = firm.found.firm.width * firm.found.firm.height
    confused = iou(firm.boxes[firm.partner == NOBODY], firm.truth).max(axis=0, initial=0.0)
    mistakes: list[Mistake] = []
    for column in np.flatnonzero(firm.missed & (confused < MIN_IOU)):
        there = (overlap[:, column] >= MIN_IOU) & (everything.classes == firm.truth_classes[column])
        score = float(everything.scores[there].max(initial=0.0))
        box = firm.truth[column]
        share = float((box[2] - box[0]) * (box[3] - box[1])) / pixels
        weight = (1 - score) * min(1.0, 2 * share**0.5)
        label = names[firm.truth_classes[column]]
        mistakes.append(Mistake(firm, "missed", label, label, score, box, weight))
    return mistakes


def _draw_boxes(canvas: Image, boxes: Floats, colour: tuple[int, int, int], line: int) -> None:
    for x1, y1, x2, y2 in np.clip(boxes, 0.0, 1.0).tolist():
        draw_box(canvas, (x1, y1, x2, y2), colour, line)


def _small(image: Image) -> Image:
    height, width = image.shape[:2]
    scale = SIDE_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def draw_all(mistakes: Sequence[Mistake], names_zh: dict[str, str]) -> list[Shot]:
    """Every mistake as a picture with a Chinese caption."""
    return [draw(mistake, names_zh) for mistake in mistakes]
