"""Trained branches become a shelf artefact: ONNX, thresholds, figures, manifest, card."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...config.errors import ModelError
from ...datasets.table import Table
from ...models.manifest import Label, Manifest, describe_file, write_manifest
from ...models.registry import Artifact
from ...models.runtimes import Backend, available_backends, open_session
from ..detector import Detector
from ..letterbox import PAD_VALUE, to_tensor
from .branches import TwoBranch
from .card import detector_card
from .export import INPUT_NAME, OUTPUT_NAME, export_onnx
from .measure import (
    Demand,
    Predicted,
    figures,
    join_ranked,
    pick_threshold,
    plain,
    predict,
    rank,
)
from .parity import TorchSession, deviation

MODEL_FILE = "model.onnx"
CARD_FILE = "CARD.md"
MAX_BYTES = 12 * 1024 * 1024
INPUT_SIZE = 640
STRIDE = 32
MAX_IOU = 0.6
PARITY_PICTURES = 4
PARITY_AP_PICTURES = 120
ENOUGH_BOXES = 20
"""Fewer true boxes say nothing about a threshold: the earlier version's stays."""
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
    """What the manifest and the card say beside the figures.

    `zh` has Chinese names of labels, `earlier` the thresholds of the version that training began
    with.
    """

    version: str
    created: datetime
    data_hash: str
    data: tuple[str, ...]
    base: str
    zh: Mapping[str, str]
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)
    earlier: Mapping[str, float] = field(default_factory=dict)


def shelve(
    network: TwoBranch,
    folder: Path,
    validation: Mapping[str, Table],
    checks: Mapping[str, Table],
    facts: Facts,
    backend: Backend = "auto",
) -> Manifest:
    """Export and describe a network as `folder` (`…/<name>/<version>`).

    The folder appears whole or not at all. Thresholds are picked on all `validation` sets that
    label a class; figures are stated for each of them and for each of `checks`. A table is
    measured on its own classes only.

    Raises:
        ModelError: the folder exists, the file is larger than the shelf allows, or the disk is
            full.
    """
    if folder.exists():
        raise ModelError(f"{folder}: exists; versions are never overwritten")
    draft = folder.with_name(f".{folder.name}.draft")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        manifest = _fill(draft, network, folder.parent.name, validation, checks, facts, backend)
        draft.rename(folder)
    except OSError as error:
        raise ModelError(
            f"{folder}: {error.strerror or error}; nothing was put on the shelf",
            message_zh=f"无法写入模型库 {folder}：{error.strerror or error}；未留下半成品",
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return manifest


def pick_thresholds(
    labels: Sequence[str],
    tables: Mapping[str, Table],
    predictions: Mapping[str, list[Predicted]],
    earlier: Mapping[str, float],
) -> dict[str, float]:
    """A threshold per class by its demand, over the tables that label it.

    With fewer than `ENOUGH_BOXES` true boxes the earlier version's is kept where there is one.
    """
    result = {}
    for name in labels:
        parts = [
            rank(table, predictions[key], table.names.index(name))
            for key, table in tables.items()
            if name in table.names
        ]
        demand = DEMANDS.get(name, Demand())
        if name in earlier and sum(p.positives for p in parts) < ENOUGH_BOXES:
            result[name] = earlier[name]
        else:
            result[name] = pick_threshold(join_ranked(parts), demand) if parts else demand.high
    return result


def parity(network: TwoBranch, model: Path, bare: Manifest, table: Table) -> dict[str, Any]:
    """Each installed runtime against torch: largest deviation on a few pictures, and the
    difference of mean AP50 and AP on more."""
    images = [cv2.imread(str(p.path)) for p in table.pictures[:PARITY_PICTURES]]
    square = [cv2.resize(i, (INPUT_SIZE, INPUT_SIZE)) for i in images if i is not None]
    batch = to_tensor([np.asarray(i, dtype=np.uint8) for i in square])
    some = table.select(table.pictures[:PARITY_AP_PICTURES])
    artifact = Artifact(model.parent, bare)
    exact = _mean_ap(Detector(artifact, TorchSession(network)), some)
    result: dict[str, Any] = {}
    for name in available_backends():
        session = open_session(model, backend=name)  # type: ignore[arg-type]
        found = _mean_ap(Detector(artifact, session), some)
        result[name] = {
            **asdict(deviation(network, model, batch, name)),
            "precision": session.precision,
            "pictures": len(some),
            "ap50_difference": round(found[0] - exact[0], 4),
            "ap_difference": round(found[1] - exact[1], 4),
        }
    return result


def _mean_ap(detector: Detector, table: Table) -> tuple[float, float]:
    """Mean AP50 and AP over the classes that the table has boxes of."""
    flat = dict.fromkeys(table.names, 0.5)
    found = [f for f in figures(table, predict(detector, table), flat).values() if f.positives]
    return float(np.mean([f.ap50 for f in found])), float(np.mean([f.ap for f in found]))


def _fill(
    draft: Path,
    network: TwoBranch,
    name: str,
    validation: Mapping[str, Table],
    checks: Mapping[str, Table],
    facts: Facts,
    backend: Backend,
) -> Manifest:
    model = export_onnx(network, draft / MODEL_FILE)
    if model.stat().st_size > MAX_BYTES:
        raise ModelError(f"{model}: {model.stat().st_size} bytes, more than {MAX_BYTES}")
    bare = describe(draft, name, network.labels, facts, {}, {})
    detector = open_artifact(draft, bare, backend)
    tables = {**validation, **checks}
    predictions = {key: predict(detector, table) for key, table in tables.items()}
    thresholds = pick_thresholds(network.labels, validation, predictions, facts.earlier)
    detector.thresholds = thresholds
    metrics: dict[str, Any] = {}
    for key, table in tables.items():
        selected = predict(detector, table, min_score=None)
        found = figures(table, predictions[key], thresholds, selected)
        metrics[key] = {"pictures": len(table), "per_class": plain(found)}
    extra = {**facts.extra, "parity": parity(network, model, bare, next(iter(validation.values())))}
    stated = replace(facts, extra=extra)
    manifest = describe(draft, name, network.labels, stated, thresholds, metrics)
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
    labels: Sequence[str],
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
        labels=tuple(Label(name=n, zh=facts.zh.get(n, n)) for n in labels),
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
