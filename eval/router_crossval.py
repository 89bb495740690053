"""Cross-validation of the linear router on labelled rows, through the training code.

The fold's model learns what the shipped recipe learns: the rows, each retold as a call, and the
project's written examples (departments only). The encoder's folds take hours; the training run
stores their answers, which `--oof` reads.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..config.errors import DatasetError
from ..nlp.departments import load_departments
from ..nlp.features import FeatureText, Vocabulary
from ..nlp.prepare import prepare
from ..nlp.train.crossval import LabelledTexts, cross_calibrated, fit_on, fold_rows
from ..nlp.train.linear import feature_matrix
from ..nlp.train.recipe import CALL_SEED, CALL_WEIGHT, WEIGHT_OF_CONFIDENCE, TrainOptions
from ..nlp.train.rows import duplicate_groups, load_written, syllable_classes
from ..nlp.train.speech import as_call
from ..nlp.train.vocabulary import build_vocabulary, document_counts
from ..nlp.transcript import Transcript
from .router_rows import RouterField, RouterRow, labels_of
from .router_run import Progress, StoredAnswers

CATEGORY_COST_SHARE = 0.3
MIN_LABELS = 3


def cross_validate(
    rows: Sequence[RouterRow],
    calls: Sequence[Transcript],
    field: RouterField,
    *,
    homophones: Path,
    folds: int,
    seed: int,
    progress: Progress,
) -> StoredAnswers:
    """Calibrated answers to every row from a model that never saw its near duplicates.

    Args:
        rows: all rows, trained on in turn.
        calls: the same rows as they are tested (with noise, if wished); never trained on.
        homophones: the table behind the sound features.

    Raises:
        DatasetError: too few rows or labels for so many folds, or no table.
    """
    labels = labels_of(rows, field)
    groups = duplicate_groups([row.title + row.text for row in rows])
    _check_enough(labels, len(set(groups.tolist())), folds)
    options = TrainOptions(seed=seed, folds=folds)
    order = _order(labels, field)
    weights = np.array([WEIGHT_OF_CONFIDENCE.get(row.confidence, 1.0) for row in rows])
    plain = [Transcript(row.id, row.text, row.title) for row in rows]
    learnt = LabelledTexts(_features(plain), tuple(labels), weights, groups)
    tested = learnt if list(calls) == plain else replace(learnt, texts=_features(calls))
    told = _told(rows, learnt) if field == "department" else None
    written = _written(order) if field == "department" else None
    sounds = _sounds(homophones)

    def vocabulary(texts: Sequence[FeatureText]) -> Vocabulary:
        counts = document_counts(texts, sounds)
        return build_vocabulary(counts, sounds, max_features=options.max_features)

    cost = options.cost * (CATEGORY_COST_SHARE if field == "category" else 1.0)
    margins = np.zeros((len(rows), len(order)))
    for number, (train, test) in enumerate(fold_rows(learnt, folds=folds, seed=seed), start=1):
        parts = [learnt.take(train)]
        parts += [told.take(train)] if told is not None else []
        parts += [written] if written is not None else []
        head, words = fit_on(parts, vocabulary, order=order, cost=cost, seed=seed)
        margins[test] = head.margins(feature_matrix(tested.take(test).texts, words))
        progress(number, folds)
    numbers = np.array([order.index(label) for label in labels])
    probabilities = cross_calibrated(margins, numbers, groups)
    return StoredAnswers(probabilities, numbers, tuple(row.id for row in rows), order)


def _check_enough(labels: Sequence[str], groups: int, folds: int) -> None:
    common = max(map(labels.count, set(labels)))
    if len(set(labels)) < MIN_LABELS or groups < folds or common < folds:
        raise DatasetError(
            f"{len(labels)} rows, {groups} without near duplicates, {len(set(labels))} labels:"
            f" too few for {folds} folds",
            message_zh=f"数据太少，无法分 {folds} 折：{len(labels)} 行，{len(set(labels))} 类",
        )


def _order(labels: Sequence[str], field: RouterField) -> tuple[str, ...]:
    if field == "category":
        return tuple(sorted(set(labels)))
    return tuple(desk.code for desk in load_departments().departments)


def _features(calls: Sequence[Transcript]) -> tuple[FeatureText, ...]:
    return tuple(prepare(call).features for call in calls)


def _told(rows: Sequence[RouterRow], learnt: LabelledTexts) -> LabelledTexts:
    rng = random.Random(CALL_SEED)
    told = [Transcript(row.id, as_call(row.title, row.text, rng)) for row in rows]
    return replace(learnt, texts=_features(told), weights=CALL_WEIGHT * learnt.weights)


def _written(order: Sequence[str]) -> LabelledTexts:
    rows = [row for row in load_written() if row.department in order]
    texts = _features([Transcript(row.id, row.text, row.title) for row in rows])
    weights = np.array([WEIGHT_OF_CONFIDENCE[row.confidence] for row in rows])
    return LabelledTexts(
        texts, tuple(row.department for row in rows), weights, np.arange(len(rows))
    )


def _sounds(path: Path) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    if not path.is_file():
        raise DatasetError(
            f"{path}: missing; the sound features need a table, give it with --homophones",
            message_zh=f"缺少同音字表 {path}，请用 --homophones 指定",
        )
    return syllable_classes(path)
