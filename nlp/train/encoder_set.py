"""The encoder's rows out of the training data: departments and categories side by side."""

from __future__ import annotations

from collections.abc import Sequence

from ..prepare import PreparedText, prepare
from ..transcript import Transcript
from .encoder_folds import EncoderSet
from .encoder_text import EncoderRow
from .rows import CategoryRow, MessageRow, duplicate_groups
from .training_set import WEIGHT_OF_CONFIDENCE, TrainingSet

SECOND_SHARE = 0.15
"""Probability that the second department of a message gets in the target."""


def encoder_set(
    data: TrainingSet, departments: Sequence[str], category_order: Sequence[str]
) -> EncoderSet:
    """All messages, the category rows that are no messages (by id), then the written examples."""
    known = {row.id for row in data.rows}
    plain = [row for row in data.category_rows if row.id not in known]
    of_id = {row.id: row.category for row in data.category_rows}
    place = {code: at for at, code in enumerate(departments)}
    category_place = {name: at for at, name in enumerate(category_order)}

    def message(row: MessageRow, told: str) -> EncoderRow:
        target = [0.0] * len(departments)
        second = row.second if row.second in place and row.second != row.department else ""
        target[place[row.department]] = 1.0 - (SECOND_SHARE if second else 0.0)
        if second:
            target[place[second]] = SECOND_SHARE
        read = _prepared(row)
        return EncoderRow(
            text=read.encoder_text,
            lead=read.encoder_lead,
            told=told,
            department=tuple(target),
            category=category_place[of_id[row.id]] if row.id in of_id else -1,
            weight=WEIGHT_OF_CONFIDENCE[row.confidence],
        )

    both: list[MessageRow | CategoryRow] = [*data.rows, *plain]
    return EncoderSet(
        rows=(
            *(
                message(row, _prepared(told).encoder_text)
                for row, told in zip(data.rows, data.told_rows, strict=True)
            ),
            *(_plain(row, category_place[row.category]) for row in plain),
            *(message(row, "") for row in data.written_rows),
        ),
        labels=(*(row.department for row in data.rows), *(f"c:{row.category}" for row in plain)),
        groups=duplicate_groups([row.title + row.text for row in both]),
        n_departments=len(departments),
        n_categories=len(category_order),
    )


def category_places(data: TrainingSet) -> list[int]:
    """Which row of the encoder's set each category row is."""
    place = {row.id: at for at, row in enumerate(data.rows)}
    for row in data.category_rows:
        place.setdefault(row.id, len(place))
    return [place[row.id] for row in data.category_rows]


def _plain(row: CategoryRow, category: int) -> EncoderRow:
    read = _prepared(row)
    return EncoderRow(read.encoder_text, read.encoder_lead, "", None, category, 0.0)


def _prepared(row: MessageRow | CategoryRow) -> PreparedText:
    """Masked and normalised as in service."""
    return prepare(Transcript(row.id, row.text, row.title))
