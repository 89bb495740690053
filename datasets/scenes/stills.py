"""Render labelled training stills: pictures, YOLO labels and the class list, resumable."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from ..labels import DETECTOR_LABELS
from .boxes import visible_boxes, yolo_lines
from .film import develop, meter
from .random_scenes import random_film, random_scene

SAMPLES = 5


def render_stills(first_seed: int, count: int, out: Path, samples: int = SAMPLES) -> Iterator[int]:
    """Render seeds `first_seed` … into `out`/images and `out`/labels; yields each finished seed.

    A seed whose label file exists is skipped, so an interrupted run continues where it stopped.
    """
    from dataclasses import replace

    from .blender import Stage

    images, labels = out / "images", out / "labels"
    images.mkdir(parents=True, exist_ok=True)
    labels.mkdir(parents=True, exist_ok=True)
    (out / "classes.txt").write_text("\n".join(DETECTOR_LABELS) + "\n")
    with tempfile.TemporaryDirectory() as scratch:
        stage = Stage(samples, Path(scratch))
        for seed in range(first_seed, first_seed + count):
            note = labels / f"s{seed:05d}.txt"
            if not note.exists():
                scene = random_scene(seed)
                stage.set_street(scene.street, scene.light)
                stage.aim(scene.camera)
                names = stage.pose(scene, 0.0)
                linear, index = stage.shoot(scene.light.haze)
                film = random_film(seed)
                dark = 0.6 if scene.light.hour == "dusk" else 1.0
                film = replace(film, exposure=film.exposure * meter(linear) * dark)
                quality = int(np.random.default_rng([seed, 17]).integers(62, 93))
                cv2.imwrite(
                    str(images / f"s{seed:05d}.jpg"),
                    develop(linear, film, seed),
                    [cv2.IMWRITE_JPEG_QUALITY, quality],
                )
                high, wide = index.shape
                note.write_text(yolo_lines(visible_boxes(index, names), wide, high))
            yield seed
