"""Open Inference Protocol v2 under `/v2`: the two models alone, for clients that speak it.

Nothing is stored, no camera advances, no call is remembered. Pictures and texts go through the same
queues and limits as those of `/v1`.
"""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response

from ..body import read_body, unless_gone
from ..errors import NotFoundError, UnsupportedMediaError
from ..inference_v2 import JSON_LENGTH, MAX_ID_CHARS, read_asked, write_answer
from ..inference_v2_models import (
    DETECTOR,
    DETECTOR_INPUTS,
    DETECTOR_OUTPUTS,
    ROUTER,
    ROUTER_INPUTS,
    ROUTER_OUTPUTS,
    Served,
    check_version,
    detect,
    route,
    version_of,
)
from ..services import Services, Use
from .common import PROBLEM_TEXTS

router = APIRouter(prefix="/v2", tags=["inference"])

ANSWER_CONTENT: dict[str, Any] = {"application/json": {}, "application/octet-stream": {}}
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
NOT_NOW: dict[int | str, dict[str, Any]] = {400: {"description": "Not now"}}

MODELS: dict[str, Any] = {"enum": [DETECTOR, ROUTER]}  # told, not judged: others are not found
Name = Annotated[str, Path(max_length=64, json_schema_extra=MODELS)]
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
    responses=NOT_NOW,
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
    responses=NOT_NOW | errors(401, 403, 404, 429),
)
async def model_ready(model: Model, response: Response) -> dict[str, bool]:
    return _ready(model.ready, response)


@router.get(
    "/models/{name}/versions/{version}/ready",
    summary="Whether a version can work",
    operation_id="getModelVersionReady",
    responses=NOT_NOW | errors(401, 403, 404, 429),
)
async def version_ready(model: ModelVersion, response: Response) -> dict[str, bool]:
    return _ready(model.ready, response)


INFER: dict[str, Any] = {
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
    work = detect if model.name == DETECTOR else route
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


def _ready(ready: bool, response: Response) -> dict[str, bool]:
    # The protocol wants 4xx where others say 503.
    response.status_code = 200 if ready else 400
    return {"ready": ready}
