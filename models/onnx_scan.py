"""Looks into an ONNX file without loading it: operator domains and data kept elsewhere.

ONNX is protocol buffers; the field numbers are those of `onnx.proto` (ONNX 1.17). Only lengths are
followed, so weights are skipped and a model of 11 MB takes milliseconds. A file hash covers one
file: a model whose weights lie in a second one, at any path it likes to name, could change under
an unchanged hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..config.errors import ModelError

KNOWN_DOMAINS: Final = frozenset({"", "ai.onnx", "ai.onnx.ml", "com.microsoft"})
"""Operators that ONNX Runtime brings along; others need a library that is loaded as code."""

MAX_DEPTH: Final = 60
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_EXTERNAL: Final = 1

# Message → field number → message inside it. Fields that are not named are skipped.
_INSIDE: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 8: "opset", 20: "training", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse",
        23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 9: "opset", 11: "attribute"},
    "training": {1: "graph", 2: "graph"},
}
_DOMAIN_FIELD: Final = {"node": 7, "opset": 1, "function": 10}
_TENSOR_EXTERNAL_DATA, _TENSOR_LOCATION = 13, 14
_MODEL_GRAPH: Final = 7


@dataclass(frozen=True, slots=True)
class OnnxContents:
    """What a scan found.

    Attributes:
        domains: operator domains in use, `""` for ONNX's own.
        external: some tensor's data lie in another file.
        has_graph: there is a graph at all; without one it is no model.
    """

    domains: frozenset[str]
    external: bool
    has_graph: bool


def scan_onnx(path: Path) -> OnnxContents:
    """Scan a file.

    Raises:
        ModelError: not protocol buffers.
    """
    scan = _Scan()
    try:
        scan.message(memoryview(path.read_bytes()), "model", 0)
    except (ValueError, IndexError) as error:
        raise ModelError(
            f"{path}: not an ONNX file: {error}",
            message_zh=f"不是 ONNX 文件：{path}",
            code="not_onnx",
        ) from None
    return OnnxContents(frozenset(scan.domains), scan.external, scan.has_graph)


class _Scan:
    """Gathers findings while it walks down."""

    def __init__(self) -> None:
        self.domains: set[str] = set()
        self.external = False
        self.has_graph = False

    def message(self, data: memoryview, kind: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        for number, value in _fields(data):
            if isinstance(value, int):
                if kind == "tensor" and number == _TENSOR_LOCATION and value == _EXTERNAL:
                    self.external = True
            elif kind == "tensor":
                self.external |= number == _TENSOR_EXTERNAL_DATA
            elif number == _DOMAIN_FIELD.get(kind):
                self.domains.add(bytes(value).decode("utf-8"))
            elif inner := _INSIDE.get(kind, {}).get(number):
                self.has_graph |= kind == "model" and number == _MODEL_GRAPH
                self.message(value, inner, depth + 1)


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """(field number, integer or bytes) of one message."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire = tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if wire == _BYTES:
            length, at = _varint(data, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + length > len(data):
            raise ValueError("cut short")
        if wire == _BYTES:
            yield tag >> 3, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number without end")
