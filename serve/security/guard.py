"""Who comes in: one layer that every request passes, before anything of it is read."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import datetime
from math import ceil

from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..problems import problem
from .buckets import Buckets
from .key_store import AuditEntry, KeyStore, SecurityChange
from .keys import Key, key_id_of, matches
from .policy import PUBLIC, SELF, Door, door_of

log = logging.getLogger(__name__)

READ_AGAIN_S = 1.0
ANONYMOUS = "anonymous"
MAX_NOTES = 1_000
# A caller whose keys are refused may try so often; those with a good key do not notice.
REFUSED_PER_S, REFUSED_BURST = 5.0, 30
AUDITED_READS = {"evidence:originals", "transcripts:originals"}


class Denied(Exception):  # noqa: N818 - it is an answer, and never leaves this module
    """Why a request is not let in."""

    def __init__(
        self, status: int, code: str, text: str, text_zh: str, retry_after_s: float = 0
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text_zh = text_zh
        self.retry_after_s = retry_after_s


class KeyRing:
    """The keys, read again at most once a second, so that one that is revoked ends within that;
    and what is to be noted of them. Belongs to one event loop."""

    def __init__(self, store: KeyStore, now: Callable[[], datetime]) -> None:
        self.now = now
        self._store = store
        self._keys: dict[str, Key] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._used: dict[str, datetime] = {}
        self._notes: dict[tuple[str, str, str, str, str], int] = {}

    async def find(self, key_id: str) -> Key | None:
        async with self._reading:
            if time.monotonic() - self._read_at > READ_AGAIN_S:
                keys = await asyncio.to_thread(self._store.all)
                self._keys = {key.id: key for key in keys}
                self._read_at = time.monotonic()
        return self._keys.get(key_id)

    def used(self, key: Key) -> None:
        self._used[key.id] = self.now()

    def note(self, actor: str, address: str, action: str, target: str, outcome: str) -> None:
        """For the audit log; what is the same within one turn is counted together."""
        name = (actor, address, action, target, outcome)
        if name not in self._notes and len(self._notes) >= MAX_NOTES:
            name = (actor, "", action, "", outcome)
        self._notes[name] = self._notes.get(name, 0) + 1

    def take_change(self) -> SecurityChange | None:
        """What happened since the last call, to be stored; None for nothing."""
        if not self._used and not self._notes:
            return None
        now = self.now()
        used, self._used = self._used, {}
        notes, self._notes = self._notes, {}
        return SecurityChange(
            used=tuple(used.items()),
            entries=tuple(AuditEntry(now, *name, count) for name, count in notes.items()),
        )


class Guard:
    """`required`: nobody comes in without a key. Otherwise those without one may do everything,
    and a key that is shown is judged all the same."""

    def __init__(self, app: ASGIApp, *, required: bool) -> None:
        self._app = app
        self._required = required
        self._buckets = Buckets(time.monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        query = scope["query_string"].decode("latin-1")
        door = door_of(scope["method"], scope["path"], query)
        ring: KeyRing = scope["app"].state.services.ring
        address = scope["client"][0] if scope["client"] else ""
        token = token_of(Headers(scope=scope))
        actor = ANONYMOUS
        try:
            key = await self._admit(ring, door, token, address)
        except Denied as denied:
            actor = (key_id_of(token) if token else None) or ANONYMOUS
            ring.note(actor, address, door.name, "", f"{denied.status} {denied.code}")
            await _answer(denied)(scope, receive, send)
            return
        if key is not None:
            actor = key.id
            scope.setdefault("state", {})["key"] = key
        if not door.writes and door.scope not in AUDITED_READS:
            await self._app(scope, receive, send)
            return

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                target = scope["path"] if door.scope in AUDITED_READS else _target(scope["path"])
                ring.note(actor, address, door.name, target[:128], str(message["status"]))
            await send(message)

        await self._app(scope, receive, send_noted)

    async def _admit(
        self, ring: KeyRing, door: Door, token: str | None, address: str
    ) -> Key | None:
        if door.scope == PUBLIC:
            return None
        if token is None:
            if self._required or door.scope == SELF:
                raise self._refused(address, "no_key", "an API key is needed", "需要访问密钥")
            return None
        key_id = key_id_of(token)
        try:
            key = await ring.find(key_id) if key_id else None
        except SQLAlchemyError:
            log.exception("the keys cannot be read")
            raise Denied(
                503, "database_unavailable", "the database does not answer", "数据库暂不可用"
            ) from None
        if not matches(key, token) or key is None:
            raise self._refused(address, "bad_key", "the API key is not known", "访问密钥无效")
        state = key.state(ring.now())
        if state != "active":
            zh = {"expired": "访问密钥已过期", "revoked": "访问密钥已吊销"}[state]
            raise self._refused(address, f"key_{state}", f"the API key is {state}", zh)
        if key.rate_per_s:
            wait_s = self._buckets.take(f"key {key.id}", key.rate_per_s, key.burst)
            if wait_s:
                raise Denied(
                    429, "rate_limited", f"more than {key.rate_per_s:g} requests a second",
                    f"超过该密钥每秒 {key.rate_per_s:g} 次的限额", wait_s,
                )  # fmt: skip
        if door.scope != SELF and not key.may(door.scope):
            raise Denied(
                403, "scope_missing", f"the API key has no scope {door.scope}",
                f"该密钥没有权限 {door.scope}",
            )  # fmt: skip
        ring.used(key)
        return key

    def _refused(self, address: str, code: str, text: str, text_zh: str) -> Denied:
        wait_s = self._buckets.take(f"refused {address}", REFUSED_PER_S, REFUSED_BURST)
        if wait_s:
            return Denied(
                429, "too_many_refused", "too many refused requests", "被拒请求过多", wait_s
            )
        return Denied(401, code, text, text_zh)


def token_of(headers: Headers) -> str | None:
    """The token of `Authorization: Bearer` or `X-API-Key`; never of the address, which is logged
    on the way."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    return headers.get("x-api-key") or None


def _answer(denied: Denied) -> ASGIApp:
    headers = {}
    if denied.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="xiaozheng"'
    if denied.retry_after_s:
        headers["Retry-After"] = str(max(1, ceil(denied.retry_after_s)))
    return problem(denied.status, denied.code, str(denied), denied.text_zh, headers=headers)


def _target(path: str) -> str:
    """What a writing request is about: the part of the path after the door's name."""
    return "/".join(path.split("/")[3:])
