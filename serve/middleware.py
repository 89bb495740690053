"""What every request passes: who may call, secure headers, metrics, the log line, last resort."""

from __future__ import annotations

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import ForbiddenError
from .metrics import Metrics
from .problems import answer_unforeseen, problem

log = logging.getLogger(__name__)

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SECURE_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Front:
    """The outermost layer of our own.

    `hosts` are the names under which the service may be addressed; without API keys this is what
    keeps a web page from reaching a loopback service through a name of its own that it points
    there (DNS rebinding). None allows any name.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, hosts: frozenset[str] | None) -> None:
        self._app = app
        self._metrics = metrics
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURE_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            self._check_origin(scope)
            await self._app(scope, receive, send_noted)
        except ForbiddenError as error:
            answer = problem(error.status, error.code, str(error), error.message_zh)
            await answer(scope, receive, send_noted)
        except ClientDisconnect:
            status = 499
        except Exception as error:  # last resort: the caller gets a number, the log the rest
            answer = answer_unforeseen(error)
            if status == 0:
                await answer(scope, receive, send_noted)
        finally:
            self._note(scope, status, time.perf_counter() - started)

    def _check_origin(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = _host_name(headers.get("host", ""))
        if self._hosts is not None and host not in self._hosts:
            raise ForbiddenError(
                f"the service is not known under the name {host!r}",
                message_zh="不允许使用该主机名访问",
                code="unknown_host",
            )
        site = headers.get("sec-fetch-site", "none")
        if scope["method"] not in SAFE_METHODS and site not in {"none", "same-origin"}:
            raise ForbiddenError(
                "a page of another site may not write here",
                message_zh="不允许其他网站的页面提交数据",
                code="cross_site",
            )

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unmatched")
        # Any token may be a method; a label must not grow with what callers invent.
        method = scope["method"] if scope["method"] in METHODS else "other"
        self._metrics.requests.labels(method, route, str(status)).inc()
        self._metrics.request_s.labels(route).observe(seconds)
        log.info(
            "request",
            extra={
                "method": method,
                "route": route,
                "status": status,
                "ms": round(seconds * 1000, 2),
            },
        )


def _host_name(host: str) -> str:
    """A Host header without its port; IPv6 addresses keep their brackets."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()
