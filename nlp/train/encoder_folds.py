"""Out-of-fold answers of the encoder: one network a fold, all durable, each resumable."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from tokenizers import Tokenizer

from .encoder_fit import FitOptions, fit_encoder, read_windows
from .encoder_network import TextEncoder, start_from
from .encoder_text import EncoderRow, EpochMaker, misheard, open_tokenizer, text_windows, token_ids

log = logging.getLogger(__name__)

FORMS = ("written", "told", "misheard")
"""Forms in which a fold's kept-out rows are read."""

MISHEARD_SHARE = 0.3
MISHEARD_SEED = 30


@dataclass(frozen=True, slots=True)
class EncoderSet:
    """All rows of the encoder. `labels` stratify the folds; `groups` never stand on both sides.

    `written` rows (our own examples) are trained on in every fold and never tested.
    """

    rows: tuple[EncoderRow, ...]
    labels: tuple[str, ...]
    groups: NDArray[np.int64]
    written: tuple[EncoderRow, ...]
    n_departments: int
    n_categories: int


@dataclass(frozen=True, slots=True)
class WindowLogits:
    """What the encoder said of every window of some rows.

    `row` (W,) the row's number in the set, `tokens` (W,) without marks, `department` (W, K),
    `category` (W, C).
    """

    row: NDArray[np.int64]
    tokens: NDArray[np.int64]
    department: NDArray[np.float32]
    category: NDArray[np.float32]

    def pooled(self, n: int, head_weight: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Logits of all rows (n, K) and (n, C); not a number where a row was not read.

        Windows count by their tokens, the first one `head_weight` times as much.
        """
        first = np.r_[True, self.row[1:] != self.row[:-1]]
        weight = np.maximum(self.tokens, 1) * np.where(first, head_weight, 1.0)
        total = np.bincount(self.row, weights=weight, minlength=n)[:, None]
        found = []
        for values in (self.department, self.category):
            summed = np.zeros((n, values.shape[1]))
            np.add.at(summed, self.row, values * weight[:, None])
            with np.errstate(invalid="ignore"):
                found.append(summed / total)
        return found[0], found[1]


@dataclass(frozen=True, slots=True)
class Workbench:
    """What a run needs beside its rows."""

    base: Path
    work: Path
    options: FitOptions
    homophones: Mapping[str, str]
    max_windows: int
    progress: Callable[[str, int, int], None]


def union_folds(data: EncoderSet, folds: int, seed: int) -> NDArray[np.int64]:
    """Fold of each row (N,); near duplicates share one."""
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    fold = np.zeros(len(data.rows), np.int64)
    parts = splitter.split(np.zeros(len(data.rows)), np.array(data.labels), data.groups)
    for number, (_, test) in enumerate(parts):
        fold[test] = number
    return fold


def out_of_fold(
    data: EncoderSet, bench: Workbench, fold: NDArray[np.int64], chosen: Sequence[int]
) -> dict[str, WindowLogits]:
    """Answers in each of `FORMS` from networks that never saw the row's group.

    Only the folds of `chosen` are trained. A fold that is finished in `bench.work` is read back.
    """
    found: dict[str, list[WindowLogits]] = {form: [] for form in FORMS}
    for number in chosen:
        path = bench.work / f"fold-{number}.npz"
        if not path.is_file():
            _run_fold(data, bench, fold, number, path)
        with np.load(path) as stored:
            for form in FORMS:
                parts = (stored[f"{form}_{name}"] for name in WindowLogits.__slots__)
                found[form].append(WindowLogits(*parts))
    return {form: _joined(parts) for form, parts in found.items()}


def fit_on_rows(
    data: EncoderSet, rows: NDArray[np.int64], bench: Workbench, name: str
) -> TextEncoder:
    """The network trained on these rows and the written examples; `name` of its checkpoint."""
    options = bench.options
    network = start_from(bench.base, options.layers, data.n_departments, data.n_categories)
    maker = EpochMaker(
        [*(data.rows[at] for at in rows), *data.written],
        open_tokenizer(bench.base),
        bench.homophones,
        options.text,
        options.seed,
    )

    def progress(done: int, total: int) -> None:
        bench.progress(f"编码器：{name}", done, total)

    return fit_encoder(network, maker, options, bench.work / f"{name}.pt", progress)


def _run_fold(
    data: EncoderSet, bench: Workbench, fold: NDArray[np.int64], number: int, path: Path
) -> None:
    name = f"fold-{number}"
    network = fit_on_rows(data, np.flatnonzero(fold != number), bench, name)
    tokenizer = open_tokenizer(bench.base)
    arrays: dict[str, NDArray[np.generic]] = {}
    for form in FORMS:
        logits = read_form(data, np.flatnonzero(fold == number), form, network, tokenizer, bench)
        for part in WindowLogits.__slots__:
            arrays[f"{form}_{part}"] = getattr(logits, part)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **arrays)  # type: ignore[arg-type]
    os.replace(partial, path)
    # The optimiser's state is large and of no more use.
    (bench.work / f"{name}.pt").unlink()
    log.info("fold %d: %d windows read", number, len(arrays["written_row"]))


def read_form(
    data: EncoderSet,
    rows: NDArray[np.int64],
    form: str,
    network: TextEncoder,
    tokenizer: Tokenizer,
    bench: Workbench,
) -> WindowLogits:
    """What `network` says of rows in one form; rows without a told form are read as written."""
    rng = random.Random(MISHEARD_SEED)
    texts = []
    for at in rows:
        row = data.rows[at]
        text = (row.told or row.text) if form == "told" else row.text
        if form == "misheard":
            text = misheard(text, MISHEARD_SHARE, bench.homophones, rng)
        texts.append(text)
    numbers: list[int] = []
    windows: list[list[int]] = []
    for at, ids in zip(rows.tolist(), token_ids(tokenizer, texts), strict=True):
        cut = text_windows(ids, bench.options.text.max_tokens, bench.max_windows)
        numbers += [at] * len(cut)
        windows += cut
    logits = read_windows(network, windows, bench.options.device)
    return WindowLogits(
        np.array(numbers, np.int64),
        np.array([len(window) - 2 for window in windows], np.int64),
        logits.department.astype(np.float32),
        logits.category.astype(np.float32),
    )


def _joined(parts: Sequence[WindowLogits]) -> WindowLogits:
    return WindowLogits(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in WindowLogits.__slots__
        )
    )
