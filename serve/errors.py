"""Errors that only exist because there is HTTP, a queue and a database.

InputError
└── RequestError              the request as a whole cannot be read; nothing was changed
    ├── UnsupportedMediaError     wrong Content-Type                              415
    ├── TooLargeError             body or item count over the limit               413
    ├── UnprocessableError        readable, but its parts do not fit together     422
    ├── ForbiddenError            a browser page of another site, an original     403
    ├── NotFoundError             no such incident, picture or page               404
    └── GoneError                 events that were there and are no longer kept   410
XiaozhengError
└── UnavailableError          a worker or the database cannot do work now         503
    └── WorkerDiedError           the worker broke off while it held the item     503
"""

from __future__ import annotations

from typing import ClassVar

from ..config.errors import InputError, XiaozhengError


class RequestError(InputError):
    """The request as a whole cannot be used."""

    default_code = "bad_request"
    status: ClassVar[int] = 400


class UnsupportedMediaError(RequestError):
    """The body's media type is not the one the door takes."""

    default_code = "unsupported_media_type"
    status = 415


class TooLargeError(RequestError):
    """The body or its number of items passes a limit."""

    default_code = "too_large"
    status = 413


class UnprocessableError(RequestError):
    """The body can be read, but what it says does not fit together."""

    default_code = "unprocessable"
    status = 422


class ForbiddenError(RequestError):
    """The request comes from where none may come from, or asks for what may not be had."""

    default_code = "forbidden"
    status = 403


class NotFoundError(RequestError):
    """There is no such thing."""

    default_code = "not_found"
    status = 404


class GoneError(RequestError):
    """It was there, but is no longer kept."""

    default_code = "gone"
    status = 410


class UnavailableError(XiaozhengError):
    """Work cannot be done now; the same request may succeed later."""

    default_code = "unavailable"


class WorkerDiedError(UnavailableError):
    """The worker broke off while it held this item; whether it did the work is unknown."""

    default_code = "worker_died"
