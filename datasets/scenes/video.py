"""From stored linear frames to an H.264 file and the true boxes of every frame."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .boxes import visible_boxes
from .catalogue import PARTS_PER_ACTOR, parts_of
from .choreography import Clip
from .clip_render import frame_path, load_frame
from .description import Scene, place_at
from .film import Film, develop, meter

CRF = 22
_DARKNESS = {"day": 1.0, "dusk": 0.72, "night": 0.66}


def stored_frames(
    clip: Clip, folder: Path
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int32]]]:
    """All frames in order; one that did not change is its predecessor again."""
    current = load_frame(frame_path(folder, 0))
    for number in range(clip.frames):
        path = frame_path(folder, number)
        if number and path.exists():
            current = load_frame(path)
        yield current


def encode(clip: Clip, folder: Path, target: Path) -> None:
    """Develop and encode (yuv420p); exposure is metered once, on the first frame.

    The file appears whole or not at all.
    """
    import av

    dark = _DARKNESS[clip.scene.light.hour]
    film: Film | None = None
    draft = target.with_name(f".{target.name}")
    with av.open(str(draft), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(clip.fps))
        stream.width, stream.height = clip.scene.camera.width, clip.scene.camera.height
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(CRF), "preset": "slow"}
        for number, (linear, _) in enumerate(stored_frames(clip, folder)):
            film = film or Film(exposure=meter(linear) * dark, noise=0.006, blur_px=0.45)
            picture = develop(linear, film, 1000 * clip.scene.seed + number)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    draft.replace(target)


def labels_at(scene: Scene, t_s: float) -> list[str | None]:
    """Label of each object index at `t_s`; None where the part is absent or a prop."""
    labels: list[str | None] = [None] * (PARTS_PER_ACTOR * len(scene.actors))
    for number, actor in enumerate(scene.actors):
        shown = actor.looks_at(t_s)
        if shown is not None:
            for k, part in enumerate(parts_of(shown, place_at(actor, t_s))):
                labels[PARTS_PER_ACTOR * number + k] = part.label
    return labels


def true_boxes(clip: Clip, folder: Path) -> dict[str, Any]:
    """Visible boxes of every frame as plain data: label, actor, [x0, y0, x1, y1] in pixels."""
    frames = []
    for number, (_, index) in enumerate(stored_frames(clip, folder)):
        labels = labels_at(clip.scene, number / clip.fps)
        found = []
        for k, actor in enumerate(clip.scene.actors):
            for j in range(PARTS_PER_ACTOR):
                slot = PARTS_PER_ACTOR * k + j
                only = [label if n == slot else None for n, label in enumerate(labels)]
                found += [
                    {
                        "label": b.label,
                        "actor": actor.name,
                        "xyxy": [b.x0, b.y0, b.x1, b.y1],
                        "pixels": b.pixels,
                    }
                    for b in visible_boxes(index, only)
                ]
        frames.append({"t": round(number / clip.fps, 3), "boxes": found})
    return {"clip": clip.name, "fps": clip.fps, "frames": frames}
