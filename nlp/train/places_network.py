"""The place tagger as a PyTorch module: character ids → one score a BIOES tag and character.

The lowest layers of a BERT-style encoder over single characters. Each character's vector is first
mixed with its two neighbours', since the base knew pieces of several characters.
"""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from ..place.alphabet import FIRST_ID, PAD_ID, UNKNOWN_ID, Alphabet
from ..place.elements import TAGS
from .encoder_network import start_from

# Longest window the tagger reads at once.
MAX_WINDOW = 128
DROPOUT = 0.15
# Padding gets this added to its attention score; finite, as in the encoder of whole calls.
_HIDDEN = -1e4
# The mix has a quarter of a full one's weights.
_MIX_GROUPS = 4
_BASE_UNKNOWN = "<unk>"


class PlaceNetwork(nn.Module):  # type: ignore[misc]
    """Embeddings, a neighbour mix, transformer layers and a linear head."""

    def __init__(
        self, words: Tensor, positions: Tensor, norm: nn.LayerNorm, layers: nn.ModuleList
    ) -> None:
        super().__init__()
        width = words.shape[1]
        self.words = nn.Embedding.from_pretrained(words, freeze=False, padding_idx=PAD_ID)
        self.positions = nn.Parameter(positions)
        self.norm = norm
        self.mix = nn.Conv1d(width, width, 3, padding=1, groups=_MIX_GROUPS)
        nn.init.normal_(self.mix.weight, std=0.02)
        nn.init.zeros_(self.mix.bias)
        self.layers = layers
        self.head = nn.Linear(width, len(TAGS))
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor) -> Tensor:
        """Scores (N, L, tags) of ids (N, L)."""
        present = ids != PAD_ID
        states = self.norm(self.words(ids) + self.positions[: ids.shape[1]])
        states = functional.dropout(states, DROPOUT, self.training) * present[..., None]
        mixed = self.mix(states.transpose(1, 2)).transpose(1, 2)
        states = states + functional.gelu(mixed)
        hidden = (~present)[:, None, None, :].float() * _HIDDEN
        for layer in self.layers:
            states = layer(states, hidden)
        scores: Tensor = self.head(functional.dropout(states, DROPOUT, self.training))
        return scores


def network_from(folder: Path, alphabet: Alphabet, n_layers: int) -> PlaceNetwork:
    """A new tagger over the lowest layers of a checkpoint and its single-character pieces.

    Args:
        folder: has `model.safetensors` and `tokenizer.json`.

    Raises:
        ModelError: missing file, or a checkpoint of another shape.
    """
    base = start_from(folder, n_layers, 1, 1)
    pieces = Tokenizer.from_file(str(folder / "tokenizer.json")).get_vocab()
    rows = torch.full((len(alphabet),), pieces[_BASE_UNKNOWN])
    for at, char in enumerate(alphabet.chars, start=FIRST_ID):
        rows[at] = pieces.get(char, pieces[_BASE_UNKNOWN])
    words = base.words.weight.detach()[rows].clone()
    words[PAD_ID] = 0.0
    words[UNKNOWN_ID] = words[FIRST_ID:].mean(0)
    positions = base.positions.weight.detach()[:MAX_WINDOW].clone()
    return PlaceNetwork(words, positions, base.norm, base.layers)
