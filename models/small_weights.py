"""ONNX weights stored in fewer bits. Needs `onnx` (train extra); not for serving.

Each stored tensor is followed by nodes that restore it: runtimes compute these once, when they
load, so the file shrinks and the arithmetic stays single precision.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

HALF_FROM = 64
"""Tensors of at least so many values are stored in half precision."""

BYTES_FROM = 65_536
"""Matrices of at least so many values are stored in 8 bits."""

Restored = tuple[list[TensorProto], list[NodeProto]]


def store_half(model: Any) -> None:
    """Store large float tensors of an `onnx.ModelProto` in half precision.

    Tensors with values that half precision cannot hold stay as they are.
    """
    _store(model, _halved)


def store_bytes(model: Any) -> None:
    """Store the large matrices of an `onnx.ModelProto` in 8 bits, other tensors in half precision.

    Symmetric, one scale a column; for a table of embeddings (a `Gather`'s input) one a row, and
    the rows are restored after they are gathered, so that the table stays small in memory too.
    """
    _bytes_tables(model)
    _store(model, _in_bytes)


def _store(model: Any, restored: Callable[[TensorProto, NDArray[Any]], Restored | None]) -> None:
    graph = model.graph
    front: list[NodeProto] = []
    for tensor in list(graph.initializer):
        if tensor.data_type != TensorProto.FLOAT:
            continue
        found = restored(tensor, numpy_helper.to_array(tensor))
        if found is None:
            continue
        name = tensor.name
        graph.initializer.remove(tensor)
        graph.initializer.extend(found[0])
        front += found[1]
        for node in graph.node:
            for at, used in enumerate(node.input):
                if used == name:
                    node.input[at] = f"{name}:fp32"
    for node in reversed(front):
        graph.node.insert(0, node)


def _halved(tensor: TensorProto, values: NDArray[Any]) -> Restored | None:
    if values.size < HALF_FROM or float(np.abs(values).max()) > np.finfo(np.float16).max:
        return None
    name = tensor.name
    cast = helper.make_node("Cast", [name], [f"{name}:fp32"], to=TensorProto.FLOAT)
    return [numpy_helper.from_array(values.astype(np.float16), name)], [cast]


def _in_bytes(tensor: TensorProto, values: NDArray[Any]) -> Restored | None:
    if values.ndim != 2 or values.size < BYTES_FROM:
        return _halved(tensor, values)
    name = tensor.name
    whole, scale = _quantised(values, axis=0)
    nodes = [
        helper.make_node("Cast", [name], [f"{name}:whole"], to=TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}:whole", f"{name}:scale"], [f"{name}:fp32"]),
    ]
    return [
        numpy_helper.from_array(whole, name),
        numpy_helper.from_array(scale, f"{name}:scale"),
    ], nodes


def _bytes_tables(model: Any) -> None:
    graph = model.graph
    tables = {tensor.name: tensor for tensor in graph.initializer}
    for at, node in reversed(list(enumerate(graph.node))):
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or table.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(table)
        if values.ndim != 2 or values.size < BYTES_FROM:
            continue
        name, out = table.name, node.output[0]
        whole, scale = _quantised(values, axis=1)
        graph.initializer.remove(table)
        graph.initializer.extend(
            [numpy_helper.from_array(whole, name), numpy_helper.from_array(scale, f"{name}:scale")]
        )
        node.output[0] = f"{out}:bytes"
        for offset, extra in enumerate(
            (
                helper.make_node("Gather", [f"{name}:scale", node.input[1]], [f"{out}:scale"]),
                helper.make_node("Cast", [f"{out}:bytes"], [f"{out}:whole"], to=TensorProto.FLOAT),
                helper.make_node("Mul", [f"{out}:whole", f"{out}:scale"], [out]),
            ),
            start=1,
        ):
            graph.node.insert(at + offset, extra)


def _quantised(values: NDArray[Any], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True), 1e-9) / 127.0
    return np.rint(values / scale).astype(np.int8), scale.astype(np.float32)
