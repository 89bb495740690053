"""ONNX weights stored in half precision. Needs `onnx` (train extra); not for serving."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

HALF_FROM = 64
"""Tensors of at least so many values are stored in half precision."""


def store_half(model: Any) -> None:
    """Store large float tensors of an `onnx.ModelProto` in half precision, each with a cast.

    Runtimes undo the casts when they load: the arithmetic stays single, the file halves. Tensors
    with values that half precision cannot hold stay as they are.
    """
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        if values.size < HALF_FROM or float(np.abs(values).max()) > np.finfo(np.float16).max:
            continue
        name = tensor.name
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), name))
        full = f"{name}:fp32"
        casts.append(helper.make_node("Cast", [name], [full], to=TensorProto.FLOAT))
        for node in graph.node:
            for i, used in enumerate(node.input):
                if used == name:
                    node.input[i] = full
    for cast in reversed(casts):
        graph.node.insert(0, cast)
