"""States of the frozen lower layers, computed once and shared by all folds.

The lower layers are never trained, so what they say of a text is the same in every fold and epoch.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from .encoder_network import PAD_ID, WIDTH, TextEncoder
from .encoder_text import Piece

log = logging.getLogger(__name__)

READ_BATCH = 32
PARTS = 40
"""A killed run loses at most one part of so many."""


@dataclass(frozen=True, slots=True)
class FrozenStates:
    """`values` (T, 384) bfloat16, the states of all pieces' tokens; piece p has the rows
    `starts[p]` to `starts[p + 1]`."""

    values: Tensor
    starts: tuple[int, ...]

    def length(self, piece: int) -> int:
        return self.starts[piece + 1] - self.starts[piece]

    def batch(self, pieces: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Padded states (N, L, 384) and which of them are tokens (N, L, 1), float32."""
        longest = max(self.length(piece) for piece in pieces)
        length = -(-longest // 8) * 8
        states = torch.zeros(len(pieces), length, WIDTH)
        present = torch.zeros(len(pieces), length, 1)
        for at, piece in enumerate(pieces):
            size = self.length(piece)
            states[at, :size] = self.values[self.starts[piece] : self.starts[piece + 1]]
            present[at, :size] = 1.0
        return states, present


def frozen_states(
    network: TextEncoder,
    pieces: Sequence[Piece],
    frozen: int,
    folder: Path,
    progress: Callable[[int, int], None],
) -> FrozenStates:
    """Read all pieces through the lowest `frozen` layers; parts found in `folder` are kept.

    `folder` must belong to these pieces and this base: its name should tell.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network.eval()
    starts = [0]
    for piece in pieces:
        starts.append(starts[-1] + len(piece.ids))
    bounds = [len(pieces) * part // PARTS for part in range(PARTS + 1)]
    values = torch.empty(starts[-1], WIDTH, dtype=torch.bfloat16)
    for part in range(PARTS):
        begin, end = bounds[part], bounds[part + 1]
        path = folder / f"states-{part:02d}.pt"
        if path.is_file():
            found = torch.load(path, weights_only=True)
        else:
            found = _read(network, pieces[begin:end], frozen)
            partial = path.with_suffix(".partial")
            torch.save(found, partial)
            os.replace(partial, path)
        values[starts[begin] : starts[end]] = found
        progress(part + 1, PARTS)
    return FrozenStates(values, tuple(starts))


def _read(network: TextEncoder, pieces: Sequence[Piece], frozen: int) -> Tensor:
    order = sorted(range(len(pieces)), key=lambda at: len(pieces[at].ids))
    found: list[Tensor] = [torch.empty(0)] * len(pieces)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(order), READ_BATCH):
            chosen = order[start : start + READ_BATCH]
            states = network.lower(padded([pieces[at].ids for at in chosen]), frozen)
            for row, at in enumerate(chosen):
                found[at] = states[row, : len(pieces[at].ids)].to(torch.bfloat16)
    return torch.cat(found)


def padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Token ids (N, L) filled up to a common length that is a multiple of 8."""
    length = -(-max(len(row) for row in rows) // 8) * 8
    ids = torch.full((len(rows), length), PAD_ID)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
    return ids
