"""ONNX Runtime behind the `Session` interface."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime as ort

from ...config.errors import ModelError
from .session import Array, InputSpec, check_names, owned

_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(bool)": np.bool_,
}


class OnnxRuntimeSession:
    """CPU execution of an ONNX file with ONNX Runtime."""

    backend = "onnxruntime"
    precision = "fp32"

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # The arena keeps the peak of every shape it ever saw; varied batch sizes would pin it.
        options.enable_cpu_mem_arena = False
        try:
            self._session = ort.InferenceSession(
                str(path), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's exceptions share no public base class
            raise ModelError(f"{path}: ONNX Runtime cannot load it: {error}") from error
        self.inputs = tuple(_spec(path, i) for i in self._session.get_inputs())
        self.input_names = tuple(spec.name for spec in self.inputs)
        self.output_names = tuple(o.name for o in self._session.get_outputs())

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        check_names(inputs, self.input_names)
        try:
            outputs = self._session.run(list(self.output_names), dict(inputs))
        except Exception as error:  # see above
            raise ModelError(f"ONNX Runtime refused the input: {error}") from error
        return {name: owned(array) for name, array in zip(self.output_names, outputs, strict=True)}


def _spec(path: Path, given: ort.NodeArg) -> InputSpec:
    if given.type not in _DTYPES:
        raise ModelError(f"{path}: input {given.name!r} of type {given.type} is not supported")
    shape = tuple(d if isinstance(d, int) and d > 0 else None for d in given.shape)
    return InputSpec(given.name, np.dtype(_DTYPES[given.type]), shape)
