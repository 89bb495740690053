"""The FastAPI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from .idempotency import Idempotency, describe, has_idempotency
from .inference_v2_errors import InferenceErrors
from .metrics import Metrics
from .middleware import Front
from .problems import Problem, install_problem_handlers
from .routes import (
    calls,
    cameras,
    console,
    events,
    feedback,
    frames,
    incidents,
    inference_v2,
    keys,
    matters,
    operations,
    transcripts,
    webhooks,
)
from .routes.common import problems
from .security.guard import Guard
from .security.policy import PUBLIC, door_of
from .services import open_services
from .settings import Settings, is_loopback
from .vision_service import Now, utc_now

CONSOLE = Path(__file__).parent / "console"
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})

DESCRIPTION = """小郑: frames become incidents, calls become suggested departments.

Errors are RFC 9457 problem details with a stable `code`, an English `detail` and a Chinese
`detail_zh`. In a batch one bad item fails alone; the rest is served."""


def create_app(settings: Settings, now: Now = utc_now) -> FastAPI:
    """The service as an ASGI app; models and database are opened by its lifespan."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services(settings, metrics, now) as services:
            app.state.services = services
            yield

    app = FastAPI(
        title="小郑",
        version=version("xiaozheng"),
        description=DESCRIPTION,
        lifespan=lifespan,
        # Both pages load scripts from another host, which the console's policy forbids.
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(Idempotency)
    app.add_middleware(Guard, required=settings.keys_required)
    # A web page can make a browser ask, but not show a key.
    by_name = is_loopback(settings.host) and not settings.keys_required
    app.add_middleware(Front, metrics=metrics, hosts=LOOPBACK_NAMES if by_name else None)
    app.add_middleware(InferenceErrors)
    install_problem_handlers(app)
    hotline = (transcripts, feedback, calls, matters)
    steering = (webhooks, cameras, keys, operations, console)
    for door in (frames, *hotline, incidents, events, *steering, inference_v2):
        app.include_router(door.router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    app.mount("/console", StaticFiles(directory=CONSOLE), name="console")
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The generated document with the schema of problems, which no return type names, and with
    what the guard may answer at each door."""
    if app.openapi_schema is None:
        spec = FastAPI.openapi(app)
        components = spec["components"]
        components["schemas"][Problem.__name__] = Problem.model_json_schema()
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        for path, doors in spec["paths"].items():
            for method, door in doors.items():
                if has_idempotency(method.upper(), path):
                    describe(door)
                if door_of(method.upper(), path, "").scope != PUBLIC:
                    # The empty one: where no key is required, none need be shown.
                    door["security"] = [{"bearer": []}, {"key": []}, {}]
                    for status, answer in problems(401, 403, 429).items():
                        door["responses"].setdefault(str(status), answer)
    return FastAPI.openapi(app)
