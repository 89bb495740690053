"""`POST /v1/frames:batch`: pictures of cameras."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from ...config.errors import FrameError, InputError
from ...vision.frame import Frame
from ..body import check_count, parse_json, read_body, unless_gone
from ..errors import RequestError, UnprocessableError
from ..idempotency import not_for_repeats
from ..moments import parse_moment
from ..multipart import Part, boundary_of, parse_parts
from ..problems import item_error
from ..schemas import FrameMeta, FrameOut, FramesAnswer
from ..services import Services, Use
from ..views import boxes
from ..vision_service import FrameResult
from .common import answer, problems

router = APIRouter(tags=["frames"])

METADATA = "metadata"

REQUEST_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [METADATA],
                "properties": {
                    METADATA: {
                        "type": "array",
                        "minItems": 1,
                        "items": FrameMeta.model_json_schema(),
                        "description": "One entry a picture, in any order",
                    }
                },
                "additionalProperties": {
                    "type": "string",
                    "format": "binary",
                    "description": "JPEG, PNG or WebP; the part's name is an entry's `part`",
                },
            },
            "encoding": {METADATA: {"contentType": "application/json"}},
        }
    },
}


@router.post(
    "/v1/frames:batch",
    summary="Submit frames of any cameras as one batch",
    operation_id="submitFrames",
    response_model=FramesAnswer,
    responses=problems(400, 413, 415, 422, 429, 503),
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def submit_frames(request: Request, services: Use) -> Response:
    vision = services.need_vision()
    settings = services.settings
    boundary = boundary_of(request.headers.get("content-type", ""))
    async with read_body(request, settings.max_body_bytes, services.budget) as body:
        parts = await asyncio.to_thread(parse_parts, body, boundary, settings.max_frames + 1)
        body.clear()
        frames = read_frames(parts, settings.max_frames)
        del parts
        results = await unless_gone(request, vision.take(frames))
        not_for_repeats(request, (result.error for result in results))
        return answer(_answer_of(services, frames, results))


def read_frames(parts: list[Part], max_frames: int) -> list[Frame | FrameError]:
    """Match the metadata's entries with the picture parts.

    An entry whose own values are wrong becomes a `FrameError` in its place; entries and parts that
    do not match make the whole request unusable, since pictures could be taken for one another.

    Raises:
        RequestError: see `docs/api.md`.
    """
    pictures = _by_name(parts)
    metadata = pictures.pop(METADATA, None)
    if metadata is None:
        raise RequestError(
            f"the form has no part named {METADATA!r}",
            message_zh=f"表单缺少 {METADATA} 部分",
            code="missing_metadata",
        )
    entries = parse_json(bytes(metadata.data), METADATA)
    if not isinstance(entries, list):
        raise RequestError(
            f"{METADATA}: a JSON list is wanted, got {_json_type(entries)}",
            message_zh=f"{METADATA} 须为 JSON 列表",
            code="invalid_metadata",
        )
    check_count(len(entries), max_frames, "frames", "帧数据")
    frames: list[Frame | FrameError] = []
    used: dict[str, int] = {}
    for index, entry in enumerate(entries):
        name = _part_name(index, entry, used)
        if name not in pictures:
            raise UnprocessableError(
                f"{METADATA}[{index}].part: the form has no part named {name!r}",
                message_zh=f"{METADATA} 第 {index} 项引用的部分 {name} 不存在",
                code="missing_part",
            )
        used[name] = index
        frames.append(_frame(index, entry, pictures[name]))
    unused = sorted(set(pictures) - set(used))
    if unused:
        raise UnprocessableError(
            f"no entry of {METADATA} uses part {unused[0]!r}",
            message_zh=f"部分 {unused[0]} 未被 {METADATA} 引用",
            code="unused_part",
        )
    return frames


def _by_name(parts: list[Part]) -> dict[str, Part]:
    named: dict[str, Part] = {}
    for part in parts:
        if part.name in named:
            raise UnprocessableError(
                f"two parts of the form are named {part.name!r}",
                message_zh=f"表单中有两个名为 {part.name} 的部分",
                code="duplicate_part",
            )
        named[part.name] = part
    return named


def _part_name(index: int, entry: Any, used: dict[str, int]) -> str:
    name = entry.get("part") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not name:
        raise UnprocessableError(
            f"{METADATA}[{index}].part: the name of a form part is wanted",
            message_zh=f"{METADATA} 第 {index} 项缺少 part",
            code="invalid_metadata",
        )
    if name in used:
        raise UnprocessableError(
            f"{METADATA}[{index}].part: part {name!r} already belongs to entry {used[name]}",
            message_zh=f"{METADATA} 第 {index} 项与第 {used[name]} 项引用了同一部分 {name}",
            code="duplicate_part",
        )
    return name


def _frame(index: int, entry: Any, part: Part) -> Frame | FrameError:
    try:
        meta = FrameMeta.model_validate(entry, strict=True)
        return Frame(meta.camera_id, parse_moment(meta.ts, "ts"), meta.seq, bytes(part.data))
    except ValidationError as error:
        text = "; ".join(
            f"{'.'.join(str(p) for p in d['loc'])}: {d['msg']}" for d in error.errors()
        )
        return FrameError(text, message_zh=f"第 {index} 项字段无效：{text}", code="bad_metadata")
    except InputError as error:
        return FrameError(str(error), message_zh=error.message_zh, code=error.code)


def _answer_of(
    services: Services, frames: list[Frame | FrameError], results: list[FrameResult]
) -> FramesAnswer:
    rows = []
    for index, (frame, result) in enumerate(zip(frames, results, strict=True)):
        camera_id = frame.camera_id if isinstance(frame, Frame) else None
        row = FrameOut(index=index, status=result.name, camera_id=camera_id)
        row.zones_suspended = result.zones_suspended
        if result.error is not None:
            row.error = item_error(result.error)
        if result.detections is not None and result.detector is not None:
            row.model = result.detector.ref
            row.detections = boxes(result.detections, result.detector.labels_zh)
            row.incidents = [services.views.incident(incident) for incident in result.incidents]
        rows.append(row)
    return FramesAnswer(results=rows, model=services.need_vision().detector.ref)


def _json_type(value: Any) -> str:
    names = {dict: "an object", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")
