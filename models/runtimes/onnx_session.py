"""ONNX Runtime behind the `Session` interface."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import onnxruntime as ort

from ...config.errors import ModelError
from .session import Array, check_names, owned


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
        self.input_names = tuple(i.name for i in self._session.get_inputs())
        self.output_names = tuple(o.name for o in self._session.get_outputs())

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        check_names(inputs, self.input_names)
        try:
            outputs = self._session.run(list(self.output_names), dict(inputs))
        except Exception as error:  # see above
            raise ModelError(f"ONNX Runtime refused the input: {error}") from error
        return {name: owned(array) for name, array in zip(self.output_names, outputs, strict=True)}
