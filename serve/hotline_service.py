"""Transcripts in, stored suggestions out. Raw text stays in memory: only what the router masked
is stored or answered, and none of it is logged. Where the settings ask for originals, they are
sealed before they are stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from ..models.registry import Registry
from ..nlp.departments import load_departments
from ..nlp.matter.profile import Call, Place
from ..nlp.matter.score import SameMatter
from ..nlp.overrides import Facts, Override, OverrideRules, apply_rules, load_rules
from ..nlp.router import Router
from ..nlp.suggestion import Decision, Suggestion
from ..nlp.transcript import Transcript
from .batcher import Batcher, BatchLimits, RunBatch
from .changes import Change
from .disk_guard import DiskGuard
from .errors import UnavailableError
from .finisher import Finisher
from .hotline_changes import CallChange, EmbeddingsChange
from .hotline_embeddings import EmbeddingStore, packed
from .hotline_intake import Incoming, readable, spoken
from .hotline_matters import MatterDesk
from .hotline_places import CallPlaces, load_city
from .hotline_similar import Similar, SimilarDesk
from .hotline_store import HotlineStore
from .hotline_vault import Original, Vault
from .hotline_views import urgent_reasons
from .metrics import Metrics
from .model_slot import ModelSlot
from .repeat import cancel, repeat
from .schemas import SuggestionOut
from .settings import Settings

TOP = 5
TOP_CATEGORIES = 3
# Stored calls that a new model reads between two breaths.
READ_AGAIN = 16
WARM_UP = Transcript("warm-up", "路口的路灯不亮了")

NOT_STORED = UnavailableError(
    "the suggestion was not stored; send the transcript again",
    message_zh="结果未能入库，请重新提交该文本",
    code="not_stored",
)


@dataclass(frozen=True, slots=True)
class Routed:
    """One suggestion with where it goes, the rule that spoke, its place, what it may join and
    what it is like."""

    suggestion: Suggestion
    department: str
    override: Override | None
    place: Place
    at: datetime
    proposals: tuple[SameMatter, ...]
    similar: tuple[Similar, ...]


@dataclass(slots=True)
class TranscriptResult:
    """What became of one transcript."""

    suggestion: SuggestionOut | None = None
    routed: Routed | None = None
    error: Exception | None = None

    @property
    def name(self) -> str:
        """The decision, or `error`; what metrics count by."""
        return "error" if self.suggestion is None else self.suggestion.decision.verdict


class HotlineService:
    """Owns the router's queue. Belongs to one event loop."""

    def __init__(
        self,
        settings: Settings,
        *,
        registry: Registry,
        store: HotlineStore,
        embeddings: EmbeddingStore,
        writer: Batcher[Change, None],
        metrics: Metrics,
        disk: DiskGuard,
        now: Callable[[], datetime],
    ) -> None:
        """Raises ModelError, ConfigError or InputError when the router, the rules or the key of
        the originals cannot be used."""
        self._settings = settings
        self._writer = writer
        self._metrics = metrics
        self._disk = disk
        self._now = now
        self._finisher = Finisher()
        self.departments = load_departments(settings.departments)
        self.rules = OverrideRules()
        if settings.rules is not None:
            self.rules = load_rules(settings.rules, self.departments)
        self.vault: Vault | None = None
        if settings.keep_originals:
            self.vault = Vault.open(
                settings.originals_key.get_secret_value(), settings.originals_key_file
            )
        self.places: CallPlaces | None = None
        if settings.places and settings.places.partition("@")[0] in registry.names():
            city = load_city(settings.divisions, settings.points, settings.grids)
            self.places = CallPlaces(registry, settings.places, city)
        self.store = store
        self.desk = MatterDesk(
            store,
            window=timedelta(days=settings.matter_window_days),
            max_calls=settings.max_open_calls,
            zone=settings.hotline_timezone,
        )
        self.similar = SimilarDesk(embeddings, most=settings.max_similar_calls)
        # The model that has read all stored calls; none while there may be unread ones.
        self._all_read_by = ""
        self._reading: asyncio.Task[None] | None = None
        self.slot = ModelSlot(
            "router",
            registry,
            settings.router,
            load=lambda ref: Router.open(
                registry, ref, settings.departments, max_chars=settings.max_transcript_chars
            ),
            warm_up=lambda router: router.route([WARM_UP]),
        )
        self.batcher = Batcher(
            "router",
            self._open_runner,
            limits=BatchLimits(
                max_batch=settings.max_texts_batch,
                max_queue=settings.max_texts_queue,
                max_queue_bytes=settings.max_queue_bytes,
                stall_s=settings.batch_stall_s,
            ),
            on_batch=metrics.batch_observer("router"),
        )
        self.desk.load(now())
        self.similar.follow(self.ref)

    @property
    def ref(self) -> str:
        """`name@version` of the router in use now."""
        return self.slot.current.ref

    async def start(self) -> None:
        await self.batcher.start()
        every_s = self._settings.model_poll_s
        self._reading = asyncio.create_task(
            repeat("reading stored calls for similar ones", every_s, self._keep_similar)
        )

    async def close(self) -> None:
        if self._reading is not None:
            await cancel(self._reading)
        await self.batcher.close(self._settings.drain_s)
        await self._finisher.drain()

    async def take(self, calls: Sequence[Incoming]) -> list[TranscriptResult]:
        """Suggest and store, and say what became of each call, in order. May be cancelled until
        the suggestions are made.

        Raises:
            BusyError: the queue cannot take all calls; nothing was stored.
            UnavailableError: the router cannot work now, or the disk is nearly full.
        """
        self._disk.check()
        results = [TranscriptResult() for _ in calls]
        answers = await self.batcher.submit(
            calls,
            sizes=[4 * call.n_chars for call in calls],
            timeout_s=self._settings.queue_timeout_s,
        )
        made: list[tuple[int, Routed]] = []
        for index, answer in enumerate(answers):
            if isinstance(answer, Exception):
                results[index].error = answer
            else:
                made.append((index, answer))
        await self._finisher.run(self._store(made, calls, results))
        for result in results:
            self._metrics.transcripts.labels(result.name).inc()
        return results

    async def _store(
        self,
        made: Sequence[tuple[int, Routed]],
        calls: Sequence[Incoming],
        results: list[TranscriptResult],
    ) -> None:
        views = [_view(routed.suggestion) for _, routed in made]
        changes: list[Change] = [
            self._change(calls[index], routed, view)
            for (index, routed), view in zip(made, views, strict=True)
        ]
        answers = await self._writer.submit(changes)
        for (index, routed), view, answer in zip(made, views, answers, strict=True):
            if isinstance(answer, Exception):
                results[index].error = NOT_STORED
                self.desk.forget(routed.suggestion.id)
                continue
            results[index].suggestion = view
            results[index].routed = routed
            if routed.override is not None:
                changed = str(routed.override.changed).lower()
                self._metrics.overrides.labels(routed.override.rule, changed).inc()
        stored = [result.routed.suggestion for result in results if result.routed is not None]
        if any(suggestion.model != self.similar.model for suggestion in stored):
            self._all_read_by = ""
        read = [suggestion.id for suggestion in stored if suggestion.embedding is not None]
        if read:
            await asyncio.to_thread(self.similar.look_at, read)

    async def judged(self, transcript_id: str) -> None:
        """Staff have said where a call belongs: similar ones are shown so from now on."""
        await asyncio.to_thread(self.similar.look_at, [transcript_id])

    def similar_to(self, transcript_id: str) -> tuple[Similar, ...]:
        """Past calls like a stored one; none while the model in use has not read it. Blocks."""
        model = self.similar.model
        vector = self.similar.store.vector(model, transcript_id)
        return () if vector is None else self.similar.nearest(model, vector, transcript_id)

    async def _keep_similar(self) -> None:
        """Forget what is kept no longer; after an exchange of the model, have the new one read
        stored calls, in the time that requests leave."""
        oldest = self._now() - timedelta(days=self._settings.keep_calls_days)
        await asyncio.to_thread(self.similar.forget_before, oldest)
        router = self.slot.current
        if router.ref != self.similar.model:
            await asyncio.to_thread(self.similar.follow, router.ref)
        while self._all_read_by != router.ref and router is self.slot.current:
            began = time.monotonic()
            # Said before looking: what another model's batch stores meanwhile takes it back.
            self._all_read_by = router.ref
            more = True
            try:
                more = await self._read_some(router)
            finally:
                if more:
                    self._all_read_by = ""
            await asyncio.sleep(time.monotonic() - began)

    async def _read_some(self, router: Router) -> bool:
        """Embed a few stored calls that this router has not read; whether there were any."""
        unread = await asyncio.to_thread(
            self.similar.store.unread, router.ref, self.similar.most, READ_AGAIN
        )
        suggestions = await asyncio.to_thread(router.route, unread)
        vectors = tuple(
            (suggestion.id, packed(suggestion.embedding))
            for suggestion in suggestions
            if suggestion.embedding is not None
        )
        if not vectors:
            return False
        (stored,) = await self._writer.submit([EmbeddingsChange(router.ref, vectors)])
        if isinstance(stored, Exception):
            raise stored
        await asyncio.to_thread(self.similar.look_at, [id for id, _ in vectors])
        return True

    def _change(self, call: Incoming, routed: Routed, view: SuggestionOut) -> CallChange:
        suggestion, transcript = routed.suggestion, call.transcript
        sealed = None
        if self.vault is not None:
            sealed = self.vault.seal(call.id, Original(transcript.title, call.text))
        return CallChange(
            transcript_id=transcript.id,
            channel=transcript.channel,
            received_at=transcript.received_at,
            at=routed.at,
            title=suggestion.masked_title,
            text=suggestion.masked_text,
            place=routed.place,
            category=suggestion.category,
            department=routed.department,
            model_department=suggestion.departments[0].code,
            confidence=suggestion.departments[0].probability,
            decision=suggestion.decision.verdict,
            model=suggestion.model,
            suggestion=view.model_dump(),
            override={} if routed.override is None else asdict(routed.override),
            proposals=routed.proposals,
            sealed=sealed,
            urgency="normal" if suggestion.urgency is None else suggestion.urgency.level,
            urgent_reasons=() if suggestion.urgency is None else urgent_reasons(suggestion.urgency),
            embedding=None if suggestion.embedding is None else packed(suggestion.embedding),
        )

    def _open_runner(self) -> RunBatch[Incoming, Routed]:
        """As the detector's: a worker that follows a dead one loads its own router."""
        if self.batcher.stats.restarts:
            self.slot.reload()

        def run(calls: list[Incoming]) -> list[Routed | Exception]:
            texts = [readable(call, self._settings.max_transcript_chars) for call in calls]
            suggestions = self.slot.current.route([text.transcript for text in texts])
            return [
                self._routed(text.transcript, text.completed(suggestion), call.kept)
                for call, text, suggestion in zip(calls, texts, suggestions, strict=True)
            ]

        return run

    def _routed(self, transcript: Transcript, suggestion: Suggestion, kept: bool) -> Routed:
        at = transcript.received_at or self._now()
        # Neither the agent's words nor the tags (市民：…) are the matter or its place.
        said = spoken(suggestion.masked_text)
        place = Place()
        if self.places is not None:
            place = self.places.find(suggestion.masked_title, said)
        first = suggestion.departments[0].code
        override = apply_rules(
            self.rules,
            Facts(
                text=said,
                title=suggestion.masked_title,
                place=place,
                category=suggestion.category,
                department=first,
                channel=transcript.channel,
                at=at,
            ),
        )
        department = first if override is None else override.department
        call = Call(
            transcript.id,
            said,
            at,
            suggestion.masked_title,
            place,
            department,
        )
        if override is not None:
            decision = _decision_of(override, suggestion.decision)
            suggestion = replace(suggestion, decision=decision)
        proposals = self.desk.take(call, self._now()) if kept else ()
        similar: tuple[Similar, ...] = ()
        if suggestion.embedding is not None:
            similar = self.similar.nearest(suggestion.model, suggestion.embedding, transcript.id)
        return Routed(suggestion, department, override, place, at, proposals, similar)


def _view(suggestion: Suggestion) -> SuggestionOut:
    data = suggestion.to_dict(top=TOP)
    data["categories"] = data["categories"][:TOP_CATEGORIES]
    return SuggestionOut.model_validate(data)


def _decision_of(override: Override, model: Decision) -> Decision:
    """A rule's word on the decision; `keep` leaves the model's where the two agree."""
    if override.dispatch == "keep" and not override.changed:
        return model
    verdict = "suggest" if override.dispatch == "keep" else override.dispatch
    return Decision(verdict, "legal_rule", f"按规则“{override.title}”：{override.law}")
