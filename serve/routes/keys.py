"""`GET /v1/key`: what the key that is shown may do."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from ..security.keys import Key
from .common import answer, problems

router = APIRouter(tags=["operations"])


class KeyOut(BaseModel):
    """One API key, without anything secret; `rate_per_s` 0 means no limit."""

    id: str
    name: str
    scopes: list[str]
    rate_per_s: float
    burst: int
    created_at: datetime
    expires_at: datetime | None


@router.get(
    "/v1/key",
    summary="The API key of this request",
    operation_id="getKey",
    response_model=KeyOut,
    responses=problems(401, 429),
)
async def get_key(request: Request) -> Response:
    key: Key = request.state.key
    return answer(
        KeyOut(
            id=key.id,
            name=key.name,
            scopes=sorted(key.scopes),
            rate_per_s=key.rate_per_s,
            burst=key.burst,
            created_at=key.created_at,
            expires_at=key.expires_at,
        )
    )
