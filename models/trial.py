"""Opens a model and runs it once, before anybody relies on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..config.errors import ModelError
from .manifest import Manifest
from .registry import Artifact
from .runtimes import Backend, InputSpec, open_session

# The runtime that serves each task; the router's sums are small and ONNX Runtime's are exact.
BACKENDS: Final[dict[str, Backend]] = {
    "detection": "auto",
    "routing": "onnxruntime",
    "places": "onnxruntime",
}
DENSE_LAYOUT: Final = "(N, 4 + classes, anchors)"
DEFAULT_SIDE: Final = 640
MAX_SIDE: Final = 4096


@dataclass(frozen=True, slots=True)
class Trial:
    """What one run on zeros showed: runtime, arithmetic, output shapes."""

    backend: str
    precision: str
    outputs: dict[str, tuple[int, ...]]


def try_model(artifact: Artifact) -> Trial:
    """Open a verified artefact in the runtime that serves it and run it once on zeros.

    Raises:
        ModelError: the runtime refuses it, names differ from the manifest's, an output is not
            finite, or its width does not fit the labels.
    """
    manifest = artifact.manifest
    session = open_session(artifact.model_path, backend=BACKENDS[manifest.task], threads=1)
    _check_names(artifact, "input", _stated(manifest.input), session.input_names)
    outputs = session.run({spec.name: _zeros(spec, manifest) for spec in session.inputs})
    _check_names(artifact, "output", _stated(manifest.output), tuple(outputs))
    for name, value in outputs.items():
        if not np.isfinite(value).all():
            raise _misfit(artifact, f"output {name!r} is not finite on zeros")
    shapes = {name: value.shape for name, value in outputs.items()}
    _check_width(artifact, shapes)
    return Trial(session.backend, session.precision, shapes)


def _stated(entry: Mapping[str, Any]) -> set[str]:
    """Tensor names: either `name` holds the only one, or every key is one."""
    return {str(entry["name"])} if "name" in entry else set(entry)


def _check_names(artifact: Artifact, what: str, stated: set[str], found: tuple[str, ...]) -> None:
    if stated != set(found):
        raise _misfit(
            artifact,
            f"the manifest states the {what}s {sorted(stated)}, the file has {list(found)}",
        )


def _check_width(artifact: Artifact, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """A dense detector gives 4 + labels rows of anchors; a router one margin a label."""
    manifest = artifact.manifest
    labels = len(manifest.labels)
    if manifest.output.get("layout") == DENSE_LAYOUT:
        shape = next(iter(shapes.values()))
        fits = len(shape) == 3 and shape[1] == 4 + labels
    elif manifest.task == "routing":
        shape = shapes.get("department", ())
        fits = len(shape) == 2 and shape[1] == labels
    else:
        return
    if not fits:
        raise _misfit(artifact, f"an output of shape {list(shape)} does not fit {labels} labels")


def _zeros(spec: InputSpec, manifest: Manifest) -> NDArray[Any]:
    """Zeros of one item; free height and width take the manifest's size."""
    side = manifest.input.get("size", DEFAULT_SIDE)
    if not isinstance(side, int) or not 1 <= side <= MAX_SIDE:
        raise ModelError(f"input.size {side!r} is not a number of pixels up to {MAX_SIDE}")
    is_image = len(spec.shape) == 4
    free = [1, 1, side, side] if is_image else [1] * len(spec.shape)
    shape = [free[i] if size is None else size for i, size in enumerate(spec.shape)]
    return np.zeros(shape, spec.dtype)


def _misfit(artifact: Artifact, text: str) -> ModelError:
    return ModelError(
        f"{artifact.folder}: {text}",
        message_zh=f"模型与清单不符：{artifact.folder}（{text}）",
        code="misfit",
    )
