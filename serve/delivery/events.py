"""From the outbox's events to what doors and receivers see."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from urllib.parse import unquote

from ..outbox import PREFIX
from ..records import StoredEvent
from ..schemas import EventOut
from .parcel import Parcel

# The longest a signed 64-bit key gets, so that the order of the texts is that of the numbers.
SEQUENCE_DIGITS = 19


def cloud_event(event: StoredEvent) -> EventOut:
    """The event as every door and receiver sees it."""
    return EventOut(
        id=event.id,
        type=event.type,
        source=event.source,
        subject=event.subject,
        time=event.time,
        sequence=f"{event.seq:0{SEQUENCE_DIGITS}}",
        data=event.data,
    )


def parcel_of(event: StoredEvent) -> Parcel:
    """A parcel that was never tried."""
    return Parcel(event.seq, event.subject, cloud_event(event).model_dump(mode="json"))


def source_name(source: str) -> str:
    """The camera's id in `urn:xiaozheng:camera:<id>`, unquoted."""
    return unquote(source.rpartition(":")[2])


def wanted(event: StoredEvent, types: Sequence[str], cameras: Sequence[str]) -> bool:
    """Whether a type fits one of the patterns, and the camera is one of these or none is named."""
    if cameras and source_name(event.source) not in cameras:
        return False
    short = event.type.removeprefix(PREFIX)
    return any(fnmatchcase(short, pattern.removeprefix(PREFIX)) for pattern in types)
