"""Fitting the place tagger; a killed run goes on where it stood."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from ...datasets.conll import TaggedText
from ..place.alphabet import PAD_ID, UNKNOWN_ID, Alphabet, padded
from ..place.elements import TAGS
from .places_data import Sources, epoch
from .places_network import MAX_WINDOW, PlaceNetwork

BETAS = (0.9, 0.98)
WEIGHT_DECAY = 0.01
LARGEST_GRADIENT = 1.0
# Characters of one step, padding included: bounds memory and evens out the steps.
STEP_CHARS = 1536
_IGNORED = -100
_TAG_ID = {tag: at for at, tag in enumerate(TAGS)}


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How the tagger is trained.

    Args:
        rate: largest learning rate; the new parts learn `new_factor` times as fast.
        warm: share of the steps in which the rate rises; then it falls to zero in a line.
        unknown: share of characters hidden from the model in training.
        smoothing: label smoothing.
    """

    layers: int = 2
    epochs: int = 12
    rate: float = 4e-4
    new_factor: float = 4.0
    warm: float = 0.06
    unknown: float = 0.04
    smoothing: float = 0.03
    seed: int = 1


Progress = Callable[[int, int], None]


def fit_places(
    network: PlaceNetwork,
    sources: Sources,
    alphabet: Alphabet,
    options: FitOptions,
    checkpoint: Path,
    progress: Progress,
) -> PlaceNetwork:
    """Train `network`; with the state in `checkpoint` go on after its last whole epoch.

    bfloat16 products under float32 weights. Everything random depends on seed and epoch, so a
    killed run ends as an undisturbed one.
    """
    new = {id(p) for m in (network.mix, network.head) for p in m.parameters()}
    old = [p for p in network.parameters() if id(p) not in new]
    groups: list[dict[str, Any]] = [
        {"params": old, "lr": options.rate},
        {
            "params": [p for p in network.parameters() if id(p) in new],
            "lr": options.rate * options.new_factor,
        },
    ]
    optimiser = torch.optim.AdamW(groups, betas=BETAS, weight_decay=WEIGHT_DECAY, fused=True)
    done = _resume(checkpoint, network, optimiser)
    rates = [group["lr"] for group in groups]
    for number in range(done, options.epochs):
        rng = random.Random(options.seed * 1000 + number)
        torch.manual_seed(options.seed * 1000 + number)
        batches = list(_batches(list(epoch(sources, rng)), alphabet, rng))
        network.train()
        for at, (ids, tags) in enumerate(batches):
            share = (number + at / len(batches)) / options.epochs
            slope = min(share / options.warm, (1 - share) / (1 - options.warm))
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * max(slope, 0.01)
            _learn(network, optimiser, ids, tags, options)
            progress(number * len(batches) + at + 1, options.epochs * len(batches))
        _save(checkpoint, network, optimiser, number + 1)
    network.eval()
    return network


def _learn(
    network: PlaceNetwork,
    optimiser: torch.optim.Optimizer,
    ids: torch.Tensor,
    tags: torch.Tensor,
    options: FitOptions,
) -> None:
    hide = (torch.rand(ids.shape) < options.unknown) & (ids != PAD_ID)
    with torch.autocast("cpu", torch.bfloat16):
        scores = network(ids.masked_fill(hide, UNKNOWN_ID))
    loss = functional.cross_entropy(
        scores.float().flatten(0, 1),
        tags.flatten(),
        ignore_index=_IGNORED,
        label_smoothing=options.smoothing,
    )
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
    optimiser.step()


def _batches(
    texts: list[TaggedText], alphabet: Alphabet, rng: random.Random
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Texts of about equal length together, the batches in random order."""
    rng.shuffle(texts)
    texts.sort(key=lambda text: len(text.text) + rng.random() * 6)
    groups: list[list[TaggedText]] = [[]]
    for text in texts:
        width = min(len(text.text), MAX_WINDOW)
        if groups[-1] and (len(groups[-1]) + 1) * width > STEP_CHARS:
            groups.append([])
        groups[-1].append(text)
    rng.shuffle(groups)
    for group in groups:
        ids = padded([alphabet.encode(text.text[:MAX_WINDOW]) for text in group])
        tags = np.full(ids.shape, _IGNORED, np.int64)
        for row, text in enumerate(group):
            known = [_TAG_ID[tag] for tag in text.tags[:MAX_WINDOW]]
            tags[row, : len(known)] = known
        yield torch.from_numpy(ids), torch.from_numpy(tags)


def scores_of(
    network: PlaceNetwork, texts: Sequence[str], alphabet: Alphabet
) -> list[NDArray[np.float32]]:
    """Tag scores (T, tags) of each text no longer than a window, in float32."""
    found = []
    network.eval()
    with torch.inference_mode():
        for text in texts:
            ids = torch.from_numpy(padded([alphabet.encode(text)]))
            found.append(network(ids)[0, : len(text)].numpy())
    return found


def _save(path: Path, network: PlaceNetwork, optimiser: torch.optim.Optimizer, epochs: int) -> None:
    partial = path.with_name(f"{path.name}.partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "epochs": epochs,
    }
    torch.save(state, partial)
    os.replace(partial, path)


def _resume(path: Path, network: PlaceNetwork, optimiser: torch.optim.Optimizer) -> int:
    """Whole epochs behind the state in `path`, which is loaded; 0 without one."""
    if not path.is_file():
        return 0
    state = torch.load(path, map_location="cpu", weights_only=True)
    network.load_state_dict(state["network"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["epochs"])
