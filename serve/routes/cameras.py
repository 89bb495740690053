"""`/v1/cameras`: cameras, zones and what is known of them now; learning a view anew."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response

from ..errors import NotFoundError
from ..schemas import CameraHealthOut, CameraOut, CamerasAnswer, KindOut, ViewIn, ZoneOut
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


@router.post(
    "/v1/cameras/{camera_id}/view:learn",
    summary="Take the camera's present view as the right one: it was turned on purpose",
    operation_id="learnCameraView",
    response_model=CameraHealthOut,
    responses=problems(404, 422, 503),
)
async def learn_view(services: Use, camera_id: str, said: ViewIn) -> Response:
    vision = services.need_vision()
    if camera_id not in services.cameras.by_id():
        raise NotFoundError(
            f"no camera {camera_id[:64]!r} in cameras.yaml",
            message_zh=f"未登记的摄像机 {camera_id[:64]}",
            code="unknown_camera",
        )
    return answer(health_view(await vision.learn_view(camera_id, said.by)))
