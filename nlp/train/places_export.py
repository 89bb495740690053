"""The trained place tagger as one ONNX file with 8-bit weights and 8-bit products."""

from __future__ import annotations

import warnings
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from ..place.alphabet import FIRST_ID
from .places_network import PlaceNetwork

OPSET = 17
_TRACE_SHAPE = (2, 24)


def export_places(network: PlaceNetwork, path: Path) -> None:
    """Write the graph: `ids` int64 (N, L) padded with 0 → `scores` float32 (N, L, tags).

    Weights are 8-bit, one scale a column; products are computed in integers, their inputs scaled
    by the largest value of the whole run. Runs of one text each therefore give the same answer
    whatever else is asked for.
    """
    network = network.cpu().float().eval()
    single = path.with_name(f"{path.stem}.float.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing warns about shapes that are constants
        torch.onnx.export(
            network,
            (torch.full(_TRACE_SHAPE, FIRST_ID),),
            str(single),
            opset_version=OPSET,
            input_names=["ids"],
            output_names=["scores"],
            dynamic_axes={"ids": {0: "N", 1: "L"}, "scores": {0: "N", 1: "L"}},
            dynamo=False,
        )
    quantize_dynamic(
        single,
        path,
        weight_type=QuantType.QInt8,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Gather"],
    )
    single.unlink()
    model = onnx.load(str(path))
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""  # tells of the machine's source paths
        del node.metadata_props[:]
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
