"""From the data folder to an artefact on the shelf, in one reproducible run."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...config.errors import DatasetError, InputError
from ...models.manifest import Label, Manifest, describe_file, write_manifest
from ..calibrate import Calibration
from ..departments import load_departments
from ..features import FeatureText, Vocabulary
from ..prepare import prepare
from ..scorer import VOCABULARY_FILE
from ..transcript import Transcript
from .calibration import fit_calibration
from .card import write_card
from .crossval import (
    LabelledTexts,
    cross_calibrated,
    fit_on,
    out_of_fold_margins,
    ranking_metrics,
)
from .export import export_heads
from .linear import LinearHead, feature_matrix
from .rows import (
    CATEGORIES_FILE,
    DEPARTMENTS_FILE,
    HOMOPHONES_FILE,
    WRITTEN_FILE,
    CategoryRow,
    MessageRow,
    data_hash,
    duplicate_groups,
    held_out_mask,
    load_categories,
    load_messages,
    load_written,
    syllable_classes,
)
from .speech import as_call
from .thresholds import auto_thresholds
from .vocabulary import build_vocabulary, document_counts

MODEL_FILE = "model.onnx"
RUN_FILE = "run.json"
# A reader's toss-ups teach less than what the reader was sure of.
WEIGHT_OF_CONFIDENCE = {1: 0.4, 2: 0.8, 3: 1.0}
# A message and its retelling as a call are not two readings.
CALL_WEIGHT = 0.5
CALL_SEED = 12345


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Everything that decides the result."""

    version: str = "0.1.0"
    seed: int = 1
    folds: int = 5
    cost: float = 1.0
    max_features: int = 200_000
    precision: float = 0.97


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Prepared data; `messages` holds all rows, `held_out` marks those never trained on, `calls`
    has each message retold as a call."""

    messages: LabelledTexts
    held_out: NDArray[np.bool_]
    sure: NDArray[np.bool_]
    calls: tuple[FeatureText, ...]
    written: LabelledTexts
    categories: LabelledTexts
    sounds: NDArray[np.uint16]
    hash: str


Progress = Callable[[str, int, int], None]


def train_artifact(
    data: Path, out: Path, options: TrainOptions, *, now: datetime, progress: Progress
) -> Path:
    """Train, calibrate, measure and write `<out>/router/<version>/`; returns that folder.

    The held-out messages are used once, to measure the very model that is written.

    Raises:
        InputError: a version that is taken or malformed, or options out of range.
        DatasetError: missing or broken data files.
    """
    target = _free_folder(out, options)
    departments = load_departments()
    order = tuple(d.code for d in departments.departments)
    prepared = load_training_set(data, order, progress)
    department = _department_head(prepared, order, options, progress)
    category = _category_head(prepared, department.vocabulary, options, progress)
    metrics = {
        **department.metrics,
        **_held_out_metrics(prepared, department, order),
        **category.metrics,
    }
    folder = target.with_name(f"{target.name}.partial")
    folder.mkdir(parents=True, exist_ok=True)
    department.vocabulary.save(folder / VOCABULARY_FILE)
    export_heads(folder / MODEL_FILE, department.head, category.head)
    run = {
        "options": asdict(options),
        "data_hash": prepared.hash,
        "created": now.isoformat(timespec="seconds"),
        "rows": {
            "messages": len(prepared.messages),
            "held_out": int(prepared.held_out.sum()),
            "written": len(prepared.written),
            "categories": len(prepared.categories),
        },
        "metrics": metrics,
        "per_department": department.per_label,
    }
    (folder / RUN_FILE).write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
    labels = tuple(Label(name=d.code, zh=d.name) for d in departments.departments)
    manifest = _manifest(folder, options, labels, department, category, run)
    write_manifest(folder, manifest)
    write_card(folder, manifest, run)
    return folder.rename(target)


@dataclass(frozen=True, slots=True)
class _Fitted:
    head: LinearHead
    vocabulary: Vocabulary
    calibration: Calibration
    metrics: dict[str, dict[str, float]]
    thresholds: dict[str, float]
    per_label: dict[str, dict[str, float]]


def _manifest(
    folder: Path,
    options: TrainOptions,
    labels: tuple[Label, ...],
    department: _Fitted,
    category: _Fitted,
    run: dict[str, Any],
) -> Manifest:
    return Manifest(
        name="router",
        version=options.version,
        task="routing",
        model=describe_file(folder / MODEL_FILE),
        files=(describe_file(folder / VOCABULARY_FILE), describe_file(folder / RUN_FILE)),
        labels=labels,
        input={
            "ids": "int64 [N, L] rows of the vocabulary, padded with 0",
            "values": "float32 [N, L] log(1+tf)·idf of unit length, padded with 0",
        },
        output={
            "department": "float32 [N, K] margins",
            "category": "float32 [N, C] margins",
            "contributions": "float32 [N, L, K] share of each feature in the department margins",
        },
        thresholds=department.thresholds,
        metrics=run["metrics"],
        data_hash=run["data_hash"],
        data=(DEPARTMENTS_FILE, CATEGORIES_FILE, HOMOPHONES_FILE, WRITTEN_FILE.name),
        licence="AGPL-3.0-or-later",
        created=run["created"],
        extra={
            "categories": list(category.head.labels),
            "calibration": {
                "department": asdict(department.calibration),
                "category": asdict(category.calibration),
            },
        },
    )


def load_training_set(data: Path, order: Sequence[str], progress: Progress) -> TrainingSet:
    """Read, prepare and group all data; a category row near a held-out message is left out."""
    messages, written, categories = load_messages(data), load_written(), load_categories(data)
    _check_labels(data / DEPARTMENTS_FILE, messages, order)
    _check_labels(WRITTEN_FILE, written, order)
    rows: list[MessageRow | CategoryRow] = [*messages, *categories]
    groups = duplicate_groups([row.title + row.text for row in rows])
    held_out = held_out_mask([row.id for row in messages], groups[: len(messages)])
    closed = set(groups[: len(messages)][held_out].tolist())
    open_rows = [at for at in range(len(categories)) if groups[len(messages) + at] not in closed]
    texts = _prepared([*messages, *written, *(categories[at] for at in open_rows)], progress)
    rng = random.Random(CALL_SEED)
    calls = [
        row.model_copy(update={"title": "", "text": as_call(row.title, row.text, rng)})
        for row in messages
    ]
    n, w = len(messages), len(written)
    return TrainingSet(
        messages=_labelled(texts[:n], messages, groups[:n]),
        held_out=held_out,
        sure=np.array([row.confidence == 3 for row in messages]),
        calls=tuple(_prepared(calls, progress)),
        written=_labelled(texts[n : n + w], written, np.arange(w)),
        categories=LabelledTexts(
            tuple(texts[n + w :]),
            tuple(categories[at].category for at in open_rows),
            np.ones(len(open_rows)),
            groups[n:][open_rows],
        ),
        sounds=syllable_classes(_existing(data / HOMOPHONES_FILE)),
        hash=data_hash(
            [data / DEPARTMENTS_FILE, data / CATEGORIES_FILE, data / HOMOPHONES_FILE, WRITTEN_FILE]
        ),
    )


def _department_head(
    prepared: TrainingSet,
    order: tuple[str, ...],
    options: TrainOptions,
    progress: Progress,
) -> _Fitted:
    open_rows = np.flatnonzero(~prepared.held_out)
    train = prepared.messages.take(open_rows)
    calls = replace(
        train,
        texts=tuple(prepared.calls[at] for at in open_rows),
        weights=CALL_WEIGHT * train.weights,
    )
    sure = prepared.sure[open_rows]
    # Document frequencies need no labels: the category messages make them steadier.
    background = document_counts(prepared.categories.texts, prepared.sounds)

    def vocabulary(texts: Sequence[FeatureText]) -> Vocabulary:
        counts = background.merged(document_counts(texts, prepared.sounds))
        return build_vocabulary(counts, prepared.sounds, max_features=options.max_features)

    margins, call_margins = out_of_fold_margins(
        train,
        calls,
        prepared.written,
        vocabulary,
        order=order,
        cost=options.cost,
        folds=options.folds,
        seed=options.seed,
        on_fold=lambda done: progress("部门：交叉验证", done + 1, options.folds),
    )
    labels = np.array([order.index(label) for label in train.labels])
    probabilities = cross_calibrated(margins, labels, train.groups)
    calibration = fit_calibration(margins, labels)
    head, words = fit_on(
        [train, calls, prepared.written],
        vocabulary,
        order=order,
        cost=options.cost,
        seed=options.seed,
    )
    return _Fitted(
        head=head,
        vocabulary=words,
        calibration=calibration,
        metrics={
            "departments_cv": ranking_metrics(probabilities, labels),
            "departments_cv_sure": ranking_metrics(probabilities[sure], labels[sure]),
            "departments_cv_as_calls": ranking_metrics(
                calibration.probabilities(call_margins), labels
            ),
        },
        thresholds=auto_thresholds(probabilities, labels, order, precision=options.precision),
        per_label=_per_label(probabilities, labels, order),
    )


def _category_head(
    prepared: TrainingSet, vocabulary: Vocabulary, options: TrainOptions, progress: Progress
) -> _Fitted:
    data = prepared.categories
    order = tuple(sorted(set(data.labels)))
    margins, _ = out_of_fold_margins(
        data,
        None,
        None,
        lambda _: vocabulary,
        order=order,
        cost=0.3 * options.cost,
        folds=options.folds,
        seed=options.seed,
        on_fold=lambda done: progress("类别：交叉验证", done + 1, options.folds),
    )
    labels = np.array([order.index(label) for label in data.labels])
    probabilities = cross_calibrated(margins, labels, data.groups)
    head, _ = fit_on(
        [data], lambda _: vocabulary, order=order, cost=0.3 * options.cost, seed=options.seed
    )
    return _Fitted(
        head=head,
        vocabulary=vocabulary,
        calibration=fit_calibration(margins, labels),
        metrics={"category_cv": ranking_metrics(probabilities, labels)},
        thresholds={},
        per_label=_per_label(probabilities, labels, order),
    )


def _held_out_metrics(
    prepared: TrainingSet, fitted: _Fitted, order: Sequence[str]
) -> dict[str, dict[str, float]]:
    at_rows = np.flatnonzero(prepared.held_out)
    rows = prepared.messages.take(at_rows)
    labels = np.array([order.index(label) for label in rows.labels])
    sure = prepared.sure[at_rows]

    def probabilities(texts: Sequence[FeatureText]) -> NDArray[np.float64]:
        margins = fitted.head.margins(feature_matrix(texts, fitted.vocabulary))
        return fitted.calibration.probabilities(margins)

    written = probabilities(rows.texts)
    called = probabilities([prepared.calls[at] for at in at_rows])
    return {
        "departments_held_out": ranking_metrics(written, labels),
        "departments_held_out_sure": ranking_metrics(written[sure], labels[sure]),
        "departments_held_out_as_calls": ranking_metrics(called, labels),
    }


def _per_label(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], order: Sequence[str]
) -> dict[str, dict[str, float]]:
    first = probabilities.argmax(axis=1)
    table: dict[str, dict[str, float]] = {}
    for at, code in enumerate(order):
        hit = float(((first == at) & (labels == at)).sum())
        table[code] = {
            "n": int((labels == at).sum()),
            "precision": round(hit / max(int((first == at).sum()), 1), 4),
            "recall": round(hit / max(int((labels == at).sum()), 1), 4),
        }
    return table


def _prepared(rows: Sequence[MessageRow | CategoryRow], progress: Progress) -> list[FeatureText]:
    texts: list[FeatureText] = []
    for at, row in enumerate(rows, start=1):
        texts.append(prepare(Transcript(row.id, row.text, row.title)).features)
        if at % 500 == 0 or at == len(rows):
            progress("读入与整理", at, len(rows))
    return texts


def _labelled(
    texts: Sequence[FeatureText], rows: Sequence[MessageRow], groups: NDArray[np.int64]
) -> LabelledTexts:
    weights = np.array([WEIGHT_OF_CONFIDENCE[row.confidence] for row in rows])
    return LabelledTexts(tuple(texts), tuple(row.department for row in rows), weights, groups)


def _check_labels(path: Path, rows: Sequence[MessageRow], order: Sequence[str]) -> None:
    for row in rows:
        if row.department not in order:
            raise DatasetError(
                f"{path}: row {row.id}: unknown department {row.department!r}",
                message_zh=f"{path}：{row.id} 的部门 {row.department} 不在 departments.yaml 中",
            )


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise DatasetError(f"{path}: missing", message_zh=f"缺少数据文件：{path}")
    return path


def _free_folder(out: Path, options: TrainOptions) -> Path:
    if not re.fullmatch(r"\d+\.\d+\.\d+", options.version):
        raise InputError(f"version {options.version!r}: must look like 1.2.3")
    folder = out / "router" / options.version
    if folder.exists():
        raise InputError(
            f"{folder}: exists already; choose another version",
            message_zh=f"{folder} 已存在，请换一个版本号",
        )
    return folder


def run_summary(folder: Path) -> dict[str, Any]:
    """The `run.json` of a finished run."""
    data: dict[str, Any] = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    return data
