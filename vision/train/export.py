"""Checkpoints of both branches → one ONNX file."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from .branches import TwoBranch

OPSET = 17
INPUT_NAME = "images"
OUTPUT_NAME = "output0"
TRACE_SIZE = 320
HALF_FROM = 64
"""Tensors of at least so many values are stored in half precision."""


def export_onnx(network: TwoBranch, target: Path) -> Path:
    """Write an ONNX file with dynamic batch, height and width and no suppression inside.

    Input and output as `TwoBranch` has them. Weights are stored in half precision and computed
    with in single: half the file, and scores that differ by less than 0.002. Batch normalisation
    stays apart (runtimes fold it when they load) and parameters keep their names, so that
    `branch_from_onnx` can go on from the file. Returns `target`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    axes = {0: "batch", 2: "height", 3: "width"}
    with warnings.catch_warnings():
        # The dynamo exporter renames parameters; tracing warns about shapes that are constants.
        warnings.simplefilter("ignore")
        # Only for a module in training the exporter keeps equal parameters apart, each with its
        # name; the layers inside stay in evaluation.
        network.training = True
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, TRACE_SIZE, TRACE_SIZE),),
            str(target),
            opset_version=OPSET,
            input_names=[INPUT_NAME],
            output_names=[OUTPUT_NAME],
            dynamic_axes={INPUT_NAME: axes, OUTPUT_NAME: {0: "batch", 2: "anchors"}},
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
            dynamo=False,
        )
        network.training = False
    model = onnx.load(str(target))
    _halve(model)
    del model.metadata_props[:]
    names = str(dict(enumerate(network.labels)))
    helper.set_model_props(model, {"names": names, "task": "detect", "license": "AGPL-3.0"})
    for node in model.graph.node:
        node.doc_string = ""  # tells of the machine's source paths
    onnx.checker.check_model(model)
    onnx.save(model, str(target))
    return target


def _halve(model: Any) -> None:
    """Store large float tensors in half precision, each followed by a cast."""
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
