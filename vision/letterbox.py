"""Fit pictures of any size to a detector's input without changing their shape."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

PAD_VALUE = 114


@dataclass(frozen=True, slots=True)
class Letterbox:
    """Where a picture lies in the input: scaled to width×height, `left` and `top` pixels in.

    `input_width` and `input_height` are the smallest multiples of the stride that hold it, so a
    640×360 picture costs 640×384 rather than 640×640.
    """

    width: int
    height: int
    left: int
    top: int
    input_width: int
    input_height: int

    @classmethod
    def fit(cls, width: int, height: int, side: int, stride: int) -> Letterbox:
        """Scale the longer side to `side` (up or down) and centre the rest."""
        scale = side / max(width, height)
        new_width = max(1, round(width * scale))
        new_height = max(1, round(height * scale))
        input_width = -(-new_width // stride) * stride
        input_height = -(-new_height // stride) * stride
        return cls(
            width=new_width,
            height=new_height,
            left=(input_width - new_width) // 2,
            top=(input_height - new_height) // 2,
            input_width=input_width,
            input_height=input_height,
        )

    def apply(self, image: Image) -> Image:
        """The padded picture, input_height × input_width × 3, still BGR uint8."""
        height, width = image.shape[:2]
        if (width, height) != (self.width, self.height):
            shrinking = width > self.width
            method = cv2.INTER_AREA if shrinking and width > 2 * self.width else cv2.INTER_LINEAR
            image = cv2.resize(image, (self.width, self.height), interpolation=method)
        canvas = np.full((self.input_height, self.input_width, 3), PAD_VALUE, dtype=np.uint8)
        canvas[self.top : self.top + self.height, self.left : self.left + self.width] = image
        return canvas

    def undo(self, boxes: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
        """Boxes of the input, in pixels of the width×height picture, clipped to it."""
        offset = np.array([self.left, self.top] * 2, dtype=np.float32)
        scale = np.array([width / self.width, height / self.height] * 2, dtype=np.float32)
        limit = np.array([width, height] * 2, dtype=np.float32)
        return np.asarray(np.clip((boxes - offset) * scale, 0, limit), dtype=np.float32)


def to_tensor(images: list[Image]) -> NDArray[np.float32]:
    """Equal-sized BGR pictures as one (N, 3, H, W) float32 RGB batch in 0–1."""
    return np.asarray(
        cv2.dnn.blobFromImages(images, scalefactor=1 / 255, swapRB=True), dtype=np.float32
    )
