"""Refuses new work while the state's disk is nearly full, before anything accepted can be lost.

What was accepted before, and what staff decide, is still stored: that is what the room below the
floor is for. Intake resumes by itself once there is clearly more room than the floor.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from .errors import UnavailableError
from .settings import MIB, Settings

log = logging.getLogger(__name__)

MIN_MARGIN_BYTES = 16 * MIB
MARGIN_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Room:
    """Free bytes of the fullest disk that the state lies on, as an unprivileged process sees it."""

    folder: Path
    free_bytes: int
    floor_bytes: int
    stopped: bool

    @property
    def text(self) -> str:
        """For `/readyz` and logs."""
        free, floor = self.free_bytes // MIB, self.floor_bytes // MIB
        state = "; intake is stopped" if self.stopped else ""
        return f"{free} MiB free, floor {floor} MiB{state}"


class DiskGuard:
    """Looks whenever it is asked; one look takes microseconds. Belongs to one event loop."""

    def __init__(self, folders: Sequence[Path], floor_bytes: int) -> None:
        self._folders = folders
        self._floor_bytes = floor_bytes
        margin_bytes = max(MIN_MARGIN_BYTES, int(floor_bytes * MARGIN_SHARE))
        self._resume_bytes = floor_bytes + margin_bytes if floor_bytes else 0
        self._stopped = False

    @classmethod
    def of(cls, settings: Settings) -> DiskGuard:
        """Guards the state's folder, and the database's where SQLite keeps it elsewhere."""
        folders = [settings.var]
        url = make_url(settings.database)
        if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
            folders.append(Path(url.database).parent)
        return cls(folders, settings.min_free_bytes)

    def look(self) -> Room:
        """The room now; passing the floor either way is logged once."""
        free_bytes, folder = min((_free_bytes(folder), folder) for folder in self._folders)
        wanted = self._resume_bytes if self._stopped else self._floor_bytes
        stopped = free_bytes < wanted
        room = Room(folder, free_bytes, self._floor_bytes, stopped)
        if stopped != self._stopped:
            say = log.error if stopped else log.warning
            say("disk of %s: %s", folder, room.text if stopped else f"{room.text}; intake resumes")
        self._stopped = stopped
        return room

    def check(self) -> None:
        """Raises UnavailableError `disk_full` while intake is stopped."""
        room = self.look()
        if room.stopped:
            raise UnavailableError(
                f"the disk of the service's state is nearly full ({room.text}); nothing new is "
                "taken, what was taken is kept; send it again later",
                message_zh="数据磁盘将满，服务暂停接收新画面与来电；已接收的不受影响，请稍后重发",
                code="disk_full",
            )


def _free_bytes(folder: Path) -> int:
    """Of the disk on which `folder` lies or will lie."""
    whole = folder.absolute()
    place = next(step for step in (whole, *whole.parents) if step.exists())
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize
