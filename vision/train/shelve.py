"""A trained checkpoint becomes a shelf artefact: ONNX, thresholds, figures, manifest, card."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...config.errors import ModelError
from ...datasets.labels import DETECTOR_LABELS, LABELS_ZH
from ...datasets.table import Table, merge
from ...models.manifest import Label, Manifest, describe_file, write_manifest
from ...models.registry import Artifact
from ...models.runtimes import Backend, available_backends, open_session
from ..detector import Detector
from ..letterbox import PAD_VALUE, to_tensor
from .card import detector_card
from .export import INPUT_NAME, OUTPUT_NAME, deviation, export_onnx
from .measure import Demand, Predicted, figures, pick_threshold, plain, predict, rank

MODEL_FILE = "model.onnx"
CARD_FILE = "CARD.md"
MAX_BYTES = 12 * 1024 * 1024
INPUT_SIZE = 640
STRIDE = 32
MAX_IOU = 0.6
PARITY_PICTURES = 4
LICENCE = "AGPL-3.0-or-later"

DEMANDS: dict[str, Demand] = {
    "bin": Demand(precision=0.85),
    "overflowing_bin": Demand(precision=0.90),
    "garbage": Demand(precision=0.90),
    "stall": Demand(precision=0.90),
}
"""Classes that open an incident by themselves must be right nine times in ten."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the manifest and the card say beside the figures."""

    version: str
    created: datetime
    data_hash: str
    data: tuple[str, ...]
    base: str
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


def shelve(
    checkpoint: Path,
    folder: Path,
    validation: Mapping[str, Table],
    checks: Mapping[str, Table],
    facts: Facts,
    backend: Backend = "auto",
) -> Manifest:
    """Export and describe a checkpoint as `folder` (`…/<name>/<version>`).

    The folder appears whole or not at all. Thresholds are picked on all `validation` sets
    together; figures are stated for each of them and for each of `checks`.

    Raises:
        ModelError: the folder exists, or the file is larger than the shelf allows.
    """
    if folder.exists():
        raise ModelError(f"{folder}: exists; versions are never overwritten")
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        manifest = _fill(draft, checkpoint, folder.parent.name, validation, checks, facts, backend)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def pick_thresholds(table: Table, predictions: list[Predicted]) -> dict[str, float]:
    """A threshold per class by its demand."""
    return {
        name: pick_threshold(rank(table, predictions, i), DEMANDS.get(name, Demand()))
        for i, name in enumerate(table.names)
    }


def parity(checkpoint: Path, model: Path, table: Table) -> dict[str, dict[str, float]]:
    """Largest deviation of each installed runtime from torch, on a few pictures."""
    images = [cv2.imread(str(p.path)) for p in table.pictures[:PARITY_PICTURES]]
    square = [cv2.resize(i, (INPUT_SIZE, INPUT_SIZE)) for i in images if i is not None]
    batch = to_tensor([np.asarray(i, dtype=np.uint8) for i in square])
    return {
        name: asdict(deviation(checkpoint, model, batch, name)) for name in available_backends()
    }


def _fill(
    draft: Path,
    checkpoint: Path,
    name: str,
    validation: Mapping[str, Table],
    checks: Mapping[str, Table],
    facts: Facts,
    backend: Backend,
) -> Manifest:
    model = export_onnx(checkpoint, draft / MODEL_FILE)
    if model.stat().st_size > MAX_BYTES:
        raise ModelError(f"{model}: {model.stat().st_size} bytes, more than {MAX_BYTES}")
    bare = describe(draft, name, facts, {}, {})
    detector = open_artifact(draft, bare, backend)
    tables = {**validation, **checks}
    predictions = {key: predict(detector, table) for key, table in tables.items()}
    thresholds = pick_thresholds(
        merge(validation.values()), [p for key in validation for p in predictions[key]]
    )
    metrics: dict[str, Any] = {
        key: {"pictures": len(t), "per_class": plain(figures(t, predictions[key], thresholds))}
        for key, t in tables.items()
    }
    extra = {**facts.extra, "parity": parity(checkpoint, model, next(iter(validation.values())))}
    manifest = describe(draft, name, replace(facts, extra=extra), thresholds, metrics)
    (draft / CARD_FILE).write_text(detector_card(manifest, facts.notes), encoding="utf-8")
    write_manifest(draft, manifest)
    return manifest


def open_artifact(folder: Path, manifest: Manifest, backend: Backend = "auto") -> Detector:
    """The detector in a folder that need not lie on a shelf yet."""
    artifact = Artifact(folder, manifest)
    return Detector(artifact, open_session(artifact.model_path, backend=backend))


def describe(
    folder: Path,
    name: str,
    facts: Facts,
    thresholds: Mapping[str, float],
    metrics: Mapping[str, Any],
) -> Manifest:
    """The manifest of an exported detector."""
    return Manifest(
        name=name,
        version=facts.version,
        task="detection",
        model=describe_file(folder / MODEL_FILE),
        labels=tuple(Label(name=n, zh=LABELS_ZH[n]) for n in DETECTOR_LABELS),
        input={
            "name": INPUT_NAME,
            "dtype": "float32",
            "layout": "NCHW",
            "colour": "RGB",
            "range": [0, 1],
            "size": INPUT_SIZE,
            "stride": STRIDE,
            "pad_value": PAD_VALUE,
        },
        output={
            "name": OUTPUT_NAME,
            "layout": "(N, 4 + classes, anchors)",
            "boxes": "centre x, centre y, width, height in input pixels",
            "max_iou": MAX_IOU,
        },
        thresholds=dict(thresholds),
        metrics=dict(metrics),
        data_hash=facts.data_hash,
        data=facts.data,
        base=facts.base,
        licence=LICENCE,
        created=facts.created.isoformat(timespec="seconds"),
        extra=dict(facts.extra),
    )
