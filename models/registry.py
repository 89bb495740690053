"""The shelf: `<root>/<name>/<version>/` folders and an alias file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..config.errors import ModelError
from .manifest import Manifest, check_files, read_manifest

ALIASES_NAME = "aliases.json"
DEFAULT_ALIAS = "champion"


def default_shelf() -> Path:
    """The shelf that ships with the package."""
    return Path(__file__).resolve().parent / "shelf"


@dataclass(frozen=True, slots=True)
class Artifact:
    """One verified artefact: its folder and manifest."""

    folder: Path
    manifest: Manifest

    @property
    def model_path(self) -> Path:
        return self.folder / self.manifest.model.name

    @property
    def ref(self) -> str:
        """`name@version`, as written into incidents and suggestions."""
        return f"{self.manifest.name}@{self.manifest.version}"

    def file(self, name: str) -> Path:
        """Path of a companion file that the manifest lists.

        Raises:
            ModelError: the manifest does not list it.
        """
        if all(entry.name != name for entry in self.manifest.files):
            raise ModelError(f"{self.folder}: the manifest lists no file {name!r}")
        return self.folder / name


class Registry:
    """Finds artefacts by `name`, `name@alias` or `name@version`, and verifies their hashes."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_shelf()

    def names(self) -> list[str]:
        """Names that have at least one version."""
        if not self.root.is_dir():
            return []
        return sorted(p.name for p in self.root.iterdir() if p.is_dir() and self.versions(p.name))

    def versions(self, name: str) -> list[str]:
        """Versions of `name`, oldest first (numeric order)."""
        folder = self.root / name
        if not folder.is_dir():
            return []
        found = [p.name for p in folder.iterdir() if (p / "manifest.json").is_file()]
        return sorted(found, key=_version_key)

    def aliases(self) -> dict[str, dict[str, str]]:
        """`{name: {alias: version}}` as the alias file has it; empty without the file."""
        path = self.root / ALIASES_NAME
        if not path.is_file():
            return {}
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(
                f"{path}: not readable JSON: {error}", message_zh=f"别名文件无效：{path}"
            ) from None
        if not isinstance(data, dict) or not all(isinstance(v, dict) for v in data.values()):
            raise ModelError(
                f"{path}: must map names to aliases", message_zh=f"别名文件无效：{path}"
            )
        return data

    def resolve(self, ref: str) -> Artifact:
        """The artefact of a reference, verified by hash.

        Raises:
            ModelError: unknown name, alias or version; missing or altered files.
        """
        name, _, wanted = ref.partition("@")
        wanted = wanted or DEFAULT_ALIAS
        version = self.aliases().get(name, {}).get(wanted, wanted)
        folder = self.root / name / version
        if version not in self.versions(name):
            known = ", ".join(self.versions(name)) or "none"
            raise ModelError(
                f"{self.root}: no model {ref!r} (versions of {name!r}: {known})",
                message_zh=f"模型库中没有 {ref}（现有版本：{known}）",
                code="no_such_model",
            )
        manifest = read_manifest(folder)
        if (manifest.name, manifest.version) != (name, version):
            raise ModelError(
                f"{folder}: the manifest names {manifest.name}@{manifest.version}",
                message_zh=f"模型清单与所在目录不符：{folder}",
            )
        check_files(folder, manifest)
        return Artifact(folder=folder, manifest=manifest)


def _version_key(version: str) -> tuple[tuple[int, str], ...]:
    return tuple((int(p), "") if p.isdigit() else (-1, p) for p in version.split("."))
