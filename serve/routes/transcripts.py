"""`POST /v1/transcripts:batch`: calls and messages of the hotline."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from ...config.errors import InputError
from ...nlp.transcript import Transcript
from ..body import check_count, parse_json, read_body, unless_gone
from ..errors import RequestError, UnprocessableError, UnsupportedMediaError
from ..hotline_intake import Incoming, Turn
from ..hotline_schemas import RoutedAnswer, RoutedOut
from ..hotline_service import HotlineService, TranscriptResult
from ..hotline_views import fresh_proposal, override_view, place_view, similar_view
from ..idempotency import not_for_repeats
from ..moments import parse_moment
from ..problems import item_error
from ..schemas import TranscriptIn
from ..services import Use
from .common import answer, problems

router = APIRouter(tags=["transcripts"])


def _schema() -> dict[str, Any]:
    """Without references: they would lead nowhere in the OpenAPI document."""
    schema = TranscriptIn.model_json_schema()
    schema["properties"]["turns"]["items"] = schema.pop("$defs")["TurnIn"]
    schema["oneOf"] = [{"required": ["text"]}, {"required": ["turns"]}]
    return schema


REQUEST_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"type": "array", "minItems": 1, "items": _schema()}}
    },
}


@router.post(
    "/v1/transcripts:batch",
    summary="Suggest departments for calls and messages",
    operation_id="submitTranscripts",
    response_model=RoutedAnswer,
    responses=problems(400, 413, 415, 422, 429, 503),
    openapi_extra={"requestBody": REQUEST_BODY},
)
async def submit_transcripts(request: Request, services: Use) -> Response:
    hotline = services.need_hotline()
    settings = services.settings
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise UnsupportedMediaError(
            f"application/json is wanted, got {media_type or 'no Content-Type'!r}",
            message_zh="请求须为 application/json",
        )
    async with read_body(request, settings.max_body_bytes, services.budget) as body:
        calls = read_transcripts(body, settings.max_transcripts)
    results = await unless_gone(request, hotline.take(calls))
    not_for_repeats(request, (result.error for result in results))
    rows = [
        _row(hotline, index, call.id, result)
        for index, (call, result) in enumerate(zip(calls, results, strict=True))
    ]
    return answer(RoutedAnswer(results=rows, model=hotline.ref))


def read_transcripts(body: bytes | bytearray, max_transcripts: int) -> list[Incoming]:
    """The list of a request; any text is taken, whatever it says.

    Raises:
        RequestError: not UTF-8, not JSON, not a list, empty.
        TooLargeError: too many items.
        UnprocessableError: an item of the wrong shape (its field is named), or an id twice.
    """
    entries = parse_json(body, "body")
    if not isinstance(entries, list):
        raise RequestError(
            "body: a JSON list of transcripts is wanted",
            message_zh="请求体须为 JSON 列表",
            code="not_a_list",
        )
    check_count(len(entries), max_transcripts, "transcripts", "来电文本")
    calls: list[Incoming] = []
    seen: dict[str, int] = {}
    for index, entry in enumerate(entries):
        call = _incoming(index, entry)
        if call.id in seen:
            raise UnprocessableError(
                f"[{index}].id: the same as [{seen[call.id]}].id",
                message_zh=f"第 {index} 项与第 {seen[call.id]} 项的 id 重复",
                code="duplicate_id",
            )
        seen[call.id] = index
        calls.append(call)
    return calls


def _incoming(index: int, entry: Any) -> Incoming:
    try:
        item = TranscriptIn.model_validate(entry, strict=True)
        received_at = None
        if item.received_at is not None:
            received_at = parse_moment(item.received_at, "received_at")
    except ValidationError as error:
        # Field and complaint only: pydantic's own text would repeat the caller's words.
        detail = error.errors(include_input=False)[0]
        field = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]
        ).lstrip(".")
        where = f"[{index}].{field}" if field else f"[{index}]"
        raise UnprocessableError(
            f"{where}: {detail['msg']}",
            message_zh=f"第 {index} 项的 {field or '值'} 无效：{detail['msg']}",
            code="bad_field",
        ) from None
    except InputError as error:
        raise UnprocessableError(
            f"[{index}].{error}", message_zh=f"第 {index} 项 {error.message_zh}", code="bad_field"
        ) from None
    _check_one_of_both(index, item)
    return Incoming(
        Transcript(item.id, item.text, item.title, item.channel, received_at),
        tuple(Turn(turn.speaker, turn.text) for turn in item.turns),
    )


def _check_one_of_both(index: int, item: TranscriptIn) -> None:
    given = {"text", "turns"} & item.model_fields_set
    if len(given) == 1:
        return
    found, found_zh = ("both are", "两者都给了") if given else ("neither is", "两者都没有")
    raise UnprocessableError(
        f"[{index}].text, [{index}].turns: one of the two is wanted, {found} given",
        message_zh=f"第 {index} 项的 text 与 turns 须且只须给一个：{found_zh}",
        code="bad_field",
    )


def _row(hotline: HotlineService, index: int, call_id: str, result: TranscriptResult) -> RoutedOut:
    if result.error is not None or result.routed is None:
        assert result.error is not None
        error = item_error(result.error)
        return RoutedOut(index=index, id=call_id, status="error", error=error)
    routed = result.routed
    rule = {} if routed.override is None else asdict(routed.override)
    return RoutedOut(
        index=index,
        id=call_id,
        status="ok",
        suggestion=result.suggestion,
        department=routed.department,
        override=override_view(rule, hotline.departments),
        place=place_view(routed.place),
        proposals=[
            fresh_proposal(pair, hotline.desk.line_of(pair.other_id)) for pair in routed.proposals
        ],
        similar=[similar_view(past, hotline.departments) for past in routed.similar],
    )
