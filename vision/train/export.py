"""Checkpoint → ONNX, and proof that both say the same."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from ultralytics import YOLO

from ...config.errors import ModelError
from ...models.runtimes import Backend, open_session
from .network import load_network

OPSET = 17
INPUT_NAME = "images"
OUTPUT_NAME = "output0"
TRACE_SIZE = 640
KEPT_METADATA = ("author", "license", "names", "stride", "task")
SURE = 0.05
"""Anchors whose best class stays below it never become boxes; deviations there do not count."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """Largest differences between a runtime's output and torch's, over anchors that matter."""

    box_px: float
    score: float


def export_onnx(checkpoint: Path, target: Path) -> Path:
    """Write an ONNX file with dynamic batch, height and width and no suppression inside.

    Input `images` (N, 3, H, W) float32 RGB 0–1; output (N, 4 + classes, anchors), boxes as centre
    and size in input pixels. Returns `target`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_suffix(".export.pt")
    shutil.copyfile(checkpoint, scratch)  # Ultralytics writes beside what it reads
    try:
        made = YOLO(str(scratch)).export(
            format="onnx", dynamic=True, simplify=True, opset=OPSET, imgsz=TRACE_SIZE, device="cpu"
        )
        Path(made).replace(target)
        _clean_metadata(target)
    finally:
        scratch.unlink(missing_ok=True)
    return target


def _clean_metadata(path: Path) -> None:
    """Drop what tells of the machine (paths, dates): the same weights give the same file."""
    model = onnx.load(str(path))
    kept = [(p.key, p.value) for p in model.metadata_props if p.key in KEPT_METADATA]
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, dict(kept))
    onnx.save(model, str(path))


def deviation(
    checkpoint: Path, onnx_file: Path, batch: NDArray[np.float32], backend: str = "onnxruntime"
) -> Deviation:
    """Compare a runtime with torch on one batch (N, 3, H, W).

    Raises:
        ModelError: the outputs differ in shape, or no anchor is sure of anything (nothing proven).
    """
    network: Any = load_network(checkpoint).eval()
    with torch.inference_mode():
        raw = network(torch.from_numpy(batch))
    expected = (raw[0] if isinstance(raw, (list, tuple)) else raw).numpy()
    outputs = open_session(onnx_file, backend=cast(Backend, backend)).run({INPUT_NAME: batch})
    actual = outputs[OUTPUT_NAME]
    if actual.shape != expected.shape:
        raise ModelError(f"{onnx_file}: output {actual.shape}, torch gives {expected.shape}")
    sure = expected[:, 4:].max(axis=1) >= SURE
    if not sure.any():
        raise ModelError("no anchor is sure of anything; compare on pictures with objects")
    difference = np.abs(actual - expected).transpose(0, 2, 1)[sure]
    return Deviation(float(difference[:, :4].max()), float(difference[:, 4:].max()))
