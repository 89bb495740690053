"""The router's training data, read, prepared and grouped once for both of its models."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...config.errors import DatasetError
from ..features import FeatureText
from ..prepare import prepare
from ..transcript import Transcript
from .crossval import LabelledTexts
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

# A reader's toss-ups teach less than what the reader was sure of.
WEIGHT_OF_CONFIDENCE = {1: 0.4, 2: 0.8, 3: 1.0}
CALL_SEED = 12345

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Prepared data.

    Attributes:
        rows, written_rows, category_rows: as read.
        messages: all messages with their departments; `held_out` marks those that the shipped
            model never sees, `sure` those the reader was sure of.
        calls: each message retold as a call, also prepared; `told_rows` its text.
        written: our own examples.
        categories: all messages with a first-level category; `closed` marks those that the
            shipped model never sees, because they are held out or resemble one that is.
        sounds: class of homophones of each BMP code point.
        homophones: path of the table behind them.
        hash: SHA-256 over the files.
    """

    rows: tuple[MessageRow, ...]
    told_rows: tuple[MessageRow, ...]
    written_rows: tuple[MessageRow, ...]
    category_rows: tuple[CategoryRow, ...]
    messages: LabelledTexts
    held_out: NDArray[np.bool_]
    sure: NDArray[np.bool_]
    calls: tuple[FeatureText, ...]
    written: LabelledTexts
    categories: LabelledTexts
    closed: NDArray[np.bool_]
    sounds: NDArray[np.uint16]
    homophones: Path
    hash: str


def load_training_set(data: Path, order: Sequence[str], progress: Progress) -> TrainingSet:
    """Read, prepare and group all data of a folder.

    Raises:
        DatasetError: missing or broken files, a department that is not in `order`.
    """
    messages, written, categories = load_messages(data), load_written(), load_categories(data)
    _check_labels(data / DEPARTMENTS_FILE, messages, order)
    _check_labels(WRITTEN_FILE, written, order)
    rows: list[MessageRow | CategoryRow] = [*messages, *categories]
    groups = duplicate_groups([row.title + row.text for row in rows])
    held_out = held_out_mask([row.id for row in messages], groups[: len(messages)])
    rng = random.Random(CALL_SEED)
    told = [
        row.model_copy(update={"title": "", "text": as_call(row.title, row.text, rng)})
        for row in messages
    ]
    texts = _prepared([*messages, *told, *written, *categories], progress)
    n, w = len(messages), len(written)
    homophones = _existing(data / HOMOPHONES_FILE)
    files = [data / DEPARTMENTS_FILE, data / CATEGORIES_FILE, homophones, WRITTEN_FILE]
    return TrainingSet(
        rows=tuple(messages),
        told_rows=tuple(told),
        written_rows=tuple(written),
        category_rows=tuple(categories),
        messages=_labelled(texts[:n], messages, groups[:n]),
        held_out=held_out,
        sure=np.array([row.confidence == 3 for row in messages]),
        calls=tuple(texts[n : 2 * n]),
        written=_labelled(texts[2 * n : 2 * n + w], written, np.arange(w)),
        categories=LabelledTexts(
            tuple(texts[2 * n + w :]),
            tuple(row.category for row in categories),
            np.ones(len(categories)),
            groups[n:],
        ),
        closed=np.isin(groups[n:], groups[:n][held_out]),
        sounds=syllable_classes(homophones),
        homophones=homophones,
        hash=data_hash(files),
    )


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
