"""Everything the doors need, opened and closed in the right order."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError

from ..config.errors import InputError
from ..models.registry import Registry
from ..vision.cameras import Cameras, load_cameras
from ..vision.detector import Detector
from ..vision.kinds import DEFAULT_KINDS, Kinds, load_kinds
from .batcher import Batcher, BatchLimits, BatchReport, RunBatch
from .body import BodyBudget
from .changes import Change
from .delivery.config import Delivery, load_delivery
from .delivery.feed import Feed
from .delivery.service import DeliveryService
from .disk_guard import DiskGuard
from .errors import UnavailableError
from .hotline_drift import REFERENCE_TIMES, measure_drift, show_drift, windows
from .hotline_embeddings import EmbeddingStore
from .hotline_service import HotlineService
from .hotline_store import HotlineStore
from .metrics import Metrics
from .model_slot import ModelSlot, Refusal
from .pruning import prune_often
from .repeat import cancel, repeat
from .schemas import Check, RefusedModel
from .security.guard import KeyRing
from .security.key_store import KeyStore, usable
from .settings import Settings
from .store import Store
from .views import IncidentViews
from .vision_service import Now, VisionService

log = logging.getLogger(__name__)

TICK_S = 1.0
FEED_LOOK_S = 1.0
NOTE_USE_S = 5.0
DRIFT_LOOK_S = 3_600.0
WRITER_LIMITS = BatchLimits(max_batch=64, max_queue=4_096)


@dataclass(slots=True)
class Services:
    """The parts of one running service; a half that is switched off is None."""

    settings: Settings
    kinds: Kinds
    cameras: Cameras
    store: Store
    writer: Batcher[Change, None]
    vision: VisionService | None
    hotline: HotlineService | None
    views: IncidentViews
    metrics: Metrics
    budget: BodyBudget
    feed: Feed
    ring: KeyRing
    delivery: DeliveryService
    disk: DiskGuard
    now: Now
    listeners: int = 0

    def need_vision(self) -> VisionService:
        """Raises UnavailableError when the service runs without a detector."""
        if self.vision is None:
            raise UnavailableError(
                "this service runs without a detector",
                message_zh="本服务未启用视觉识别",
                code="vision_off",
            )
        return self.vision

    def need_hotline(self) -> HotlineService:
        """Raises UnavailableError when the service runs without a router."""
        if self.hotline is None:
            raise UnavailableError(
                "this service runs without a router",
                message_zh="本服务未启用热线分派",
                code="hotline_off",
            )
        return self.hotline

    async def write(self, change: Change) -> None:
        """Store one change; raises what the store raised."""
        (stored,) = await self.writer.submit([change])
        if isinstance(stored, Exception):
            raise stored

    async def checks(self) -> dict[str, Check]:
        """Whether each part can do its work now."""
        found = {"database": await asyncio.to_thread(self._check_database)}
        room = self.disk.look()
        found["disk"] = Check(ok=not room.stopped, detail=room.text)
        if self.vision is not None:
            detector = self.vision.detector
            found["detector"] = Check(
                ok=self.vision.batcher.ready,
                detail=f"{detector.ref} ({detector.backend})",
                refused=_refused(self.vision.slot.refusal),
            )
        if self.hotline is not None:
            found["router"] = Check(
                ok=self.hotline.batcher.ready,
                detail=self.hotline.ref,
                refused=_refused(self.hotline.slot.refusal),
            )
        return found

    def _check_database(self) -> Check:
        if not self.writer.ready:
            return Check(ok=False, detail="the writer is not running")
        try:
            self.store.ping()
        except SQLAlchemyError as error:
            log.error("database: %s", error)
            return Check(ok=False, detail="the database does not answer")
        return Check(ok=True)


def services_of(request: Request) -> Services:
    """The services of the app that serves a request."""
    return cast(Services, request.app.state.services)


Use = Annotated[Services, Depends(services_of)]


@asynccontextmanager
async def open_services(settings: Settings, metrics: Metrics, now: Now) -> AsyncIterator[Services]:
    """Load, restore and start everything; on leaving, drain and close it.

    Raises:
        InputError: a settings file or the database URL is wrong, or the folder is in use.
        ModelError: a model cannot be loaded.
    """
    kinds = await asyncio.to_thread(load_kinds, settings.kinds or DEFAULT_KINDS)
    cameras = Cameras()
    if settings.cameras is not None:
        cameras = await asyncio.to_thread(load_cameras, settings.cameras, kinds)
    told = Delivery()
    if settings.delivery is not None:
        told = await asyncio.to_thread(load_delivery, settings.delivery)
    async with AsyncExitStack() as stack:
        stack.callback(os.close, lock_folder(settings.var))
        store = await asyncio.to_thread(Store.open, settings.database, now, cameras.by_id())
        stack.callback(store.close)
        await asyncio.to_thread(_check_keys, settings, store, now)
        feed = Feed(store, (await asyncio.to_thread(store.events, 0, 1)).last)
        observe = metrics.batch_observer("store")

        def stored(report: BatchReport) -> None:
            observe(report)
            feed.nudge()

        writer = Batcher(
            "store",
            lambda: _writer_of(store),
            limits=WRITER_LIMITS,
            on_batch=stored,
        )
        await writer.start()
        stack.push_async_callback(writer.close, settings.drain_s)
        metrics.watch_batcher(writer)
        services = Services(
            settings=settings,
            kinds=kinds,
            cameras=cameras,
            store=store,
            writer=writer,
            vision=None,
            hotline=None,
            views=IncidentViews(kinds, cameras.by_id()),
            metrics=metrics,
            budget=BodyBudget(settings.max_inflight_bytes),
            feed=feed,
            ring=KeyRing(KeyStore(store.engine), now),
            delivery=DeliveryService(
                told,
                store=store,
                feed=feed,
                writer=writer,
                cameras=cameras.by_id().keys(),
                now=now,
            ),
            disk=DiskGuard.of(settings),
            now=now,
        )
        metrics.watch_disk(services.disk)
        registry = Registry(settings.shelf)
        slots: list[ModelSlot[Any]] = []
        if settings.detector:
            services.vision = await _open_vision(services, registry, now)
            stack.push_async_callback(services.vision.close)
            slots.append(services.vision.slot)
        if settings.router:
            services.hotline = await _open_hotline(services, registry, now)
            stack.push_async_callback(services.hotline.close)
            slots.append(services.hotline.slot)
        metrics.registry.register(services.delivery)
        services.delivery.start()
        stack.push_async_callback(services.delivery.close)
        stack.push_async_callback(_note_use, services)
        for work in _work_beside(services, slots):
            stack.push_async_callback(cancel, asyncio.create_task(work))
        yield services


def _work_beside(
    services: Services, slots: list[ModelSlot[Any]]
) -> list[Coroutine[Any, Any, None]]:
    """What goes on beside the requests, for ever."""
    settings, metrics = services.settings, services.metrics
    beside = [
        repeat("watching the outbox", 0, lambda: services.feed.watch(FEED_LOOK_S)),
        repeat("noting the use of keys", NOTE_USE_S, lambda: _note_use(services)),
        prune_often(services.writer, settings, services.now),
    ]
    beside += [_follow(slot, metrics, settings.model_poll_s) for slot in slots]
    if services.hotline is not None:
        beside.append(repeat("measuring drift", DRIFT_LOOK_S, lambda: _look_at_drift(services)))
    if services.vision is not None:
        beside.append(repeat("judging cameras' silence", TICK_S, services.vision.tick))
    return beside


async def _open_vision(services: Services, registry: Registry, now: Now) -> VisionService:
    checkpoints = await asyncio.to_thread(services.store.checkpoints)
    health = await asyncio.to_thread(services.store.health)
    vision = await asyncio.to_thread(
        lambda: VisionService(
            services.settings,
            services.cameras,
            services.kinds,
            registry=registry,
            writer=services.writer,
            checkpoints=checkpoints,
            health=health,
            metrics=services.metrics,
            disk=services.disk,
            now=now,
        )
    )
    await vision.start(await asyncio.to_thread(services.store.active))
    await vision.close_faults(await asyncio.to_thread(services.store.faults))
    services.metrics.watch_batcher(vision.batcher)
    _show(services.metrics, vision.slot)
    return vision


async def _open_hotline(services: Services, registry: Registry, now: Now) -> HotlineService:
    hotline = await asyncio.to_thread(
        lambda: HotlineService(
            services.settings,
            registry=registry,
            store=HotlineStore(services.store.engine),
            embeddings=EmbeddingStore(services.store.engine),
            writer=services.writer,
            metrics=services.metrics,
            disk=services.disk,
            now=now,
        )
    )
    await hotline.start()
    services.metrics.watch_batcher(hotline.batcher)
    _show(services.metrics, hotline.slot)
    return hotline


async def _look_at_drift(services: Services) -> None:
    """Set the drift gauges."""
    days = services.settings.drift_days
    spans = windows(services.now(), days, REFERENCE_TIMES * days)
    store = services.need_hotline().store
    show_drift(services.metrics, await asyncio.to_thread(measure_drift, store, spans))


async def _note_use(services: Services) -> None:
    change = services.ring.take_change()
    if change is not None:
        await services.writer.submit([change])


def _check_keys(settings: Settings, store: Store, now: Now) -> None:
    if settings.keys_required and not usable(KeyStore(store.engine).all(), now()):
        raise InputError(
            f"API keys are required on {settings.host}, and there is none yet: make one with "
            "`xiaozheng keys create NAME --scope SCOPE`, or give --allow-anonymous to let anyone "
            "on that network in",
            message_zh=f"监听 {settings.host} 需要访问密钥，目前还没有：请先运行 "
            "xiaozheng keys create，或用 --allow-anonymous 允许匿名访问",
            code="no_keys",
        )


async def _follow(slot: ModelSlot[Any], metrics: Metrics, every_s: float) -> None:
    """Exchange a role's model whenever the shelf names another, for ever."""

    async def look() -> None:
        news = await asyncio.to_thread(slot.look)
        if news:
            metrics.swaps.labels(slot.role, news).inc()
        _show(metrics, slot)

    await repeat(f"following the {slot.role}", every_s, look)


def _show(metrics: Metrics, slot: ModelSlot[Any]) -> None:
    model = slot.current
    backend = {"backend": model.backend} if isinstance(model, Detector) else {}
    metrics.show_model(slot.role, model=model.ref, **backend)
    metrics.refused_model.labels(slot.role).set(slot.refusal is not None)


def _refused(refusal: Refusal | None) -> RefusedModel | None:
    return None if refusal is None else RefusedModel(**asdict(refusal))


def lock_folder(folder: Path) -> int:
    """Take the folder for this process; two engines on one database would open things twice.

    The lock ends with the process, however it ends.

    Raises:
        InputError: another process has it, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InputError(
            f"folder {folder} cannot be used: {error.strerror}",
            message_zh=f"目录 {folder} 无法使用：{error.strerror}",
            code="bad_settings",
        ) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise InputError(
            f"folder {folder} is in use by another running service",
            message_zh=f"目录 {folder} 正被另一个服务进程使用",
            code="folder_in_use",
        ) from None
    return descriptor


def _writer_of(store: Store) -> RunBatch[Change, None]:
    def write(changes: list[Change]) -> list[Exception | None]:
        store.write(changes)
        return [None] * len(changes)

    return write
