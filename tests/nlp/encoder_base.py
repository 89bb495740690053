"""A base encoder that knows nothing: BERT's shapes, random weights, one token a character."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers

WIDTH, WIDE = 384, 1536


def write_base(folder: Path, texts: Iterable[str], n_layers: int) -> Path:
    """Write `model.safetensors` and `tokenizer.json` for these texts' characters."""
    folder.mkdir(parents=True)
    marks = ["<s>", "<pad>", "</s>", "<unk>"]
    characters = [*marks, *sorted({char for text in texts for char in text})]
    words = models.WordLevel({char: at for at, char in enumerate(characters)}, unk_token="<unk>")
    tokenizer = Tokenizer(words)
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.save(str(folder / "tokenizer.json"))
    draw = torch.Generator().manual_seed(1)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw) * 0.05

    weights = {
        "embeddings.word_embeddings.weight": random(len(characters), WIDTH),
        "embeddings.position_embeddings.weight": random(512, WIDTH),
        "embeddings.token_type_embeddings.weight": random(2, WIDTH),
        "embeddings.LayerNorm.weight": torch.ones(WIDTH),
        "embeddings.LayerNorm.bias": torch.zeros(WIDTH),
    }
    shapes = {
        "attention.self.query": (WIDTH, WIDTH),
        "attention.self.key": (WIDTH, WIDTH),
        "attention.self.value": (WIDTH, WIDTH),
        "attention.output.dense": (WIDTH, WIDTH),
        "intermediate.dense": (WIDE, WIDTH),
        "output.dense": (WIDTH, WIDE),
    }
    for number in range(n_layers):
        prefix = f"encoder.layer.{number}."
        for name, (out, given) in shapes.items():
            weights[f"{prefix}{name}.weight"] = random(out, given)
            weights[f"{prefix}{name}.bias"] = torch.zeros(out)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            weights[f"{prefix}{name}.weight"] = torch.ones(WIDTH)
            weights[f"{prefix}{name}.bias"] = torch.zeros(WIDTH)
    save_file(weights, str(folder / "model.safetensors"))
    (folder / "config.json").write_text(json.dumps({"num_hidden_layers": n_layers}))
    return folder
