"""Contact sheets: pictures with their boxes, to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ...datasets.table import Table
from .measure import Predicted, corners

TILE = 320
COLOURS = (
    (60, 60, 230), (200, 160, 0), (200, 60, 160), (230, 140, 40), (160, 200, 40), (120, 80, 40),
    (60, 180, 60), (0, 0, 255), (0, 150, 255), (200, 0, 200),
)  # fmt: skip
TRUTH = (255, 255, 255)

Image = NDArray[np.uint8]


def contact_sheet(
    target: Path,
    table: Table,
    predictions: Sequence[Predicted],
    thresholds: Mapping[str, float],
    columns: int = 5,
) -> None:
    """Write a JPEG of all pictures: predictions in colour with score, true boxes thin white."""
    floor = np.array([thresholds[n] for n in table.names])
    tiles = []
    for item, predicted in zip(table.pictures, predictions, strict=True):
        tile = cv2.resize(cv2.imread(str(item.path)), (TILE, TILE), interpolation=cv2.INTER_AREA)
        for box in corners(item.boxes) * TILE:
            _box(tile, box, TRUTH, 1)
        kept = predicted.scores >= floor[predicted.classes]
        for box, score, label in zip(
            predicted.boxes[kept] * TILE,
            predicted.scores[kept],
            predicted.classes[kept],
            strict=True,
        ):
            _box(tile, box, COLOURS[label % len(COLOURS)], 2)
            _text(tile, f"{table.names[label]} {score:.2f}", box, COLOURS[label % len(COLOURS)])
        _text(tile, item.path.stem, np.array([0, TILE, 0, 0]), TRUTH)
        tiles.append(tile)
    while len(tiles) % columns:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    cv2.imwrite(str(target), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, 85])


def _box(image: Image, box: NDArray[np.floating], colour: tuple[int, ...], width: int) -> None:
    x1, y1, x2, y2 = (int(v) for v in box)
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, width)


def _text(image: Image, text: str, box: NDArray[np.floating], colour: tuple[int, ...]) -> None:
    place = (int(box[0]) + 2, max(10, int(box[1]) - 3))
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.38, colour, 1, cv2.LINE_AA)
