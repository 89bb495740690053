"""Evidence pictures and clips on disk, written so that a reader never sees half a file.

Each is kept twice: as it was taken, and with faces and plates blurred. The doors give the second.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path

from ..vision.cameras import Camera
from ..vision.detections import Detections
from ..vision.evidence import Evidence, coarse
from ..vision.evidence_clip import ClipParts
from ..vision.film import film
from ..vision.kinds import Kinds
from .changes import StoredEvidence, StoredPicture


class EvidenceFiles:
    """`<folder>/<incident>/<moment>.jpg` and `<moment>.blurred.jpg`; clips are `clip.mp4`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(
        self,
        incident_id: str,
        moment: str,
        ts: datetime,
        data: bytes,
        blurred: bytes,
        suffix: str = ".jpg",
    ) -> StoredEvidence:
        """Write both and make them durable; writing them again replaces them whole."""
        folder = Path(incident_id)
        original = self._write(folder / f"{moment}{suffix}", data)
        return StoredEvidence(
            incident_id=incident_id,
            moment=moment,
            ts=ts,
            sha256=original.sha256,
            size_bytes=original.size_bytes,
            path=original.path,
            blurred=self._write(folder / f"{moment}.blurred{suffix}", blurred),
        )

    def read(self, path: str) -> bytes | None:
        """A file's bytes; None when the file is gone."""
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError:
            return None

    def _write(self, relative: Path, data: bytes) -> StoredPicture:
        path = self.folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        passing = path.with_suffix(f".{os.getpid()}.tmp")
        with passing.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        passing.replace(path)
        return StoredPicture(hashlib.sha256(data).hexdigest(), len(data), relative.as_posix())


class EvidenceKeeper:
    """Keeps one camera's evidence: as it was taken, and coarse where it is private."""

    def __init__(self, files: EvidenceFiles, camera: Camera, kinds: Kinds) -> None:
        self._files = files
        self._camera = camera
        self._kinds = kinds

    def picture(self, evidence: Evidence, boxes: Detections) -> StoredEvidence:
        """Keep a picture; `boxes` are those of its frame, weak ones included.

        Raises:
            ImageError: not a whole picture.
        """
        blurred = coarse(evidence, self._camera, self._kinds, boxes)
        return self._files.keep(
            evidence.incident_id, evidence.moment, evidence.ts, evidence.jpeg, blurred
        )

    def clip(self, parts: ClipParts) -> StoredEvidence:
        """Encode a clip twice and keep it.

        Raises:
            ImageError: a frame is not a whole picture.
        """
        whole, coarse = (
            film(parts, self._camera, self._kinds, blur=blur) for blur in (False, True)
        )
        return self._files.keep(
            whole.incident_id, "clip", whole.began_at, whole.mp4, coarse.mp4, ".mp4"
        )


def media_type(path: str) -> str:
    """Of a file of the evidence folder."""
    return "video/mp4" if path.endswith(".mp4") else "image/jpeg"
