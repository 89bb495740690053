"""Checkpoints of both branches → one ONNX file."""

from __future__ import annotations

import warnings
from pathlib import Path

import onnx
import torch
from onnx import helper

from ...models.small_weights import store_half
from .branches import TwoBranch

OPSET = 17
INPUT_NAME = "images"
OUTPUT_NAME = "output0"
TRACE_SIZE = 320


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
    store_half(model)
    del model.metadata_props[:]
    names = str(dict(enumerate(network.labels)))
    helper.set_model_props(model, {"names": names, "task": "detect", "license": "AGPL-3.0"})
    for node in model.graph.node:
        node.doc_string = ""  # tells of the machine's source paths
    onnx.checker.check_model(model)
    onnx.save(model, str(target))
    return target
