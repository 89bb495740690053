"""The two models as the Open Inference Protocol sees them: their tensors in and out."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..config.errors import InputError
from ..nlp.transcript import Transcript
from ..vision.detections import Detections
from ..vision.images import ImageLimits, probe
from .errors import NotFoundError, RequestError
from .hotline_intake import Incoming
from .hotline_service import Routed
from .inference_v2 import Asked, Signature
from .seeing import Picture, Seen, counting
from .services import Services

DETECTOR, ROUTER = "detector", "router"
TOP = 5
Tensors = dict[str, NDArray[Any]]
ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Served:
    """A model as the protocol shows it."""

    name: str
    version: str
    inputs: tuple[Signature, ...]
    outputs: tuple[Signature, ...]
    ready: bool


DETECTOR_INPUTS = (Signature("image", "BYTES", (-1,)),)
DETECTOR_OUTPUTS = (
    Signature("boxes", "FP32", (-1, -1, 6)),
    Signature("count", "INT32", (-1,)),
    Signature("label", "BYTES", (-1, -1)),
)
ROUTER_INPUTS = (
    Signature("text", "BYTES", (-1,)),
    Signature("title", "BYTES", (-1,), optional=True),
)
ROUTER_OUTPUTS = (
    Signature("department", "BYTES", (-1, TOP)),
    Signature("probability", "FP32", (-1, TOP)),
    Signature("assigned", "BYTES", (-1,)),
    Signature("decision", "BYTES", (-1,)),
    Signature("category", "BYTES", (-1,)),
)


async def detect(services: Services, asked: Asked) -> tuple[str, Tensors]:
    """Boxes that reach their label's threshold, in pixels of each picture."""
    settings = services.settings
    limits = ImageLimits(max_bytes=settings.max_image_bytes, max_pixels=settings.max_pixels)
    pictures: list[Picture] = []
    for index, data in enumerate(asked.inputs["image"]):
        try:
            pictures.append(Picture(data, probe(data, limits)))
        except InputError as error:
            raise _of_item("image", index, error) from None
    answers: list[Seen | Exception] = await services.need_vision().batcher.submit(
        pictures,
        sizes=[len(picture.data) for picture in pictures],
        timeout_s=settings.queue_timeout_s,
    )
    seen = _whole("image", answers)
    return seen[-1].detector.ref, box_tensors(
        [counting(one.detections, one.detector) for one in seen]
    )


async def route(services: Services, asked: Asked) -> tuple[str, Tensors]:
    """Departments by the model, and what the legal rules make of them; nothing is remembered."""
    texts = _decoded("text", asked.inputs["text"])
    titles = _decoded("title", asked.inputs.get("title", [b""] * len(texts)))
    calls = [
        Incoming(Transcript(uuid.uuid4().hex, text, title), kept=False)
        for text, title in zip(texts, titles, strict=True)
    ]
    answers: list[Routed | Exception] = await services.need_hotline().batcher.submit(
        calls,
        sizes=[4 * call.n_chars for call in calls],
        timeout_s=services.settings.queue_timeout_s,
    )
    routed = _whole("text", answers)
    return routed[-1].suggestion.model, route_tensors(routed)


def box_tensors(found: Sequence[Detections]) -> Tensors:
    """`boxes` (N, M, 6): x1, y1, x2, y2, score, class; after a picture's `count` rows come rows
    of zeros with class −1."""
    most = max(len(detections) for detections in found)
    boxes = np.zeros((len(found), most, 6), dtype="<f4")
    boxes[:, :, 5] = -1
    labels = np.full((len(found), most), b"", dtype=object)
    for row, detections in enumerate(found):
        size = len(detections)
        boxes[row, :size, :4] = detections.xyxy
        boxes[row, :size, 4] = detections.score
        boxes[row, :size, 5] = detections.class_id
        labels[row, :size] = [name.encode() for name in detections.names()]
    count = np.asarray([len(detections) for detections in found], dtype="<i4")
    return {"boxes": boxes, "count": count, "label": labels}


def route_tensors(routed: Sequence[Routed]) -> Tensors:
    """The `TOP` departments of each text with their probabilities, padded with '' and 0."""
    department = np.full((len(routed), TOP), b"", dtype=object)
    probability = np.zeros((len(routed), TOP), dtype="<f4")
    for row, one in enumerate(routed):
        best = one.suggestion.departments[:TOP]
        department[row, : len(best)] = [ranked.code.encode() for ranked in best]
        probability[row, : len(best)] = [ranked.probability for ranked in best]
    return {
        "department": department,
        "probability": probability,
        "assigned": _names([one.department for one in routed]),
        "decision": _names([one.suggestion.decision.verdict for one in routed]),
        "category": _names([one.suggestion.category for one in routed]),
    }


def version_of(ref: str) -> str:
    return ref.partition("@")[2]


def check_version(model: Served, wanted: str, found: str) -> None:
    """Raises NotFoundError when another version is asked for than the one that works."""
    if wanted != found:
        raise NotFoundError(
            f"model {model.name} is served in version {found}, not {wanted}",
            message_zh=f"模型 {model.name} 当前版本为 {found}",
            code="unknown_version",
        )


def _names(texts: Sequence[str]) -> NDArray[Any]:
    return np.array([text.encode() for text in texts], dtype=object)


def _decoded(name: str, items: Sequence[bytes]) -> list[str]:
    texts: list[str] = []
    for index, item in enumerate(items):
        try:
            texts.append(item.decode())
        except UnicodeDecodeError as error:
            broken = RequestError(
                f"invalid UTF-8 at byte {error.start}",
                message_zh=f"第 {error.start} 字节不是有效的 UTF-8",
                code="invalid_utf8",
            )
            raise _of_item(name, index, broken) from None
    return texts


def _whole(name: str, answers: Sequence[ResultT | Exception]) -> list[ResultT]:
    """All results; the protocol has no place for the error of a single item."""
    results: list[ResultT] = []
    for index, answer in enumerate(answers):
        if isinstance(answer, InputError):
            raise _of_item(name, index, answer)
        if isinstance(answer, Exception):
            raise answer
        results.append(answer)
    return results


def _of_item(name: str, index: int, error: InputError) -> RequestError:
    return RequestError(
        f"{name}[{index}]: {error}",
        message_zh=f"{name} 第 {index} 项：{error.message_zh}",
        code=error.code,
    )
