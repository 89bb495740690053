"""The shelf: `<root>/<name>/<version>/` folders and an alias file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..config.errors import ModelError
from .aliases import CHAMPION, Aliases, AliasFile
from .manifest import (
    MANIFEST_NAME,
    NAME_PATTERN,
    VERSION_PATTERN,
    Manifest,
    check_files,
    read_manifest,
)


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
        self._alias_file = AliasFile(self.root)

    def names(self) -> list[str]:
        """Names that have at least one version."""
        if not self.root.is_dir():
            return []
        return sorted(p.name for p in self.root.iterdir() if p.is_dir() and self.versions(p.name))

    def versions(self, name: str) -> list[str]:
        """Versions of `name`, oldest first (numeric order). Drafts are not versions."""
        folder = self.root / name
        if not re.fullmatch(NAME_PATTERN, name) or not folder.is_dir():
            return []
        found = [p.name for p in folder.iterdir() if (p / MANIFEST_NAME).is_file()]
        return sorted(filter(re.compile(VERSION_PATTERN).fullmatch, found), key=natural_key)

    def aliases(self) -> Aliases:
        """`{name: {alias: version}}` as the alias file has it; empty without the file."""
        return {name: dict(entry) for name, entry in self._alias_file.aliases().items()}

    def champion_version(self, name: str) -> str | None:
        """The version that `name` stands for; cheap enough to ask every second.

        Raises:
            ModelError: the alias file is broken.
        """
        return self._alias_file.aliases().get(name, {}).get(CHAMPION)

    def ref_of(self, ref: str) -> str:
        """`name@version` that a reference points to now; nothing is hashed or opened.

        Raises:
            ModelError: unknown name, alias or version; a broken alias file.
        """
        name, _, wanted = ref.partition("@")
        version = self._alias_file.aliases().get(name, {}).get(wanted or CHAMPION, wanted)
        if not self._holds(name, version):
            known = ", ".join(self.versions(name))
            raise ModelError(
                f"{self.root}: no model {ref!r}: no version {version!r} of {name!r}"
                f" (there are: {known or 'none'})",
                message_zh=f"模型库中没有 {ref}（现有版本：{known or '无'}）",
                code="no_such_model",
            )
        return f"{name}@{version}"

    def resolve(self, ref: str) -> Artifact:
        """The artefact of a reference, verified by hash.

        Raises:
            ModelError: unknown name, alias or version; missing, altered or unsafe files.
        """
        name, _, version = self.ref_of(ref).partition("@")
        folder = self.root / name / version
        manifest = read_manifest(folder)
        if (manifest.name, manifest.version) != (name, version):
            raise ModelError(
                f"{folder}: the manifest names {manifest.name}@{manifest.version}",
                message_zh=f"模型清单与所在目录不符：{folder}",
                code="wrong_folder",
            )
        check_files(folder, manifest)
        return Artifact(folder=folder, manifest=manifest)

    def _holds(self, name: str, version: str) -> bool:
        """Whether that version's folder is there; the patterns keep paths inside the shelf."""
        return bool(
            re.fullmatch(NAME_PATTERN, name)
            and re.fullmatch(VERSION_PATTERN, version)
            and (self.root / name / version / MANIFEST_NAME).is_file()
        )


def natural_key(version: str) -> list[tuple[int, str]]:
    """Sorts `0.10.0` after `0.9.0`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in version.split(".")]
