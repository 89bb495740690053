"""The base model as a guide while new classes are learned (learning without forgetting).

Short training on bins and stalls wipes out much of what the base knows of people and vehicles:
one plain epoch took person AP50 on COCO from .81 to .41. So the base looks at every training
picture too, and the student is held to its scores and box distributions for the traffic classes
(Li & Hoiem 2016, arXiv:1606.09282; box distributions as in Zheng et al. 2022, arXiv:2204.05547).
The first layers are frozen, hence equal in both networks: the guide starts from the student's
features and costs only the layers behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 its customary name

CLASS_GAIN = 0.5
BOX_GAIN = 1.5
SURE = 0.15
"""Guide scores below it do not pull on boxes."""


class Guide:
    """Runs the base behind the frozen layers and compares the student with it.

    Attributes:
        start: first layer that the two networks do not share.
    """

    def __init__(self, base: nn.Module, names: Sequence[str], start: int) -> None:
        base_names = list(base.names.values()) if isinstance(base.names, dict) else base.names
        shared = [n for n in names if n in base_names]
        self.start = start
        self._base: Any = base.eval().requires_grad_(False)
        self._base_rows = [base_names.index(n) for n in shared]
        self._rows = [list(names).index(n) for n in shared]
        self._seen: dict[str, torch.Tensor] = {}

    def look(self, x: torch.Tensor, saved: list[Any]) -> None:
        """Run on from the input of layer `start`; `saved` holds earlier layers' outputs."""
        saved = list(saved)
        with torch.no_grad():
            for layer in self._base.model[self.start :]:
                x = layer(layer_input(layer, x, saved))
                saved.append(x if layer.i in self._base.save else None)
        output = x[1] if isinstance(x, tuple) else x
        self._seen = {k: output[k].float() for k in ("boxes", "scores")}

    def loss(self, student: dict[str, Any], batch: dict[str, Any]) -> torch.Tensor:
        """How far the student strays from what `look` saw last; a scalar per picture.

        Left alone: anchors inside boxes of classes the guide does not know (it takes skips for
        trucks), and anchors inside traffic boxes where the student is surer than the guide.
        """
        scores = student["scores"][:, self._rows]
        guide = self._seen["scores"][:, self._base_rows].sigmoid()
        foreign, known = self._inside(student["feats"], batch, scores.shape[0])
        surer = known[:, None] & (scores.detach().sigmoid() > guide)
        weight = (~foreign[:, None] & ~surer).to(scores.dtype)
        best = guide.amax(1) * ~foreign
        total = best.sum().clamp(min=1.0)
        by_class = F.binary_cross_entropy_with_logits(scores, guide, reduction="none")
        class_loss = (by_class * weight).sum() / total
        box_loss = _box_divergence(student["boxes"], self._seen["boxes"], best) / total
        return CLASS_GAIN * class_loss + BOX_GAIN * box_loss

    def _inside(
        self, feats: list[torch.Tensor], batch: dict[str, Any], count: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Anchors (N, A) inside boxes of unknown classes, and inside boxes of shared ones."""
        centres = anchor_centres([f.shape[2:] for f in feats])
        boxes = batch["bboxes"].to(centres.device)
        half = boxes[:, None, 2:] / 2
        within = ((centres[None] - boxes[:, None, :2]).abs() < half).all(-1)
        index = batch["batch_idx"].long().to(centres.device)
        shared = torch.isin(
            batch["cls"].view(-1).long(), torch.tensor(self._rows, device=batch["cls"].device)
        ).to(centres.device)
        masks = []
        for chosen in (~shared, shared):
            mask = torch.zeros(count, len(centres), device=centres.device)
            mask.index_add_(0, index[chosen], within[chosen].to(mask.dtype))
            masks.append(mask > 0)
        return masks[0], masks[1]


def anchor_centres(shapes: Sequence[Sequence[int]]) -> torch.Tensor:
    """Centres (A, 2) of all anchors as parts of the picture; `shapes` are (rows, columns)."""
    grids = []
    for rows, columns in shapes:
        y, x = torch.meshgrid(
            (torch.arange(rows) + 0.5) / rows,
            (torch.arange(columns) + 0.5) / columns,
            indexing="ij",
        )
        grids.append(torch.stack([x.flatten(), y.flatten()], 1))
    return torch.cat(grids)


def layer_input(layer: Any, x: Any, saved: Sequence[Any]) -> Any:
    """What a layer reads: the previous output, or earlier ones by index."""
    if layer.f == -1:
        return x
    if isinstance(layer.f, int):
        return saved[layer.f]
    return [x if j == -1 else saved[j] for j in layer.f]


def _box_divergence(student: torch.Tensor, guide: torch.Tensor, best: torch.Tensor) -> torch.Tensor:
    """Weighted KL divergence of the box-side distributions, summed over sure anchors."""
    sure = best > SURE
    steps = student.shape[1] // 4
    mine = student.transpose(1, 2)[sure].reshape(-1, 4, steps).log_softmax(-1)
    theirs = guide.transpose(1, 2)[sure].reshape(-1, 4, steps).softmax(-1)
    divergence = F.kl_div(mine, theirs, reduction="none").sum(-1).mean(-1)
    return (divergence * best[sure]).sum()
