"""Training the encoder on both tasks at once; a killed run goes on where it stood."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from .encoder_network import PAD_ID, TextEncoder
from .encoder_text import EpochMaker, TextOptions, Window

log = logging.getLogger(__name__)

# Adam's second moment forgets faster than by default: a run has about a thousand steps.
BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.01
LARGEST_GRADIENT = 1.0
SAVE_STEPS = 300
READ_BATCH = 32


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How the encoder is trained.

    Args:
        layers: lowest layers of the base that are kept.
        rate: largest learning rate of the encoder; the heads learn `head_factor` times as fast.
        decay: factor on the rate for each layer further down.
        warm: share of the steps in which the rate rises; then it falls to zero in a line.
        smoothing: label smoothing of both losses.
        category_weight: of the category loss beside the department loss.
    """

    layers: int = 6
    epochs: int = 4
    rate: float = 1.2e-4
    head_factor: float = 5.0
    decay: float = 1.0
    warm: float = 0.08
    smoothing: float = 0.05
    category_weight: float = 0.5
    seed: int = 1
    device: str = "cpu"
    text: TextOptions = field(default_factory=TextOptions)


Progress = Callable[[int, int], None]


def fit_encoder(
    network: TextEncoder,
    maker: EpochMaker,
    options: FitOptions,
    checkpoint: Path,
    progress: Progress,
) -> TextEncoder:
    """Train `network`; with the state in `checkpoint` go on from there.

    bfloat16 products under float32 weights. The state (weights, optimiser, random numbers, step)
    is saved every 300 steps and at the end, so that a killed run ends as an undisturbed one.
    """
    device = torch.device(options.device)
    network.to(device).train()
    torch.manual_seed(options.seed)
    optimiser = torch.optim.AdamW(
        _groups(network, options), betas=BETAS, weight_decay=WEIGHT_DECAY, fused=True
    )
    steps = options.epochs * maker.steps()
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, _slope(steps, options.warm))
    done = _resume(checkpoint, network, optimiser, schedule, device)
    step = 0
    for epoch in range(options.epochs):
        if done >= (epoch + 1) * maker.steps():
            step = (epoch + 1) * maker.steps()
            continue
        for batch in maker.batches(epoch):
            step += 1
            if step <= done:
                continue
            _learn(network, optimiser, batch, options, device)
            schedule.step()
            progress(step, steps)
            if step % SAVE_STEPS == 0 or step == steps:
                _save(checkpoint, network, optimiser, schedule, step)
    return network.eval()


def _learn(
    network: TextEncoder,
    optimiser: torch.optim.Optimizer,
    batch: Sequence[Window],
    options: FitOptions,
    device: torch.device,
) -> None:
    ids = padded([window.ids for window in batch]).to(device)
    with torch.autocast(device.type, torch.bfloat16):
        department, category = network(ids)
    loss = _department_loss(department.float(), batch, options.smoothing)
    known = [at for at, window in enumerate(batch) if window.row.category >= 0]
    if known:
        wanted = torch.tensor([batch[at].row.category for at in known], device=device)
        share = len(known) / len(batch)
        loss = loss + options.category_weight * share * functional.cross_entropy(
            category.float()[known], wanted, label_smoothing=options.smoothing
        )
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
    optimiser.step()


def _department_loss(logits: Tensor, batch: Sequence[Window], smoothing: float) -> Tensor:
    """Cross entropy against the rows' distributions, weighted, per row of the batch."""
    k = logits.shape[1]
    target = torch.zeros(len(batch), k)
    for at, window in enumerate(batch):
        if window.row.department is not None:
            spread = torch.tensor(window.row.department) * (1 - smoothing) + smoothing / k
            target[at] = window.row.weight * spread
    return -(target.to(logits.device) * torch.log_softmax(logits, -1)).sum() / len(batch)


def padded(rows: Sequence[Sequence[int]]) -> Tensor:
    """Token ids (N, L) filled up to a common length that is a multiple of 8."""
    length = -(-max(len(row) for row in rows) // 8) * 8
    ids = torch.full((len(rows), length), PAD_ID)
    for at, row in enumerate(rows):
        ids[at, : len(row)] = torch.tensor(row)
    return ids


@dataclass(frozen=True, slots=True)
class Logits:
    """Department (N, K) and category (N, C) logits of N windows or texts."""

    department: NDArray[np.float64]
    category: NDArray[np.float64]


def read_windows(
    network: TextEncoder, windows: Sequence[Sequence[int]], device: str = "cpu"
) -> Logits:
    """Logits of each window, in order."""
    network.to(torch.device(device)).eval()
    k, c = network.department.out_features, network.category.out_features
    department, category = np.zeros((len(windows), k)), np.zeros((len(windows), c))
    order = sorted(range(len(windows)), key=lambda at: len(windows[at]))
    with torch.inference_mode(), torch.autocast(torch.device(device).type, torch.bfloat16):
        for start in range(0, len(order), READ_BATCH):
            rows = order[start : start + READ_BATCH]
            ids = padded([windows[at] for at in rows]).to(device)
            found = network(ids)
            department[rows] = found[0].float().cpu().numpy()
            category[rows] = found[1].float().cpu().numpy()
    return Logits(department, category)


def _groups(network: TextEncoder, options: FitOptions) -> list[dict[str, Any]]:
    """Parameter groups whose rate falls towards the bottom."""
    depth = len(network.layers)
    modules: list[tuple[torch.nn.Module, float]] = [
        (module, options.decay**depth)
        for module in (network.words, network.positions, network.norm)
    ]
    modules += [
        (layer, options.decay ** (depth - 1 - at)) for at, layer in enumerate(network.layers)
    ]
    modules += [(head, options.head_factor) for head in (network.department, network.category)]
    return [
        {"params": list(module.parameters()), "lr": options.rate * factor}
        for module, factor in modules
    ]


def _slope(steps: int, warm: float) -> Callable[[int], float]:
    rising = max(1, round(warm * steps))
    return lambda step: min((step + 1) / rising, max(0.0, (steps - step) / max(steps - rising, 1)))


def _save(
    path: Path,
    network: TextEncoder,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
    step: int,
) -> None:
    partial = path.with_name(f"{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "schedule": schedule.state_dict(),
        "step": step,
        "random": torch.get_rng_state(),
    }
    torch.save(state, partial)
    os.replace(partial, path)


def _resume(
    path: Path,
    network: TextEncoder,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
    device: torch.device,
) -> int:
    """Steps behind the state in `path`, which is loaded; 0 without one."""
    if not path.is_file():
        return 0
    state = torch.load(path, map_location=device, weights_only=True)
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    schedule.load_state_dict(state["schedule"])
    torch.set_rng_state(state["random"].cpu())
    log.info("%s: going on from step %d", path, state["step"])
    return int(state["step"])
