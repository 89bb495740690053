"""The text encoder as a PyTorch module: token ids → department and category logits.

A BERT-style encoder (Devlin et al. 2019, arXiv:1810.04805; post-norm, learned positions) started
from the lowest layers of multilingual-e5-small (Wang et al. 2024, arXiv:2402.05672). The heads are
linear on the mean of the token states, so that every token's share of a logit is exact.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from ...config.errors import ModelError

WEIGHTS_FILE = "model.safetensors"
BEGIN_ID, PAD_ID, END_ID = 0, 1, 2
WIDTH, N_HEADS, FEED_FORWARD = 384, 12, 1536
MAX_POSITIONS = 512
NORM_EPS = 1e-12
DROPOUT = 0.1
# Added to the scores of padding before the softmax; finite, so that half precision holds it.
_HIDDEN = -1e4
_HEAD_STD = 0.02

_LAYER_PARTS = (
    ("out", "attention.output.dense"),
    ("norm_attention", "attention.output.LayerNorm"),
    ("widen", "intermediate.dense"),
    ("narrow", "output.dense"),
    ("norm", "output.LayerNorm"),
)


class EncoderLayer(nn.Module):  # type: ignore[misc]
    """One post-norm transformer layer on (N, L, 384)."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.norm_attention = nn.LayerNorm(WIDTH, eps=NORM_EPS)
        self.widen = nn.Linear(WIDTH, FEED_FORWARD)
        self.narrow = nn.Linear(FEED_FORWARD, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=NORM_EPS)

    def forward(self, states: Tensor, hidden: Tensor) -> Tensor:
        n, length, _ = states.shape
        each = WIDTH // N_HEADS
        split = self.qkv(states).view(n, length, 3, N_HEADS, each).permute(2, 0, 3, 1, 4)
        query, key, value = split[0], split[1], split[2]
        # Plain matrix products: on CPUs their backward pass is several times faster than the
        # fused attention's.
        score = torch.matmul(query * each**-0.5, key.transpose(-1, -2)) + hidden
        mixed = torch.matmul(torch.softmax(score, -1), value)
        mixed = mixed.transpose(1, 2).reshape(n, length, WIDTH)
        states = self.norm_attention(states + self._drop(self.out(mixed)))
        wide = functional.gelu(self.widen(states))
        result: Tensor = self.norm(states + self._drop(self.narrow(wide)))
        return result

    def _drop(self, states: Tensor) -> Tensor:
        return functional.dropout(states, DROPOUT, self.training)


class TextEncoder(nn.Module):  # type: ignore[misc]
    """Encoder with two linear heads.

    Args:
        vocabulary: token ids below this number are valid.
        n_layers: transformer layers.
        n_departments, n_categories: outputs of the heads.
    """

    def __init__(
        self, vocabulary: int, n_layers: int, n_departments: int, n_categories: int
    ) -> None:
        super().__init__()
        self.words = nn.Embedding(vocabulary, WIDTH, padding_idx=PAD_ID)
        self.positions = nn.Embedding(MAX_POSITIONS, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=NORM_EPS)
        self.layers = nn.ModuleList(EncoderLayer() for _ in range(n_layers))
        self.department = nn.Linear(WIDTH, n_departments)
        self.category = nn.Linear(WIDTH, n_categories)
        for head in (self.department, self.category):
            nn.init.normal_(head.weight, std=_HEAD_STD)
            nn.init.zeros_(head.bias)

    def lower(self, ids: Tensor, frozen: int) -> Tensor:
        """States (N, L, 384) after the lowest `frozen` layers, for token ids (N, L)."""
        states: Tensor = self.norm(self.words(ids) + self.positions.weight[: ids.shape[1]])
        return self._through(states, (ids != PAD_ID).float()[..., None], 0, frozen)

    def upper(self, states: Tensor, present: Tensor, frozen: int) -> Tensor:
        """Mean token state of each text (N, 384), float32.

        Args:
            states: what `lower` gave (N, L, 384).
            present: 1 for tokens, 0 for padding (N, L, 1), float32.
        """
        states = self._through(states, present, frozen, len(self.layers))
        total: Tensor = (states.float() * present).sum(1)
        return total / present.sum(1)

    def heads(self, mean: Tensor) -> tuple[Tensor, Tensor]:
        """Department (N, K) and category (N, C) logits of mean states (N, 384)."""
        mean = functional.dropout(mean, DROPOUT, self.training)
        return self.department(mean), self.category(mean)

    def _through(self, states: Tensor, present: Tensor, start: int, end: int) -> Tensor:
        hidden = (1.0 - present[..., 0])[:, None, None, :] * _HIDDEN
        if torch.is_autocast_enabled(states.device.type):
            hidden = hidden.to(torch.get_autocast_dtype(states.device.type))
        for layer in self.layers[start:end]:
            states = layer(states, hidden)
        return states


def start_from(folder: Path, n_layers: int, n_departments: int, n_categories: int) -> TextEncoder:
    """A new encoder with the embeddings and the lowest layers of a BERT-style checkpoint.

    Args:
        folder: has `model.safetensors`, with Hugging Face's parameter names.

    Raises:
        ModelError: missing file, or a checkpoint of another shape.
    """
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise ModelError(f"{path}: missing", message_zh=f"缺少底座权重：{path}")
    found = {name.removeprefix("bert."): value.float() for name, value in load_file(path).items()}
    try:
        words = found["embeddings.word_embeddings.weight"]
        network = TextEncoder(words.shape[0], n_layers, n_departments, n_categories)
        kinds = found["embeddings.token_type_embeddings.weight"]
        with torch.no_grad():
            network.words.weight.copy_(words)
            # Every token is of the first kind: its vector becomes part of the positions.
            positions = found["embeddings.position_embeddings.weight"]
            network.positions.weight.copy_(positions + kinds[0])
            for name in ("weight", "bias"):
                _copy(network.norm, name, found[f"embeddings.LayerNorm.{name}"])
                for number, layer in enumerate(network.layers):
                    prefix = f"encoder.layer.{number}."
                    three = [f"attention.self.{part}.{name}" for part in ("query", "key", "value")]
                    _copy(layer.qkv, name, torch.cat([found[prefix + part] for part in three]))
                    for mine, theirs in _LAYER_PARTS:
                        _copy(getattr(layer, mine), name, found[f"{prefix}{theirs}.{name}"])
    except (KeyError, RuntimeError) as error:
        raise ModelError(f"{path}: not a fitting BERT checkpoint ({error})") from None
    return network


def _copy(module: object, name: str, value: Tensor) -> None:
    getattr(module, name).copy_(value)
