"""From the data folder to an artefact on the shelf, in one reproducible run."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ...config.errors import InputError
from ...models.manifest import Label, Manifest, describe_file, write_manifest
from ..decision import DEFAULT_MIN_GAP
from ..departments import load_departments
from ..encoder import ENCODER_FILE, TOKENIZER_FILE
from ..scope import fit_least_energy
from ..scorer import VOCABULARY_FILE
from .answers import EncoderPlan, misheard_features, out_of_fold_answers
from .card import write_card
from .crossval import ranking_metrics
from .encoder_export import copy_tokenizer, export_encoder
from .encoder_fit import FitOptions
from .encoder_folds import READ_FORMS, EncoderSet, Workbench
from .encoder_set import category_places, encoder_set
from .encoder_text import read_homophones
from .export import export_heads
from .linear import feature_matrix
from .linear_heads import CALL_WEIGHT, LinearHeads, LinearOptions, fit_heads
from .measure import (
    FittedHead,
    Floats,
    HeadAnswers,
    fit_answers,
    form_figures,
    per_label,
    single_figures,
    written_figures,
)
from .rows import CATEGORIES_FILE, DEPARTMENTS_FILE, HOMOPHONES_FILE, WRITTEN_FILE
from .thresholds import TUNING_FILE, TuningRows, assisting_threshold, auto_thresholds
from .training_set import (
    CALL_SEED,
    WEIGHT_OF_CONFIDENCE,
    Progress,
    TrainingSet,
    load_training_set,
)

__all__ = [
    "CALL_SEED",
    "CALL_WEIGHT",
    "WEIGHT_OF_CONFIDENCE",
    "EncoderPlan",
    "TrainOptions",
    "run_summary",
    "train_artifact",
]

MODEL_FILE = "model.onnx"
RUN_FILE = "run.json"
OOF_FILE = "out_of_fold.npz"
FINAL_NAME = "final"


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Everything that decides the result; without an encoder the linear model answers alone.

    `precision`: what automatic answers shall reach on the rows that thresholds are set on. Half a
    point above the wanted 97 %: on other rows they reach that much less (`models tune` shows it).
    """

    version: str = "0.1.0"
    seed: int = 1
    folds: int = 5
    cost: float = 1.0
    max_features: int = 200_000
    precision: float = 0.975
    encoder: EncoderPlan | None = None

    @property
    def linear(self) -> LinearOptions:
        return LinearOptions(self.folds, self.seed, self.cost, self.max_features)


@dataclass(frozen=True, slots=True)
class _Made:
    """All parts of one run before they are written."""

    data: TrainingSet
    order: tuple[str, ...]
    categories: tuple[str, ...]
    answers: tuple[HeadAnswers, HeadAnswers]
    department: FittedHead
    category: FittedHead
    heads: LinearHeads
    tuning: TuningRows


def train_artifact(
    data: Path, out: Path, options: TrainOptions, *, now: datetime, progress: Progress
) -> Path:
    """Train, calibrate, measure and write `<out>/router/<version>/`; returns that folder.

    The held-out messages are used once, to measure the very model that is written. With an
    encoder, finished parts stay in its work folder: the same call goes on where it was stopped.
    There the out-of-fold answers are also left (`out_of_fold.npz`, for `eval router --oof`).

    Raises:
        InputError: a version that is taken or malformed, or options out of range.
        DatasetError: missing or broken data files.
    """
    target = _free_folder(out, options)
    departments = load_departments()
    order = tuple(d.code for d in departments.departments)
    prepared = load_training_set(data, order, progress)
    categories = tuple(sorted(set(prepared.categories.labels)))
    rows = encoder_set(prepared, order, categories)
    bench = _workbench(rows, prepared, options, progress)
    answers = out_of_fold_answers(
        prepared, rows, order, categories, options.linear, bench, options.encoder, progress
    )
    fitted = fit_answers(answers[0])
    progress("线性模型", 0, 1)
    heads = fit_heads(prepared, order, categories, options.linear)
    progress("线性模型", 1, 1)
    made = _Made(
        prepared,
        order,
        categories,
        answers,
        fitted,
        fit_answers(answers[1]),
        heads,
        _tuning_rows(answers[0], fitted, prepared, order),
    )
    folder = target.with_name(f"{target.name}.partial")
    folder.mkdir(parents=True, exist_ok=True)
    held_out = _write_models(folder, made, rows, bench, options)
    run = _run(made, held_out, options, now)
    (folder / RUN_FILE).write_text(json.dumps(run, indent=2) + "\n", encoding="utf-8")
    made.tuning.save(folder / TUNING_FILE)
    if bench is not None:
        _keep_answers(bench.work / OOF_FILE, made)
    labels = tuple(Label(name=d.code, zh=d.name) for d in departments.departments)
    manifest = _manifest(folder, options, labels, made, run)
    write_manifest(folder, manifest)
    write_card(folder, manifest, run)
    return folder.rename(target)


def _workbench(
    rows: EncoderSet, data: TrainingSet, options: TrainOptions, progress: Progress
) -> Workbench | None:
    plan = options.encoder
    if plan is None:
        return None
    homophones = read_homophones(data.homophones)
    return Workbench(rows, plan.base, plan.work, homophones, plan.options, progress)


def _write_models(
    folder: Path,
    made: _Made,
    rows: EncoderSet,
    bench: Workbench | None,
    options: TrainOptions,
) -> dict[str, Floats]:
    """Write both models; returns probabilities (H, K) of the held-out messages in each form."""
    made.heads.vocabulary.save(folder / VOCABULARY_FILE)
    export_heads(folder / MODEL_FILE, made.heads.department, made.heads.category)
    data, n = made.data, len(made.data.rows)
    at_rows = np.flatnonzero(data.held_out).tolist()
    encoder: dict[str, Floats] = {}
    if bench is not None and options.encoder is not None:
        network = bench.fit(_open_rows(data, rows.n_tested), FINAL_NAME)
        export_encoder(network, folder / ENCODER_FILE)
        copy_tokenizer(bench.base, folder)
        for form in READ_FORMS:
            said = bench.read(network, np.array(at_rows), form)
            pooled, _ = said.pooled(n, options.encoder.first_weight)
            encoder[form] = pooled[at_rows]
    misheard = misheard_features(rows, data, _fit_options(options))
    texts = {"written": data.messages.texts, "told": data.calls, "misheard": misheard}
    found: dict[str, Floats] = {}
    for form in READ_FORMS:
        matrix = feature_matrix([texts[form][at] for at in at_rows], made.heads.vocabulary)
        margins = made.heads.department.margins(matrix)
        found[form] = made.department.answers(margins, encoder.get(form))
    return found


def _open_rows(data: TrainingSet, n_tested: int) -> Any:
    """Rows of the encoder's set that the shipped model may learn from."""
    allowed = np.ones(n_tested, bool)
    places = np.array(category_places(data))
    allowed[places[data.closed]] = False
    allowed[: len(data.rows)] = ~data.held_out
    return np.flatnonzero(allowed)


def _fit_options(options: TrainOptions) -> FitOptions:
    return options.encoder.options if options.encoder is not None else FitOptions()


def _tuning_rows(
    found: HeadAnswers, fitted: FittedHead, data: TrainingSet, order: Sequence[str]
) -> TuningRows:
    """Out-of-fold answers to the open messages, for thresholds."""
    chosen = found.read & found.open
    seconds = [order.index(row.second) if row.second in order else -1 for row in data.rows]
    return TuningRows(fitted.probabilities[chosen], found.labels[chosen], np.array(seconds)[chosen])


def _keep_answers(path: Path, made: _Made) -> None:
    messages, categories = made.data.rows, made.data.category_rows
    for name, found, fitted, order, ids in (
        ("department", *_head(made, 0), made.order, [row.id for row in messages]),
        ("category", *_head(made, 1), made.categories, [row.id for row in categories]),
    ):
        read = found.read
        np.savez_compressed(
            path.with_name(f"{name}-{path.name}"),
            probabilities=fitted.probabilities[read],
            labels=found.labels[read],
            ids=np.array(ids)[read],
            order=np.array(order),
        )


def _head(made: _Made, at: int) -> tuple[HeadAnswers, FittedHead]:
    return made.answers[at], (made.department, made.category)[at]


def _run(
    made: _Made, held_out: dict[str, Floats], options: TrainOptions, now: datetime
) -> dict[str, Any]:
    """`run.json`: options, rows and figures."""
    by_department, by_category = made.answers
    data = made.data
    labels = by_department.labels[data.held_out]
    sure = data.sure[data.held_out]
    told = form_figures(by_department, made.department, "told")
    misheard = form_figures(by_department, made.department, "misheard")
    metrics = {
        "departments_cv": written_figures(by_department, made.department),
        "departments_cv_sure": written_figures(by_department, made.department, data.sure),
        "departments_cv_as_calls": told,
        "departments_cv_misheard": misheard,
        **{
            f"departments_cv_{name}_alone": figures
            for name, figures in single_figures(by_department).items()
        },
        "departments_held_out": ranking_metrics(held_out["written"], labels),
        "departments_held_out_sure": ranking_metrics(held_out["written"][sure], labels[sure]),
        "departments_held_out_as_calls": ranking_metrics(held_out["told"], labels),
        "departments_held_out_misheard": ranking_metrics(held_out["misheard"], labels),
        "category_cv": written_figures(by_category, made.category),
        **{
            f"category_cv_{name}_alone": figures
            for name, figures in single_figures(by_category).items()
        },
    }
    return {
        "options": _plain_options(options),
        "data_hash": data.hash,
        "created": now.isoformat(timespec="seconds"),
        "rows": {
            "messages": len(data.messages),
            "messages_read": int(by_department.read.sum()),
            "held_out": int(data.held_out.sum()),
            "written": len(data.written),
            "categories": len(data.categories),
            "categories_read": int(by_category.read.sum()),
        },
        "metrics": metrics,
        "per_department": per_label(by_department, made.department, made.order),
        "per_category": per_label(by_category, made.category, made.categories),
    }


def _plain_options(options: TrainOptions) -> dict[str, Any]:
    """Options without this machine's paths."""
    plain = asdict(options)
    if options.encoder is not None:
        del plain["encoder"]["work"]
        plain["encoder"]["base"] = options.encoder.base.name
    return plain


def _manifest(
    folder: Path,
    options: TrainOptions,
    labels: tuple[Label, ...],
    made: _Made,
    run: dict[str, Any],
) -> Manifest:
    names = [VOCABULARY_FILE, RUN_FILE, TUNING_FILE]
    names += [ENCODER_FILE, TOKENIZER_FILE] if options.encoder is not None else []
    tuning = made.tuning
    return Manifest(
        name="router",
        version=options.version,
        task="routing",
        model=describe_file(folder / MODEL_FILE),
        files=tuple(describe_file(folder / name) for name in names),
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
        thresholds=auto_thresholds(
            tuning.probabilities,
            tuning.labels,
            made.order,
            precision=options.precision,
            min_gap=DEFAULT_MIN_GAP,
        ),
        metrics=run["metrics"],
        data_hash=run["data_hash"],
        data=(DEPARTMENTS_FILE, CATEGORIES_FILE, HOMOPHONES_FILE, WRITTEN_FILE.name),
        licence="AGPL-3.0-or-later",
        created=run["created"],
        extra=_extra(options, made),
    )


def _extra(options: TrainOptions, made: _Made) -> dict[str, Any]:
    extra: dict[str, Any] = {
        "categories": list(made.categories),
        "calibration": {
            "department": asdict(made.department.calibration),
            "category": asdict(made.category.calibration),
        },
        "decision": {
            "precision": options.precision,
            "min_gap": DEFAULT_MIN_GAP,
            "assisting_from": assisting_threshold(made.tuning),
        },
    }
    plan, logits = options.encoder, made.answers[0].encoder
    blends = made.department.blend, made.category.blend
    if plan is None or logits is None or blends[0] is None or blends[1] is None:
        return extra
    text = plan.options.text
    read = made.answers[0].read
    heard = np.concatenate([logits[form][read] for form in ("written", "told")])
    return {
        **extra,
        "encoder": {
            "max_tokens": text.max_tokens,
            "max_windows": text.max_windows,
            "first_weight": plan.first_weight,
        },
        "blend": {"department": blends[0].to_manifest(), "category": blends[1].to_manifest()},
        "scope": {"least_energy": fit_least_energy(heard)},
    }


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
