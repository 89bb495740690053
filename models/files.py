"""Changing the shelf so that a crash, a full disk or a second writer leaves it whole."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ..config.errors import ModelError

LOCK_WAIT_S: Final = 10.0
_LOCK_POLL_S: Final = 0.02
_DISK_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def locked(root: Path, wait_s: float = LOCK_WAIT_S) -> Iterator[None]:
    """Hold the shelf for writing. The lock is on the folder itself, so nothing is left behind.

    Raises:
        ModelError: no such folder, or another process holds it for longer than `wait_s`.
    """
    try:
        handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise write_error(root, error) from None
    try:
        _acquire(handle, root, wait_s)
        yield
    finally:
        os.close(handle)


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Replace small files, each as a whole; the caller holds the lock.

    Everything is on the disk under a temporary name before the first file is renamed, so a full
    disk changes none of them. Renames happen in the order given.

    Raises:
        ModelError: code `disk_full`, or the folder cannot be written to.
    """
    drafts = {path: path.with_name(f".{path.name}.draft") for path in contents}
    try:
        for path, draft in drafts.items():
            write_synced(draft, contents[path])
        for path, draft in drafts.items():
            draft.replace(path)
        for folder in {path.parent for path in drafts}:
            sync_folder(folder)
    except OSError as error:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
        raise write_error(next(iter(contents)).parent, error) from None


def write_synced(path: Path, data: bytes) -> None:
    """Write a file and wait until it is on the disk."""
    with path.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until a folder's entries, renames included, are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_error(where: Path, error: OSError) -> ModelError:
    """The error of a shelf that could not be written to."""
    reason = error.strerror or str(error)
    if error.errno in _DISK_FULL:
        return ModelError(
            f"{where}: {reason}; nothing was changed",
            message_zh=f"磁盘已满，模型库未作改动：{where}",
            code="disk_full",
        )
    return ModelError(
        f"{where}: cannot be changed: {reason}",
        message_zh=f"无法改动模型库：{where}（{reason}）",
        code="shelf_not_writable",
    )


def _acquire(handle: int, root: Path, wait_s: float) -> None:
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise ModelError(
                    f"{root}: another process is changing the shelf",
                    message_zh=f"另一个进程正在改动模型库，请稍后再试：{root}",
                    code="shelf_busy",
                ) from None
            time.sleep(_LOCK_POLL_S)
