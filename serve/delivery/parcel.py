"""An event on its way to one receiver, and what its turn changed. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Parcel:
    """One event, in CloudEvents' JSON form, for one receiver; those of one `subject` arrive in the
    order of `seq`.

    `tries` counts those that failed, the first of them at `first_failed_at`.
    """

    seq: int
    subject: str
    event: dict[str, Any]
    tries: int = 0
    first_failed_at: datetime | None = None
    next_at: datetime | None = None
    error: str = ""

    @property
    def id(self) -> str:
        return str(self.event["id"])


@dataclass(frozen=True, slots=True)
class DeliveryChange:
    """What one receiver's turn changed; written whole or not at all.

    `after` is how far the outbox was read, None for as far as before. `hasten` makes everything
    that waits due: the receiver is there again.
    """

    sink: str
    after: int | None = None
    done: tuple[int, ...] = ()
    waiting: tuple[Parcel, ...] = ()
    dead: tuple[Parcel, ...] = ()
    hasten: bool = False
