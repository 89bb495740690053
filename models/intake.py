"""Brings a folder from elsewhere onto the shelf, once it has been looked into."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from ..config.errors import ModelError
from .files import locked, sync_folder, write_error, write_synced
from .manifest import MANIFEST_NAME, Manifest, check_files, read_manifest
from .registry import Artifact, Registry
from .trial import Trial, try_model

CARD_NAME: Final = "CARD.md"


def inspect(folder: Path) -> tuple[Artifact, Trial]:
    """Check a folder that need not lie on a shelf: every file, every hash, and one run.

    Raises:
        ModelError: no manifest; a missing, altered, unlisted, linked or unsafe file; or the model
            does not run as its manifest says.
    """
    artifact = Artifact(folder, read_manifest(folder))
    check_unlisted(folder, artifact.manifest)
    check_files(folder, artifact.manifest)
    return artifact, try_model(artifact)


def check_unlisted(folder: Path, manifest: Manifest) -> None:
    """Refuse what no hash covers: files that the manifest does not list, folders, links.

    Raises:
        ModelError: code `unlisted_file`.
    """
    allowed = {MANIFEST_NAME, CARD_NAME, manifest.model.name, *(f.name for f in manifest.files)}
    foreign = sorted(
        path.name
        for path in folder.iterdir()
        if path.name not in allowed or path.is_symlink() or not path.is_file()
    )
    if foreign:
        names = "、".join(foreign)
        raise ModelError(
            f"{folder}: not listed in the manifest: {', '.join(foreign)}",
            message_zh=f"{folder} 中有清单未列出的内容（{names}），哈希管不到，拒绝使用",
            code="unlisted_file",
        )


def add(registry: Registry, folder: Path, ref: str | None = None) -> Artifact:
    """Copy a checked folder to `<shelf>/<name>/<version>`. It appears whole or not at all.

    Args:
        ref: `name` or `name@version` that the manifest must state; unchecked when None.

    Raises:
        ModelError: see `inspect`; the manifest states another name or version; the version exists
            already; the disk is full.
    """
    artifact, _ = inspect(folder)
    manifest = artifact.manifest
    if ref not in (None, manifest.name, artifact.ref):
        raise ModelError(
            f"{folder}: the manifest states {artifact.ref}, not {ref}",
            message_zh=f"清单写的是 {artifact.ref}，不是 {ref}：{folder}",
            code="wrong_name",
        )
    try:
        registry.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(registry.root, error) from None
    with locked(registry.root):
        target = registry.root / manifest.name / manifest.version
        if target.exists():
            raise ModelError(
                f"{target}: exists; versions are never overwritten",
                message_zh=f"模型库中已有 {artifact.ref}，版本不可覆盖，请换版本号",
                code="version_exists",
            )
        _place(folder, target, manifest)
    return Artifact(target, manifest)


def _place(source: Path, target: Path, manifest: Manifest) -> None:
    """Copy under a name that is no version, check the copies, then rename."""
    draft = target.with_name(f".{target.name}.draft")
    had_parent = target.parent.is_dir()
    try:
        shutil.rmtree(draft, ignore_errors=True)  # of an intake that was killed
        draft.mkdir(parents=True)
        names = [MANIFEST_NAME, CARD_NAME, manifest.model.name, *(f.name for f in manifest.files)]
        for name in names:
            if name != CARD_NAME or (source / name).is_file():
                write_synced(draft / name, (source / name).read_bytes())
        check_files(draft, read_manifest(draft))
        sync_folder(draft)
        draft.rename(target)
        sync_folder(target.parent)
    except OSError as error:
        raise write_error(target, error) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if not had_parent and target.parent.is_dir() and not any(target.parent.iterdir()):
            target.parent.rmdir()
