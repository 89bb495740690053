"""Requests and answers of the Open Inference Protocol v2, as JSON and with binary tensors.

The protocol is KServe's (also of Triton, MLServer, OpenVINO); tensors of strings and pictures are
BYTES, and its binary extension puts them behind the JSON, each element after its length in four
little-endian bytes. `Inference-Header-Content-Length` says where the JSON ends.
"""

from __future__ import annotations

import base64
import binascii
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .body import check_count, parse_json
from .errors import RequestError

JSON_LENGTH = "Inference-Header-Content-Length"
MAX_ID_CHARS = 128
ELEMENT = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Signature:
    """A tensor of a model as its metadata shows it; −1 is any length."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    optional: bool = False

    def shown(self) -> dict[str, Any]:
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: BYTES tensors of one length by name, and which outputs are wanted how
    (name to whether it is to be binary)."""

    id: str
    inputs: dict[str, list[bytes]]
    outputs: dict[str, bool]


def read_asked(
    body: bytes | bytearray,
    json_length: str | None,
    *,
    inputs: Sequence[Signature],
    outputs: Sequence[Signature],
    max_count: int,
) -> Asked:
    """A request for a model with these tensors, at most `max_count` items long.

    Raises:
        RequestError: what is wrong, with the tensor's name.
        TooLargeError: too many items.
    """
    size = _json_size(json_length, len(body))
    asked = parse_json(body[:size], "body")
    if not isinstance(asked, dict):
        raise _bad("body: a JSON object is wanted", "请求体须为 JSON 对象")
    request_id = asked.get("id", "")
    if not isinstance(request_id, str) or len(request_id) > MAX_ID_CHARS:
        raise _bad(f"id: a string of at most {MAX_ID_CHARS} characters is wanted", "id 无效")
    tensors = _read_inputs(asked.get("inputs"), memoryview(body)[size:], inputs, max_count)
    parameters = _parameters(asked, "parameters")
    wanted = _read_outputs(asked.get("outputs"), outputs, parameters.get("binary_data_output"))
    return Asked(request_id, tensors, wanted)


def write_answer(
    asked: Asked, model: str, version: str, tensors: Mapping[str, NDArray[Any]]
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of an answer. BYTES tensors are arrays of `bytes` objects."""
    entries: list[dict[str, Any]] = []
    binary: list[bytes] = []
    for name, as_binary in asked.outputs.items():
        tensor = tensors[name]
        entry: dict[str, Any] = {
            "name": name,
            "datatype": DATATYPES[tensor.dtype.str],
            "shape": list(tensor.shape),
        }
        if as_binary:
            binary.append(_packed(tensor))
            entry["parameters"] = {"binary_data_size": len(binary[-1])}
        else:
            entry["data"] = [
                item.decode() if isinstance(item, bytes) else item
                for item in tensor.ravel().tolist()
            ]
        entries.append(entry)
    shown = {"model_name": model, "model_version": version, "outputs": entries}
    if asked.id:
        shown["id"] = asked.id
    head = json.dumps(shown, ensure_ascii=False, allow_nan=False).encode()
    if not binary:
        return head, {"Content-Type": "application/json"}
    headers = {"Content-Type": "application/octet-stream", JSON_LENGTH: str(len(head))}
    return b"".join([head, *binary]), headers


DATATYPES = {"<f4": "FP32", "<i4": "INT32", "|O": "BYTES"}


def _packed(tensor: NDArray[Any]) -> bytes:
    if tensor.dtype == np.object_:
        return b"".join(ELEMENT.pack(len(item)) + item for item in tensor.ravel())
    return tensor.tobytes()


def _json_size(given: str | None, body_size: int) -> int:
    if given is None:
        return body_size
    if not given.isascii() or not given.isdigit() or len(given) > 12 or int(given) > body_size:
        raise _bad(
            f"{JSON_LENGTH}: the number of bytes of the JSON is wanted, at most {body_size}",
            f"{JSON_LENGTH} 无效",
        )
    return int(given)


def _read_inputs(
    given: Any, binary: memoryview, known: Sequence[Signature], max_count: int
) -> dict[str, list[bytes]]:
    names = [signature.name for signature in known]
    found: dict[str, list[bytes]] = {}
    for index, tensor in enumerate(given if isinstance(given, list) else []):
        name = tensor.get("name") if isinstance(tensor, dict) else None
        if name not in names or name in found:
            raise _bad(
                f"inputs[{index}].name: one of {', '.join(names)} is wanted, each once",
                f"inputs 第 {index} 项的 name 无效",
            )
        found[name], used = _read_tensor(tensor, name, binary, max_count)
        binary = binary[used:]
    for signature in known:
        if signature.name not in found and not signature.optional:
            raise _bad(f"inputs: {signature.name} is missing", f"缺少输入 {signature.name}")
    if len(binary):
        raise _bad(f"{len(binary)} bytes are left behind the last tensor", "请求体末尾有多余数据")
    if len({len(items) for items in found.values()}) > 1:
        raise _bad("inputs: all tensors must be equally long", "各输入的长度须一致")
    return found


def _read_tensor(
    tensor: dict[str, Any], name: str, binary: memoryview, max_count: int
) -> tuple[list[bytes], int]:
    """Its items, and how many bytes of the binary part they took."""
    if tensor.get("datatype") != "BYTES":
        raise _bad(f"{name}: datatype BYTES is wanted", f"{name} 的 datatype 须为 BYTES")
    count = _count(tensor.get("shape"), name)
    check_count(count, max_count, name, "数据")
    parameters = _parameters(tensor, f"{name}.parameters")
    if "shared_memory_region" in parameters:
        raise _bad(f"{name}: there is no shared memory here", "不支持共享内存")
    size = parameters.get("binary_data_size")
    if size is None:
        items = _from_json(tensor.get("data"), name, parameters.get("content_type") == "base64")
        used = 0
    else:
        if type(size) is not int or not 0 <= size <= len(binary):
            raise _bad(
                f"{name}: binary_data_size is {size!r}, {len(binary)} bytes are there",
                f"{name} 的 binary_data_size 无效",
            )
        items, used = _from_binary(binary[:size], name), size
    if len(items) != count:
        raise _bad(
            f"{name}: {len(items)} elements are given, the shape says {count}",
            f"{name} 的元素个数与 shape 不符",
        )
    return items, used


def _count(shape: Any, name: str) -> int:
    """N of [N] or [N, 1]."""
    numbers = shape if isinstance(shape, list) else []
    whole = all(type(number) is int and number >= 0 for number in numbers)
    if not whole or not (len(numbers) == 1 or (len(numbers) == 2 and numbers[1] == 1)):
        raise _bad(f"{name}: a shape [N] or [N, 1] is wanted", f"{name} 的 shape 须为 [N]")
    return int(numbers[0])


def _from_binary(data: memoryview, name: str) -> list[bytes]:
    items: list[bytes] = []
    at = 0
    while at < len(data):
        start = at + ELEMENT.size
        end = start + (ELEMENT.unpack_from(data, at)[0] if start <= len(data) else 0)
        if max(start, end) > len(data):
            raise _bad(
                f"{name}: element {len(items)} is cut short", f"{name} 第 {len(items)} 个元素不完整"
            )
        items.append(bytes(data[start:end]))
        at = end
    return items


def _from_json(data: Any, name: str, as_base64: bool) -> list[bytes]:
    if not isinstance(data, list):
        raise _bad(f"{name}: no data is given", f"{name} 没有数据")
    items: list[bytes] = []
    for item in data:
        text = item[0] if isinstance(item, list) and len(item) == 1 else item
        try:
            if not isinstance(text, str):
                raise TypeError
            encoded = text.encode()
            items.append(base64.b64decode(encoded, validate=True) if as_base64 else encoded)
        except (TypeError, UnicodeEncodeError, binascii.Error):
            wanted = "base64" if as_base64 else "a string"
            raise _bad(
                f"{name}[{len(items)}]: {wanted} is wanted", f"{name} 第 {len(items)} 个元素无效"
            ) from None
    return items


def _read_outputs(given: Any, known: Sequence[Signature], binary: Any) -> dict[str, bool]:
    names = [signature.name for signature in known]
    if given is None or given == []:
        return dict.fromkeys(names, binary is True)
    wanted: dict[str, bool] = {}
    for index, output in enumerate(given if isinstance(given, list) else [None]):
        name = output.get("name") if isinstance(output, dict) else None
        if name not in names or name in wanted:
            raise _bad(
                f"outputs[{index}].name: one of {', '.join(names)} is wanted, each once",
                f"outputs 第 {index} 项的 name 无效",
            )
        parameters = _parameters(output, f"{name}.parameters")
        if {"classification", "shared_memory_region"} & set(parameters):
            raise _bad(f"{name}: only plain tensors are given", f"{name} 只支持普通张量")
        wanted[name] = parameters.get("binary_data", binary) is True
    return wanted


def _parameters(holder: dict[str, Any], where: str) -> dict[str, Any]:
    found = holder.get("parameters", {})
    if not isinstance(found, dict):
        raise _bad(f"{where}: an object is wanted", f"{where} 须为对象")
    return found


def _bad(text: str, text_zh: str) -> RequestError:
    return RequestError(text, message_zh=text_zh, code="bad_inference_request")
