"""Clips cut to frames: at a chosen rate, without frames that would teach nothing new."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..config.errors import DatasetError
from .likeness import difference_hash

CLIP_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".ts", ".webm", ".flv")
JPEG_QUALITY = 95
SAME_BITS = 12
"""Differing bits (of 256) up to which two frames of one clip look the same."""
SAME_BOX_IOU = 0.9
"""Overlap from which a box counts as not having moved."""

Corners = tuple[float, float, float, float]
Seen = list[tuple[str, Corners]]
"""What stands in one frame: class and corners."""


@dataclass(frozen=True, slots=True)
class Clip:
    """A video's facts. `frames` is what its header claims."""

    path: Path
    fps: float
    frames: int
    width: int
    height: int


def open_clip(path: Path) -> Clip:
    """Read a video's header.

    Raises:
        DatasetError: it cannot be opened or has no frame rate.
    """
    reader = cv2.VideoCapture(str(path))
    try:
        fps = float(reader.get(cv2.CAP_PROP_FPS))
        if not reader.isOpened() or not 0 < fps < 1000:
            raise DatasetError(f"{path}: not a readable video", message_zh=f"视频无法打开：{path}")
        return Clip(
            path,
            fps,
            int(reader.get(cv2.CAP_PROP_FRAME_COUNT)),
            int(reader.get(cv2.CAP_PROP_FRAME_WIDTH)),
            int(reader.get(cv2.CAP_PROP_FRAME_HEIGHT)),
        )
    finally:
        reader.release()


def ticks(start: int, stop: int, native_fps: float, fps: float) -> list[int]:
    """Frame numbers from `start` to `stop` inclusive at about `fps` a second."""
    step = max(native_fps / fps, 1.0)
    count = int((stop - start) / step) + 1 if stop >= start else 0
    return [start + round(i * step) for i in range(count) if start + round(i * step) <= stop]


def frames_at(clip: Clip, wanted: list[int]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The wanted frames (ascending) as far as the video goes; those between are not decoded.

    Yields:
        frame number (0-based) and H×W×3 uint8 BGR.
    """
    reader = cv2.VideoCapture(str(clip.path))
    try:
        at = -1
        for number in wanted:
            while at < number:
                if not reader.grab():
                    return
                at += 1
            good, image = reader.retrieve()
            if not good:
                return
            yield number, np.asarray(image, dtype=np.uint8)
    finally:
        reader.release()


class Novelty:
    """Tells whether a frame differs from the last one kept, in picture or in labels.

    A street seen by a fixed camera hashes alike for hours; what moves in it is small, so the
    labelled boxes must stand still too.
    """

    def __init__(self) -> None:
        self._bits: NDArray[np.bool_] | None = None
        self._seen: Seen = []

    def is_new(self, image: NDArray[np.uint8], seen: Seen) -> bool:
        """Whether to keep the frame; if so, later frames are compared with it."""
        bits = difference_hash(image)
        alike = self._bits is not None and int((bits != self._bits).sum()) <= SAME_BITS
        if alike and same_boxes(self._seen, seen):
            return False
        self._bits, self._seen = bits, seen
        return True


def same_boxes(one: Seen, other: Seen) -> bool:
    """Whether every box has one of its class in nearly its place, both ways."""
    return (
        len(one) == len(other)
        and all(_has(label, box, other) for label, box in one)
        and all(_has(label, box, one) for label, box in other)
    )


def overlap(a: Corners, b: Corners) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return both / (areas - both)


def save_frame(image: NDArray[np.uint8], path: Path) -> None:
    """Write a frame as JPEG; OSError (a full disk, say) goes through to the caller."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    path.write_bytes(data.tobytes())


def _has(label: str, box: Corners, among: Seen) -> bool:
    return any(name == label and overlap(box, other) >= SAME_BOX_IOU for name, other in among)
