"""The console's page; its script and style are static files under `/console`."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, RedirectResponse

router = APIRouter()

PAGE = Path(__file__).resolve().parent.parent / "console" / "index.html"


@router.get("/docs", include_in_schema=False)
async def description() -> RedirectResponse:
    """The doors' description for machines; the one for people is `docs/api.md`."""
    return RedirectResponse("/openapi.json")


@router.get("/", include_in_schema=False)
async def page() -> FileResponse:
    return FileResponse(PAGE, media_type="text/html", headers={"Cache-Control": "no-cache"})
