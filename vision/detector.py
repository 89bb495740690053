"""Pictures in, `Detections` out: letterbox, batch, run, suppress.

Any ONNX file works whose manifest names one input (N, 3, H, W) float32 RGB in 0–1 with dynamic N,
H, W and one output (N, 4 + classes, anchors): box centre and size in input pixels, then one score
per class. That is the raw head of YOLOv8 and YOLO11. The manifest may state `input.size` (default
640), `input.stride` (32) and `output.max_iou` (0.6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..config.errors import ModelError
from ..models.registry import Artifact, Registry
from ..models.runtimes import Backend, Session, open_session
from .detections import Detections
from .families import family_of
from .geometry import suppress
from .letterbox import Letterbox, to_tensor

Image = NDArray[np.uint8]

DEFAULT_THRESHOLD = 0.25
MAX_BATCH = 16
MAX_CANDIDATES = 1000
MAX_BOXES = 300


class Detector:
    """A detector off the shelf. `detect` may be called from several threads.

    Attributes:
        labels: class names in the model's order.
        labels_zh: their Chinese names.
        thresholds: score per label at which a box counts.
        ref: `name@version`.
        backend: runtime in use.
        side: pixels of the longer side that the model works at.
    """

    def __init__(self, artifact: Artifact, session: Session) -> None:
        manifest = artifact.manifest
        if manifest.task != "detection":
            raise ModelError(
                f"{artifact.ref} is made for {manifest.task}, not for detection",
                message_zh=f"{artifact.ref} 不是检测模型",
            )
        self.labels = tuple(label.name for label in manifest.labels)
        self.labels_zh = {label.name: label.zh for label in manifest.labels}
        self.thresholds = {
            name: manifest.thresholds.get(name, DEFAULT_THRESHOLD) for name in self.labels
        }
        self.ref = artifact.ref
        self.backend = session.backend
        self.side = int(manifest.input.get("size", 640))
        self._stride = int(manifest.input.get("stride", 32))
        self._max_iou = float(manifest.output.get("max_iou", 0.6))
        self._session = session
        families = sorted({family_of(name) for name in self.labels})
        self._group = np.array([families.index(family_of(name)) for name in self.labels])

    @classmethod
    def open(
        cls,
        registry: Registry,
        ref: str = "detector",
        backend: Backend = "auto",
        threads: int = 0,
    ) -> Detector:
        """Load a detection artefact.

        Raises:
            ModelError: missing, altered, made for another task, or refused by the runtime.
        """
        artifact = registry.resolve(ref)
        session = open_session(artifact.model_path, backend=backend, threads=threads)
        return cls(artifact, session)

    def detect(
        self,
        images: Sequence[Image],
        sizes: Sequence[tuple[int, int]] | None = None,
        min_score: float | None = None,
    ) -> list[Detections]:
        """Detections of each image, in the order given.

        Args:
            images: H×W×3 uint8 BGR, of any sizes; those with the same input shape share a batch.
            sizes: (width, height) of the submitted frames where `images` were decoded smaller;
                boxes come in pixels of these.
            min_score: one threshold for every class instead of the manifest's.

        Raises:
            ModelError: the model's output does not fit its manifest.
        """
        if sizes is None:
            sizes = [(image.shape[1], image.shape[0]) for image in images]
        boxes = [
            Letterbox.fit(image.shape[1], image.shape[0], self.side, self._stride)
            for image in images
        ]
        alike: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for i, box in enumerate(boxes):
            alike[box.input_width, box.input_height].append(i)
        found: dict[int, Detections] = {}
        for members in alike.values():
            for start in range(0, len(members), MAX_BATCH):
                batch = members[start : start + MAX_BATCH]
                raw = self._run([boxes[i].apply(images[i]) for i in batch])
                for row, i in enumerate(batch):
                    found[i] = self._select(raw[row], boxes[i], sizes[i], min_score)
        return [found[i] for i in range(len(images))]

    def _run(self, images: list[Image]) -> NDArray[np.float32]:
        output = self._session.run({self._session.input_names[0]: to_tensor(images)})
        raw = output[self._session.output_names[0]]
        if raw.ndim != 3 or raw.shape[:2] != (len(images), 4 + len(self.labels)):
            raise ModelError(
                f"{self.ref}: output {raw.shape} does not fit {len(self.labels)} labels",
                message_zh=f"{self.ref} 的输出与标签数不符",
            )
        return np.asarray(raw, dtype=np.float32)

    def _select(
        self,
        raw: NDArray[np.float32],
        letterbox: Letterbox,
        size: tuple[int, int],
        min_score: float | None,
    ) -> Detections:
        """Boxes of one image out of (4 + classes, anchors)."""
        scores = raw[4:]
        if min_score is None:
            bars = np.array([self.thresholds[name] for name in self.labels], dtype=np.float32)
            passing = scores >= bars[:, None]
        else:
            passing = scores >= min_score
        class_id, anchor = np.nonzero(passing)
        score = scores[class_id, anchor]
        if len(score) > MAX_CANDIDATES:
            best = np.sort(np.argpartition(-score, MAX_CANDIDATES)[:MAX_CANDIDATES])
            class_id, anchor, score = class_id[best], anchor[best], score[best]
        centre, half = raw[:2, anchor].T, raw[2:4, anchor].T / 2
        xyxy = letterbox.undo(np.concatenate([centre - half, centre + half], axis=1), *size)
        real = (xyxy[:, 2] > xyxy[:, 0]) & (xyxy[:, 3] > xyxy[:, 1])
        xyxy, class_id, score = xyxy[real], class_id[real], score[real]
        keep = suppress(xyxy, score, self._group[class_id], self._max_iou)[:MAX_BOXES]
        return Detections(
            xyxy=xyxy[keep],
            score=score[keep],
            class_id=class_id[keep].astype(np.int64),
            labels=self.labels,
            width=size[0],
            height=size[1],
            track_id=np.full(len(keep), -1, dtype=np.int64),
        )
