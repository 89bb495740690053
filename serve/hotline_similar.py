"""The desk that keeps past calls at hand by what they mean, and says which are like a new one."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..nlp.similar import SimilarCases
from .hotline_embeddings import EmbeddingStore, Floats, PastCall

NEAREST = 3


@dataclass(frozen=True, slots=True)
class Similar:
    """A past call and its cosine to the one asked about."""

    id: str
    department: str
    confirmed: bool
    line: str
    likeness: float


@dataclass(slots=True)
class _Shelf:
    """One model's cases; `calls` in the order of taking in, without their vectors."""

    index: SimilarCases
    calls: dict[str, Similar] = field(default_factory=dict)
    recorded: dict[str, datetime] = field(default_factory=dict)


class SimilarDesk:
    """Safe to use from several threads. Holds the embeddings of one model at a time: those of
    another are neither taken in nor compared."""

    def __init__(self, store: EmbeddingStore, *, most: int) -> None:
        self.store = store
        self.most = most
        self._lock = threading.Lock()
        self._shelf = self._empty("")

    @property
    def model(self) -> str:
        """`name@version` whose embeddings it holds."""
        return self._shelf.index.model

    def __len__(self) -> int:
        return len(self._shelf.calls)

    def follow(self, model: str) -> int:
        """Hold this model's embeddings from now on, and fetch those that are stored; says how
        many."""
        with self._lock:
            self._shelf = self._empty(model)
        self._put(model, self.store.newest(model, self.most))
        return len(self)

    def look_at(self, ids: Sequence[str]) -> None:
        """These calls were stored, read or judged: take them in as they are now."""
        model = self.model
        self._put(model, self.store.of(model, ids))

    def nearest(self, model: str, embedding: Floats, but: str) -> tuple[Similar, ...]:
        """The most similar past calls, best first, without call `but`."""
        shelf = self._shelf
        if shelf.index.model != model:
            return ()
        found = shelf.index.nearest(embedding, NEAREST, but=frozenset((but,)))
        known = [(shelf.calls.get(case.id), case.likeness) for case in found]
        return tuple(
            Similar(call.id, call.department, call.confirmed, call.line, likeness)
            for call, likeness in known
            if call is not None
        )

    def forget_before(self, oldest: datetime) -> None:
        """What the store keeps no longer is not shown either."""
        with self._lock:
            shelf = self._shelf
            for id in [id for id, at in shelf.recorded.items() if at < oldest]:
                _drop(shelf, id)

    def _put(self, model: str, calls: Iterable[PastCall]) -> None:
        for call in calls:
            with self._lock:
                shelf = self._shelf
                if shelf.index.model != model:
                    return
                _drop(shelf, call.id)
                if not call.usable:
                    continue
                if len(shelf.calls) >= self.most:
                    _drop(shelf, next(iter(shelf.calls)))
                shelf.calls[call.id] = Similar(
                    call.id, call.department, call.confirmed, call.line, 1.0
                )
                shelf.recorded[call.id] = call.recorded_at
                shelf.index.add(call.id, call.vector, call.department, call.line)

    def _empty(self, model: str) -> _Shelf:
        return _Shelf(SimilarCases(model, most=self.most))


def _drop(shelf: _Shelf, id: str) -> None:
    if shelf.calls.pop(id, None) is not None:
        del shelf.recorded[id]
        shelf.index.remove(id)
