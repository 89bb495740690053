"""The recipe: data sets → missing labels → two branches trained in stages → checkpoints.

Everything it makes lies in one work folder: the merged sets, a run folder per stage and `run.json`
with what was done. A run that was killed goes on where its last epoch ended when the same command
is given again, and ends at the same weights.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import ultralytics

from ...config.errors import DatasetError, ModelError
from ...datasets.folder import LabelledSet, read_dataset
from ...datasets.labels import TRAFFIC_LABELS
from ...datasets.split import Split
from ...models.registry import Artifact, Registry
from .branches import SHARED_LAYERS, branch_from_onnx
from .curves import draw_curves
from .network import average, build, load_network, save_network
from .teacher import TeacherRule, complete
from .trainer import StreetTrainer
from .workset import WorkSet, join_splits, restricted, write_workset

log = logging.getLogger(__name__)

DEFAULT_TEACHER = TeacherRule()
OWN_LABELS = ("bin", "overflowing_bin", "garbage", "stall")


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of the trainer.

    Attributes:
        size: longer side of the training pictures, pixels.
        mosaic: probability; the last `close_mosaic` epochs do without.
        patience: epochs without a better validation after which the stage stops early.
    """

    name: str
    epochs: int
    size: int
    rate: float
    mosaic: float
    close_mosaic: int
    warmup_epochs: float
    patience: int = 8


OWN_STAGES = (
    Stage("wide", 12, 416, 8e-4, 0.6, 2, 0.3),
    Stage("sharp", 4, 512, 4e-4, 0.3, 1, 0.2),
    Stage("scenes", 3, 512, 3e-4, 0.2, 1, 0.2),
)
TRAFFIC_SHARES = (0.5, 0.5)
"""The traffic branch is the mean of where it began and what training made of it."""
OWN_SHARES = (0.25, 0.375, 0.375)
"""The municipal branch is the mean of what its three stages ended at."""
TRAFFIC_STAGES = (Stage("traffic", 2, 416, 1e-4, 0.3, 1, 0.2),)


@dataclass(frozen=True, slots=True)
class Branch:
    """One of the two networks behind the shared trunk.

    Attributes:
        guided: the base holds it to what it knew (`guide.py`).
    """

    name: str
    labels: tuple[str, ...]
    stages: tuple[Stage, ...]
    guided: bool


@dataclass(frozen=True, slots=True)
class Order:
    """What to train from and where to work.

    Attributes:
        data: data set folders (`xiaozheng datasets import`), each split.
        base: Ultralytics checkpoint with COCO's classes: trunk, and teacher of traffic labels.
        work: everything that is made goes here.
        start: an artefact of this project to go on from; None: from the base.
        teacher: an artefact that labels municipal classes in sets that do not declare them;
            None: what a set does not label is background there.
        repeats: how often a set (by its source name) is listed per epoch; 1 when left out.
        bf16: bfloat16 forward pass on the CPU (None: where the CPU has AVX-512 BF16).
        device: as Ultralytics names it, for example `cpu` or `0`.
    """

    data: tuple[Path, ...]
    base: Path
    work: Path
    start: Artifact | None = None
    teacher: Artifact | None = None
    own_stages: tuple[Stage, ...] = OWN_STAGES
    traffic_stages: tuple[Stage, ...] = TRAFFIC_STAGES
    repeats: Mapping[str, int] = field(default_factory=dict)
    seed: int = 7
    batch: int = 16
    device: str = "cpu"
    bf16: bool | None = None
    teacher_rule: TeacherRule = DEFAULT_TEACHER


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run left: a checkpoint per branch and the material to judge it by."""

    traffic: Path
    own: Path
    sets: tuple[LabelledSet, ...]
    data_hash: str
    record: Path


def adjusted(
    stages: Sequence[Stage], epochs: int | None = None, size: int | None = None
) -> tuple[Stage, ...]:
    """The stages with other epochs or size. Zero epochs: no stage at all."""
    if epochs == 0:
        return ()
    return tuple(
        replace(
            stage,
            epochs=epochs or stage.epochs,
            size=size or stage.size,
            close_mosaic=min(stage.close_mosaic, epochs or stage.epochs),
        )
        for stage in stages
    )


def train(order: Order) -> Trained:
    """Run the whole recipe; finished steps of an earlier call are not repeated.

    Raises:
        DatasetError: a set is missing, broken, not split, or declares no class of any use.
        ModelError: the base or the start is missing or of another kind; the disk is full (the
            epochs behind stay usable).
    """
    try:
        return _train(order)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ModelError(
            f"{order.work}: {reason}; finished epochs are kept, the same command goes on",
            message_zh=f"训练中断，无法写入 {order.work}（{reason}）；"
            "已完成的轮次保留，处理后用同样的命令继续",
        ) from error


def _train(order: Order) -> Trained:
    order.work.mkdir(parents=True, exist_ok=True)
    sets = read_sets(order.data)
    branches = (
        Branch("traffic", TRAFFIC_LABELS, order.traffic_stages, guided=True),
        Branch("own", own_labels(order, sets), order.own_stages, guided=False),
    )
    worksets: list[WorkSet] = []
    checkpoints: dict[str, Path] = {}
    for branch in branches:
        checkpoint = starting_point(order, branch)
        if branch.stages:
            workset = write_workset(
                order.work / f"data-{branch.name}", gather(order, branch, sets), order.repeats
            )
            worksets.append(workset)
            ends = [checkpoint]
            for stage in branch.stages:
                ends.append(run_stage(order, branch, stage, ends[-1], workset))
            checkpoint = settle(order, branch, ends)
        checkpoints[branch.name] = checkpoint
    record = _write_record(order, worksets, checkpoints)
    own_hash = worksets[-1].data_hash if worksets else "0" * 64
    return Trained(checkpoints["traffic"], checkpoints["own"], sets, own_hash, record)


def own_labels(order: Order, sets: Sequence[LabelledSet]) -> tuple[str, ...]:
    """The municipal branch's classes: those we start with, then new ones of the sets.

    Raises:
        DatasetError: no set labels any of them, so there is nothing to learn.
    """
    known: tuple[str, ...] = OWN_LABELS
    if order.start is not None:
        names = [label.name for label in order.start.manifest.labels]
        known = tuple(n for n in names if n not in TRAFFIC_LABELS)
    declared = dict.fromkeys(n for s in sets for n in s.labelled if n not in TRAFFIC_LABELS)
    if order.own_stages and not declared:
        raise DatasetError(
            "no set labels any class but people and vehicles: nothing to learn",
            message_zh="数据集中没有垃圾桶、垃圾、摊位等城市管理类别，无可训练",
        )
    return (*known, *[n for n in declared if n not in known])


def gather(order: Order, branch: Branch, sets: Sequence[LabelledSet]) -> Split:
    """All sets under one branch's labels, with the classes a set does not label filled in."""
    parts: list[Split] = []
    for one in sets:
        missing = tuple(n for n in branch.labels if n not in one.settled)
        split = restricted(one.split, branch.labels)
        teacher = order.base if branch.guided else order.teacher
        if missing and teacher is not None:
            kept = order.work / f"teacher-{branch.name}-{one.name}.json"
            split = complete(split, missing, teacher, order.teacher_rule, kept)
        parts.append(split)
    return join_splits(parts)


def starting_point(order: Order, branch: Branch) -> Path:
    """The checkpoint that a branch begins with, written into the work folder."""
    target = order.work / f"start-{branch.name}.pt"
    if target.is_file():
        return target
    base = load_network(order.base)
    if order.start is None:
        return save_network(build(base, branch.labels), target)
    names = [label.name for label in order.start.manifest.labels]
    old = tuple(n for n in names if (n in TRAFFIC_LABELS) == branch.guided)
    which = "first" if branch.guided else "second"
    found = branch_from_onnx(order.start.model_path, base, old, which)
    return save_network(build(found, branch.labels), target)


def settle(order: Order, branch: Branch, ends: Sequence[Path]) -> Path:
    """The branch's final checkpoint out of where it began and what each stage ended at."""
    mixed = (ends[0], ends[-1]) if branch.guided else ends[1:]
    shares = TRAFFIC_SHARES if branch.guided else OWN_SHARES
    if len(mixed) != len(shares):
        return ends[-1]
    whole = average([load_network(path) for path in mixed], shares)
    return save_network(whole, order.work / f"mean-{branch.name}.pt")


def run_stage(order: Order, branch: Branch, stage: Stage, start: Path, workset: WorkSet) -> Path:
    """Train one stage, or resume it, or do nothing when it is done. Returns its checkpoint."""
    folder = order.work / "runs" / stage.name
    last, best = folder / "weights/last.pt", folder / "weights/best.pt"
    if last.is_file() and epochs_done(last) is None:
        log.info("stage %s is done: %s", stage.name, best)
        return best
    guide = order.base if branch.guided else None
    trainer_class = type(
        "RunTrainer",
        (StreetTrainer,),
        {"bf16": _wants_bf16(order), "guide_from": guide, "__module__": __name__},
    )
    settings: dict[str, Any] = trainer_settings(order, stage, start, workset)
    if last.is_file():
        log.info("stage %s goes on from %s", stage.name, last)
        settings |= {"resume": str(last), "model": str(last)}
    trainer_class(overrides=settings).train()
    draw_curves(folder / "results.csv", folder / "curves.png")
    return best


def epochs_done(checkpoint: Path) -> int | None:
    """Epochs behind an unfinished run's checkpoint; None for a finished run."""
    epoch = int(torch.load(checkpoint, map_location="cpu", weights_only=False)["epoch"])
    return None if epoch < 0 else epoch + 1


def trainer_settings(order: Order, stage: Stage, start: Path, workset: WorkSet) -> dict[str, Any]:
    """Ultralytics' settings of one stage."""
    return {
        "model": str(start),
        "data": str(workset.yaml),
        "project": str((order.work / "runs").resolve()),
        "name": stage.name,
        "exist_ok": True,
        "epochs": stage.epochs,
        "patience": stage.patience,
        "imgsz": stage.size,
        "batch": order.batch,
        "nbs": order.batch,
        "device": order.device,
        "amp": order.device != "cpu",
        "seed": order.seed,
        "freeze": SHARED_LAYERS,
        "optimizer": "AdamW",
        "lr0": stage.rate,
        "lrf": 0.06,
        "cos_lr": True,
        "momentum": 0.9,
        "weight_decay": 5e-4,
        "warmup_epochs": stage.warmup_epochs,
        "warmup_bias_lr": 0.0,
        "warmup_momentum": 0.9,
        "mosaic": stage.mosaic,
        "close_mosaic": stage.close_mosaic,
        "scale": 0.5,
        "translate": 0.1,
        "degrees": 3.0,
        "shear": 1.5,
        "hsv_h": 0.015,
        "hsv_s": 0.6,
        "hsv_v": 0.4,
        "fliplr": 0.5,
        "mixup": 0.0,
        "cache": "ram",
        "plots": False,
        "deterministic": False,
    }


def open_teacher(ref: str | None, shelf: Path | None) -> Artifact | None:
    """The artefact that labels what sets leave out; None for `none`."""
    return None if ref in (None, "none") else Registry(shelf).resolve(ref)


def read_sets(folders: Sequence[Path]) -> tuple[LabelledSet, ...]:
    """The sources of all folders.

    Raises:
        DatasetError: a folder is missing, broken, not split or empty, or two sources share a name.
    """
    found: dict[str, LabelledSet] = {}
    for folder in folders:
        dataset = read_dataset(folder)
        if not len(dataset.table):
            raise DatasetError(f"{folder}: has no pictures", message_zh=f"{folder} 没有图片")
        for one in dataset.by_source():
            if one.name in found:
                raise DatasetError(
                    f"{folder}: a source {one.name!r} is there already; sources are told apart by"
                    " name",
                    message_zh=f"{folder}：来源 {one.name} 重名，请在 pictures.csv 中区分",
                )
            found[one.name] = one
    return tuple(found.values())


def _wants_bf16(order: Order) -> bool:
    if order.bf16 is not None:
        return order.bf16
    return order.device == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def _write_record(
    order: Order, worksets: Sequence[WorkSet], checkpoints: Mapping[str, Path]
) -> Path:
    record = order.work / "run.json"
    content = {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": [str(folder) for folder in order.data],
        "base": str(order.base),
        "start": order.start.ref if order.start else None,
        "teacher": order.teacher.ref if order.teacher else None,
        "stages": [asdict(s) for s in (*order.traffic_stages, *order.own_stages)],
        "repeats": dict(order.repeats),
        "seed": order.seed,
        "batch": order.batch,
        "device": order.device,
        "bf16": _wants_bf16(order),
        "data_hashes": {w.folder.name: w.data_hash for w in worksets},
        "checkpoints": {name: str(path) for name, path in checkpoints.items()},
        "torch": torch.__version__,
        "ultralytics": ultralytics.__version__,
    }
    record.write_text(json.dumps(content, indent=1, default=str) + "\n", encoding="utf-8")
    return record
