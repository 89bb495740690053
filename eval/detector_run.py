"""A detector over a test set: what it shows in use, and everything it half believes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..config.errors import ImageError, SourceError, XiaozhengError
from ..datasets.table import Picture, Table
from ..models.registry import Registry
from ..models.runtimes import Backend, Session, open_session
from ..models.runtimes.session import InputSpec
from ..vision.detections import Detections
from ..vision.detector import Detector
from ..vision.images import Image, decode_scaled, probe

MIN_SCORE = 0.01
"""Scores below it add nothing to AP but many boxes."""
BATCH = 8

Progress = Callable[[int, int], None]
Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Found:
    """One picture's boxes twice.

    Attributes:
        picture: file and labels.
        everything: boxes of any score from `MIN_SCORE` on, for curves and AP.
        firm: boxes at the model's own thresholds, exactly as the product shows them.
    """

    picture: Picture
    everything: Detections
    firm: Detections


@dataclass(frozen=True, slots=True)
class Broken:
    """One picture that could not be used."""

    path: Path
    error: XiaozhengError


@dataclass(frozen=True, slots=True)
class Run:
    """A detector's answers to a test set, and what they cost."""

    model: str
    backend: str
    labels: tuple[str, ...]
    labels_zh: dict[str, str]
    thresholds: dict[str, float]
    found: tuple[Found, ...]
    broken: tuple[Broken, ...]
    seconds_per_image: float | None


class _Remembering:
    """A session that gives the last answers again to the same input.

    Suppression depends on the threshold (a half-believed bin hides the overflowing one at its
    place), so boxes "in use" cannot be filtered out of boxes of any score: the detector has to
    select twice. The network need not run twice for that.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._answers: list[tuple[Array, dict[str, Array]]] = []

    @property
    def backend(self) -> str:
        return self._session.backend

    @property
    def precision(self) -> str:
        return self._session.precision

    @property
    def inputs(self) -> tuple[InputSpec, ...]:
        return self._session.inputs

    @property
    def input_names(self) -> tuple[str, ...]:
        return self._session.input_names

    @property
    def output_names(self) -> tuple[str, ...]:
        return self._session.output_names

    def forget(self) -> None:
        self._answers.clear()

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        (tensor,) = inputs.values()
        for known, answer in self._answers:
            if np.array_equal(known, tensor):
                return answer
        answer = self._session.run(inputs)
        self._answers.append((tensor, answer))
        return answer


class Examinee:
    """A detector off the shelf, ready to be measured.

    Raises:
        ModelError: missing, altered, made for another task, or refused by the runtime.
    """

    def __init__(self, registry: Registry, ref: str, backend: Backend = "auto") -> None:
        artifact = registry.resolve(ref)
        self._session = _Remembering(open_session(artifact.model_path, backend=backend))
        self.detector = Detector(artifact, self._session)

    def run(self, table: Table, progress: Progress) -> Run:
        """Detect in every picture; those that cannot be decoded are listed, not scored."""
        detector = self.detector
        found: list[Found] = []
        broken: list[Broken] = []
        spent_s = 0.0
        for start in range(0, len(table), BATCH):
            batch = table.pictures[start : start + BATCH]
            opened = [_open(item, detector.side) for item in batch]
            broken += [entry for entry in opened if isinstance(entry, Broken)]
            whole = [entry for entry in opened if not isinstance(entry, Broken)]
            before_s = perf_counter()
            firm = detector.detect([w[1] for w in whole], [w[2] for w in whole])
            spent_s += perf_counter() - before_s
            everything = detector.detect(
                [w[1] for w in whole], [w[2] for w in whole], min_score=MIN_SCORE
            )
            self._session.forget()
            found += [
                Found(picture=item, everything=e, firm=f)
                for (item, _, _), e, f in zip(whole, everything, firm, strict=True)
            ]
            progress(min(start + BATCH, len(table)), len(table))
        return Run(
            model=detector.ref,
            backend=f"{detector.backend} {self._session.precision}",
            labels=detector.labels,
            labels_zh=dict(detector.labels_zh),
            thresholds=dict(detector.thresholds),
            found=tuple(found),
            broken=tuple(broken),
            seconds_per_image=spent_s / len(found) if found else None,
        )


def _open(item: Picture, side: int) -> tuple[Picture, Image, tuple[int, int]] | Broken:
    """The picture's pixels as the product decodes them, and its true size."""
    try:
        data = item.path.read_bytes()
        info = probe(data)
        return item, decode_scaled(data, info, side), (info.width, info.height)
    except ImageError as error:
        return Broken(item.path, error)
    except OSError as error:
        reason = error.strerror or str(error)
        text = f"{item.path}: {reason}"
        return Broken(item.path, SourceError(text, message_zh=f"无法读取（{reason}）"))
