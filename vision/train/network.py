"""The networks that are trained: the COCO base with its class rows exchanged for a branch's own."""

from __future__ import annotations

import io
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from ultralytics.nn.tasks import DetectionModel

from ...config.errors import ModelError
from .guide import Guide, layer_input

KIN: dict[str, tuple[str, ...]] = {
    "bin": ("fire hydrant", "suitcase", "refrigerator", "vase"),
    "overflowing_bin": ("fire hydrant", "suitcase", "handbag"),
    "garbage": ("backpack", "handbag", "suitcase", "bottle"),
    "stall": ("umbrella", "dining table", "bench", "banana", "orange"),
}
"""COCO classes whose mean row a new class starts from: things of its shape and place."""


class WorkshopModel(DetectionModel):  # type: ignore[misc]
    """A detection model whose forward pass may run in bfloat16 while the loss stays in float32.

    Ultralytics refuses mixed precision on CPUs; with AVX-512 BF16 or AMX it trains up to twice as
    fast there.
    """

    bf16: bool = False
    guide: Guide | None = None

    def predict(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """See `DetectionModel.predict`; outputs are float32 whatever ran inside."""
        if not self.training:
            return super().predict(x, *args, **kwargs)
        with torch.autocast(x.device.type, torch.bfloat16, enabled=self.bf16):
            return _as_float32(self._run(x))

    def loss(self, batch: dict[str, Any], preds: Any = None) -> Any:
        """Upstream's loss, plus the guide's while one is set."""
        if preds is None:
            preds = self.forward(batch["img"])
        loss, items = super().loss(batch, preds)
        if self.guide is not None and self.training:
            extra = self.guide.loss(preds, batch) * batch["img"].shape[0]
            loss = torch.cat([loss, extra[None]])
        return loss, items

    def _run(self, x: Any) -> Any:
        saved: list[Any] = []
        for layer in self.model:
            if self.guide is not None and layer.i == self.guide.start:
                self.guide.look(x, saved)
            x = layer(layer_input(layer, x, saved))
            saved.append(x if layer.i in self.save else None)
        return x


def build(base: nn.Module, names: Sequence[str], bf16: bool = False) -> WorkshopModel:
    """A trainable copy of `base` whose classes are `names`.

    The class branch keeps the base's width, so that every weight but the last 1×1 convolution is
    carried over as it is; see `transplant` for that one. A base that already has these names
    (an earlier run) is copied whole.
    """
    source = base.float()
    old = class_names(source)
    config = dict(source.yaml)
    width = int(source.model[-1].cv3[0][-1].in_channels)
    model: Any = WorkshopModel(config | {"nc": width}, verbose=False)  # nc sets the branch's width
    head = model.model[-1]
    _resize_rows(head, len(old))
    model.load_state_dict(source.state_dict())
    if old != list(names):
        transplant(head, old, names)
    model.names = dict(enumerate(names))
    model.yaml = config
    model.bf16 = bf16
    model.to(memory_format=torch.channels_last)
    return cast(WorkshopModel, model)


def class_names(network: Any) -> list[str]:
    """The class names that a network carries, in the order of its rows."""
    names = network.names
    return list(names.values()) if isinstance(names, dict) else list(names)


def transplant(head: Any, old: Sequence[str], new: Sequence[str]) -> None:
    """Exchange a detection head's class rows in place.

    A class of both lists keeps its row (weights and bias) unchanged; a new class starts from the
    mean row of its kin (`KIN`), or of all old rows when it has none. Strides, boxes and all other
    layers are untouched.
    """
    sources = [row_sources(name, old) for name in new]
    for branch in head.cv3:
        last = branch[-1]
        fresh = nn.Conv2d(last.in_channels, len(new), 1)
        with torch.no_grad():
            for row, rows in enumerate(sources):
                fresh.weight[row] = last.weight[rows].mean(0)
                fresh.bias[row] = last.bias[rows].mean(0)
        branch[-1] = fresh
    head.nc = len(new)
    head.no = len(new) + 4 * head.reg_max


def row_sources(name: str, old: Sequence[str]) -> list[int]:
    """Rows of the old head that a class starts from."""
    wanted = (name,) if name in old else KIN.get(name, ())
    return [old.index(n) for n in wanted if n in old] or list(range(len(old)))


def load_network(path: Path) -> nn.Module:
    """The network of an Ultralytics checkpoint, float32, on the CPU.

    Checkpoints are pickles: load only files you made or trust. Serving never comes here.

    Raises:
        ModelError: missing or not such a checkpoint.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such checkpoint", message_zh=f"缺少训练权重：{path}")
    data = torch.load(path, map_location="cpu", weights_only=False)
    network = (data.get("ema") or data.get("model")) if isinstance(data, dict) else None
    if not isinstance(network, DetectionModel):
        raise ModelError(f"{path}: not a detection checkpoint", message_zh=f"不是检测权重：{path}")
    return network.float()


def average(networks: Sequence[nn.Module], shares: Sequence[float]) -> nn.Module:
    """The mean of networks of one form, weight by weight; `shares` add up to 1.

    A fine-tuned network gains on the new material and loses on the old: between the two lies one
    that keeps most of both (Wortsman et al. 2022, arXiv:2109.01903), and the mean over the ends of
    successive stages is steadier than each (Wortsman et al. 2022, arXiv:2203.05482).
    """
    states = [network.state_dict() for network in networks]
    mixed = deepcopy(networks[-1])
    mixed.load_state_dict(
        {
            name: sum(share * state[name] for share, state in zip(shares, states, strict=True))
            if value.is_floating_point()
            else value
            for name, value in states[-1].items()
        }
    )
    return mixed


def save_network(network: nn.Module, path: Path) -> Path:
    """Write a network as a checkpoint that training can start from; see `write_whole`."""
    return write_whole({"model": network, "train_args": {}}, path)


def write_whole(content: Any, path: Path) -> Path:
    """Write what `torch.save` would, whole or not at all.

    Raises:
        OSError: the disk is full or the place cannot be written (torch itself hides the reason).
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    try:
        part.write_bytes(buffer.getbuffer())
        return part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _resize_rows(head: Any, count: int) -> None:
    for branch in head.cv3:
        branch[-1] = nn.Conv2d(branch[-1].in_channels, count, 1)
    head.nc = count
    head.no = count + 4 * head.reg_max


def _as_float32(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.float() if value.is_floating_point() else value
    if isinstance(value, dict):
        return {k: _as_float32(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_as_float32(v) for v in value)
    return value
