"""Goes through a whole shelf and lists what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..config.errors import ModelError, XiaozhengError
from .aliases import ALIASES_NAME
from .gates import GATES_NAME, load_gates
from .history import HISTORY_NAME, read_history
from .intake import check_unlisted
from .manifest import read_manifest
from .registry import Registry, natural_key
from .trial import try_model


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked: a version, or one of the shelf's own files.

    Attributes:
        subject: `name@version`, or a file's name.
        detail: the runtime it ran in, or why it is refused (Chinese).
        code: machine code of the refusal, or an empty string.
    """

    subject: str
    detail: str
    code: str = ""

    @property
    def is_fine(self) -> bool:
        return not self.code

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "subject": self.subject,
            "ok": self.is_fine,
            "code": self.code,
            "detail": self.detail,
        }


def audit(registry: Registry, name: str | None = None) -> Iterator[Finding]:
    """Check every version (of one name), then aliases, history and gates; stops at nothing.

    Raises:
        ModelError: there is no such shelf, or no such name.
    """
    root = registry.root
    if not (root / name if name else root).is_dir():
        raise ModelError(
            f"{root}: no such {'model' if name else 'shelf'} {name or ''}".rstrip(),
            message_zh=f"模型库 {root} 中没有 {name}" if name else f"没有模型库：{root}",
            code="no_such_model",
        )
    names = [name] if name else [path.name for path in _entries(root) if path.is_dir()]
    for known in names:
        for path in _entries(root / known):
            yield _checked(f"{known}@{path.name}", partial(_version, registry, path))
    yield _checked(ALIASES_NAME, partial(_aliases, registry))
    yield _checked(HISTORY_NAME, lambda: f"{len(read_history(root))} 条记录")
    yield _checked(GATES_NAME, lambda: f"{len(load_gates(root).models)} 个模型有门槛")
    for path in _entries(root):
        if path.is_file() and path.name not in (ALIASES_NAME, HISTORY_NAME, GATES_NAME):
            yield Finding(path.name, "不属于模型库的文件", "unlisted_file")


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder; hidden drafts of an intake that was killed are not looked at."""
    shown = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return sorted(shown, key=lambda path: (natural_key(path.name), path.name))


def _checked(subject: str, check: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, check())
    except XiaozhengError as error:
        return Finding(subject, error.message_zh, error.code)


def _version(registry: Registry, folder: Path) -> str:
    read_manifest(folder)
    artifact = registry.resolve(f"{folder.parent.name}@{folder.name}")
    check_unlisted(folder, artifact.manifest)
    trial = try_model(artifact)
    return f"{trial.backend} {trial.precision}"


def _aliases(registry: Registry) -> str:
    """Every alias points to a version that is there."""
    refs = [
        f"{name}@{alias}" for name, entry in registry.aliases().items() for alias in sorted(entry)
    ]
    return "，".join(f"{ref} → {registry.ref_of(ref).partition('@')[2]}" for ref in refs)
