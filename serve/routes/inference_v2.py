"""Open Inference Protocol v2 under `/v2`: the two models alone, for clients that speak it.

Nothing is stored, no camera advances, no call is remembered. Pictures and texts go through the same
queues and limits as those of `/v1`.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Annotated, Any, TypeVar

import numpy as np
from fastapi import APIRouter, Depends, Path, Request, Response
from numpy.typing import NDArray

from ...config.errors import InputError
from ...nlp.transcript import Transcript
from ...vision.detections import Detections
from ...vision.images import ImageLimits, probe
from ..body import read_body, unless_gone
from ..errors import NotFoundError, RequestError, UnsupportedMediaError
from ..hotline_intake import Incoming
from ..hotline_service import Routed
from ..inference_v2 import JSON_LENGTH, MAX_ID_CHARS, Asked, Signature, read_asked, write_answer
from ..seeing import Picture, Seen, counting
from ..services import Services, Use
from .common import PROBLEM_TEXTS

router = APIRouter(prefix="/v2", tags=["inference"])

DETECTOR, ROUTER = "detector", "router"
ANSWER_CONTENT = {"application/json": {}, "application/octet-stream": {}}
TENSOR = {
    "type": "object",
    "required": ["name", "shape", "datatype"],
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "datatype": {"type": "string", "enum": ["BYTES"]},
        "parameters": {"type": "object"},
        "data": {"type": "array"},
    },
}
REQUEST_CONTENT = {
    "application/json": {
        "schema": {
            "type": "object",
            "required": ["inputs"],
            "properties": {
                "id": {"type": "string", "maxLength": MAX_ID_CHARS},
                "parameters": {"type": "object"},
                "inputs": {"type": "array", "items": TENSOR},
                "outputs": {"type": "array", "items": {"type": "object", "required": ["name"]}},
            },
        }
    },
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
}
TOP = 5
Tensors = dict[str, NDArray[Any]]
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Served:
    """A model as the protocol shows it."""

    name: str
    version: str
    inputs: tuple[Signature, ...]
    outputs: tuple[Signature, ...]
    ready: bool


DETECTOR_INPUTS = (Signature("image", "BYTES", (-1,)),)
DETECTOR_OUTPUTS = (
    Signature("boxes", "FP32", (-1, -1, 6)),
    Signature("count", "INT32", (-1,)),
    Signature("label", "BYTES", (-1, -1)),
)
ROUTER_INPUTS = (
    Signature("text", "BYTES", (-1,)),
    Signature("title", "BYTES", (-1,), optional=True),
)
ROUTER_OUTPUTS = (
    Signature("department", "BYTES", (-1, TOP)),
    Signature("probability", "FP32", (-1, TOP)),
    Signature("assigned", "BYTES", (-1,)),
    Signature("decision", "BYTES", (-1,)),
    Signature("category", "BYTES", (-1,)),
)


Name = Annotated[str, Path(max_length=64)]
Version = Annotated[str, Path(max_length=64)]
ERROR = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries of refusals in the protocol's form."""
    content = {"application/json": {"schema": ERROR}}
    return {
        status: {"description": PROBLEM_TEXTS[status], "content": content} for status in statuses
    }


def served(services: Use, name: Name) -> Served:
    """The model of a name, in the version in use.

    Raises:
        NotFoundError: there is none, or it is switched off.
    """
    if name == DETECTOR and services.vision is not None:
        ref, is_ready = services.vision.detector.ref, services.vision.batcher.ready
        return Served(name, version_of(ref), DETECTOR_INPUTS, DETECTOR_OUTPUTS, is_ready)
    if name == ROUTER and services.hotline is not None:
        ref, is_ready = services.hotline.ref, services.hotline.batcher.ready
        return Served(name, version_of(ref), ROUTER_INPUTS, ROUTER_OUTPUTS, is_ready)
    raise NotFoundError(
        f"no model {name!r} is served here", message_zh=f"没有模型 {name}", code="unknown_model"
    )


def served_version(services: Use, name: Name, version: Version) -> Served:
    """The same where the version is named; raises NotFoundError when it is not the one in use."""
    found = served(services, name)
    check_version(found, version, found.version)
    return found


Model = Annotated[Served, Depends(served)]
ModelVersion = Annotated[Served, Depends(served_version)]


@router.get("", summary="The server and its extensions", operation_id="getServerMetadata")
async def server_metadata() -> dict[str, Any]:
    extensions = ["binary_tensor_data"]
    return {"name": "xiaozheng", "version": version("xiaozheng"), "extensions": extensions}


@router.get("/health/live", summary="The process is alive", operation_id="getServerLive")
async def server_live() -> dict[str, bool]:
    return {"live": True}


@router.get(
    "/health/ready",
    summary="Work sent now would be done",
    operation_id="getServerReady",
    responses={400: {"description": "Some work cannot be done now"}},
)
async def server_ready(services: Use, response: Response) -> dict[str, bool]:
    checks = await services.checks()
    return _ready(all(check.ok for check in checks.values()), response)


@router.get(
    "/models/{name}",
    summary="A model's tensors",
    operation_id="getModelMetadata",
    responses=errors(401, 403, 404, 429),
)
async def model_metadata(model: Model) -> dict[str, Any]:
    return {
        "name": model.name,
        "versions": [model.version],
        "platform": "xiaozheng",
        "inputs": [signature.shown() for signature in model.inputs],
        "outputs": [signature.shown() for signature in model.outputs],
    }


@router.get(
    "/models/{name}/versions/{version}",
    summary="A version's tensors",
    operation_id="getModelVersionMetadata",
    responses=errors(401, 403, 404, 429),
)
async def version_metadata(model: ModelVersion) -> dict[str, Any]:
    return await model_metadata(model)


@router.get(
    "/models/{name}/ready",
    summary="Whether a model can work",
    operation_id="getModelReady",
    responses={400: {"description": "Not now"}} | errors(401, 403, 404, 429),
)
async def model_ready(model: Model, response: Response) -> dict[str, bool]:
    return _ready(model.ready, response)


@router.get(
    "/models/{name}/versions/{version}/ready",
    summary="Whether a version can work",
    operation_id="getModelVersionReady",
    responses={400: {"description": "Not now"}} | errors(401, 403, 404, 429),
)
async def version_ready(model: ModelVersion, response: Response) -> dict[str, bool]:
    return _ready(model.ready, response)


INFER = {
    "response_class": Response,
    "responses": {200: {"description": "The output tensors", "content": ANSWER_CONTENT}}
    | errors(400, 401, 403, 404, 413, 415, 429, 503, 504),
    "openapi_extra": {
        "parameters": [
            {
                "name": JSON_LENGTH,
                "in": "header",
                "required": False,
                "description": "Where the JSON ends and binary tensors begin",
                "schema": {"type": "integer", "minimum": 0},
            }
        ],
        "requestBody": {"required": True, "content": REQUEST_CONTENT},
    },
}


@router.post("/models/{name}/infer", summary="Ask a model", operation_id="inferModel", **INFER)
async def infer(request: Request, services: Use, model: Model) -> Response:
    return await _infer(request, services, model, None)


@router.post(
    "/models/{name}/versions/{version}/infer",
    summary="Ask a version of a model",
    operation_id="inferModelVersion",
    **INFER,
)
async def infer_version(
    request: Request, services: Use, model: ModelVersion, version: Version
) -> Response:
    return await _infer(request, services, model, version)


async def _infer(
    request: Request, services: Services, model: Served, wanted: str | None
) -> Response:
    settings = services.settings
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaError(
            "compressed bodies are not read", message_zh="不支持压缩的请求体"
        )
    work = _detect if model.name == DETECTOR else _route
    max_count = settings.max_frames if model.name == DETECTOR else settings.max_transcripts
    async with read_body(request, settings.max_body_bytes, services.budget) as body:
        asked = await asyncio.to_thread(
            read_asked,
            body,
            request.headers.get(JSON_LENGTH),
            inputs=model.inputs,
            outputs=model.outputs,
            max_count=max_count,
        )
        body.clear()
        ref, tensors = await unless_gone(request, work(services, asked))
    # Another version may have taken over while the request waited.
    if wanted is not None:
        check_version(model, wanted, version_of(ref))
    content, headers = write_answer(asked, model.name, version_of(ref), tensors)
    return Response(content, headers=headers)


async def _detect(services: Services, asked: Asked) -> tuple[str, Tensors]:
    """Boxes that reach their label's threshold, in pixels of each picture."""
    settings = services.settings
    limits = ImageLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_pixels)
    pictures: list[Picture] = []
    for index, data in enumerate(asked.inputs["image"]):
        try:
            pictures.append(Picture(data, probe(data, limits)))
        except InputError as error:
            raise _of_item("image", index, error) from None
    answers: list[Seen | Exception] = await services.need_vision().batcher.submit(
        pictures,
        sizes=[len(picture.data) for picture in pictures],
        timeout_s=settings.queue_timeout_s,
    )
    seen = _whole("image", answers)
    return seen[-1].detector.ref, box_tensors(
        [counting(one.detections, one.detector) for one in seen]
    )


async def _route(services: Services, asked: Asked) -> tuple[str, Tensors]:
    """Departments by the model, and what the legal rules make of them; nothing is remembered."""
    texts = _decoded("text", asked.inputs["text"])
    titles = _decoded("title", asked.inputs.get("title", [b""] * len(texts)))
    calls = [
        Incoming(Transcript(uuid.uuid4().hex, text, title), kept=False)
        for text, title in zip(texts, titles, strict=True)
    ]
    answers: list[Routed | Exception] = await services.need_hotline().batcher.submit(
        calls,
        sizes=[4 * call.n_chars for call in calls],
        timeout_s=services.settings.queue_timeout_s,
    )
    routed = _whole("text", answers)
    return routed[-1].suggestion.model, route_tensors(routed)


def box_tensors(found: Sequence[Detections]) -> Tensors:
    """`boxes` (N, M, 6): x1, y1, x2, y2, score, class; after a picture's `count` rows come rows
    of zeros with class −1."""
    most = max(len(detections) for detections in found)
    boxes = np.zeros((len(found), most, 6), dtype="<f4")
    boxes[:, :, 5] = -1
    labels = np.full((len(found), most), b"", dtype=object)
    for row, detections in enumerate(found):
        size = len(detections)
        boxes[row, :size, :4] = detections.xyxy
        boxes[row, :size, 4] = detections.score
        boxes[row, :size, 5] = detections.class_id
        labels[row, :size] = [name.encode() for name in detections.names()]
    count = np.asarray([len(detections) for detections in found], dtype="<i4")
    return {"boxes": boxes, "count": count, "label": labels}


def route_tensors(routed: Sequence[Routed]) -> Tensors:
    """The `TOP` departments of each text with their probabilities, padded with '' and 0."""
    department = np.full((len(routed), TOP), b"", dtype=object)
    probability = np.zeros((len(routed), TOP), dtype="<f4")
    for row, one in enumerate(routed):
        best = one.suggestion.departments[:TOP]
        department[row, : len(best)] = [ranked.code.encode() for ranked in best]
        probability[row, : len(best)] = [ranked.probability for ranked in best]
    return {
        "department": department,
        "probability": probability,
        "assigned": _names([one.department for one in routed]),
        "decision": _names([one.suggestion.decision.verdict for one in routed]),
        "category": _names([one.suggestion.category for one in routed]),
    }


def version_of(ref: str) -> str:
    return ref.partition("@")[2]


def check_version(model: Served, wanted: str, found: str) -> None:
    """Raises NotFoundError when another version is asked for than the one that works."""
    if wanted != found:
        raise NotFoundError(
            f"model {model.name} is served in version {found}, not {wanted}",
            message_zh=f"模型 {model.name} 当前版本为 {found}",
            code="unknown_version",
        )


def _ready(ready: bool, response: Response) -> dict[str, bool]:
    # The protocol wants 4xx where others say 503.
    response.status_code = 200 if ready else 400
    return {"ready": ready}


def _names(texts: Sequence[str]) -> NDArray[Any]:
    return np.array([text.encode() for text in texts], dtype=object)


def _decoded(name: str, items: Sequence[bytes]) -> list[str]:
    texts: list[str] = []
    for index, item in enumerate(items):
        try:
            texts.append(item.decode())
        except UnicodeDecodeError as error:
            broken = RequestError(
                f"invalid UTF-8 at byte {error.start}",
                message_zh=f"第 {error.start} 字节不是有效的 UTF-8",
                code="invalid_utf8",
            )
            raise _of_item(name, index, broken) from None
    return texts


def _whole(name: str, answers: Sequence[ResultT | Exception]) -> list[ResultT]:
    """All results; the protocol has no place for the error of a single item."""
    results: list[ResultT] = []
    for index, answer in enumerate(answers):
        if isinstance(answer, InputError):
            raise _of_item(name, index, answer)
        if isinstance(answer, Exception):
            raise answer
        results.append(answer)
    return results


def _of_item(name: str, index: int, error: InputError) -> RequestError:
    return RequestError(
        f"{name}[{index}]: {error}",
        message_zh=f"{name} 第 {index} 项：{error.message_zh}",
        code=error.code,
    )
