"""Faces and number plates in pictures that leave the house, by the regions where they can be.

No face or plate detector is asked: every person's head and every vehicle's lower part is made a
coarse mosaic, whether a face or plate can be read there or not. What the detector has not boxed,
even weakly, stays as it is.
"""

from __future__ import annotations

import cv2
import numpy as np

from .detections import Detections
from .families import BIN, GARBAGE, PERSON, STALL, TWO_WHEELER, VEHICLE, family_of
from .geometry import areas, intersections
from .images import Image

# Shares of a box's height, from the top, between which something private can be. A head is an
# eighth of a standing person, more of one who sits, stoops or is cut off by the picture's edge.
HEAD_SHARE, CLOSE_HEAD_SHARE = 0.3, 0.6
CLOSE_ASPECT = 1.5
PLATE_FROM = {VEHICLE: 0.4, TWO_WHEELER: 0.3}
LOAD_SHARE = 0.65
MARGIN = 0.08
# A heap that is faintly taken for a person is a heap, if it is surely found as one.
SURER, INSIDE_SHARE = 2.0, 0.7
# A plate's letters are a twentieth of a car's width or height high (90 mm of 1.8 m), an e-bike's a
# twenty-fourth of its size (45 mm of 1.1 m). A cell of that size leaves none to read, while what
# the vehicle is and where it stands remains to be seen. A face is about four cells of a head.
PLATE_CELLS = {VEHICLE: 16, TWO_WHEELER: 24}
HEAD_CELLS = 4
MIN_CELL_PX = 3.0
# What is longer than this is seen from the side, where no plate is.
LONGEST_ASPECT = 1.5


def blur_private(image: Image, detections: Detections) -> Image:
    """A copy of the picture with a mosaic over heads and the places of plates.

    Args:
        image: H×W×3 uint8 BGR, the submitted frame or an annotated copy of its size.
        detections: the frame's boxes, weak ones included, in its pixels.
    """
    out = image.copy()
    names, boxes = detections.names(), detections.xyxy.tolist()
    for i, (name, (x1, y1, x2, y2)) in enumerate(zip(names, boxes, strict=True)):
        family, width, height = family_of(name), x2 - x1, y2 - y1
        rather = _rather(detections, i)
        if family == PERSON and not rather & {GARBAGE, BIN}:
            close = height < CLOSE_ASPECT * width
            top, bottom = 0.0, CLOSE_HEAD_SHARE if close else HEAD_SHARE
            cell_px = width / HEAD_CELLS
        elif family in PLATE_FROM:
            # A three-wheeler that is a stall has its plate below the goods.
            top, bottom = LOAD_SHARE if STALL in rather else PLATE_FROM[family], 1.0
            size = max(min(width, LONGEST_ASPECT * height), height)
            cell_px = size / PLATE_CELLS[family]
        else:
            continue
        dx, dy = MARGIN * width, MARGIN * height
        region = x1 - dx, y1 + top * height - dy, x2 + dx, y1 + bottom * height + dy
        _mosaic(out, region, max(cell_px, MIN_CELL_PX))
    return out


def _rather(detections: Detections, i: int) -> set[str]:
    """Families of boxes round the `i`-th of which the detector is far surer."""
    sure = detections.score >= SURER * detections.score[i]
    mine = detections.xyxy[i : i + 1]
    same = intersections(mine, detections.xyxy[sure])[0] >= INSIDE_SHARE * areas(mine)[0]
    return {family_of(detections.labels[k]) for k in detections.class_id[sure][same]}


def _mosaic(image: Image, region: tuple[float, float, float, float], cell_px: float) -> None:
    """Replace a region, in place, by flat cells."""
    x1, y1, x2, y2 = region
    height, width = image.shape[:2]
    left, right = max(0, int(x1)), min(width, int(np.ceil(x2)))
    top, bottom = max(0, int(y1)), min(height, int(np.ceil(y2)))
    if right <= left or bottom <= top:
        return
    part = image[top:bottom, left:right]
    cells = max(1, round(part.shape[1] / cell_px)), max(1, round(part.shape[0] / cell_px))
    small = cv2.resize(part, cells, interpolation=cv2.INTER_AREA)
    image[top:bottom, left:right] = cv2.resize(
        small, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_NEAREST
    )
