"""The alias file: which version of a name is `champion`, which is `candidate`.

`aliases.json` is `{name: {alias: version}}`. It is only ever replaced as a whole by a rename, so a
reader sees the old file or the new one. A server asks every second; unless the file was replaced,
that is one `stat`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from ..config.errors import ModelError

ALIASES_NAME = "aliases.json"
CHAMPION: Final = "champion"
CANDIDATE: Final = "candidate"

Aliases = dict[str, dict[str, str]]
Stamp = tuple[int, int, int]


def parse_aliases(text: bytes, path: Path) -> Aliases:
    """The mapping that an alias file holds.

    Raises:
        ModelError: not JSON, or not names that map to aliases that map to versions.
    """
    try:
        data = json.loads(text.decode("utf-8"))
    except ValueError as error:
        raise ModelError(
            f"{path}: not readable JSON: {error}", message_zh=f"别名文件无效：{path}"
        ) from None
    if not isinstance(data, dict) or not all(_is_entry(value) for value in data.values()):
        raise ModelError(
            f"{path}: must map names to aliases to versions", message_zh=f"别名文件无效：{path}"
        )
    return data


def dump_aliases(aliases: Aliases) -> bytes:
    """The alias file's bytes: sorted, one value a line, so that a diff shows what changed."""
    kept = {name: entry for name, entry in aliases.items() if entry}
    return (json.dumps(kept, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8")


class AliasFile:
    """Reads the alias file, again only when it was replaced. Safe from several threads."""

    def __init__(self, root: Path) -> None:
        self.path = root / ALIASES_NAME
        self._read: tuple[Stamp | None, Aliases] = (None, {})

    def aliases(self) -> Aliases:
        """The current mapping; empty without the file. Callers must not change it.

        Raises:
            ModelError: the file is broken or cannot be read.
        """
        stamp, aliases = self._read
        try:
            if stamp is not None and stamp == _stamp(os.stat(self.path)):
                return aliases
            # The stamp is taken from the open file: a rename in between cannot mix two versions.
            with self.path.open("rb") as stream:
                stamp = _stamp(os.fstat(stream.fileno()))
                aliases = parse_aliases(stream.read(), self.path)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ModelError(
                f"{self.path}: cannot be read: {error.strerror}",
                message_zh=f"无法读取别名文件：{self.path}（{error.strerror}）",
            ) from None
        self._read = (stamp, aliases)
        return aliases


def _is_entry(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(version, str) for version in value.values())


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_mtime_ns, status.st_ino, status.st_size
