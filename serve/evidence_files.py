"""Evidence pictures on disk, written so that a reader never sees half a file."""

from __future__ import annotations

import os
from pathlib import Path

from ..vision.evidence import Evidence
from .changes import StoredEvidence


class EvidenceFiles:
    """`<folder>/<incident>/<moment>.jpg`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, evidence: Evidence) -> StoredEvidence:
        """Write a picture and make it durable; writing it again replaces it whole."""
        relative = Path(evidence.incident_id) / f"{evidence.moment}.jpg"
        path = self.folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        passing = path.with_suffix(f".{os.getpid()}.tmp")
        with passing.open("wb") as stream:
            stream.write(evidence.jpeg)
            stream.flush()
            os.fsync(stream.fileno())
        passing.replace(path)
        return StoredEvidence(
            incident_id=evidence.incident_id,
            moment=evidence.moment,
            ts=evidence.ts,
            sha256=evidence.sha256,
            size_bytes=len(evidence.jpeg),
            path=relative.as_posix(),
        )

    def read(self, stored: StoredEvidence) -> bytes | None:
        """A picture's bytes; None when the file is gone."""
        try:
            return (self.folder / stored.path).read_bytes()
        except FileNotFoundError:
            return None
