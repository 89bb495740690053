"""Errors under `/v2` in the form that clients of the Open Inference Protocol read."""

from __future__ import annotations

import json

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import MEDIA_TYPE


class InferenceErrors:
    """The outermost layer: whoever refuses a request, the guard included, says it as
    `{"error": "code: text"}`. Status and other headers stay."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] != "http" or not (path == "/v2" or path.startswith("/v2/")):
            await self._app(scope, receive, send)
            return
        held: Message | None = None
        body = b""

        async def translate(message: Message) -> None:
            nonlocal held, body
            if message["type"] == "http.response.start":
                if Headers(raw=message["headers"]).get("content-type") == MEDIA_TYPE:
                    held = message
                    return
            elif held is not None:
                body += message.get("body", b"")
                if message.get("more_body", False):
                    return
                told = json.loads(body)
                message = {"type": "http.response.body", "body": _error(told)}
                headers = MutableHeaders(raw=held["headers"])
                headers["content-type"] = "application/json"
                headers["content-length"] = str(len(message["body"]))
                await send({**held, "headers": headers.raw})
                held = None
            await send(message)

        await self._app(scope, receive, translate)


def _error(told: dict[str, str]) -> bytes:
    text = f"{told['code']}: {told['detail']}"
    return json.dumps({"error": text}, ensure_ascii=False).encode()
