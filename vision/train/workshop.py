"""From data to shelf in one call."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from ...config.errors import ModelError
from ...datasets.split import Split
from ...datasets.table import Table
from ...models.manifest import Manifest
from .measure import predict
from .recipe import Order, Trained, train
from .sheet import contact_sheet
from .shelve import Facts, open_artifact, shelve

BASE_NAME = "YOLO11n, COCO weights (Ultralytics, AGPL-3.0)"

SOURCE_NOTES = {
    "bins": "bins: Chinese street photos of bins and rubbish (Roboflow 公开数据集111, CC BY 4.0; "
    "the rights of the single photos are unclear); people and vehicles in them labelled by the "
    "base model (score ≥ 0.35)",
    "coco": "coco: 215 pictures of COCO train2017, traffic classes only (annotations CC BY 4.0)",
    "stills": "stills: street scenes rendered by this project's own generator, exact labels",
}

LIMITS = (
    "`stall` was learned and measured on rendered scenes only: no real labelled street-level "
    "set could be found. Expect misses on real stalls; believe a stall only with time and zone.",
    "People and vehicles in the bin pictures were labelled by the base model, so their figures "
    "on `bins` say how far this model agrees with the base, not how right it is.",
    "The COCO validation part has few pictures; its figures are rough.",
    "The bin pictures are taken at eye level, and were stretched to squares; views from high "
    "cameras come from rendered scenes only.",
    "About one bin label in twenty is wrong in the source; nothing was corrected.",
    "Night, rain and heavy compression were imitated, not collected.",
)


def make_detector(order: Order, out: Path, now: datetime) -> Manifest:
    """Train and put the result on the shelf as `out` (`…/detector/<version>`).

    A contact sheet of the pictures kept out for acceptance lies in the work folder afterwards.

    Raises:
        ModelError: `out` exists, or the base is not a detection checkpoint.
        DatasetError: a source is missing or broken.
    """
    if out.exists():
        raise ModelError(f"{out}: exists; give a new version", message_zh=f"版本已存在：{out}")
    return put_on_shelf(train(order), order, out, now)


def put_on_shelf(trained: Trained, order: Order, out: Path, now: datetime) -> Manifest:
    """Export, measure, describe; see `make_detector`."""
    facts = Facts(
        version=out.name,
        created=now,
        data_hash=trained.data_hash,
        data=tuple(
            note for key, note in SOURCE_NOTES.items() if len(_of(trained.split.train, key))
        ),
        base=BASE_NAME,
        notes=LIMITS,
        extra={
            "stages": [asdict(stage) for stage in order.stages],
            "seed": order.seed,
            "teacher": asdict(order.teacher),
        },
    )
    validation = validation_sets(trained.split)
    checks = {"held out": trained.split.held} if len(trained.split.held) else {}
    manifest = shelve(trained.checkpoint, out, validation, checks, facts)
    detector = open_artifact(out, manifest)
    for name, table in {"held": trained.split.held, **validation}.items():
        shown = table.select(table.pictures[:40])
        if len(shown):
            contact_sheet(
                order.work / f"sheet-{name}.jpg",
                shown,
                predict(detector, shown),
                manifest.thresholds,
            )
    return manifest


def validation_sets(split: Split) -> dict[str, Table]:
    """The validation part by source."""
    return {key: table for key in SOURCE_NOTES if len(table := _of(split.val, key))}


def _of(table: Table, source: str) -> Table:
    return table.select(p for p in table.pictures if p.source == source)
