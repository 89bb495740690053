"""OpenVINO behind the `Session` interface."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import openvino as ov

from ...config.errors import ModelError
from .session import Array, InputSpec, check_names, owned


class OpenVinoSession:
    """CPU execution of an ONNX file with OpenVINO; bf16 where the CPU has instructions for it."""

    backend = "openvino"

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        core = ov.Core()
        fast_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = "bf16" if fast_bf16 else "fp32"
        config: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "bf16" if fast_bf16 else "f32",
        }
        if threads:
            config["INFERENCE_NUM_THREADS"] = threads
        try:
            model = core.read_model(str(path))
            self._compiled = core.compile_model(model, "CPU", config)
        except RuntimeError as error:
            raise ModelError(f"{path}: OpenVINO cannot load it: {error}") from error
        self.inputs = tuple(_spec(port) for port in self._compiled.inputs)
        self.input_names = tuple(spec.name for spec in self.inputs)
        self.output_names = tuple(port.get_any_name() for port in self._compiled.outputs)
        self._shapes = {
            port.get_any_name(): port.get_partial_shape() for port in self._compiled.inputs
        }
        self._request = self._compiled.create_infer_request()
        # One request has one set of buffers; callers from several threads take turns.
        self._turn = threading.Lock()

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        check_names(inputs, self.input_names)
        for name, array in inputs.items():
            # OpenVINO itself computes on with a wrong number of channels.
            wanted = self._shapes[name]
            if not wanted.compatible(ov.PartialShape(list(array.shape))):
                raise ModelError(f"input {name!r} is {wanted}, got {list(array.shape)}")
        with self._turn:
            try:
                results = self._request.infer(dict(inputs))
            except RuntimeError as error:
                raise ModelError(f"OpenVINO refused the input: {error}") from error
            return {port.get_any_name(): owned(results[port]) for port in self._compiled.outputs}


def _spec(port: ov.ConstOutput) -> InputSpec:
    dimensions = port.get_partial_shape()
    shape = tuple(d.get_length() if d.is_static else None for d in dimensions)
    return InputSpec(port.get_any_name(), np.dtype(port.get_element_type().to_dtype()), shape)
