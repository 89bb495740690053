"""The `Idempotency-Key` header: the same request sent again is answered, not done, again.

After the IETF's draft-ietf-httpapi-idempotency-key-header-07. While the first request with a key is
at work a second one gets 409; another request under a used key gets 422. A request with a key runs
to its end even when its caller hangs up, so that the repeat finds the answer. Answers are kept
before they are sent.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fastapi import Request
from python_multipart.multipart import parse_options_header
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..config.errors import BusyError, ExpiredError, XiaozhengError
from .idempotency_store import KEEP, AnswerChange, PruneAnswers, find_answer
from .problems import problem, status_of
from .routes.common import problems

if TYPE_CHECKING:
    from .services import Services

log = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
# Bare, as most clients send it, or in the quotes of a structured field.
KEY = re.compile(r'"([!#-\[\]-~]{1,128})"|([!#-\[\]-~]{1,128})')
KEPT_HEADERS = ("content-type", "location")
# A door that is not named here keeps nothing: its answer might be a secret.
DOORS = re.compile(
    r"/v1/(frames:batch|transcripts:batch|transcripts/[^/]+/feedback|matters/proposals/[^/]+"
    r"|cameras/[^/]+/view:learn|webhooks/[^/]+:replay|jobs(/[^/]+:cancel)?)"
)
PARAMETER = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Kept for 24 hours: the same request under the same key gets the same answer",
    "schema": {"type": "string", "pattern": f"^({KEY.pattern})$"},
}
REPLAYED_HEADER = {
    "description": "`true` when nothing was done: the answer is that of the first request",
    "schema": {"type": "string", "enum": ["true"]},
}
# Between two turns of the pruning, answers may grow by so much.
PRUNE_EVERY_BYTES = 64 * 1024 * 1024
AGAIN = frozenset({408, 409, 425, 429})


def has_idempotency(method: str, path: str) -> bool:
    """Whether a door heeds the header."""
    return method == "POST" and DOORS.fullmatch(path) is not None


def not_for_repeats(request: Request, errors: Iterable[Exception | None]) -> None:
    """Do not keep the answer when one of its items failed for a reason that may pass: whoever
    sends the request again under its key wants that item done."""
    if any(error is not None and _may_pass(error) for error in errors):
        request.state.passing = True


def describe(door: dict[str, Any]) -> None:
    """Add the header and its refusals to a door's OpenAPI entry."""
    names = {parameter["name"] for parameter in door.setdefault("parameters", [])}
    if HEADER not in names:
        door["parameters"].append(PARAMETER)
    for status, answer in problems(400, 409, 422).items():
        door["responses"].setdefault(str(status), answer)
    door["responses"]["200"].setdefault("headers", {})[REPLAYED] = REPLAYED_HEADER


class Idempotency:
    """The layer inside the guard: whose key it is must be known."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._at_work: set[tuple[str, str]] = set()
        self._unpruned_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not has_idempotency(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).getlist(HEADER)
        if not given:
            await self._app(scope, receive, send)
            return
        key = parse_key(given)
        if key is None:
            await _bad_key()(scope, receive, send)
            return
        name = (_client_of(scope), key)
        if name in self._at_work:
            await _at_work()(scope, receive, send)
            return
        self._at_work.add(name)
        try:
            await self._answer(name, scope, receive, send)
        finally:
            self._at_work.discard(name)

    async def _answer(
        self, name: tuple[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        services: Services = scope["app"].state.services
        body = _Body(scope, receive)
        try:
            known = await asyncio.to_thread(
                find_answer, services.store.engine, *name, services.now()
            )
        except SQLAlchemyError:
            log.exception("kept answers cannot be read")
            await _no_database()(scope, receive, send)
            return
        if known is None:
            await self._work(name, body, services, scope, send)
            return
        if await body.fingerprint(services.settings.max_body_bytes) == known.fingerprint:
            headers = known.headers | {REPLAYED: "true"}
            await Response(known.body, known.status, headers)(scope, receive, send)
        else:
            await _other_request()(scope, receive, send)

    async def _work(
        self, name: tuple[str, str], body: _Body, services: Services, scope: Scope, send: Send
    ) -> None:
        """Let the door work, keep what it says, then say it."""
        scope.setdefault("state", {})
        messages: list[Message] = []

        async def hold(message: Message) -> None:
            messages.append(message)

        await self._app(scope, body.receive, hold)
        start, *rest = messages
        passing = scope["state"].get("passing", False)
        if body.ended and not passing and start["status"] not in AGAIN and start["status"] < 500:
            headers = Headers(raw=start["headers"])
            kept = AnswerChange(
                *name,
                fingerprint=body.digest(),
                status=start["status"],
                headers={field: headers[field] for field in KEPT_HEADERS if field in headers},
                body=b"".join(message.get("body", b"") for message in rest),
            )
            try:
                await services.write(kept)
                await self._prune(services, len(kept.body))
            except (SQLAlchemyError, XiaozhengError):
                # The work is done and its answer true: only a repeat would be done again.
                log.exception("an answer could not be kept for repeats")
        for message in messages:
            await send(message)

    async def _prune(self, services: Services, more_bytes: int) -> None:
        self._unpruned_bytes += more_bytes
        if self._unpruned_bytes > PRUNE_EVERY_BYTES:
            self._unpruned_bytes = 0
            await services.write(PruneAnswers(services.now() - KEEP))


class _Body:
    """A request's body on its way to the door, with the fingerprint of the request it belongs to.

    The boundary of a form is left out: clients choose another one each time they send it.
    """

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.ended = False
        self._receive = receive
        content_type = Headers(scope=scope).get("content-type", "")
        media_type, options = parse_options_header(content_type)
        self._boundary = b"--" + options.get(b"boundary", b"")
        self._tail = b""
        self._hash = hashlib.sha256()
        path = scope["path"].encode()
        for part in (scope["method"].encode(), path, scope["query_string"], media_type):
            self._hash.update(part + b"\n")

    async def receive(self) -> Message:
        """The next message of the body; after the last, none: the caller's leaving is not told."""
        if self.ended:
            await asyncio.Event().wait()
        message = await self._receive()
        if message["type"] == "http.request":
            self._take(message.get("body", b""))
            self.ended = not message.get("more_body", False)
        return message

    async def fingerprint(self, max_bytes: int) -> str | None:
        """Read all; None for a body that is longer than any that was answered.

        Raises:
            ClientDisconnect: the caller left before its end.
        """
        size_bytes = 0
        while not self.ended:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            size_bytes += len(message.get("body", b""))
            if size_bytes > max_bytes:
                return None
        return self.digest()

    def digest(self) -> str:
        """Of all that was read."""
        whole = self._hash.copy()
        whole.update(self._tail)
        return whole.hexdigest()

    def _take(self, chunk: bytes) -> None:
        if self._boundary == b"--":
            self._hash.update(chunk)
            return
        *before, last = (self._tail + chunk).split(self._boundary)
        for piece in before:
            self._hash.update(piece + b"--")
        keep = min(len(last), len(self._boundary) - 1)
        cut = len(last) - keep
        self._hash.update(last[:cut])
        self._tail = last[cut:]


def parse_key(given: list[str]) -> str | None:
    """The key of a request's header fields; None where they hold no usable one."""
    found = KEY.fullmatch(given[0].strip()) if len(given) == 1 else None
    return None if found is None else found[1] or found[2]


def _client_of(scope: Scope) -> str:
    """Whose keys these are: an API key's, or without one an address's."""
    key: Any = scope.get("state", {}).get("key")
    if key is not None:
        return f"key {key.id}"
    address = scope["client"][0] if scope["client"] else ""
    return f"address {address}"[:80]


def _may_pass(error: Exception) -> bool:
    if isinstance(error, BusyError | ExpiredError):
        return True
    return not isinstance(error, XiaozhengError) or status_of(error) >= 500


def _bad_key() -> Response:
    return problem(
        400,
        "bad_idempotency_key",
        f"{HEADER}: one key of 1 to 128 visible ASCII characters is wanted, such as a UUID, bare "
        'or in double quotes, without \\ or " in it',
        f"{HEADER} 须为 1 至 128 个可见 ASCII 字符（如 UUID），可加双引号，且只能出现一次",
    )


def _at_work() -> Response:
    return problem(
        409,
        "idempotency_in_progress",
        f"the first request with this {HEADER} is still being worked on; ask again later",
        "相同幂等键的请求正在处理，请稍后重试",
        headers={"Retry-After": "1"},
    )


def _other_request() -> Response:
    return problem(
        422,
        "idempotency_mismatch",
        f"this {HEADER} was used for another request (address or body differ); "
        "take a new key for a new request",
        "该幂等键已用于另一请求，新请求须使用新的幂等键",
    )


def _no_database() -> Response:
    return problem(503, "database_unavailable", "the database does not answer", "数据库暂不可用")
