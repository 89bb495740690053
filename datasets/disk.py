"""Folders that appear whole or not at all, and pictures that cost no second copy."""

from __future__ import annotations

import errno
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..config.errors import DatasetError
from .table import Picture
from .yolo import file_stem

Tick = Callable[[], None]
"""Called after every picture of a long job."""


def no_tick() -> None:
    """For callers that show no progress."""


@contextmanager
def drafted(folder: Path) -> Iterator[Path]:
    """A draft folder beside `folder` that takes its place when the block ends well.

    Raises:
        DatasetError: the disk is full or the place cannot be written; the draft is removed.
    """
    folder = Path(os.path.abspath(folder))
    draft = folder.with_name(f".{folder.name}.draft-{os.getpid()}")
    old = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
        yield draft
        if folder.exists():
            folder.rename(old)
        draft.rename(folder)
    except OSError as error:
        raise disk_error(folder, error) from None
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(draft, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def disk_error(path: Path, error: OSError) -> DatasetError:
    """What went wrong with a file, for users."""
    if error.errno == errno.ENOSPC:
        return DatasetError(
            f"{path}: the disk is full; nothing was written",
            message_zh=f"磁盘已满，未写入任何内容：{path}",
        )
    reason = error.strerror or str(error)
    where = error.filename or path
    return DatasetError(f"{where}: {reason}", message_zh=f"文件操作失败：{where}（{reason}）")


def file_names(pictures: Sequence[Picture]) -> list[str]:
    """A file name for every picture: its own where that is unique, else with source and number."""
    own = Counter(p.path.stem for p in pictures)
    taken: set[str] = set()
    names: list[str] = []
    for item in pictures:
        base = item.path.stem if own[item.path.stem] == 1 else file_stem(item)
        stem, number = base, 1
        while stem in taken:
            number += 1
            stem = f"{base}-{number}"
        taken.add(stem)
        names.append(f"{stem}{item.path.suffix.lower()}")
    return names


def link_or_copy(source: Path, target: Path) -> None:
    """A hard link where the file system allows it: a set then costs no second copy."""
    real = source.resolve()
    try:
        os.link(real, target)
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP):
            raise
        shutil.copyfile(real, target)
