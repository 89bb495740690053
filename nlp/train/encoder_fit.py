"""Training the encoder's upper layers and heads on both tasks at once.

A killed run goes on where it stood and ends as an undisturbed one.
"""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from .encoder_network import TextEncoder
from .encoder_states import FrozenStates
from .encoder_text import EncoderRow, Piece, TextOptions

log = logging.getLogger(__name__)

# Adam's second moment forgets faster than by default: a run has about a thousand steps.
BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.01
LARGEST_GRADIENT = 1.0
SAVE_STEPS = 200
# Batches of like lengths are drawn from so many batches' worth of shuffled rows.
POOL_BATCHES = 50


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How the encoder is trained.

    Args:
        layers: lowest layers of the base that are kept.
        frozen: of these, layers (and the embeddings) that are not trained.
        rate: largest learning rate of the layers; the heads learn `head_factor` times as fast.
        warm: share of the steps in which the rate rises; then it falls to zero in a line.
        batch: windows a step.
        smoothing: label smoothing of both losses.
        category_weight: of the category loss beside the department loss.
        told, noisy: shares of messages that are read told as a call, and misheard.
        first: share of rows without department that are read from the beginning.
        plain: share of the rows without department that are read in an epoch.
    """

    layers: int = 12
    frozen: int = 8
    epochs: int = 3
    rate: float = 2e-4
    head_factor: float = 5.0
    warm: float = 0.08
    batch: int = 16
    smoothing: float = 0.05
    category_weight: float = 0.5
    told: float = 0.2
    noisy: float = 0.2
    first: float = 0.6
    plain: float = 0.3
    seed: int = 1
    text: TextOptions = field(default_factory=TextOptions)


Batch: TypeAlias = list[int]
Progress = Callable[[int, int], None]


class EpochMaker:
    """Draws the batches of an epoch; the same seed and epoch give the same batches."""

    def __init__(
        self,
        rows: Sequence[EncoderRow],
        chosen: Sequence[int],
        forms: Mapping[tuple[int, str], Sequence[int]],
        states: FrozenStates,
        options: FitOptions,
    ) -> None:
        self._rows, self._forms, self._states, self._options = rows, forms, states, options
        self._plain = [at for at in chosen if rows[at].department is None]
        self._named = [at for at in chosen if rows[at].department is not None]

    def steps(self) -> int:
        """Batches of an epoch."""
        read = len(self._named) + round(self._options.plain * len(self._plain))
        return -(-read // self._options.batch)

    def batches(self, epoch: int) -> list[Batch]:
        """Piece numbers of all batches of one epoch, in order."""
        options = self._options
        # The parts of rows without department that successive epochs read follow one another.
        order = list(self._plain)
        random.Random(options.seed).shuffle(order)
        count = round(options.plain * len(order))
        plain = [order[(epoch * count + at) % len(order)] for at in range(count)]
        rng = random.Random(f"{options.seed}/{epoch}")
        read = [*self._named, *plain]
        rng.shuffle(read)
        batches = list(self._by_length([self._piece(at, rng) for at in read]))
        rng.shuffle(batches)
        return batches

    def _piece(self, row: int, rng: random.Random) -> int:
        options = self._options
        written = self._forms[row, "written"]
        if self._rows[row].department is None:
            return written[0] if rng.random() < options.first else rng.choice(written)
        draw = rng.random()
        if draw < options.told and (row, "told") in self._forms:
            return self._forms[row, "told"][0]
        if draw > 1.0 - options.noisy:
            return self._forms[row, "noisy"][0]
        return written[0]

    def _by_length(self, pieces: Sequence[int]) -> Iterator[Batch]:
        size = self._options.batch
        for start in range(0, len(pieces), POOL_BATCHES * size):
            pool = sorted(pieces[start : start + POOL_BATCHES * size], key=self._states.length)
            for at in range(0, len(pool), size):
                yield pool[at : at + size]


def pieces_of_forms(pieces: Sequence[Piece]) -> dict[tuple[int, str], list[int]]:
    """Piece numbers of each form of each row."""
    found: dict[tuple[int, str], list[int]] = {}
    for number, piece in enumerate(pieces):
        found.setdefault((piece.row, piece.form), []).append(number)
    return found


def fit_encoder(
    network: TextEncoder,
    maker: EpochMaker,
    rows: Sequence[EncoderRow],
    pieces: Sequence[Piece],
    states: FrozenStates,
    options: FitOptions,
    checkpoint: Path,
    progress: Progress,
) -> TextEncoder:
    """Train the upper layers and heads of `network`; with the state in `checkpoint` go on there.

    bfloat16 products under float32 weights. Weights, optimiser, random numbers and step are saved
    every 200 steps and at the end.
    """
    torch.manual_seed(options.seed)
    trained = _trained(network, options.frozen)
    heads = nn.ModuleList([network.department, network.category])
    optimiser = torch.optim.AdamW(
        [
            {"params": list(network.layers[options.frozen :].parameters()), "lr": options.rate},
            {"params": list(heads.parameters()), "lr": options.rate * options.head_factor},
        ],
        betas=BETAS,
        weight_decay=WEIGHT_DECAY,
        fused=True,
    )
    steps = options.epochs * maker.steps()
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _slope(steps, options.warm))
    parts = {"layers": trained, "optimiser": optimiser, "schedule": schedule}
    done = _resume(checkpoint, parts)
    network.train()
    step = 0
    for epoch in range(options.epochs):
        for batch in maker.batches(epoch):
            step += 1
            if step <= done:
                continue
            loss = _loss(network, batch, rows, pieces, states, options)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(trained.parameters(), LARGEST_GRADIENT)
            optimiser.step()
            schedule.step()
            progress(step, steps)
            if step % SAVE_STEPS == 0 or step == steps:
                _save(checkpoint, parts, step)
    network.eval()
    return network


def _trained(network: TextEncoder, frozen: int) -> nn.ModuleList:
    return nn.ModuleList([*network.layers[frozen:], network.department, network.category])


def _loss(
    network: TextEncoder,
    batch: Batch,
    rows: Sequence[EncoderRow],
    pieces: Sequence[Piece],
    states: FrozenStates,
    options: FitOptions,
) -> Tensor:
    read = [rows[pieces[number].row] for number in batch]
    lower, present = states.batch(batch)
    with torch.autocast("cpu", torch.bfloat16):
        mean = network.upper(lower, present, options.frozen)
    department, category = network.heads(mean)
    loss = _department_loss(department, read, options.smoothing)
    known = [at for at, row in enumerate(read) if row.category >= 0]
    if known:
        wanted = torch.tensor([read[at].category for at in known])
        each = functional.cross_entropy(
            category[known], wanted, label_smoothing=options.smoothing, reduction="sum"
        )
        loss = loss + options.category_weight * each / len(batch)
    return loss


def _department_loss(logits: Tensor, read: Sequence[EncoderRow], smoothing: float) -> Tensor:
    """Cross entropy against the rows' distributions, weighted, per row of the batch."""
    k = logits.shape[1]
    target = torch.zeros(len(read), k)
    for at, row in enumerate(read):
        if row.department is not None:
            spread = torch.tensor(row.department) * (1 - smoothing) + smoothing / k
            target[at] = row.weight * spread
    return -(target * torch.log_softmax(logits, -1)).sum() / len(read)


def _slope(steps: int, warm: float) -> Callable[[int], float]:
    rising = max(1, round(warm * steps))
    return lambda step: min((step + 1) / rising, max(0.0, (steps - step) / max(steps - rising, 1)))


def _save(path: Path, parts: Mapping[str, Any], step: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    state = {name: part.state_dict() for name, part in parts.items()}
    torch.save({**state, "step": step, "random": torch.get_rng_state()}, partial)
    os.replace(partial, path)


def _resume(path: Path, parts: Mapping[str, Any]) -> int:
    """Steps behind the state in `path`, which is loaded into `parts`; 0 without one."""
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    torch.set_rng_state(state["random"])
    log.info("%s: going on from step %d", path, state["step"])
    return int(state["step"])
