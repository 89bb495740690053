"""Two branches on one trunk: traffic learned from COCO, municipal things learned by us.

Bins, rubbish and stalls learned in the same layers as people and vehicles wipe part of these out
(person AP50 on COCO fell from .81 to .69 even with the base as a guide). So the first layers, which
cost most of the time and see edges and textures only, stay the base's and are shared; behind them
each branch has its own layers and head, trained by itself. A class learned in one branch cannot
harm one of the other. The price: about 1.6 times the arithmetic of a single network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from ...config.errors import ModelError
from .guide import layer_input
from .network import build, class_names

SHARED_LAYERS = 5
"""Layers 0–4 of YOLO11: down to stride 8. Frozen in both branches."""


class TwoBranch(nn.Module):  # type: ignore[misc]
    """One forward pass through the shared trunk and both branches.

    Input (N, 3, H, W) float32 RGB 0–1. Output (N, 4 + classes, anchors of both branches): boxes as
    centre and size in input pixels, then a score per class; the classes of `first` precede those
    of `second`, and a branch's anchors score 0 for classes of the other.

    Raises:
        ModelError: the branches' trunks differ: they were not trained on one base with
            `SHARED_LAYERS` frozen.
    """

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.labels = (*class_names(first), *class_names(second))
        _check_trunk(first, second)
        self.trunk = nn.ModuleList(deepcopy(first).model[:SHARED_LAYERS])
        self.first = nn.ModuleList(deepcopy(first).model[SHARED_LAYERS:])
        self.second = nn.ModuleList(deepcopy(second).model[SHARED_LAYERS:])
        self._saved: frozenset[int] = frozenset([*first.save, *second.save])
        for branch in (self.first, self.second):
            head: Any = branch[-1]
            head.export, head.dynamic, head.format = True, True, "onnx"
        self.eval().requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See the class."""
        saved: list[Any] = []
        x = self._through(self.trunk, x, saved)
        one = self._through(self.first, x, list(saved))
        two = self._through(self.second, x, list(saved))
        after = torch.zeros_like(one[:, :1]).expand(-1, two.shape[1] - 4, -1)
        before = torch.zeros_like(two[:, :1]).expand(-1, one.shape[1] - 4, -1)
        return torch.cat(
            [torch.cat([one, after], 1), torch.cat([two[:, :4], before, two[:, 4:]], 1)], 2
        )

    def _through(self, layers: nn.ModuleList, x: Any, saved: list[Any]) -> Any:
        for layer in layers:
            x = layer(layer_input(layer, x, saved))
            saved.append(x if layer.i in self._saved else None)
        return x


def branch_from_onnx(model: Path, base: nn.Module, labels: Sequence[str], which: str) -> Any:
    """A trainable network out of an exported two-branch model: retraining goes on from a shelf.

    The export keeps batch normalisation apart and parameters under their names, rounded to half
    precision. `labels` are the branch's classes, `which` is `first` or `second`.

    Raises:
        ModelError: not such an export, or made on another base.
    """
    stored = _initializers(model)
    network = build(base, labels)
    state = network.state_dict()
    found = {
        name: stored[key]
        for name in state
        if (key := _stored_name(name, which)) in stored and not name.endswith("num_batches_tracked")
    }
    wanted = [n for n in state if not n.endswith(("num_batches_tracked", "dfl.conv.weight"))]
    missing = [n for n in wanted if n not in found]
    if missing:
        raise ModelError(f"{model}: no two-branch export of this project: lacks {missing[0]}")
    for name, values in found.items():
        if tuple(values.shape) != tuple(state[name].shape):
            raise ModelError(
                f"{model}: {name} is {values.shape}, wanted {tuple(state[name].shape)}"
            )
    _check_against(found, base, model)
    loaded = {name: torch.from_numpy(values.astype(np.float32)) for name, values in found.items()}
    trunk = {n: v for n, v in base.state_dict().items() if _layer_of(n) < SHARED_LAYERS}
    network.load_state_dict({**state, **loaded, **trunk})
    return network


def _check_trunk(first: nn.Module, second: nn.Module) -> None:
    other = second.state_dict()
    for name, value in first.state_dict().items():
        if _layer_of(name) < SHARED_LAYERS and not torch.equal(value, other[name]):
            raise ModelError(f"the branches do not share their first layers: {name} differs")


def _check_against(found: Mapping[str, NDArray[Any]], base: nn.Module, model: Path) -> None:
    for name, value in base.state_dict().items():
        if _layer_of(name) >= SHARED_LAYERS or name not in found:
            continue
        if not np.allclose(found[name], value.numpy(), rtol=2e-3, atol=1e-3):
            raise ModelError(f"{model}: was made on another base ({name} differs)")


def _layer_of(name: str) -> int:
    """`model.7.cv1.conv.weight` → 7."""
    return int(name.split(".")[1])


def _stored_name(name: str, which: str) -> str:
    _, layer, rest = name.split(".", 2)
    number = int(layer)
    if number < SHARED_LAYERS:
        return f"trunk.{number}.{rest}"
    return f"{which}.{number - SHARED_LAYERS}.{rest}"


def _initializers(model: Path) -> dict[str, NDArray[Any]]:
    graph = onnx.load(str(model)).graph
    return {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
