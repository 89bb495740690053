"""The linear model's two heads: out-of-fold margins, and the heads that are shipped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..features import FeatureText, Vocabulary
from .crossval import LabelledTexts, fit_on, out_of_fold_margins
from .linear import LinearHead
from .training_set import Progress, TrainingSet
from .vocabulary import build_vocabulary, document_counts

# A message and its retelling as a call are not two readings.
CALL_WEIGHT = 0.5
CATEGORY_COST = 0.3
"""Cost of the category head as a share of the department head's."""


@dataclass(frozen=True, slots=True)
class LinearOptions:
    """How the linear heads are fitted."""

    folds: int
    seed: int
    cost: float
    max_features: int


@dataclass(frozen=True, slots=True)
class LinearHeads:
    """Both heads over one vocabulary."""

    vocabulary: Vocabulary
    department: LinearHead
    category: LinearHead


VocabularyMaker = Callable[[Sequence[FeatureText]], Vocabulary]


def department_margins(
    data: TrainingSet,
    misheard: Sequence[FeatureText],
    order: Sequence[str],
    options: LinearOptions,
    progress: Progress,
) -> list[NDArray[np.float64]]:
    """Out-of-fold department margins (N, K) of all messages: written, told and misheard."""
    return out_of_fold_margins(
        data.messages,
        _calls(data),
        data.written,
        _maker(data, options),
        order=order,
        cost=options.cost,
        folds=options.folds,
        seed=options.seed,
        on_fold=lambda done: progress("部门：交叉验证", done + 1, options.folds),
        tested=(data.calls, misheard),
    )


def category_margins(
    data: TrainingSet, order: Sequence[str], options: LinearOptions, progress: Progress
) -> NDArray[np.float64]:
    """Out-of-fold category margins (N, C) of all messages with a category."""
    return out_of_fold_margins(
        data.categories,
        None,
        None,
        _maker(data, options),
        order=order,
        cost=CATEGORY_COST * options.cost,
        folds=options.folds,
        seed=options.seed,
        on_fold=lambda done: progress("类别：交叉验证", done + 1, options.folds),
    )[0]


def fit_heads(
    data: TrainingSet,
    department_order: Sequence[str],
    category_order: Sequence[str],
    options: LinearOptions,
) -> LinearHeads:
    """The heads that are shipped: of all rows but those held out."""
    open_rows = np.flatnonzero(~data.held_out)
    open_categories = data.categories.take(np.flatnonzero(~data.closed))
    department, vocabulary = fit_on(
        [data.messages.take(open_rows), _calls(data).take(open_rows), data.written],
        _maker(data, options, without_held_out=True),
        order=department_order,
        cost=options.cost,
        seed=options.seed,
    )
    category, _ = fit_on(
        [open_categories],
        lambda _: vocabulary,
        order=category_order,
        cost=CATEGORY_COST * options.cost,
        seed=options.seed,
    )
    return LinearHeads(vocabulary, department, category)


def _calls(data: TrainingSet) -> LabelledTexts:
    return replace(data.messages, texts=data.calls, weights=CALL_WEIGHT * data.messages.weights)


def _maker(
    data: TrainingSet, options: LinearOptions, *, without_held_out: bool = False
) -> VocabularyMaker:
    """Vocabularies of the texts given; document frequencies need no labels, so the category
    messages make them steadier."""
    rows = data.categories
    if without_held_out:
        rows = rows.take(np.flatnonzero(~data.closed))
    background = document_counts(rows.texts, data.sounds)

    def vocabulary(texts: Sequence[FeatureText]) -> Vocabulary:
        counts = background.merged(document_counts(texts, data.sounds))
        return build_vocabulary(counts, data.sounds, max_features=options.max_features)

    return vocabulary
