"""Reading request bodies under limits, and noticing that the caller has gone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from ..config.errors import BusyError
from .errors import RequestError, TooLargeError

ResultT = TypeVar("ResultT")


class BodyBudget:
    """Bytes of bodies held by all requests together, so that many large ones cannot fill memory."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.used_bytes = 0

    def take(self, count: int) -> None:
        """Count bytes in.

        Raises:
            BusyError: they do not fit now.
        """
        if self.used_bytes + count > self.max_bytes:
            raise BusyError(
                f"{self.used_bytes} bytes of other requests are being worked on",
                message_zh="正在处理的请求过多，请稍后重试",
                retry_after_s=1.0,
            )
        self.used_bytes += count

    def give_back(self, count: int) -> None:
        """Count bytes out."""
        self.used_bytes -= count


@asynccontextmanager
async def read_body(
    request: Request, max_bytes: int, budget: BodyBudget
) -> AsyncIterator[bytearray]:
    """The whole body, counted while it arrives: a chunked body has no length to trust.

    Raises:
        TooLargeError: more than `max_bytes`; reading stops there.
        BusyError: the budget of all requests is used up.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    body = bytearray()
    taken = 0
    try:
        async for chunk in request.stream():
            if len(body) + len(chunk) > max_bytes:
                raise _too_large(max_bytes)
            budget.take(len(chunk))
            taken += len(chunk)
            body += chunk
        yield body
    finally:
        budget.give_back(taken)


def parse_json(body: bytes | bytearray, what: str) -> Any:
    """JSON in UTF-8.

    Raises:
        RequestError: names the byte that is not UTF-8, or the line and column that is not JSON.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(
            f"{what}: invalid UTF-8 at byte {error.start}",
            message_zh=f"{what}：第 {error.start} 字节不是有效的 UTF-8",
            code="invalid_utf8",
        ) from None
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise RequestError(
            f"{what}: broken JSON at line {error.lineno}, column {error.colno}: {error.msg}",
            message_zh=f"{what}：第 {error.lineno} 行第 {error.colno} 列不是有效的 JSON",
            code="invalid_json",
        ) from None
    except (RecursionError, ValueError) as error:
        raise RequestError(
            f"{what}: unusable JSON: {error}",
            message_zh=f"{what}：JSON 无法解析",
            code="invalid_json",
        ) from None


def check_count(count: int, limit: int, what: str, what_zh: str) -> None:
    """Refuse an empty list and one with too many items.

    Raises:
        RequestError: code `empty_batch`.
        TooLargeError: code `too_many_items`.
    """
    if count == 0:
        raise RequestError(
            f"no {what} in the batch", message_zh=f"批次中没有{what_zh}", code="empty_batch"
        )
    if count > limit:
        raise TooLargeError(
            f"{count} {what} in one batch, at most {limit} are allowed",
            message_zh=f"一批最多 {limit} 条{what_zh}，收到 {count} 条",
            code="too_many_items",
        )


async def unless_gone(request: Request, work: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Await `work`, but cancel it when the caller closes the connection first.

    Call it once the body has been read.

    Raises:
        ClientDisconnect: nobody waits for the answer any more.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_wait_for_disconnect(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise ClientDisconnect
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _too_large(max_bytes: int) -> TooLargeError:
    return TooLargeError(
        f"the body has more than {max_bytes} bytes",
        message_zh=f"请求体超过上限 {max_bytes} 字节",
        code="body_too_large",
    )
