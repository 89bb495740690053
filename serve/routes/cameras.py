"""`GET /v1/cameras`: cameras, zones and what is known of them now."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from ..schemas import CameraOut, CamerasAnswer, KindOut, ZoneOut
from ..services import Use
from ..views import health_view
from .common import answer, problems

router = APIRouter(tags=["cameras"])


@router.get(
    "/v1/cameras",
    summary="Cameras with their zones, last frame and open incidents",
    operation_id="listCameras",
    response_model=CamerasAnswer,
    responses=problems(503),
)
async def list_cameras(services: Use) -> Response:
    counts = await asyncio.to_thread(services.store.open_counts)
    vision = services.vision
    return answer(
        CamerasAnswer(
            cameras=[
                CameraOut(
                    id=camera.id,
                    name=camera.name or camera.id,
                    timezone=camera.timezone,
                    zones=[
                        ZoneOut(
                            id=zone.id,
                            name=zone.name or zone.id,
                            polygon=list(zone.polygon),
                            forbids=list(zone.forbids),
                        )
                        for zone in camera.zones
                    ],
                    last_frame_at=vision.last_frame_at(camera.id) if vision else None,
                    open_incidents=counts.get(camera.id, 0),
                    health=health_view(vision.health(camera.id)) if vision else None,
                )
                for camera in services.cameras.cameras
            ],
            kinds=[
                KindOut(id=kind.id, zh=kind.zh, code=kind.code) for kind in services.kinds.kinds
            ],
        )
    )
