"""Where a router's answers come from: the router itself, or stored out-of-fold answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ..config.errors import DatasetError
from ..nlp.departments import Departments
from ..nlp.mask import mask_personal_data
from ..nlp.router import Router
from ..nlp.suggestion import Suggestion
from ..nlp.transcript import Transcript
from .router import Answers, label_numbers
from .router_rows import RouterField, RouterRow, check_no_id_twice, labels_of

BATCH = 128

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Run:
    """Answers and the masked texts they are about, row for row; `source` says whose they are.

    `without_answer` counts rows of the data that stored answers do not cover.
    """

    answers: Answers
    texts: tuple[str, ...]
    source: str
    without_answer: int = 0


def department_of(departments: Departments) -> dict[str, str]:
    """City department of every code and model label."""
    found = {label: d.code for d in departments.departments for label in d.model_labels}
    return {**found, **{d.code: d.code for d in departments.departments}}


def ask_router(
    router: Router,
    rows: Sequence[RouterRow],
    calls: Sequence[Transcript],
    field: RouterField,
    progress: Progress,
) -> Run:
    """Route all calls through the public door and keep what it says.

    Args:
        rows: with labels that the router knows.
        calls: the same rows as the router shall read them.
    """
    found: list[Suggestion] = []
    for start in range(0, len(calls), BATCH):
        found += router.route(calls[start : start + BATCH])
        progress(len(found), len(calls))
    texts = tuple(f"{s.masked_title}　{s.masked_text}".strip("　") for s in found)
    if field == "category":
        order = tuple(sorted(c.name for c in found[0].categories))
        ranked = [{c.name: c.probability for c in s.categories} for s in found]
        names = {name: name for name in order}
        to_label = {name: name for name in order}
    else:
        desks = router.departments.departments
        order = tuple(desk.code for desk in desks)
        ranked = [{d.code: d.probability for d in s.departments} for s in found]
        names = {desk.code: desk.name for desk in desks}
        to_label = department_of(router.departments)
    probabilities = np.array([[row[name] for name in order] for row in ranked])
    decisions = tuple(s.decision for s in found) if field == "department" else None
    truths = [to_label[label] for label in labels_of(rows, field)]
    seconds = [to_label.get(row.second, "") for row in rows]
    answers = Answers(
        ids=tuple(row.id for row in rows),
        order=order,
        names=names,
        probabilities=probabilities,
        labels=label_numbers(truths, order),
        seconds=label_numbers(seconds, order),
        reader=np.array([row.confidence for row in rows], np.int64),
        decisions=decisions,
    )
    return Run(answers, texts, router.ref)


@dataclass(frozen=True, slots=True)
class StoredAnswers:
    """Out-of-fold answers: `probabilities` (N, K), `labels` (N,), `ids` (N,), `order` (K,)."""

    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    ids: tuple[str, ...]
    order: tuple[str, ...]


def load_stored(path: Path) -> StoredAnswers:
    """Read an `.npz` with the four arrays of `StoredAnswers`; nothing is unpickled.

    Raises:
        DatasetError: unreadable, an array missing, shapes that do not fit, or rows that are no
            distributions.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            stored = StoredAnswers(
                probabilities=arrays["probabilities"].astype(np.float64),
                labels=arrays["labels"].astype(np.int64),
                ids=tuple(map(str, arrays["ids"].tolist())),
                order=tuple(map(str, arrays["order"].tolist())),
            )
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise DatasetError(
            f"{path}: not out-of-fold answers: {error}", message_zh=f"{path}：不是折外预测文件"
        ) from None
    n, k = len(stored.ids), len(stored.order)
    problem = ""
    if stored.probabilities.shape != (n, k) or stored.labels.shape != (n,):
        problem = "probabilities must be (ids, order) and labels (ids,)"
    elif not n or len(set(stored.ids)) != n:
        problem = "no ids, or an id twice"
    elif stored.labels.min() < 0 or stored.labels.max() >= k:
        problem = "a label is no index into order"
    elif not np.allclose(stored.probabilities.sum(axis=1), 1, atol=1e-2):
        problem = "a row of probabilities does not sum to 1"
    if problem:
        raise DatasetError(f"{path}: {problem}", message_zh=f"{path}：数组不符（{problem}）")
    return stored


def run_of_stored(
    stored: StoredAnswers,
    rows: Sequence[RouterRow],
    field: RouterField,
    names: dict[str, str],
    *,
    path: Path,
    source: str,
) -> Run:
    """Join stored answers to rows by id; rows without an answer are counted.

    Raises:
        DatasetError: no common id, an id twice, or a row whose label is another than stored.
    """
    check_no_id_twice(rows, path)
    place = {row_id: at for at, row_id in enumerate(stored.ids)}
    kept = [row for row in rows if row.id in place]
    if not kept:
        raise DatasetError(
            f"{path}: none of its ids is among the stored answers",
            message_zh=f"{path}：没有一个 id 出现在折外预测中",
        )
    at = np.array([place[row.id] for row in kept])
    labels = label_numbers(labels_of(kept, field), stored.order)
    for row, here, there in zip(kept, labels.tolist(), stored.labels[at].tolist(), strict=True):
        if here != there:
            said = stored.order[there]
            raise DatasetError(
                f"{path}: {row.id}: {field}: the stored answers were made for {said!r}",
                message_zh=f"{path}：{row.id} 的 {field} 与折外预测所用的 {said} 不一致",
            )
    answers = Answers(
        ids=tuple(row.id for row in kept),
        order=stored.order,
        names=names,
        probabilities=stored.probabilities[at],
        labels=labels,
        seconds=label_numbers([row.second for row in kept], stored.order),
        reader=np.array([row.confidence for row in kept], np.int64),
    )
    return Run(answers, masked_texts(kept), source, len(rows) - len(kept))


def masked_texts(rows: Sequence[RouterRow]) -> tuple[str, ...]:
    """Title and text without personal data."""
    return tuple(mask_personal_data(f"{row.title}　{row.text}".strip("　")).text for row in rows)
