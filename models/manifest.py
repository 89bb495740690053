"""What a shelf artefact says of itself."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..config.errors import ModelError
from .contents import check_contents, check_model_file

MANIFEST_NAME = "manifest.json"
SHA256_PATTERN = r"^[0-9a-f]{64}$"
FILE_PATTERN = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"
NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]*$"
VERSION_PATTERN = r"^[0-9]+\.[0-9]+\.[0-9]+$"


class Label(BaseModel):
    """One output class: stable machine name and Chinese name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    zh: str


class ManifestFile(BaseModel):
    """One file beside the manifest and the hash it must have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=FILE_PATTERN)
    sha256: str = Field(pattern=SHA256_PATTERN)


class Manifest(BaseModel):
    """`manifest.json` of one artefact.

    `input` and `output` describe the tensors in words and numbers (name, dtype, layout, size);
    `thresholds` maps a label name to the score at which it counts; `metrics` is what the card
    states, by set; `extra` holds task-specific data (for example calibration parameters).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=NAME_PATTERN)
    version: str = Field(pattern=VERSION_PATTERN)
    task: Literal["detection", "routing", "places"]
    model: ManifestFile
    files: tuple[ManifestFile, ...] = ()
    labels: tuple[Label, ...] = Field(min_length=1)
    input: dict[str, Any]
    output: dict[str, Any]
    thresholds: dict[str, float] = {}
    metrics: dict[str, Any] = {}
    data_hash: str = Field(pattern=SHA256_PATTERN)
    data: tuple[str, ...] = ()
    base: str = ""
    licence: str
    created: str
    extra: dict[str, Any] = {}


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def describe_file(path: Path) -> ManifestFile:
    """The manifest entry of a file that lies beside the manifest."""
    return ManifestFile(name=path.name, sha256=sha256_file(path))


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write `manifest.json` into an artefact folder, after checking the hashes it states."""
    check_files(folder, manifest)
    path = folder / MANIFEST_NAME
    path.write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return path


def read_manifest(folder: Path) -> Manifest:
    """Read a manifest.

    Raises:
        ModelError: missing or not a manifest.
    """
    path = folder / MANIFEST_NAME
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(
            f"{path}: no manifest ({error.strerror})", message_zh=f"模型清单缺失：{path}"
        ) from None
    except ValidationError as error:
        raise ModelError(
            f"{path}: not a valid manifest: {error}", message_zh=f"模型清单无效：{path}"
        ) from None


def check_files(folder: Path, manifest: Manifest) -> None:
    """Compare every file's SHA-256 with the manifest, and refuse what no hash makes safe.

    Raises:
        ModelError: a file is missing, altered, a pickle, or a model that is not one
            self-contained ONNX file.
    """
    for entry in (manifest.model, *manifest.files):
        path = folder / entry.name
        if not path.is_file():
            raise ModelError(
                f"{path}: missing", message_zh=f"模型文件缺失：{path}", code="missing_file"
            )
        if sha256_file(path) != entry.sha256:
            raise ModelError(
                f"{path}: content does not match the manifest's sha256; refusing to load it",
                message_zh=f"模型文件与清单的 sha256 不符，拒绝加载：{path}",
                code="hash_mismatch",
            )
        if entry is manifest.model:
            check_model_file(path)
        else:
            check_contents(path)
