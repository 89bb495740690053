"""What happens to pictures in the detector's worker thread: decoded once, they give boxes, looks of
the boxes, and where it is wanted a thumbnail for the camera's health."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..config.errors import ImageError
from ..vision.appearance import Looks, looks_of
from ..vision.detections import Detections
from ..vision.detector import Detector
from ..vision.health import thumbnail
from ..vision.health_signs import Grey
from ..vision.images import Image, ImageInfo, decode_scaled
from .batcher import RunBatch

MIN_SCORE = 0.1
DECODE_SIDE = 640


@dataclass(frozen=True, slots=True)
class Picture:
    """What the detector's queue holds: encoded bytes and what their header says; `wants_thumb`
    where the camera's health will look at it."""

    data: bytes
    info: ImageInfo
    wants_thumb: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What a detector saw in a picture; `detector` is the one that did, whichever serves now."""

    detections: Detections
    detector: Detector
    looks: Looks
    thumb: Grey | None


def detector_runner(in_use: Callable[[], Detector]) -> RunBatch[Picture, Seen]:
    """A batch function: decode each picture at the smallest useful scale, detect all at once with
    the detector that is in use when the batch begins."""

    def run(pictures: list[Picture]) -> list[Seen | Exception]:
        detector = in_use()
        results: list[Seen | Exception | None] = [None] * len(pictures)
        whole: list[int] = []
        images: list[Image] = []
        for index, picture in enumerate(pictures):
            try:
                images.append(decode_scaled(picture.data, picture.info, DECODE_SIDE))
                whole.append(index)
            except ImageError as error:
                results[index] = error
        sizes = [(pictures[i].info.width, pictures[i].info.height) for i in whole]
        found = detector.detect(images, sizes, MIN_SCORE) if images else []
        for index, image, detections in zip(whole, images, found, strict=True):
            thumb = thumbnail(image) if pictures[index].wants_thumb else None
            results[index] = Seen(detections, detector, looks_of(image, detections), thumb)
        return [result for result in results if result is not None]

    return run


def counting(detections: Detections, detector: Detector) -> Detections:
    """Only the boxes whose score reaches their label's threshold."""
    reached = [
        score >= detector.thresholds[name]
        for score, name in zip(detections.score, detections.names(), strict=True)
    ]
    return detections.select(np.asarray(reached, dtype=np.bool_))
