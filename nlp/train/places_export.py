"""The trained place tagger as one ONNX file with 8-bit weights."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ..place.alphabet import FIRST_ID
from .places_network import PlaceNetwork

OPSET = 17
_TRACE_SHAPE = (2, 24)
# Smaller tensors (norms, biases) stay as they are.
_MIN_VALUES = 4096
# Along which axis each operator's weights share a scale: rows of a table, columns of a product.
_SCALED_AXIS = {"Gather": 0, "Conv": 0, "MatMul": -1, "Gemm": -1}


def export_places(network: PlaceNetwork, path: Path) -> None:
    """Write the graph: `ids` int64 (N, L) padded with 0 → `scores` float32 (N, L, tags).

    Weights are kept as 8-bit integers with one scale a row or column; the runtime turns them into
    floats once, when it loads the file.
    """
    network = network.cpu().float().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns about shapes that are constants
        torch.onnx.export(
            network,
            (torch.full(_TRACE_SHAPE, FIRST_ID),),
            str(path),
            opset_version=OPSET,
            input_names=["ids"],
            output_names=["scores"],
            dynamic_axes={"ids": {0: "N", 1: "L"}, "scores": {0: "N", 1: "L"}},
            dynamo=False,
        )
    model = onnx.load(str(path))
    _to_8_bits(model.graph)
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""  # tells of the machine's source paths
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _to_8_bits(graph: onnx.GraphProto) -> None:
    users = {name: node.op_type for node in graph.node for name in node.input}
    kept, opened = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        axis = _SCALED_AXIS.get(users.get(tensor.name, ""))
        if axis is None or values.dtype != np.float32 or values.size < _MIN_VALUES:
            kept.append(tensor)
            continue
        small, scale = _quantised(values, axis)
        names = [f"{tensor.name}.{part}" for part in ("int8", "scale", "float")]
        kept += [numpy_helper.from_array(v, n) for v, n in zip((small, scale), names, strict=False)]
        opened += [
            helper.make_node("Cast", [names[0]], [names[2]], to=TensorProto.FLOAT),
            helper.make_node("Mul", [names[2], names[1]], [tensor.name]),
        ]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = [*opened, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)


def _quantised(
    values: NDArray[np.float32], axis: int
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric 8-bit values and the scales along `axis`, shaped to be multiplied with them."""
    others = tuple(a for a in range(values.ndim) if a != axis % values.ndim)
    scale = np.maximum(np.abs(values).max(axis=others, keepdims=True), 1e-9) / 127.0
    return np.rint(values / scale).astype(np.int8), scale.astype(np.float32)
