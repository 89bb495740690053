"""Out-of-fold answers of both models, side by side and durable."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features import FeatureText, feature_text
from .encoder_fit import FitOptions
from .encoder_folds import READ_FORMS, EncoderSet, Workbench, out_of_fold, union_folds
from .encoder_set import category_places
from .encoder_text import read_homophones, row_forms
from .linear_heads import LinearOptions, category_margins, department_margins
from .measure import HeadAnswers
from .training_set import Progress, TrainingSet


@dataclass(frozen=True, slots=True)
class EncoderPlan:
    """What the encoder starts from and where its parts are kept.

    `folds`: how many of the cross-validation's folds it is trained for; rows of the others are
    left out of blend and figures. `first_weight`: a text's first window counts so many times as
    much; readers gave the labels from the first 240 characters.
    """

    base: Path
    work: Path
    options: FitOptions
    folds: int
    first_weight: float = 3.0


def misheard_features(
    rows: EncoderSet, data: TrainingSet, options: FitOptions
) -> list[FeatureText]:
    """Features of each message with some of its characters replaced by homophones."""
    table = read_homophones(data.homophones)
    n = len(data.rows)
    found = []
    for at, form, text in row_forms(rows.rows, table, options.text):
        if form == "misheard" and at < n:
            lead = rows.rows[at].lead
            found.append(feature_text(text[lead:], text[: max(lead - 1, 0)]))
    return found


def out_of_fold_answers(
    data: TrainingSet,
    rows: EncoderSet,
    order: Sequence[str],
    categories: Sequence[str],
    linear: LinearOptions,
    bench: Workbench | None,
    plan: EncoderPlan | None,
    progress: Progress,
) -> tuple[HeadAnswers, HeadAnswers]:
    """Answers of the department head to all messages, of the category head to all with one."""
    options = plan.options if plan is not None else FitOptions()

    def departments() -> list[NDArray[np.float64]]:
        misheard = misheard_features(rows, data, options)
        return department_margins(data, misheard, order, linear, progress)

    def of_categories() -> list[NDArray[np.float64]]:
        return [category_margins(data, categories, linear, progress)]

    keep = bench.work if bench is not None else None
    by_department = _kept(keep, "linear-departments", departments)
    by_category = _kept(keep, "linear-categories", of_categories)
    encoder_department = encoder_category = None
    if bench is not None and plan is not None:
        fold = union_folds(rows, linear.folds, linear.seed)
        said = out_of_fold(bench, fold, range(plan.folds))
        pooled = {form: said[form].pooled(rows.n_tested, plan.first_weight) for form in READ_FORMS}
        n, places = len(data.rows), category_places(data)
        encoder_department = {form: pooled[form][0][:n] for form in READ_FORMS}
        encoder_category = {"written": pooled["written"][1][places]}
    department = HeadAnswers(
        dict(zip(READ_FORMS, by_department, strict=True)),
        encoder_department,
        np.array([order.index(label) for label in data.messages.labels]),
        data.messages.groups,
        ~data.held_out,
    )
    category = HeadAnswers(
        {"written": by_category[0]},
        encoder_category,
        np.array([categories.index(label) for label in data.categories.labels]),
        data.categories.groups,
        ~data.closed,
    )
    return department, category


def _kept(
    folder: Path | None, name: str, make: Callable[[], list[NDArray[np.float64]]]
) -> list[NDArray[np.float64]]:
    """Arrays that are made once for a work folder, whose name tells of all that decides them."""
    path = folder / f"{name}.npz" if folder is not None else None
    if path is not None and path.is_file():
        with np.load(path) as stored:
            return [stored[key] for key in sorted(stored.files)]
    arrays = make()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial.npz")
        named: dict[str, Any] = {f"a{at:02d}": array for at, array in enumerate(arrays)}
        np.savez(partial, **named)
        os.replace(partial, path)
    return arrays
