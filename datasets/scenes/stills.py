"""Render labelled training stills: pictures, YOLO labels, masks and the class list, resumable."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from ..labels import DETECTOR_LABELS
from .boxes import instance_mask, visible_boxes, yolo_lines
from .film import DARKNESS, develop, meter
from .occlusion import Outlines
from .random_scenes import random_film, random_scene

if TYPE_CHECKING:
    from .blender import Stage

SAMPLES = 5
FIRST_HELD_OUT_SEED = 90_000


def render_stills(
    first_seed: int, count: int, out: Path, samples: int = SAMPLES, masks: bool = False
) -> Iterator[int]:
    """Render seeds `first_seed` … `first_seed + count − 1` into `out`; yields each finished seed.

    Writes ``images/sNNNNN.jpg`` (640×360), ``labels/sNNNNN.txt`` (YOLO lines, boxes of the visible
    extent) and ``classes.txt``; with `masks` also ``masks/sNNNNN.png``, 8-bit, whose value n marks
    the visible pixels of the n-th label line. A label file is written last and whole: seeds that
    have one are skipped, so an interrupted run continues where it stopped, and what lies there is
    usable at any time. Seeds from `FIRST_HELD_OUT_SEED` are for measuring.

    Needs the extra ``render``; raises ModuleNotFoundError on the first seed without it.
    """
    from .blender import Stage

    for name in ("images", "labels", *(("masks",) if masks else ())):
        (out / name).mkdir(parents=True, exist_ok=True)
    (out / "classes.txt").write_text("\n".join(DETECTOR_LABELS) + "\n")
    outlines = Outlines()
    with tempfile.TemporaryDirectory() as scratch:
        stage = Stage(samples, Path(scratch))
        for seed in range(first_seed, first_seed + count):
            if not (out / "labels" / f"s{seed:05d}.txt").exists():
                _still(stage, outlines, seed, out, masks)
            yield seed


def _still(stage: Stage, outlines: Outlines, seed: int, out: Path, masks: bool) -> None:
    scene = random_scene(seed)
    stage.set_street(scene.street, scene.light)
    stage.aim(scene.camera)
    names = stage.pose(scene, 0.0)
    linear, index = stage.shoot(scene.light.haze)
    film = random_film(seed)
    exposure = film.exposure * meter(linear) * DARKNESS[scene.light.hour]
    picture = develop(linear, replace(film, exposure=exposure), seed)
    quality = int(np.random.default_rng([seed, 17]).integers(62, 93))
    boxes = visible_boxes(index, outlines.seen(scene, 0.0, index, names))
    name = f"s{seed:05d}"
    cv2.imwrite(str(out / "images" / f"{name}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if masks:
        cv2.imwrite(str(out / "masks" / f"{name}.png"), instance_mask(index, boxes))
    high, wide = index.shape
    draft = out / "labels" / f"{name}.part"
    draft.write_text(yolo_lines(boxes, wide, high))
    draft.replace(draft.with_suffix(".txt"))
