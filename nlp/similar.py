"""Past cases that are most like a call: a flat index of embeddings, exact cosine.

A hundred thousand cases are one matrix product of some 10 ms, so nothing approximate is needed. The
index holds masked text only; it is filled by whoever stores the calls, and belongs to one model:
embeddings of different models have nothing to do with each other.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ..config.errors import ModelError

DEFAULT_MOST = 100_000
_FIRST_ROOM = 256

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A past case and its cosine to the call, 1 for the same."""

    id: str
    department: str
    masked_text: str
    likeness: float


class SimilarCases:
    """Index of past cases; the oldest make room beyond `most`. Safe to use from several threads.

    Args:
        model: `name@version` whose embeddings it holds.
        most: cases kept.
    """

    def __init__(self, model: str, *, most: int = DEFAULT_MOST) -> None:
        self.model = model
        self._most = most
        self._lock = Lock()
        self._cases: list[tuple[str, str, str] | None] = []
        self._row: dict[str, int] = {}
        self._oldest = 0
        self._vectors: Floats = np.zeros((0, 0), np.float32)

    def __len__(self) -> int:
        return len(self._row)

    def add(self, id: str, embedding: Floats, department: str, masked_text: str) -> None:
        """Take in a case; one with the same id is replaced.

        Args:
            embedding: `Suggestion.embedding` (D,), of unit length.
            department: where it went in the end.
        """
        with self._lock:
            self._drop(id)
            if not self._vectors.size:
                self._vectors = np.zeros((_FIRST_ROOM, len(embedding)), np.float32)
            if len(self._row) >= self._most:
                self._drop_oldest()
            row = len(self._cases)
            if row == len(self._vectors):
                self._make_room()
                row = len(self._cases)
            self._vectors[row] = embedding
            self._cases.append((id, department, masked_text))
            self._row[id] = row

    def remove(self, id: str) -> bool:
        """Forget a case; whether it was there."""
        with self._lock:
            return self._drop(id)

    def nearest(
        self, embedding: Floats, k: int = 3, *, but: frozenset[str] = frozenset()
    ) -> list[SimilarCase]:
        """The `k` most similar cases, best first, without those whose ids are in `but`."""
        with self._lock:
            cases = list(self._cases)
            vectors = self._vectors[: len(cases)]
            gone = len(cases) - len(self._row)
        if not cases:
            return []
        likeness = vectors @ embedding
        looked = min(k + len(but) + gone, len(cases))
        best = np.argpartition(-likeness, looked - 1)[:looked]
        found: list[SimilarCase] = []
        for at in best[np.argsort(-likeness[best], kind="stable")].tolist():
            case = cases[at]
            if case is not None and case[0] not in but:
                id, department, text = case
                found.append(SimilarCase(id, department, text, round(float(likeness[at]), 4)))
        return found[:k]

    def save(self, path: Path) -> None:
        """Write the index as one `.npz` of numbers and UTF-8 JSON; replaces the file as a whole."""
        with self._lock:
            rows = sorted(self._row.values())
            cases = [self._cases[at] for at in rows]
            vectors = self._vectors[rows].astype(np.float16)
        text = json.dumps({"model": self.model, "cases": cases}, ensure_ascii=False)
        draft = path.with_name(f".{path.name}.draft")
        with draft.open("wb") as stream:
            np.savez(stream, vectors=vectors, cases=np.frombuffer(text.encode("utf-8"), np.uint8))
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)

    @staticmethod
    def load(path: Path, model: str, *, most: int = DEFAULT_MOST) -> SimilarCases:
        """Read what `save` wrote; an empty index where another model's embeddings lie.

        Raises:
            ModelError: unreadable, or vectors and cases that do not fit together.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                vectors = arrays["vectors"].astype(np.float32)
                data = json.loads(arrays["cases"].tobytes())
            index = SimilarCases(model, most=most)
            if data["model"] != model:
                return index
            for case, vector in zip(data["cases"], vectors, strict=True):
                id, department, text = map(str, case)
                index.add(id, vector, department, text)
        except (
            OSError,
            EOFError,
            ValueError,
            KeyError,
            IndexError,
            TypeError,
            BadZipFile,
        ) as error:
            raise ModelError(
                f"{path}: not an index of similar cases: {error}",
                message_zh=f"相似案件索引无法读取：{path}，请删除后重建",
            ) from None
        return index

    def _drop(self, id: str) -> bool:
        row = self._row.pop(id, None)
        if row is None:
            return False
        self._cases[row] = None
        self._vectors[row] = 0.0
        return True

    def _drop_oldest(self) -> None:
        while self._cases[self._oldest] is None:
            self._oldest += 1
        case = self._cases[self._oldest]
        assert case is not None
        self._drop(case[0])

    def _make_room(self) -> None:
        """Close the gaps of dropped cases; double the room where that frees too little. Readers
        keep the array they hold."""
        kept = [at for at, case in enumerate(self._cases) if case is not None]
        room = max(2 * len(kept), _FIRST_ROOM)
        vectors = np.zeros((room, self._vectors.shape[1]), np.float32)
        vectors[: len(kept)] = self._vectors[kept]
        self._vectors = vectors
        self._cases = [self._cases[at] for at in kept]
        self._row = {case[0]: at for at, case in enumerate(self._cases) if case is not None}
        self._oldest = 0
