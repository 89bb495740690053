"""What Prometheus may know. One registry per app, so that several can live in one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    disable_created_metrics,
    generate_latest,
)

from ..vision.health import HEALTH_ZH, HealthKind
from .batcher import Batcher, BatchReport
from .disk_guard import DiskGuard

# A second series a counter, saying when it began, is of no use to anybody here.
disable_created_metrics()  # type: ignore[no-untyped-call]

PREFIX = "xiaozheng_"
STAGE_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters, gauges and histograms of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter(
            "http_requests", "HTTP requests", ("method", "route", "status")
        )
        self.request_s = self._histogram(
            "http_request_seconds", "Seconds to the end of the answer", ("route",), STAGE_BUCKETS_S
        )
        self.frames = self._counter("frames", "Frames by what became of them", ("status",))
        self.transcripts = self._counter(
            "transcripts", "Transcripts by decision, or `error`", ("decision",)
        )
        self.overrides = self._counter(
            "rule_overrides", "Calls a legal rule spoke for", ("rule", "changed")
        )
        self.feedback = self._counter(
            "call_feedback", "What staff did with suggestions", ("action", "department")
        )
        self.matter_judgements = self._counter(
            "matter_judgements", "Proposals of one matter that staff judged", ("state",)
        )
        self.drift_psi = self._gauge(
            "router_drift_psi", "PSI of the last days against those before", ("measure",)
        )
        self.drift_noise = self._gauge(
            "router_drift_noise", "PSI that chance alone exceeds in 5 % of cases", ("measure",)
        )
        self.drift_alarm = self._gauge(
            "router_drift_alarm",
            "1 while a measure's change is beyond chance and .25",
            ("measure",),
        )
        self.transitions = self._counter(
            "incident_transitions", "Stored steps of incidents", ("kind", "state")
        )
        self.stage_s = self._histogram(
            "stage_seconds", "Seconds in one stage of the work", ("stage",), STAGE_BUCKETS_S
        )
        self.batch_size = self._histogram(
            "batch_size", "Items merged into one batch", ("batcher",), BATCH_BUCKETS
        )
        self.wait_s = self._histogram(
            "queue_wait_seconds", "Seconds the oldest item waited", ("batcher",), STAGE_BUCKETS_S
        )
        self.refused = self._gauge("refused_items", "Items refused, queue full", ("batcher",))
        self.queue = self._gauge("queue_items", "Items waiting", ("batcher",))
        self.queue_bytes = self._gauge("queue_bytes", "Bytes waiting", ("batcher",))
        self.ready = self._gauge("worker_ready", "1 while the workers can work", ("batcher",))
        self.restarts = self._gauge("worker_restarts", "Workers replaced", ("batcher",))
        self.open = self._gauge("incidents", "Stored incidents", ("kind", "state"))
        self.swaps = self._counter(
            "model_swaps", "Promoted models that were `loaded` or `refused`", ("role", "result")
        )
        self.refused_model = self._gauge(
            "model_refused", "1 while the promoted model cannot be used", ("role",)
        )
        self.faults = self._gauge("camera_faults", "Cameras with this fault now", ("kind",))
        self.free_bytes = self._gauge("disk_free_bytes", "Bytes free for the state", ())
        self.stopped = self._gauge(
            "intake_stopped", "1 while frames and calls are refused: the disk is nearly full", ()
        )
        self._models: dict[str, Info] = {}

    def watch_batcher(self, batcher: Batcher[Any, Any]) -> None:
        """Show a batcher's queue whenever metrics are read."""
        stats, name = batcher.stats, batcher.name
        self.queue.labels(name).set_function(lambda: batcher.queued)
        self.queue_bytes.labels(name).set_function(lambda: batcher.queued_bytes)
        self.refused.labels(name).set_function(lambda: stats.refused)
        self.ready.labels(name).set_function(lambda: int(batcher.ready))
        self.restarts.labels(name).set_function(lambda: stats.restarts)

    def watch_disk(self, disk: DiskGuard) -> None:
        """Show the room left whenever metrics are read."""
        self.free_bytes.set_function(lambda: disk.look().free_bytes)
        self.stopped.set_function(lambda: int(disk.look().stopped))

    def batch_observer(self, name: str) -> Callable[[BatchReport], None]:
        """A batcher's `on_batch`."""

        def observe(report: BatchReport) -> None:
            self.batch_size.labels(name).observe(report.size)
            self.wait_s.labels(name).observe(report.wait_s)
            self.stage_s.labels(name).observe(report.run_s)

        return observe

    def show_model(self, role: str, **facts: str) -> None:
        """Which model serves a role now."""
        if role not in self._models:
            self._models[role] = Info(PREFIX + role, f"The {role} in use", registry=self.registry)
        self._models[role].info(facts)

    def set_incidents(self, counts: dict[tuple[str, str], int]) -> None:
        """Take over the store's counts by (kind, state)."""
        for (kind, state), count in counts.items():
            self.open.labels(kind, state).set(count)

    def set_faults(self, counts: Mapping[HealthKind, int]) -> None:
        """How many cameras have each fault; those that nobody has are 0."""
        for kind in HEALTH_ZH:
            self.faults.labels(kind).set(counts.get(kind, 0))

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)

    def _counter(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return Counter(PREFIX + name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(PREFIX + name, text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...]
    ) -> Histogram:
        return Histogram(PREFIX + name, text, labels, registry=self.registry, buckets=buckets)
