"""Transcripts in, stored suggestions out. Raw text stays in memory: only what the router masked
is stored or answered, and none of it is logged. Where the settings ask for originals, they are
sealed before they are stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from ..config.errors import TranscriptError
from ..models.registry import Registry
from ..nlp.departments import load_departments
from ..nlp.matter.profile import Call, Place
from ..nlp.matter.score import SameMatter
from ..nlp.overrides import Facts, Override, OverrideRules, apply_rules, load_rules
from ..nlp.router import Router
from ..nlp.suggestion import Decision, Suggestion
from ..nlp.transcript import Transcript, check_transcript
from .batcher import Batcher, BatchLimits, RunBatch
from .changes import Change
from .disk_guard import DiskGuard
from .errors import UnavailableError
from .finisher import Finisher
from .hotline_changes import CallChange
from .hotline_matters import MatterDesk
from .hotline_places import CallPlaces, load_city
from .hotline_store import HotlineStore
from .hotline_vault import Original, Vault
from .metrics import Metrics
from .model_slot import ModelSlot
from .schemas import SuggestionOut
from .settings import Settings

TOP = 5
WARM_UP = Transcript("warm-up", "路口的路灯不亮了")

NOT_STORED = UnavailableError(
    "the suggestion was not stored; send the transcript again",
    message_zh="结果未能入库，请重新提交该文本",
    code="not_stored",
)


@dataclass(frozen=True, slots=True)
class Routed:
    """One suggestion with where it goes, the rule that spoke, its place and what it may join."""

    suggestion: Suggestion
    department: str
    override: Override | None
    place: Place
    at: datetime
    proposals: tuple[SameMatter, ...]


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

    @property
    def ref(self) -> str:
        """`name@version` of the router in use now."""
        return self.slot.current.ref

    async def start(self) -> None:
        await self.batcher.start()

    async def close(self) -> None:
        await self.batcher.close(self._settings.drain_s)
        await self._finisher.drain()

    async def take(self, transcripts: Sequence[Transcript]) -> list[TranscriptResult]:
        """Suggest and store, and say what became of each transcript, in order. May be cancelled
        until the suggestions are made.

        Raises:
            BusyError: the queue cannot take all transcripts; nothing was stored.
            UnavailableError: the router cannot work now, or the disk is nearly full.
        """
        self._disk.check()
        results = [TranscriptResult() for _ in transcripts]
        good: list[int] = []
        for index, transcript in enumerate(transcripts):
            try:
                check_transcript(transcript, max_chars=self._settings.max_transcript_chars)
                good.append(index)
            except TranscriptError as error:
                results[index].error = error
        answers = await self.batcher.submit(
            [transcripts[i] for i in good],
            sizes=[4 * len(transcripts[i].text) for i in good],
            timeout_s=self._settings.queue_timeout_s,
        )
        made: list[tuple[int, Routed]] = []
        for index, answer in zip(good, answers, strict=True):
            if isinstance(answer, Exception):
                results[index].error = answer
            else:
                made.append((index, answer))
        await self._finisher.run(self._store(made, transcripts, results))
        for result in results:
            self._metrics.transcripts.labels(result.name).inc()
        return results

    async def _store(
        self,
        made: Sequence[tuple[int, Routed]],
        transcripts: Sequence[Transcript],
        results: list[TranscriptResult],
    ) -> None:
        views = [
            SuggestionOut.model_validate(routed.suggestion.to_dict(top=TOP)) for _, routed in made
        ]
        changes: list[Change] = [
            self._change(transcripts[index], routed, view)
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

    def _change(self, transcript: Transcript, routed: Routed, view: SuggestionOut) -> CallChange:
        suggestion = routed.suggestion
        sealed = None
        if self.vault is not None:
            original = Original(transcript.title, transcript.text)
            sealed = self.vault.seal(transcript.id, original)
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
        )

    def _open_runner(self) -> RunBatch[Transcript, Routed]:
        """As the detector's: a worker that follows a dead one loads its own router."""
        if self.batcher.stats.restarts:
            self.slot.reload()

        def run(transcripts: list[Transcript]) -> list[Routed | Exception]:
            suggestions = self.slot.current.route(transcripts)
            return [
                self._routed(transcript, suggestion)
                for transcript, suggestion in zip(transcripts, suggestions, strict=True)
            ]

        return run

    def _routed(self, transcript: Transcript, suggestion: Suggestion) -> Routed:
        at = transcript.received_at or self._now()
        place = Place()
        if self.places is not None:
            place = self.places.find(suggestion.masked_title, suggestion.masked_text)
        first = suggestion.departments[0].code
        override = apply_rules(
            self.rules,
            Facts(
                text=suggestion.masked_text,
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
            suggestion.masked_text,
            at,
            suggestion.masked_title,
            place,
            department,
        )
        if override is not None:
            decision = _decision_of(override, suggestion.decision)
            suggestion = replace(suggestion, decision=decision)
        return Routed(
            suggestion, department, override, place, at, self.desk.take(call, self._now())
        )


def _decision_of(override: Override, model: Decision) -> Decision:
    """A rule's word on the decision; `keep` leaves the model's where the two agree."""
    if override.dispatch == "keep" and not override.changed:
        return model
    verdict = "suggest" if override.dispatch == "keep" else override.dispatch
    return Decision(verdict, "legal_rule", f"按规则“{override.title}”：{override.law}")
