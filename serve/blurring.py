"""The picture that may leave the store: people's faces and vehicles' plates made unrecognisable."""

from __future__ import annotations

from ..vision.detections import Detections
from ..vision.drawing import encode_jpeg
from ..vision.images import ImageLimits, decode, probe
from ..vision.privacy import blur_private

# Our own pictures: the limits of the door were passed when they came in.
OURS = ImageLimits(max_bytes=2**31, max_pixels=2**31, min_side=1)


def blurred_copy(jpeg: bytes, detections: Detections) -> bytes:
    """A JPEG in which what `detections` of the same frame show is blurred.

    Raises:
        ImageError: not a whole picture.
    """
    return encode_jpeg(blur_private(decode(jpeg, probe(jpeg, OURS)), detections))
