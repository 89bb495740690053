"""The trained encoder as an ONNX file for serving."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from ...models.small_weights import store_bytes
from .encoder_network import PAD_ID, TextEncoder
from .encoder_text import TOKENIZER_FILE

OPSET = 17
_TRACE_SHAPE = (2, 24)


class _Served(nn.Module):  # type: ignore[misc]
    """ids → department, category, embedding, contributions; see `export_encoder`."""

    def __init__(self, network: TextEncoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        network = self.network
        present = (ids != PAD_ID).float()[..., None]
        states = network.lower(ids, len(network.layers))
        mean = present / present.sum(1, keepdim=True)
        embedding = (states * mean).sum(1)
        shares = torch.matmul(states * mean, network.department.weight.t())
        return network.department(embedding), network.category(embedding), embedding, shares


def export_encoder(network: TextEncoder, path: Path) -> None:
    """Write the graph.

    Input `ids` int64 (N, L), padded with 1. Outputs `department` (N, K) and `category` (N, C)
    logits, `embedding` (N, 384), the mean of the token states, and `contributions` (N, L, K): what
    each token adds to the department logits; their sum and the head's bias are the logits.
    Matrices are stored in 8 bits, the rest in half precision; arithmetic is single.
    """
    network = network.cpu().float().eval()
    with warnings.catch_warnings():
        # Tracing warns about shapes that are constants.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Served(network).eval(),
            (torch.full(_TRACE_SHAPE, PAD_ID + 4),),
            str(path),
            opset_version=OPSET,
            input_names=["ids"],
            output_names=["department", "category", "embedding", "contributions"],
            dynamic_axes={
                "ids": {0: "N", 1: "L"},
                "department": {0: "N"},
                "category": {0: "N"},
                "embedding": {0: "N"},
                "contributions": {0: "N", 1: "L"},
            },
            dynamo=False,
        )
    model = onnx.load(str(path))
    store_bytes(model)
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""  # tells of the machine's source paths
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def copy_tokenizer(base: Path, folder: Path) -> None:
    """Put the base's tokenizer beside the model."""
    shutil.copyfile(base / TOKENIZER_FILE, folder / TOKENIZER_FILE)
