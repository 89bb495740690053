"""Proof that the exported file says what torch says, in every runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from ...config.errors import ModelError
from ...models.runtimes import Backend, InputSpec, open_session
from .branches import TwoBranch
from .export import INPUT_NAME, OUTPUT_NAME

SURE = 0.05
"""Anchors whose best class stays below it never become boxes; deviations there do not count."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """Largest differences between a runtime's output and torch's, over anchors that matter."""

    box_px: float
    score: float


class TorchSession:
    """The network itself behind the runtimes' interface, so that AP is measured the same way."""

    backend = "torch"
    precision = "fp32"
    inputs = (InputSpec(INPUT_NAME, np.dtype("float32"), (None, 3, None, None)),)
    input_names = (INPUT_NAME,)
    output_names = (OUTPUT_NAME,)

    def __init__(self, network: TwoBranch) -> None:
        self._network = network

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `Session.run`."""
        with torch.inference_mode():
            return {OUTPUT_NAME: self._network(torch.from_numpy(inputs[INPUT_NAME])).numpy()}


def deviation(
    network: TwoBranch, onnx_file: Path, batch: NDArray[np.float32], backend: str = "onnxruntime"
) -> Deviation:
    """Compare a runtime with torch on one batch (N, 3, H, W).

    Raises:
        ModelError: the outputs differ in shape, or no anchor is sure of anything (nothing proven).
    """
    expected = TorchSession(network).run({INPUT_NAME: batch})[OUTPUT_NAME]
    session = open_session(onnx_file, backend=cast(Backend, backend))
    actual = session.run({INPUT_NAME: batch})[OUTPUT_NAME]
    if actual.shape != expected.shape:
        raise ModelError(f"{onnx_file}: output {actual.shape}, torch gives {expected.shape}")
    sure = expected[:, 4:].max(axis=1) >= SURE
    if not sure.any():
        raise ModelError("no anchor is sure of anything; compare on pictures with objects")
    difference = np.abs(actual - expected).transpose(0, 2, 1)[sure]
    return Deviation(float(difference[:, :4].max()), float(difference[:, 4:].max()))
