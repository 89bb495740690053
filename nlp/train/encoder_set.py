"""The encoder's rows out of the training files: departments and categories side by side."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ...config.errors import DatasetError
from ..prepare import prepare
from ..transcript import Transcript
from .encoder_folds import EncoderSet
from .encoder_text import EncoderRow
from .rows import CategoryRow, MessageRow, duplicate_groups
from .speech import as_call

# A reader's toss-ups teach less than what the reader was sure of.
WEIGHT_OF_CONFIDENCE = {1: 0.4, 2: 0.8, 3: 1.0}
SECOND_SHARE = 0.15
"""Probability that the second department of a message gets in the target."""

CALL_SEED = 12345


def encoder_set(
    messages: Sequence[MessageRow],
    written: Sequence[MessageRow],
    categories: Sequence[CategoryRow],
    departments: Sequence[str],
    category_order: Sequence[str],
) -> EncoderSet:
    """All messages, the category rows that are no messages (by id), then the written examples.

    Raises:
        DatasetError: a category that is not in `category_order`.
    """
    known = {row.id for row in messages}
    plain = [row for row in categories if row.id not in known]
    of_id = {row.id: row.category for row in categories}
    rng = random.Random(CALL_SEED)
    place = {code: at for at, code in enumerate(departments)}
    category_place = {name: at for at, name in enumerate(category_order)}

    def message(row: MessageRow, told: str) -> EncoderRow:
        target = [0.0] * len(departments)
        second = row.second if row.second in place and row.second != row.department else ""
        target[place[row.department]] = 1.0 - (SECOND_SHARE if second else 0.0)
        if second:
            target[place[second]] = SECOND_SHARE
        return EncoderRow(
            text=text_of(row.id, row.title, row.text),
            told=told,
            department=tuple(target),
            category=category_place[of_id[row.id]] if row.id in of_id else -1,
            weight=WEIGHT_OF_CONFIDENCE[row.confidence],
        )

    for row in plain:
        if row.category not in category_place:
            raise DatasetError(f"row {row.id}: unknown category {row.category!r}")
    rows = [
        message(row, text_of(row.id, "", as_call(row.title, row.text, rng))) for row in messages
    ]
    rows += [
        EncoderRow(
            text_of(row.id, row.title, row.text), "", None, category_place[row.category], 0.0
        )
        for row in plain
    ]
    both = [*messages, *plain]
    return EncoderSet(
        rows=(*rows, *(message(row, "") for row in written)),
        labels=(*(row.department for row in messages), *(f"c:{row.category}" for row in plain)),
        groups=duplicate_groups([row.title + row.text for row in both]),
        n_departments=len(departments),
        n_categories=len(category_order),
    )


def text_of(row_id: str, title: str, text: str) -> str:
    """The text that the encoder reads, masked and normalised as in service."""
    return prepare(Transcript(row_id, text, title)).encoder_text
