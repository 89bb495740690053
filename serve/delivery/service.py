"""All receivers of one running service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ...vision.health import HealthIncident
from ..batcher import Batcher
from ..changes import Change
from ..store import Store
from .config import Delivery, Receiver
from .courier import Courier, Sink
from .feed import Feed
from .ledger import Ledger
from .mqtt import MqttSink
from .webhook import WebhookSink

STOP_S = 5.0


class DeliveryService(Collector):
    """One courier a receiver. Belongs to one event loop."""

    def __init__(
        self,
        delivery: Delivery,
        *,
        store: Store,
        feed: Feed,
        writer: Batcher[Change, None],
        cameras: Collection[str],
        now: Callable[[], datetime],
    ) -> None:
        """Raises InputError when a secret cannot be had."""
        self.delivery = delivery
        self.ledger = Ledger(store.engine)
        sinks: list[tuple[Sink, Receiver]] = [
            (WebhookSink(webhook, delivery.targets, now), webhook) for webhook in delivery.webhooks
        ]
        if delivery.mqtt is not None:
            sinks.append((MqttSink(delivery.mqtt, _health_of(store, cameras), now), delivery.mqtt))
        self.couriers = [
            Courier(sink, receiver, ledger=self.ledger, feed=feed, writer=writer, now=now)
            for sink, receiver in sinks
        ]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(courier.run()) for courier in self.couriers]

    async def close(self) -> None:
        """Let deliveries in hand end, within bounds; what is left is delivered after a restart."""
        await asyncio.gather(
            *(
                courier.stop(task, STOP_S)
                for courier, task in zip(self.couriers, self._tasks, strict=True)
            )
        )

    def collect(self) -> Iterator[Metric]:
        """For Prometheus."""
        events = CounterMetricFamily(
            "xiaozheng_deliveries", "Tries by what became of them", labels=["sink", "result"]
        )
        away = GaugeMetricFamily(
            "xiaozheng_delivery_away", "1 while a receiver is not there", labels=["sink"]
        )
        for courier in self.couriers:
            stats = courier.stats
            for result, count in (
                ("delivered", stats.delivered),
                ("failed", stats.failed),
                ("dead", stats.dead),
            ):
                events.add_metric([courier.sink.name, result], count)
            away.add_metric([courier.sink.name], int(stats.away))
        yield events
        yield away


def _health_of(
    store: Store, cameras: Collection[str]
) -> Callable[[], Mapping[str, Sequence[HealthIncident]]]:
    def read() -> Mapping[str, Sequence[HealthIncident]]:
        found: dict[str, list[HealthIncident]] = {camera: [] for camera in cameras}
        for fault in store.faults():
            found.setdefault(fault.camera_id, []).append(fault)
        return found

    return read
