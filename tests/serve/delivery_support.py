"""What the tests of deliveries share: receivers as processes, and a store that fills its outbox."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from xiaozheng.serve.batcher import Batcher
from xiaozheng.serve.changes import Change, IncidentChange
from xiaozheng.serve.delivery.config import load_delivery
from xiaozheng.serve.delivery.feed import Feed
from xiaozheng.serve.delivery.service import DeliveryService
from xiaozheng.serve.store import Store
from xiaozheng.vision.incident import Incident, IncidentState, Transition

RECEIVER = Path(__file__).parent / "receiver.py"
T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LOOPBACK = "allow_networks: [127.0.0.0/8]\n"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def receiver(folder: Path, port: int) -> Iterator[None]:
    """A receiver that is there as long as the context."""
    folder.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, str(RECEIVER), str(port), str(folder)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == str(port)
        yield
    finally:
        process.kill()
        process.communicate()


def taken(folder: Path) -> list[dict[str, Any]]:
    """What the receiver has taken so far, as events."""
    return [json.loads(entry["body"]) for entry in taken_whole(folder)]


def taken_whole(folder: Path) -> list[dict[str, Any]]:
    """The same with headers and the body's text."""
    file = folder / "taken"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line) for line in lines]


def until(what: Callable[[], Any], limit_s: float = 120) -> Any:
    """The first true answer."""
    end = time.monotonic() + limit_s
    while not (found := what()):
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)
    return found


def life(name: str, camera_id: str = "cam-1", minute: int = 0) -> Change:
    """An incident that opens and ends: two events."""
    begun = T0 + timedelta(minutes=minute)
    opened = Incident(
        id=name,
        kind="illegal_parking",
        camera_id=camera_id,
        zone_id="kerb",
        state=IncidentState.OPEN,
        onset_at=begun,
        opened_at=begun + timedelta(seconds=10),
        last_seen_at=begun + timedelta(seconds=20),
        ended_at=None,
        box=(0.1, 0.2, 0.3, 0.4),
        label="car",
        score=0.9,
        reasons=("位置未变",),
        model="detector@1.0.0",
        rule="stationary_vehicle@1.0.0",
    )
    return IncidentChange((Transition(opened, True), Transition(_over(opened), True)))


def _over(incident: Incident) -> Incident:
    end = incident.last_seen_at
    return replace(incident, state=IncidentState.ENDED, ended_at=end)


def in_order(events: list[dict[str, Any]]) -> bool:
    """Whether each incident's events came in the order of their numbers, repeats aside."""
    seen: dict[str, list[str]] = {}
    for event in events:
        numbers = seen.setdefault(event["subject"], [])
        if event["sequence"] not in numbers:
            numbers.append(event["sequence"])
    return all(numbers == sorted(numbers) for numbers in seen.values())


@asynccontextmanager
async def delivering(url: str, file: Path) -> AsyncIterator[tuple[Store, DeliveryService]]:
    """The parts of a service that tell events, without its doors."""

    def write(changes: list[Change]) -> list[Exception | None]:
        store.write(changes)
        return [None] * len(changes)

    store = Store.open(url)
    feed = Feed(store, store.events(0, 1).last)
    writer: Batcher[Change, None] = Batcher("store", lambda: write, on_batch=lambda _: feed.nudge())
    await writer.start()
    service = DeliveryService(
        load_delivery(file),
        store=store,
        feed=feed,
        writer=writer,
        cameras=("cam-1",),
        now=lambda: datetime.now(UTC),
    )

    async def watch() -> None:
        while True:
            await feed.watch(0.2)

    watching = asyncio.create_task(watch())
    service.start()
    try:
        yield store, service
    finally:
        await service.close()
        watching.cancel()
        await writer.close()
        store.close()
