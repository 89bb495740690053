"""The linear heads as one ONNX file with 8-bit weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from .linear import LinearHead


def quantised(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric 8-bit weights and one scale a column."""
    scale = np.maximum(np.abs(matrix).max(axis=0), 1e-9) / 127.0
    return np.rint(matrix / scale).astype(np.int8), scale.astype(np.float32)


def export_heads(path: Path, department: LinearHead, category: LinearHead) -> None:
    """Write the graph.

    Inputs `ids` int64 (N, L) and `values` float32 (N, L), rows padded with id 0 and value 0.
    Outputs `department` (N, K) and `category` (N, C) margins, and `contributions` (N, L, K): what
    each feature adds to each department's margin, for the evidence.
    """
    dep, dep_scale = quantised(department.weights)
    cat, cat_scale = quantised(category.weights)
    constants = {
        "dep_w": dep,
        "dep_scale": dep_scale,
        "dep_bias": department.bias,
        "cat_w": cat,
        "cat_scale": cat_scale,
        "cat_bias": category.bias,
        "last_axis": np.array([2], np.int64),
        "length_axis": np.array([1], np.int64),
    }
    nodes = [helper.make_node("Unsqueeze", ["values", "last_axis"], ["value"])]
    heads = (("dep", "contributions", "department"), ("cat", "cat_each", "category"))
    for head, contributions, out in heads:
        nodes += [
            helper.make_node("Gather", [f"{head}_w", "ids"], [f"{head}_rows"], axis=0),
            helper.make_node("Cast", [f"{head}_rows"], [f"{head}_float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{head}_float", f"{head}_scale"], [f"{head}_weights"]),
            helper.make_node("Mul", [f"{head}_weights", "value"], [contributions]),
            helper.make_node(
                "ReduceSum", [contributions, "length_axis"], [f"{head}_sum"], keepdims=0
            ),
            helper.make_node("Add", [f"{head}_sum", f"{head}_bias"], [out]),
        ]
    k, c = len(department.labels), len(category.labels)
    graph = helper.make_graph(
        nodes,
        "router",
        [
            helper.make_tensor_value_info("ids", TensorProto.INT64, ["N", "L"]),
            helper.make_tensor_value_info("values", TensorProto.FLOAT, ["N", "L"]),
        ],
        [
            helper.make_tensor_value_info("department", TensorProto.FLOAT, ["N", k]),
            helper.make_tensor_value_info("category", TensorProto.FLOAT, ["N", c]),
            helper.make_tensor_value_info("contributions", TensorProto.FLOAT, ["N", "L", k]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
