"""Errors as RFC 9457 problem details: the one place where an error becomes an HTTP status."""

from __future__ import annotations

import logging
import math
import uuid
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from ..config.errors import BusyError, ExpiredError, InputError, ModelError, XiaozhengError
from .errors import RequestError, UnavailableError

log = logging.getLogger(__name__)

MAX_WORDS = 1_000
MEDIA_TYPE = "application/problem+json"
INTERNAL_ZH = "服务内部错误，请凭编号联系管理员"

STATUS_OF: tuple[tuple[type[XiaozhengError], int], ...] = (
    (InputError, 400),
    (BusyError, 429),
    (ExpiredError, 504),
    (UnavailableError, 503),
    (ModelError, 503),
    (XiaozhengError, 500),
)

ZH_OF_STATUS = {404: "没有这个地址", 405: "该地址不支持此方法"}


class Problem(BaseModel):
    """RFC 9457 problem details with a machine code and a Chinese explanation."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    detail_zh: str
    instance: str | None = None


class ItemError(BaseModel):
    """Why one item of a batch was not served."""

    code: str
    message: str
    message_zh: str


def status_of(error: XiaozhengError) -> int:
    """The HTTP status of an error."""
    if isinstance(error, RequestError):
        return error.status
    return next(status for kind, status in STATUS_OF if isinstance(error, kind))


def printable(text: str) -> str:
    """Words that may repeat a caller's: of bearable length, and free of halves of surrogate pairs,
    which no answer could hold."""
    cut = text if len(text) <= MAX_WORDS else text[:MAX_WORDS] + "…"
    return cut.encode("utf-8", "replace").decode("utf-8")


def item_error(error: Exception) -> ItemError:
    """One item's error; what was not foreseen is logged and shown by number only."""
    if isinstance(error, XiaozhengError):
        return ItemError(
            code=error.code,
            message=printable(str(error)),
            message_zh=printable(error.message_zh),
        )
    number = _log_unforeseen(error)
    return ItemError(
        code="internal", message=f"internal error {number}", message_zh=f"{INTERNAL_ZH}：{number}"
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error, unknown addresses included, with problem details."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, XiaozhengError)
        status = status_of(error)
        headers = {}
        if isinstance(error, BusyError):
            headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
        return problem(status, error.code, str(error), error.message_zh, headers=headers)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        status = error.status_code
        code = {404: "no_such_page", 405: "method_not_allowed"}.get(status, "http_error")
        detail_zh = ZH_OF_STATUS.get(status, str(error.detail))
        return problem(
            status, code, str(error.detail), detail_zh, headers=dict(error.headers or {})
        )

    async def query(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        text = "; ".join(
            f"{'.'.join(str(part) for part in detail['loc'])}: {detail['msg']}"
            for detail in error.errors()
        )
        return problem(422, "bad_parameter", text, f"参数无效：{text}")

    async def database(request: Request, error: Exception) -> Response:
        number = _log_unforeseen(error)
        detail = f"the database does not answer ({number})"
        return problem(503, "database_unavailable", detail, f"数据库暂不可用（{number}）")

    app.add_exception_handler(SQLAlchemyError, database)
    app.add_exception_handler(XiaozhengError, ours)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, query)


def answer_unforeseen(error: Exception) -> Response:
    """Log what was not foreseen and answer with its number, nothing else."""
    number = _log_unforeseen(error)
    return problem(
        500,
        "internal",
        f"internal error {number}",
        f"{INTERNAL_ZH}：{number}",
        instance=f"urn:uuid:{number}",
    )


def problem(
    status: int,
    code: str,
    detail: str,
    detail_zh: str,
    *,
    instance: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """A problem+json response."""
    body = Problem(
        type=f"urn:xiaozheng:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=printable(detail),
        code=code,
        detail_zh=printable(detail_zh),
        instance=instance,
    )
    return Response(
        body.model_dump_json(exclude_none=True), status, headers=headers, media_type=MEDIA_TYPE
    )


def _log_unforeseen(error: Exception) -> str:
    number = str(uuid.uuid4())
    log.error("unforeseen error %s", number, exc_info=error)
    return number
