"""A camera's last frames on disk, so that a picture from before an incident outlives the process.

Each file holds a frame's encoded picture and its boxes. Files are written beside the database,
without waiting for the disk: they survive SIGKILL, and a power cut may cost the newest of them,
never a wrong one, since each name holds a checksum. Nothing is removed before the change that makes
it needless is stored: a process that is killed in between finds all that it had.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from ..vision.detections import Detections
from ..vision.evidence import FrameHistory
from ..vision.frame import Frame
from ..vision.incident import IncidentState, Transition

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SUFFIX = ".frame"


@dataclass(frozen=True, slots=True)
class Kept:
    """A recent frame with its boxes, or the one set aside for a suspicion (`incident_id`)."""

    frame: Frame
    detections: Detections
    incident_id: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    ts: datetime
    seq: int
    checksum: str
    incident_id: str


class RecentFrames:
    """Files of one camera; call it in the camera's turn.

    Args:
        folder: of all cameras; this one's is made below it.
        max_bytes: as in the recorder's own history.
        film_s: so many of the last seconds are kept densely, for clips.
    """

    def __init__(
        self, folder: Path, camera_id: str, max_bytes: int, *, film_s: float = 0.0
    ) -> None:
        # A prefix, since a camera may be called `..`.
        self.folder = folder / f"camera-{quote(camera_id, safe='')}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._camera_id = camera_id
        self._max_bytes = max_bytes
        self._film_s = film_s
        self._history = self._new_history()
        self._files: dict[datetime, Path] = {}
        self._boxes: dict[datetime, Detections] = {}
        self._aside: dict[datetime, Detections] = {}

    def read(self, until: datetime | None, suspected: Collection[str]) -> Iterator[Kept]:
        """Recent frames and those set aside for `suspected` incidents, in the order of media time;
        the others are removed.

        What is later than `until`, the last stored frame, never counted; None: nothing was stored.
        """
        self._history = self._new_history()
        self._files, self._boxes, self._aside = {}, {}, {}
        for file in sorted(self._listed(), key=lambda file: (file.ts, bool(file.incident_id))):
            content = file.path.read_bytes()
            wanted = not file.incident_id or file.incident_id in suspected
            counted = until is not None and file.ts <= until
            if not (wanted and counted and file.checksum == _checksum(content)):
                file.path.unlink()
                continue
            frame, detections = _unpack(self._camera_id, file, content)
            if file.incident_id:
                self._aside[file.ts] = detections
            else:
                self._history.add(frame)
                self._files[frame.ts] = file.path
                self._boxes[frame.ts] = detections
            yield Kept(frame, detections, file.incident_id)

    def add(self, frame: Frame, detections: Detections, transitions: Iterable[Transition]) -> None:
        """Keep a frame that counted, and set one aside for each suspicion that it began."""
        for step in transitions:
            if step.changed and step.incident.state is IncidentState.SUSPECTED:
                before = self._history.before(step.incident.onset_at)
                if before is not None:
                    prefix = f"before_{step.incident.id}_"
                    self._aside[before.ts] = self._boxes[before.ts]
                    self._write(prefix, before, self._boxes[before.ts])
        if self._history.add(frame):
            self._files[frame.ts] = self._write("", frame, detections)
            self._boxes[frame.ts] = detections

    def boxes(self, ts: datetime) -> Detections:
        """The boxes of a frame that is kept, or set aside for a suspicion that is not settled;
        KeyError for others."""
        return self._boxes[ts] if ts in self._boxes else self._aside[ts]

    def commit(self, transitions: Iterable[Transition]) -> None:
        """Everything given to `add` is stored: remove what has grown old, and what was set aside
        for incidents that have their picture or never will."""
        wanted_still = {frame.ts for frame in self._history}
        for ts in [ts for ts in self._files if ts not in wanted_still]:
            self._files.pop(ts).unlink(missing_ok=True)
            del self._boxes[ts]
        settled = {
            step.incident.id
            for step in transitions
            if step.changed and step.incident.state is not IncidentState.SUSPECTED
        }
        for incident_id in settled:
            for path in self.folder.glob(f"before_{incident_id}_*{SUFFIX}"):
                path.unlink(missing_ok=True)
        if settled:
            wanted = {file.ts for file in self._listed() if file.incident_id}
            self._aside = {ts: boxes for ts, boxes in self._aside.items() if ts in wanted}

    def _new_history(self) -> FrameHistory:
        return FrameHistory(max_bytes=self._max_bytes, film_s=self._film_s)

    def _write(self, prefix: str, frame: Frame, detections: Detections) -> Path:
        content = _pack(frame, detections)
        micros = (frame.ts - EPOCH) // timedelta(microseconds=1)
        name = f"{prefix}{micros}_{frame.seq}_{_checksum(content)}{SUFFIX}"
        path = self.folder / name
        if not path.exists():
            passing = path.with_suffix(".tmp")
            passing.write_bytes(content)
            os.replace(passing, path)
        return path

    def _listed(self) -> Iterator[_File]:
        for path in list(self.folder.iterdir()):
            parts = path.stem.split("_")
            if path.suffix == SUFFIX and len(parts) in (3, 5):
                micros, seq, checksum = parts[-3:]
                ts = EPOCH + timedelta(microseconds=int(micros))
                yield _File(path, ts, int(seq), checksum, parts[1] if len(parts) == 5 else "")
            else:
                path.unlink()  # half written


def _pack(frame: Frame, detections: Detections) -> bytes:
    """One line of JSON, then the picture."""
    header = {
        "xyxy": detections.xyxy.tolist(),
        "score": detections.score.tolist(),
        "labels": detections.names(),
        "all_labels": detections.labels,
        "size": (detections.width, detections.height),
    }
    return json.dumps(header).encode() + b"\n" + frame.data


def _unpack(camera_id: str, file: _File, content: bytes) -> tuple[Frame, Detections]:
    header, _, data = content.partition(b"\n")
    found = json.loads(header)
    detections = Detections.of(
        found["xyxy"], found["score"], found["labels"], found["all_labels"], found["size"]
    )
    return Frame(camera_id, file.ts, file.seq, data), detections


def _checksum(data: bytes) -> str:
    return f"{zlib.crc32(data):08x}"
