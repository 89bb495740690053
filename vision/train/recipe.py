"""The recipe: sources → splits and teacher labels → stages of training → a checkpoint.

Everything it makes lies in one work folder: the merged set, a run folder per stage and `run.json`
with what was done. A run that was killed goes on where its last epoch ended when the same command
is given again.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
import ultralytics

from ...config.errors import DatasetError
from ...datasets.likeness import BINS_RULE, group_scenes
from ...datasets.sources import read_bins, read_coco_subset, read_stills
from ...datasets.split import Split, split_scenes
from ...datasets.table import Table
from ...models.manifest import sha256_file
from .teacher import TeacherRule, add_teacher_labels, read_teacher, save_teacher
from .trainer import StreetTrainer
from .workset import WorkSet, join_splits, write_workset

log = logging.getLogger(__name__)

VAL_PART = 0.12
HELD_COUNT = 20
COCO_VAL_PART = 25 / 215
DEFAULT_TEACHER = TeacherRule()


@dataclass(frozen=True, slots=True)
class Stage:
    """One run of the trainer.

    Attributes:
        size: longer side of the training pictures, pixels.
        freeze: first layers that keep the base's weights.
        mosaic: probability; the last `close_mosaic` epochs do without.
        repeats: how often each source is listed per epoch; a source left out is not used.
    """

    name: str
    epochs: int
    size: int
    rate: float
    freeze: int
    mosaic: float
    close_mosaic: int
    warmup_epochs: float
    repeats: dict[str, int]


STAGES = (
    Stage("street", 8, 416, 5e-4, 7, 0.7, 2, 0.4, {"bins": 1, "coco": 2}),
    Stage("scenes", 4, 416, 5e-4, 7, 0.5, 1, 0.2, {"bins": 1, "coco": 2, "stills": 3}),
    Stage("larger", 3, 512, 4e-4, 7, 0.4, 1, 0.1, {"bins": 1, "coco": 2, "stills": 4}),
)


@dataclass(frozen=True, slots=True)
class Order:
    """What to train from and where to work.

    Attributes:
        data: holds `bins/` and `coco_train_subset/`.
        base: Ultralytics checkpoint with COCO's classes; also the teacher.
        stills, stills_val: rendered street stills (YOLO folders), or None: no `stall`.
        work: everything that is made goes here.
        bf16: bfloat16 forward pass on the CPU (None: where the CPU has AVX-512 BF16).
        device: as Ultralytics names it, for example `cpu` or `0`.
    """

    data: Path
    base: Path
    work: Path
    stills: Path | None = None
    stills_val: Path | None = None
    stages: tuple[Stage, ...] = STAGES
    seed: int = 7
    batch: int = 16
    device: str = "cpu"
    bf16: bool | None = None
    teacher: TeacherRule = DEFAULT_TEACHER


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run left: the checkpoint and the material to judge it by."""

    checkpoint: Path
    split: Split
    data_hash: str
    record: Path


def adjusted_stages(epochs: int | None, size: int | None, with_stills: bool) -> tuple[Stage, ...]:
    """The stages with other epochs or size; without stills only the first is left."""
    stages = STAGES if with_stills else STAGES[:1]
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
        DatasetError: a source is missing or has a broken label (file and line).
        ModelError: the base is missing or not a detection checkpoint.
    """
    order.work.mkdir(parents=True, exist_ok=True)
    split = gather(order)
    checkpoint = order.base
    worksets: list[WorkSet] = []
    for stage in order.stages:
        workset = write_workset(order.work / f"data-{stage.name}", split, stage.repeats)
        worksets.append(workset)
        checkpoint = run_stage(order, stage, checkpoint, workset)
    record = _write_record(order, worksets, checkpoint)
    return Trained(checkpoint, split, worksets[-1].data_hash, record)


def gather(order: Order) -> Split:
    """Read, label and part all sources."""
    bins = _bins_with_teacher(order)
    coco = read_coco_subset(_existing(order.data / "coco_train_subset"))
    parts = [
        split_scenes(bins, VAL_PART, HELD_COUNT),
        split_scenes(coco, COCO_VAL_PART),
    ]
    if order.stills is not None:
        stills = read_stills(_existing(order.stills))
        empty = stills.select(())
        val = empty if order.stills_val is None else read_stills(_existing(order.stills_val))
        val = val.select(replace(p, group=f"val/{p.path.stem}") for p in val.pictures)
        parts.append(Split(train=stills, val=val, held=empty))
    return join_splits(parts)


def run_stage(order: Order, stage: Stage, start: Path, workset: WorkSet) -> Path:
    """Train one stage, or resume it, or do nothing when it is done. Returns its checkpoint."""
    weights = order.work / "runs" / stage.name / "weights"
    last, best = weights / "last.pt", weights / "best.pt"
    if last.is_file() and epochs_done(last) is None:
        log.info("stage %s is done: %s", stage.name, best)
        return best
    trainer_class = type(
        "RunTrainer",
        (StreetTrainer,),
        {"bf16": _wants_bf16(order), "guide_from": order.base, "__module__": __name__},
    )
    settings: dict[str, Any] = trainer_settings(order, stage, start, workset)
    if last.is_file():
        log.info("stage %s goes on from %s", stage.name, last)
        settings |= {"resume": str(last), "model": str(last)}
    trainer_class(overrides=settings).train()
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
        "patience": stage.epochs,
        "imgsz": stage.size,
        "batch": order.batch,
        "nbs": order.batch,
        "device": order.device,
        "amp": order.device != "cpu",
        "seed": order.seed,
        "freeze": stage.freeze,
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


def _bins_with_teacher(order: Order) -> Table:
    """The bin pictures with scenes and teacher labels; the teacher's answers are kept on disk."""
    bins = group_scenes(read_bins(_existing(order.data / "bins")), BINS_RULE)
    kept = order.work / "teacher.json"
    key = f"{sha256_file(order.base)} {asdict(order.teacher)}"
    if (found := read_teacher(kept, key, bins)) is not None:
        return found
    labelled = add_teacher_labels(bins, order.base, order.teacher)
    save_teacher(kept, key, labelled)
    return labelled


def _wants_bf16(order: Order) -> bool:
    if order.bf16 is not None:
        return order.bf16
    return order.device == "cpu" and bool(torch.cpu._is_avx512_bf16_supported())


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise DatasetError(f"{folder}: no such folder", message_zh=f"缺少数据目录：{folder}")
    return folder


def _write_record(order: Order, worksets: Sequence[WorkSet], checkpoint: Path) -> Path:
    record = order.work / "run.json"
    content = {
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "order": {k: str(v) if isinstance(v, Path) else v for k, v in asdict(order).items()},
        "data_hashes": {w.folder.name: w.data_hash for w in worksets},
        "checkpoint": str(checkpoint),
        "torch": torch.__version__,
        "ultralytics": ultralytics.__version__,
    }
    record.write_text(json.dumps(content, indent=1, default=str) + "\n", encoding="utf-8")
    return record
