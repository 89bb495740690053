"""`GET /v1/incidents` and one incident with its pictures."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from ...config.errors import InputError
from ...vision.incident import IncidentState
from ..errors import ForbiddenError, NotFoundError, UnprocessableError
from ..evidence_files import EvidenceFiles, media_type
from ..moments import parse_moment
from ..records import REPORTED, IncidentQuery
from ..schemas import IncidentOut, IncidentPage
from ..services import Use
from .common import answer, problems

router = APIRouter(tags=["incidents"])

Moment = Literal["before", "at", "after", "clip"]
BINARY = {"schema": {"type": "string", "format": "binary"}}
State = Literal["suspected", "open", "ended", "discarded"]


class Filters(BaseModel):
    """Query parameters of the listing. Times are RFC 3339 with offset and meant of the onset."""

    model_config = ConfigDict(extra="forbid")

    kind: str | None = Field(default=None, max_length=64)
    camera_id: str | None = Field(default=None, max_length=64)
    zone_id: str | None = Field(default=None, max_length=64)
    state: list[State] = Field(default=[], description="default: open and ended")
    since: str | None = Field(default=None, description="onset at or after this time")
    until: str | None = Field(default=None, description="onset before this time")
    limit: int = Field(default=100, ge=1, le=500)
    cursor: str | None = Field(default=None, max_length=512)


@router.get(
    "/v1/incidents",
    summary="Incidents, newest onset first",
    operation_id="listIncidents",
    response_model=IncidentPage,
    responses=problems(422, 503),
)
async def list_incidents(services: Use, filters: Annotated[Filters, Query()]) -> Response:
    query = IncidentQuery(
        kind=filters.kind,
        camera_id=filters.camera_id,
        zone_id=filters.zone_id,
        states=tuple(IncidentState(state) for state in filters.state) or REPORTED,
        since=_moment(filters.since, "since"),
        until=_moment(filters.until, "until"),
        after=None if filters.cursor is None else read_cursor(filters.cursor),
        limit=filters.limit + 1,
    )
    records = await asyncio.to_thread(services.store.incidents, query)
    page = IncidentPage(
        items=[services.views.record(record) for record in records[: filters.limit]]
    )
    if len(records) > filters.limit:
        last = records[filters.limit - 1].incident
        page.next_cursor = write_cursor(last.onset_at, last.id)
    return answer(page)


@router.get(
    "/v1/incidents/{incident_id}",
    summary="One incident with its journal and pictures",
    operation_id="getIncident",
    response_model=IncidentOut,
    responses=problems(404, 422, 503),
)
async def get_incident(services: Use, incident_id: str) -> Response:
    record = await asyncio.to_thread(services.store.incident, incident_id)
    if record is None:
        raise _no_incident(incident_id)
    return answer(services.views.record(record))


@router.get(
    "/v1/incidents/{incident_id}/evidence/{moment}",
    summary="An evidence picture or clip with faces and plates blurred",
    operation_id="getEvidence",
    response_class=Response,
    responses={
        200: {"content": dict.fromkeys(("image/jpeg", "video/mp4"), BINARY)},
        206: {"description": "The part that `Range` asked for"},
        304: {"description": "The picture with this ETag is the current one"},
        416: {"description": "The range lies outside the file"},
        **problems(403, 404, 422, 503),
    },
)
async def get_evidence(
    services: Use,
    incident_id: str,
    moment: Moment,
    original: Annotated[
        bool, Query(description="without blurred faces and plates, where the settings allow it")
    ] = False,
    if_none_match: Annotated[str, Header()] = "",
    range: Annotated[str, Header(description="one range of bytes, as players ask for")] = "",
) -> Response:
    stored = await asyncio.to_thread(services.store.evidence, incident_id, moment)
    if stored is None:
        raise _no_picture(incident_id, moment)
    if original and not services.settings.serve_originals:
        raise ForbiddenError(
            "originals do not leave this service; its settings can allow it",
            message_zh="本服务未开放未模糊的原图",
            code="originals_off",
        )
    chosen = stored if original else stored.blurred
    if chosen is None:
        raise _no_picture(incident_id, moment)
    headers = {
        "ETag": f'"{chosen.sha256}"',
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
    }
    if chosen.sha256 in if_none_match:
        return Response(status_code=304, headers=headers)
    files = EvidenceFiles(services.settings.evidence_folder)
    data = await asyncio.to_thread(files.read, chosen.path)
    if data is None:
        raise _no_picture(incident_id, moment)
    return _part(data, range, headers, media_type(chosen.path))


def _part(data: bytes, asked: str, headers: dict[str, str], media: str) -> Response:
    """The whole file, or the one range of it that was asked for (RFC 9110, 14.2); what is no single
    range of bytes is not heeded."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", asked)
    if match is None or match.group(0) == "bytes=-":
        return Response(data, headers=headers, media_type=media)
    first, last = match.groups()
    begin = int(first) if first else max(0, len(data) - int(last))
    end = min(int(last) if first and last else len(data), len(data) - 1)
    if begin > end:
        return Response(
            status_code=416, headers=headers | {"Content-Range": f"bytes */{len(data)}"}
        )
    found = headers | {"Content-Range": f"bytes {begin}-{end}/{len(data)}"}
    return Response(data[begin : end + 1], 206, headers=found, media_type=media)


def write_cursor(onset_at: datetime, incident_id: str) -> str:
    """An opaque mark of the last incident of a page."""
    mark = json.dumps([onset_at.isoformat(), incident_id]).encode()
    return base64.urlsafe_b64encode(mark).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """What `write_cursor` wrote; anything else is UnprocessableError."""
    try:
        mark = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        onset_at, incident_id = datetime.fromisoformat(mark[0]), str(mark[1])
        if onset_at.tzinfo is None:
            raise ValueError("naive time")
    except (binascii.Error, ValueError, TypeError, IndexError, KeyError):
        raise UnprocessableError(
            "cursor: not one that this service gave out",
            message_zh="cursor 无效",
            code="bad_cursor",
        ) from None
    return onset_at, incident_id


def _moment(text: str | None, field: str) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_moment(text, field)
    except InputError as error:
        raise UnprocessableError(
            str(error), message_zh=error.message_zh, code="bad_parameter"
        ) from None


def _no_incident(incident_id: str) -> NotFoundError:
    return NotFoundError(
        f"no incident {incident_id[:64]!r}",
        message_zh=f"没有事件 {incident_id[:64]}",
        code="no_such_incident",
    )


def _no_picture(incident_id: str, moment: str) -> NotFoundError:
    return NotFoundError(
        f"incident {incident_id[:64]!r} has no picture {moment!r}",
        message_zh="该事件没有这张证据图片",
        code="no_such_evidence",
    )
