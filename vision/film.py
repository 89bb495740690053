"""Evidence clips as MP4 files, H.264 in yuv420p: every browser and desktop player shows them.

The encoder is x264 (GPL-2.0-or-later) in the FFmpeg that PyAV's wheels bring; its licence goes with
this project's AGPL-3.0. Frames keep their media time: a source of one frame in five seconds gives a
film of one picture in five seconds, neither faster nor filled up.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction

import cv2
import numpy as np

from ..config.errors import InputError
from .cameras import Camera
from .drawing import BOX_BGR, draw_banner, draw_box, draw_outline, line_width
from .evidence import NO_LIMITS, caption
from .evidence_clip import ClipParts
from .images import Image, decode, probe
from .kinds import Kinds
from .privacy import blur_private

try:
    import av
except ImportError:  # an optional dependency: told when a camera wants clips
    av = None  # type: ignore[assignment, unused-ignore]

MEDIA_TYPE = "video/mp4"
MAX_WIDTH = 1280
MILLI = Fraction(1, 1000)
# One thread and no look-ahead: the same frames give the same bytes.
OPTIONS = {"preset": "veryfast", "crf": "27", "bf": "0", "threads": "1"}


@dataclass(frozen=True, slots=True)
class Film:
    """A clip that is written. `began_at` is the media time of its first frame."""

    incident_id: str
    began_at: datetime
    mp4: bytes
    frames: int


def require_encoder() -> None:
    """Raises InputError `no_encoder` where PyAV or its H.264 encoder is missing."""
    if av is None or "libx264" not in av.codecs_available:
        raise InputError(
            "evidence_clip needs PyAV with libx264: pip install av",
            message_zh="evidence_clip 需要带 libx264 的 PyAV：pip install av",
            code="no_encoder",
        )


def film(parts: ClipParts, camera: Camera, kinds: Kinds, *, blur: bool) -> Film:
    """Encode a clip, with time stamp, zone and, from the onset on, the incident's box.

    Args:
        parts: at least one frame.
        blur: heads and the places of plates coarse, by each frame's own boxes.

    Raises:
        ImageError: a frame is not a whole picture.
        InputError: as `require_encoder`.
    """
    require_encoder()
    first = parts.frames[0].frame
    pictures = [_picture(parts, i, camera, kinds, blur=blur) for i in range(len(parts.frames))]
    height, width = pictures[0].shape[:2]
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        container.metadata["creation_time"] = first.ts.astimezone(UTC).isoformat()
        container.metadata["title"] = f"{camera.id} {parts.incident.kind} {parts.incident.id}"
        stream = container.add_stream("libx264", rate=1000, options=OPTIONS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = MILLI
        for picture, part in zip(pictures, parts.frames, strict=True):
            if picture.shape[:2] != (height, width):
                picture = _resized(picture, (width, height))
            shown = av.VideoFrame.from_ndarray(picture, format="bgr24")
            shown.time_base = MILLI
            shown.pts = round((part.frame.ts - first.ts).total_seconds() * 1000)
            container.mux(stream.encode(shown))
        container.mux(stream.encode(None))
    return Film(parts.incident.id, first.ts, target.getvalue(), len(pictures))


def _picture(parts: ClipParts, index: int, camera: Camera, kinds: Kinds, *, blur: bool) -> Image:
    """One frame as it is shown; sides are even, as the codec wants them."""
    part, incident = parts.frames[index], parts.incident
    frame = part.frame
    image = decode(frame.data, probe(frame.data, NO_LIMITS))
    canvas = blur_private(image, part.detections) if blur else image.copy()
    height, width = canvas.shape[:2]
    scale = min(1.0, MAX_WIDTH / width)
    size = (max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2))
    if size != (width, height):
        canvas = _resized(canvas, size)
    zone = next((zone for zone in camera.zones if zone.id == incident.zone_id), None)
    if zone is not None:
        draw_outline(canvas, zone.polygon)
    if frame.ts >= incident.onset_at:
        draw_box(canvas, incident.box, BOX_BGR, line_width(canvas) + 1)
    known = {kind.id: kind for kind in kinds.kinds}
    draw_banner(canvas, caption(camera, incident, "clip", frame.ts, known.get(incident.kind)))
    return canvas


def _resized(image: Image, size: tuple[int, int]) -> Image:
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
