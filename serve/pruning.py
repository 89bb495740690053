"""Bounded growth: events and observations are forgotten by age and number, calls, the
audit log and answers kept for repeats by age."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from .batcher import Batcher
from .changes import Change, PruneChange
from .hotline_changes import PruneCalls
from .idempotency_store import KEEP, PruneAnswers
from .repeat import repeat
from .security.key_store import SecurityChange
from .settings import Settings


def due(settings: Settings, now: datetime) -> PruneChange:
    """What the settings say may be forgotten at `now`."""
    return PruneChange(
        events_before=now - timedelta(seconds=settings.keep_events_s),
        max_events=settings.max_events,
        observations_before=now - timedelta(seconds=settings.keep_observations_s),
        max_observations=settings.max_observations,
    )


def all_due(settings: Settings, now: datetime) -> list[Change]:
    """The same with calls, the audit log and answers kept for repeats."""
    return [
        due(settings, now),
        PruneCalls(now - timedelta(days=settings.keep_calls_days)),
        SecurityChange(forget_before=now - timedelta(seconds=settings.keep_audit_s)),
        PruneAnswers(now - KEEP),
    ]


async def prune_often(
    writer: Batcher[Change, None], settings: Settings, now: Callable[[], datetime]
) -> None:
    """Remove what is due at every turn, for ever. Goes through the writer: writers take turns."""

    async def prune() -> None:
        for answer in await writer.submit(all_due(settings, now())):
            if isinstance(answer, Exception):
                raise answer

    await repeat("forgetting old events", settings.prune_every_s, prune)
