"""`/healthz`, `/readyz` and `/metrics`: for those who run the service."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST

from ..schemas import Readiness
from ..services import Use
from .common import answer

router = APIRouter(tags=["operations"])

PLAIN: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get(
    "/healthz",
    summary="The process is alive",
    operation_id="getHealth",
    response_class=Response,
    responses=PLAIN,
)
async def healthz() -> Response:
    return Response("ok\n", media_type="text/plain")


@router.get(
    "/readyz",
    summary="Work sent now would be done",
    operation_id="getReadiness",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "Some work cannot be done now"}},
)
async def readyz(services: Use) -> Response:
    checks = await services.checks()
    ready = all(check.ok for check in checks.values())
    readiness = Readiness(ready=ready, checks=checks, version=version("xiaozheng"))
    return answer(readiness, 200 if ready else 503)


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    operation_id="getMetrics",
    response_class=Response,
    responses=PLAIN,
)
async def metrics(services: Use) -> Response:
    services.metrics.set_incidents(await asyncio.to_thread(services.store.counts))
    if services.vision is not None:
        services.metrics.set_faults(services.vision.fault_counts())
    return Response(services.metrics.text(), media_type=CONTENT_TYPE_LATEST)
