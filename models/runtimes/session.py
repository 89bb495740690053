"""One interface over ONNX Runtime and OpenVINO."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ...config.errors import ModelError

Backend = Literal["auto", "onnxruntime", "openvino"]
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input as the file states it; a free dimension is None."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]


class Session(Protocol):
    """A loaded model. `run` may be called from several threads."""

    @property
    def backend(self) -> str:
        """`onnxruntime` or `openvino`."""

    @property
    def precision(self) -> str:
        """Arithmetic in use, for example `fp32` or `bf16`."""

    @property
    def inputs(self) -> tuple[InputSpec, ...]: ...

    @property
    def input_names(self) -> tuple[str, ...]: ...

    @property
    def output_names(self) -> tuple[str, ...]: ...

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Feed named arrays, get named arrays that the caller owns.

        Raises:
            ModelError: an input's name, shape or type does not fit the model.
        """


def available_backends() -> tuple[str, ...]:
    """Installed runtimes, the preferred one first."""
    names = [("openvino", "openvino"), ("onnxruntime", "onnxruntime")]
    return tuple(name for name, module in names if importlib.util.find_spec(module))


def open_session(path: Path, *, backend: Backend = "auto", threads: int = 0) -> Session:
    """Load an ONNX file.

    Args:
        path: the ONNX file; verify its hash first (`Registry.resolve` does).
        backend: `auto` takes OpenVINO where it is installed (bf16 where the CPU computes it),
            else ONNX Runtime. A named backend that is not installed is an error, never replaced.
        threads: CPU threads for one run; 0 leaves the choice to the runtime.

    Raises:
        ModelError: the runtime is not installed or refuses the file.
    """
    chosen = available_backends()[0] if backend == "auto" else backend
    if chosen not in available_backends():
        raise ModelError(
            f"runtime {chosen!r} is not installed (have: {', '.join(available_backends())})",
            message_zh=f"推理运行时 {chosen} 未安装",
        )
    if chosen == "openvino":
        from .openvino_session import OpenVinoSession

        return OpenVinoSession(path, threads=threads)
    from .onnx_session import OnnxRuntimeSession

    return OnnxRuntimeSession(path, threads=threads)


def check_names(given: Mapping[str, Array], wanted: tuple[str, ...]) -> None:
    """Refuse missing or unknown input names with both lists in the message."""
    if set(given) != set(wanted):
        raise ModelError(f"model inputs are {sorted(wanted)}, got {sorted(given)}")


def owned(array: Any) -> Array:
    """A contiguous copy, so that a runtime's reused buffer cannot change under the caller."""
    return np.array(array, copy=True, order="C")
