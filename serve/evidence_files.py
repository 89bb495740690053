"""Evidence pictures on disk, written so that a reader never sees half a file.

Each is kept twice: as it was taken, and with faces and plates blurred. The doors give the second.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..vision.evidence import Evidence
from .changes import StoredEvidence, StoredPicture


class EvidenceFiles:
    """`<folder>/<incident>/<moment>.jpg` and `<moment>.blurred.jpg`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, evidence: Evidence, blurred: bytes) -> StoredEvidence:
        """Write both pictures and make them durable; writing them again replaces them whole."""
        folder = Path(evidence.incident_id)
        original = self._write(folder / f"{evidence.moment}.jpg", evidence.jpeg, evidence.sha256)
        hashed = hashlib.sha256(blurred).hexdigest()
        return StoredEvidence(
            incident_id=evidence.incident_id,
            moment=evidence.moment,
            ts=evidence.ts,
            sha256=original.sha256,
            size_bytes=original.size_bytes,
            path=original.path,
            blurred=self._write(folder / f"{evidence.moment}.blurred.jpg", blurred, hashed),
        )

    def read(self, path: str) -> bytes | None:
        """A picture's bytes; None when the file is gone."""
        try:
            return (self.folder / path).read_bytes()
        except FileNotFoundError:
            return None

    def _write(self, relative: Path, data: bytes, sha256: str) -> StoredPicture:
        path = self.folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        passing = path.with_suffix(f".{os.getpid()}.tmp")
        with passing.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        passing.replace(path)
        return StoredPicture(sha256, len(data), relative.as_posix())
