"""Out-of-fold answers of the encoder: one network a fold, all durable, each resumable."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from .encoder_fit import EpochMaker, FitOptions, fit_encoder, pieces_of_forms
from .encoder_network import WEIGHTS_FILE, TextEncoder, start_from
from .encoder_states import FrozenStates, frozen_states
from .encoder_text import EncoderRow, Piece, cut_rows, open_tokenizer

log = logging.getLogger(__name__)

READ_FORMS = ("written", "told", "misheard")
"""Forms in which a fold's kept-out rows are read."""

READ_BATCH = 32


@dataclass(frozen=True, slots=True)
class EncoderSet:
    """All rows of the encoder: those that are tested, then the `n_written` that never are.

    `labels` stratify the folds; rows of one of `groups` never stand on both sides. Both are of the
    tested rows.
    """

    rows: tuple[EncoderRow, ...]
    labels: tuple[str, ...]
    groups: NDArray[np.int64]
    n_departments: int
    n_categories: int

    @property
    def n_tested(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class WindowLogits:
    """What the encoder said of every window of some rows.

    `row` (W,) the row's number in the set, `tokens` (W,) with marks, `department` (W, K),
    `category` (W, C).
    """

    row: NDArray[np.int64]
    tokens: NDArray[np.int64]
    department: NDArray[np.float32]
    category: NDArray[np.float32]

    def pooled(
        self, n: int, first_weight: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Logits of all rows (n, K) and (n, C); not a number where a row was not read.

        Windows count by their tokens, the first one `first_weight` times as much.
        """
        first = np.r_[True, self.row[1:] != self.row[:-1]]
        weight = self.tokens * np.where(first, first_weight, 1.0)
        total = np.bincount(self.row, weights=weight, minlength=n)[:, None]
        found = []
        for values in (self.department, self.category):
            summed = np.zeros((n, values.shape[1]))
            np.add.at(summed, self.row, values * weight[:, None])
            with np.errstate(invalid="ignore"):
                found.append(summed / total)
        return found[0], found[1]


class Workbench:
    """The rows' windows and what the frozen layers say of them; everything a fold needs."""

    def __init__(
        self,
        data: EncoderSet,
        base: Path,
        work: Path,
        homophones: Mapping[str, str],
        options: FitOptions,
        progress: Callable[[str, int, int], None],
    ) -> None:
        self.data, self.base, self.options = data, base, options
        self._progress = progress
        self.pieces: list[Piece] = cut_rows(
            data.rows, open_tokenizer(base), homophones, options.text
        )
        self.forms = pieces_of_forms(self.pieces)
        # Finished parts are reused: never those of other texts, options or weights.
        reading = _digest(self._texts_and_base())
        self.work = work / f"run-{_digest([reading, repr(options), repr(data.rows)])}"
        self.states: FrozenStates = frozen_states(
            self.fresh_network(),
            self.pieces,
            options.frozen,
            work / f"states-{reading}",
            lambda done, total: progress("编码器：底层", done, total),
        )

    def _texts_and_base(self) -> Iterator[str]:
        weights = (self.base / WEIGHTS_FILE).read_bytes()
        yield hashlib.sha256(weights).hexdigest()
        yield repr(self.options.frozen)
        for piece in self.pieces:
            yield repr(piece.ids)

    def fresh_network(self) -> TextEncoder:
        """The base with new heads."""
        torch.manual_seed(self.options.seed)
        data = self.data
        return start_from(self.base, self.options.layers, data.n_departments, data.n_categories)

    def fit(self, rows: NDArray[np.int64], name: str) -> TextEncoder:
        """The network trained on these tested rows and all written ones; `name` its checkpoint."""
        data = self.data
        chosen = [*rows.tolist(), *range(data.n_tested, len(data.rows))]
        return fit_encoder(
            self.fresh_network(),
            EpochMaker(data.rows, chosen, self.forms, self.states, self.options),
            data.rows,
            self.pieces,
            self.states,
            self.options,
            self.work / f"{name}.pt",
            lambda done, total: self._progress(f"编码器：{name}", done, total),
        )

    def read(self, network: TextEncoder, rows: NDArray[np.int64], form: str) -> WindowLogits:
        """What `network` says of rows in one form; rows without that form are left out."""
        chosen = [piece for row in rows.tolist() for piece in self.forms.get((row, form), ())]
        k, c = self.data.n_departments, self.data.n_categories
        department = np.zeros((len(chosen), k), np.float32)
        category = np.zeros((len(chosen), c), np.float32)
        order = sorted(range(len(chosen)), key=lambda at: self.states.length(chosen[at]))
        network.eval()
        with torch.inference_mode():
            for start in range(0, len(order), READ_BATCH):
                part = order[start : start + READ_BATCH]
                states, present = self.states.batch([chosen[at] for at in part])
                with torch.autocast("cpu", torch.bfloat16):
                    mean = network.upper(states, present, self.options.frozen)
                found = network.heads(mean)
                department[part], category[part] = found[0].numpy(), found[1].numpy()
        return WindowLogits(
            np.array([self.pieces[piece].row for piece in chosen], np.int64),
            np.array([self.states.length(piece) for piece in chosen], np.int64),
            department,
            category,
        )


def union_folds(data: EncoderSet, folds: int, seed: int) -> NDArray[np.int64]:
    """Fold of each tested row; near duplicates share one."""
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    fold = np.zeros(data.n_tested, np.int64)
    parts = splitter.split(np.zeros(data.n_tested), np.array(data.labels), data.groups)
    for number, (_, test) in enumerate(parts):
        fold[test] = number
    return fold


def out_of_fold(
    bench: Workbench, fold: NDArray[np.int64], chosen: Sequence[int]
) -> dict[str, WindowLogits]:
    """Answers in each of `READ_FORMS` from networks that never saw the row's group.

    Only the folds of `chosen` are trained. A fold that is finished in `bench.work` is read back.
    """
    parts: dict[str, list[WindowLogits]] = {form: [] for form in READ_FORMS}
    for number in chosen:
        path = bench.work / f"fold-{number}.npz"
        if not path.is_file():
            _run_fold(bench, fold, number, path)
        with np.load(path) as stored:
            for form in READ_FORMS:
                arrays = (stored[f"{form}_{name}"] for name in WindowLogits.__slots__)
                parts[form].append(WindowLogits(*arrays))
    return {
        form: WindowLogits(
            *(
                np.concatenate([getattr(part, name) for part in parts[form]])
                for name in WindowLogits.__slots__
            )
        )
        for form in READ_FORMS
    }


def _run_fold(bench: Workbench, fold: NDArray[np.int64], number: int, path: Path) -> None:
    name = f"fold-{number}"
    network = bench.fit(np.flatnonzero(fold != number), name)
    arrays: dict[str, Any] = {}
    for form in READ_FORMS:
        logits = bench.read(network, np.flatnonzero(fold == number), form)
        for part in WindowLogits.__slots__:
            arrays[f"{form}_{part}"] = getattr(logits, part)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, **arrays)
    os.replace(partial, path)
    # The optimiser's state is large and of no more use.
    (bench.work / f"{name}.pt").unlink()
    log.info("fold %d: %d windows read", number, len(arrays["written_row"]))


def _digest(parts: Iterable[str]) -> str:
    """Names what is made of these parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode())
    return digest.hexdigest()[:12]
