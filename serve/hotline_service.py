"""Transcripts in, stored suggestions out. Raw text stays in memory: only what the router masked
is stored or answered, and none of it is logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..config.errors import TranscriptError
from ..models.registry import Registry
from ..nlp.router import Router
from ..nlp.suggestion import Suggestion
from ..nlp.transcript import Transcript, check_transcript
from .batcher import Batcher, BatchLimits, RunBatch
from .changes import Change, SuggestionChange
from .errors import UnavailableError
from .finisher import Finisher
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


@dataclass(slots=True)
class TranscriptResult:
    """What became of one transcript."""

    suggestion: SuggestionOut | None = None
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
        writer: Batcher[Change, None],
        metrics: Metrics,
    ) -> None:
        """Raises ModelError or ConfigError when the router cannot be loaded."""
        self._settings = settings
        self._writer = writer
        self._metrics = metrics
        self._finisher = Finisher()
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
            UnavailableError: the router cannot work now.
        """
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
        made: list[tuple[int, Suggestion]] = []
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
        made: Sequence[tuple[int, Suggestion]],
        transcripts: Sequence[Transcript],
        results: list[TranscriptResult],
    ) -> None:
        views = [
            SuggestionOut.model_validate(suggestion.to_dict(top=TOP)) for _, suggestion in made
        ]
        changes: list[Change] = [
            SuggestionChange(
                transcript_id=transcripts[index].id,
                channel=transcripts[index].channel,
                received_at=transcripts[index].received_at,
                decision=suggestion.decision.verdict,
                department=suggestion.departments[0].code,
                model=suggestion.model,
                suggestion=view.model_dump(),
            )
            for (index, suggestion), view in zip(made, views, strict=True)
        ]
        answers = await self._writer.submit(changes)
        for (index, _), view, answer in zip(made, views, answers, strict=True):
            if isinstance(answer, Exception):
                results[index].error = NOT_STORED
            else:
                results[index].suggestion = view

    def _open_runner(self) -> RunBatch[Transcript, Suggestion]:
        """As the detector's: a worker that follows a dead one loads its own router."""
        if self.batcher.stats.restarts:
            self.slot.reload()
        return lambda transcripts: self.slot.current.route(transcripts)
