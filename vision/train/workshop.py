"""From data to shelf in one call."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from ...config.errors import DatasetError, ModelError
from ...datasets.folder import LabelledSet
from ...datasets.labels import LABELS_ZH
from ...datasets.table import Table
from ...models.manifest import Manifest
from .branches import SHARED_LAYERS, TwoBranch
from .measure import predict
from .network import load_network
from .recipe import Order, Trained, train
from .sheet import contact_sheet
from .shelve import CARD_FILE, Facts, open_artifact, shelve
from .workset import restricted

BASE_NAME = "YOLO11n, COCO weights (Ultralytics, AGPL-3.0)"
SHEET_PICTURES = 40

LIMITS = (
    "Thresholds were picked on the validation pictures whose figures stand here.",
    "A class was measured only on sets that label it; expect more false boxes elsewhere.",
    "Night, rain, haze and heavy compression were imitated in training, not collected.",
)


def make_detector(
    order: Order, out: Path, now: datetime, notes: Sequence[str] = ()
) -> tuple[Manifest, Trained]:
    """Train and put the result on the shelf as `out` (`…/detector/<version>`).

    Contact sheets of validation and held-out pictures lie in the work folder afterwards. `notes`
    are added to the card.

    Raises:
        ModelError: `out` exists, or the base is not a detection checkpoint.
        DatasetError: a set is missing, broken, not split or has no validation part.
    """
    if out.exists():
        raise ModelError(f"{out}: exists; give a new version", message_zh=f"版本已存在：{out}")
    trained = train(order)
    return put_on_shelf(trained, order, out, now, notes), trained


def put_on_shelf(
    trained: Trained, order: Order, out: Path, now: datetime, notes: Sequence[str] = ()
) -> Manifest:
    """Export, measure, describe; see `make_detector`."""
    network = TwoBranch(load_network(trained.traffic), load_network(trained.own))
    facts = Facts(
        version=out.name,
        created=now,
        data_hash=trained.data_hash,
        data=tuple(describe_set(s) for s in trained.sets),
        base=BASE_NAME if order.start is None else f"{BASE_NAME}; went on from {order.start.ref}",
        zh={**LABELS_ZH, **{n.name: n.zh for s in trained.sets for n in s.about.names if n.zh}},
        notes=(*notes, *LIMITS),
        earlier={} if order.start is None else order.start.manifest.thresholds,
        extra={
            "shared_layers": SHARED_LAYERS,
            "stages": [asdict(stage) for stage in (*order.traffic_stages, *order.own_stages)],
            "repeats": dict(order.repeats),
            "seed": order.seed,
            "teacher": None if order.teacher is None else order.teacher.ref,
            "teacher_rule": asdict(order.teacher_rule),
        },
    )
    validation = measured(trained.sets, "val", network.labels)
    if not validation:
        raise DatasetError(
            "no set has validation pictures: nothing could be measured",
            message_zh="各数据集都没有验证图片，无法评估；请重新划分",
        )
    held = measured(trained.sets, "held", network.labels)
    checks = {f"{name} held out": table for name, table in held.items()}
    manifest = shelve(network, out, validation, checks, facts)
    shutil.copyfile(out / CARD_FILE, order.work / CARD_FILE)  # its tables belong to the run, too
    detector = open_artifact(out, manifest)
    for name, table in {**validation, **checks}.items():
        shown = table.select(table.pictures[:SHEET_PICTURES])
        sheet = order.work / f"sheet-{name.replace(' ', '-')}.jpg"
        contact_sheet(sheet, shown, predict(detector, shown), manifest.thresholds)
    return manifest


def measured(sets: Sequence[LabelledSet], part: str, labels: Sequence[str]) -> dict[str, Table]:
    """That part of each set, by its name, under those of our labels that are settled in it."""
    found: dict[str, Table] = {}
    for one in sets:
        names = tuple(n for n in labels if n in one.settled)
        split = restricted(one.split, names)
        table = split.val if part == "val" else split.held
        if len(table) and names:
            found[one.name] = table
    return found


def describe_set(one: LabelledSet) -> str:
    """One line of the card's list of what was learned from."""
    parts = one.split
    text = f"{one.name}: {len(parts.train)} pictures for training, {len(parts.val)} for validation"
    text += f", {len(parts.held)} held out" if len(parts.held) else ""
    text += f"; licence: {one.about.licence}" if one.about.licence else ""
    return text + (f"; {one.about.note}" if one.about.note else "")
