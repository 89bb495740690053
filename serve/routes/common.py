"""What several doors share."""

from __future__ import annotations

from typing import Any

from fastapi import Response
from pydantic import BaseModel

from ..problems import MEDIA_TYPE, Problem

PROBLEM_SCHEMA = {"$ref": f"#/components/schemas/{Problem.__name__}"}


def answer(model: BaseModel, status: int = 200) -> Response:
    """A model as JSON."""
    return Response(model.model_dump_json(), status, media_type="application/json")


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries of the problems a door may answer."""
    return {
        status: {
            "description": PROBLEM_TEXTS[status],
            "content": {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA}},
        }
        for status in statuses
    }


PROBLEM_TEXTS = {
    400: "The request cannot be read",
    401: "The API key is missing, unknown or over",
    403: "This may not be had here",
    404: "There is no such thing",
    409: "Another request stands in the way",
    410: "It is no longer kept",
    413: "The body or its number of items is over the limit",
    415: "The body has another media type",
    422: "The request can be read, but not used",
    429: "The queue is full; try again after `Retry-After` seconds",
    503: "The service cannot do this work now",
    504: "The work was not begun in time",
}
