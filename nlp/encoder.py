"""The text encoder at serving time: texts in, logits, embeddings and token shares out.

Long texts are read in windows that follow one another; a text's logits and embedding are the means
of its windows', weighted by their tokens with marks, the first `first_weight` times as much. The
heads are linear on the mean of the token states, so each token has its exact share of the logits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ..config.errors import ModelError
from ..models.registry import Artifact
from ..models.runtimes import Backend, open_session

ENCODER_FILE = "encoder.onnx"
TOKENIZER_FILE = "tokenizer.json"
BEGIN_ID, PAD_ID, END_ID = 0, 1, 2
MARKS = 2
# Cells of one padded batch: bounds memory (attention takes 12·L numbers a cell) at any load.
MAX_CELLS = 6144
# Lengths are padded to multiples of this, so that a runtime meets few shapes.
LENGTH_STEP = 16

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WindowRules:
    """How texts become windows (the manifest's `encoder`).

    Args:
        max_tokens: of a window, both marks included.
        max_windows: of a text; what lies behind them is not read.
        stride: tokens from the start of one window to the next; `max_tokens - 2`: no overlap.
        first_weight: how much more a token of the first window counts.
    """

    max_tokens: int
    max_windows: int
    stride: int
    first_weight: float = 1.0

    def __post_init__(self) -> None:
        room = self.max_tokens - MARKS
        if not (0 < self.stride <= room and self.max_windows > 0 and self.first_weight > 0):
            raise ModelError(f"manifest: encoder: {self} makes no windows")

    @staticmethod
    def of_manifest(extra: Mapping[str, Any]) -> WindowRules:
        """Read `extra["encoder"]`.

        Raises:
            ModelError: missing or out of range.
        """
        try:
            found = extra["encoder"]
            room = int(found["max_tokens"]) - MARKS
            return WindowRules(
                int(found["max_tokens"]),
                int(found["max_windows"]),
                int(found.get("stride", room)),
                float(found.get("first_weight", 1.0)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"manifest: no rules of the encoder ({error})") from None

    def ranges(self, n_tokens: int) -> list[tuple[int, int]]:
        """Token ranges of a text's windows; an empty text has one empty window."""
        room = self.max_tokens - MARKS
        overlap = room - self.stride
        starts = range(0, max(n_tokens - overlap, 1), self.stride)[: self.max_windows]
        return [(start, min(start + room, n_tokens)) for start in starts]


@dataclass(frozen=True, slots=True)
class Encoded:
    """Results of N texts, in order.

    `department` (N, K) and `category` (N, C) logits; `embedding` (N, D) of unit length; `tokens`
    (N,) of each whole text; `chars_read` (N,), where reading stopped in the text.
    """

    department: Floats
    category: Floats
    embedding: NDArray[np.float32]
    tokens: NDArray[np.int64]
    chars_read: NDArray[np.int64]
    _pieces: tuple[tuple[_Piece, ...], ...]
    _lengths: tuple[int, ...]

    def support(self, contrasts: Floats) -> list[Floats]:
        """What each character adds to a weighted sum of the department logits, (T,) a text.

        Args:
            contrasts: weights of the departments for each text (N, K).

        A token's share is spread evenly over its characters; with the shares of the two marks
        they add up to the weighted logits less the bias.
        """
        return [
            _by_character(length, pieces, contrast)
            for length, pieces, contrast in zip(self._lengths, self._pieces, contrasts, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class _Piece:
    """One window's tokens: character ranges (T,) and weighted shares (T, K)."""

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    shares: NDArray[np.float32]


def _by_character(length: int, pieces: Sequence[_Piece], contrast: Floats) -> Floats:
    change = np.zeros(length + 1)
    for piece in pieces:
        size = piece.ends - piece.starts
        each = (piece.shares @ contrast) / np.maximum(size, 1) * (size > 0)
        np.add.at(change, piece.starts, each)
        np.add.at(change, piece.ends, -each)
    return np.cumsum(change)[:length]


@dataclass(frozen=True, slots=True)
class _Window:
    text: int
    ids: list[int]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    weight: float


class TextReader:
    """Tokenizer and encoder of one artefact. Safe to use from several threads."""

    def __init__(self, artifact: Artifact, *, backend: Backend = "auto", threads: int = 1) -> None:
        self.rules = WindowRules.of_manifest(artifact.manifest.extra)
        path = artifact.file(TOKENIZER_FILE)
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises bare `Exception`
            raise ModelError(f"{path}: not a tokenizer: {error}") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._session = open_session(artifact.file(ENCODER_FILE), backend=backend, threads=threads)

    def read(self, texts: Sequence[str]) -> Encoded:
        """Read one or more texts; windows are batched by length."""
        found = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        offsets = [np.array(e.offsets, np.int64).reshape(-1, 2) for e in found]
        windows = [
            window
            for at, encoding in enumerate(found)
            for window in self._windows(at, encoding.ids, offsets[at])
        ]
        results: list[dict[str, NDArray[np.float32]]] = [{} for _ in windows]
        for rows in batches_by_length([len(window.ids) for window in windows]):
            out = self._session.run({"ids": _padded([windows[at].ids for at in rows])})
            for place, at in enumerate(rows):
                results[at] = {name: values[place] for name, values in out.items()}
        return _pooled([len(text) for text in texts], offsets, windows, results)

    def _windows(
        self, text: int, ids: Sequence[int], offsets: NDArray[np.int64]
    ) -> Iterator[_Window]:
        for number, (start, end) in enumerate(self.rules.ranges(len(ids))):
            weight = (end - start + MARKS) * (self.rules.first_weight if number == 0 else 1.0)
            yield _Window(
                text,
                [BEGIN_ID, *ids[start:end], END_ID],
                offsets[start:end, 0],
                offsets[start:end, 1],
                weight,
            )


def batches_by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Positions grouped by similar length, each group within `MAX_CELLS` (or a single window)."""
    batch: list[int] = []
    for at in sorted(range(len(lengths)), key=lambda position: lengths[position]):
        if batch and (len(batch) + 1) * _rounded(lengths[at]) > MAX_CELLS:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch


def _rounded(length: int) -> int:
    return -(-length // LENGTH_STEP) * LENGTH_STEP


def _padded(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    ids = np.full((len(rows), _rounded(max(len(row) for row in rows))), PAD_ID, np.int64)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = row
    return ids


def _pooled(
    lengths: Sequence[int],
    offsets: Sequence[NDArray[np.int64]],
    windows: Sequence[_Window],
    results: Sequence[Mapping[str, NDArray[np.float32]]],
) -> Encoded:
    n = len(lengths)
    total = np.zeros(n)
    for window in windows:
        total[window.text] += window.weight
    sums = {
        name: np.zeros((n, len(results[0][name]))) if n else np.zeros((0, 1))
        for name in ("department", "category", "embedding")
    }
    pieces: list[list[_Piece]] = [[] for _ in range(n)]
    chars_read = np.zeros(n, np.int64)
    for window, result in zip(windows, results, strict=True):
        share = window.weight / total[window.text]
        for name, summed in sums.items():
            summed[window.text] += share * result[name]
        inside = result["contributions"][1 : len(window.ids) - 1]
        pieces[window.text].append(
            _Piece(window.starts, window.ends, (share * inside).astype(np.float32))
        )
        chars_read[window.text] = max(chars_read[window.text], window.ends.max(initial=0))
    tokens = np.array([len(found) for found in offsets], np.int64)
    for at, found in enumerate(offsets):
        if not len(found) or chars_read[at] >= found[-1, 1]:
            chars_read[at] = lengths[at]
    size = np.linalg.norm(sums["embedding"], axis=1, keepdims=True)
    return Encoded(
        department=sums["department"],
        category=sums["category"],
        embedding=(sums["embedding"] / np.maximum(size, 1e-12)).astype(np.float32),
        tokens=tokens,
        chars_read=chars_read,
        _pieces=tuple(tuple(found) for found in pieces),
        _lengths=tuple(lengths),
    )
