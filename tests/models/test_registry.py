"""The shelf: what a reference finds, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from xiaozheng.config.errors import ModelError
from xiaozheng.models.manifest import (
    ManifestFile,
    check_files,
    describe_file,
    read_manifest,
    write_manifest,
)
from xiaozheng.models.registry import Registry, default_shelf
from xiaozheng.models.runtimes import available_backends, open_session

SHELF = Path(__file__).parent.parent / "fixtures" / "shelf"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Three versions of the tests' detector; `champion` is the middle one."""
    root = tmp_path / "shelf"
    for version in ("1.0.0", "1.2.0", "1.10.0"):
        folder = root / "colours" / version
        shutil.copytree(SHELF / "colours" / "1.0.0", folder)
        manifest = read_manifest(folder).model_copy(update={"version": version})
        write_manifest(folder, manifest)
    aliases = {"colours": {"champion": "1.2.0", "candidate": "1.10.0"}}
    (root / "aliases.json").write_text(json.dumps(aliases), encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("ref", "version"),
    [
        ("colours", "1.2.0"),
        ("colours@champion", "1.2.0"),
        ("colours@candidate", "1.10.0"),
        ("colours@1.0.0", "1.0.0"),
    ],
)
def test_references(shelf: Path, ref: str, version: str) -> None:
    artifact = Registry(shelf).resolve(ref)
    assert artifact.ref == f"colours@{version}"
    assert artifact.model_path.is_file()


@pytest.mark.parametrize(
    "ref",
    ["colours@2.0.0", "colours@beta", "other", "", "@", "../shelf/colours", "colours@../1.0.0"],
)
def test_unknown_references_are_refused(shelf: Path, ref: str) -> None:
    with pytest.raises(ModelError) as caught:
        Registry(shelf).resolve(ref)
    assert caught.value.code == "no_such_model"


def test_versions_are_in_numeric_order(shelf: Path) -> None:
    registry = Registry(shelf)
    assert registry.names() == ["colours"]
    assert registry.versions("colours") == ["1.0.0", "1.2.0", "1.10.0"]
    assert registry.versions("other") == []
    assert Registry(shelf / "nowhere").names() == []


def test_an_altered_file_is_refused(shelf: Path) -> None:
    path = shelf / "colours" / "1.2.0" / "model.onnx"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ModelError, match="refusing to load") as caught:
        Registry(shelf).resolve("colours")
    assert caught.value.code == "hash_mismatch"


def test_a_missing_file_is_refused(shelf: Path) -> None:
    (shelf / "colours" / "1.2.0" / "model.onnx").unlink()
    with pytest.raises(ModelError, match="missing"):
        Registry(shelf).resolve("colours")


def test_a_manifest_in_the_wrong_folder_is_refused(shelf: Path) -> None:
    shutil.move(shelf / "colours" / "1.0.0", shelf / "colours" / "9.0.0")
    with pytest.raises(ModelError, match=r"names colours@1\.0\.0"):
        Registry(shelf).resolve("colours@9.0.0")


@pytest.mark.parametrize("text", ["{", "[]", '{"colours": "1.0.0"}', "\xff"])
def test_a_broken_alias_file_is_refused(shelf: Path, text: str) -> None:
    (shelf / "aliases.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ModelError, match=r"aliases\.json"):
        Registry(shelf).resolve("colours")


@pytest.mark.parametrize(
    "changes",
    [
        {"task": "cooking"},
        {"labels": []},
        {"version": "one"},
        {"surprise": 1},
        {"model": {"name": "../../etc/passwd", "sha256": "0" * 64}},
        {"model": {"name": "model.onnx", "sha256": "short"}},
    ],
)
def test_a_broken_manifest_is_refused(shelf: Path, changes: dict[str, object]) -> None:
    path = shelf / "colours" / "1.0.0" / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(manifest | changes), encoding="utf-8")
    with pytest.raises(ModelError, match="manifest"):
        Registry(shelf).resolve("colours@1.0.0")


def test_companion_files_must_be_listed(shelf: Path) -> None:
    folder = shelf / "colours" / "1.0.0"
    (folder / "words.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match=r"lists no file 'words\.json'"):
        Registry(shelf).resolve("colours@1.0.0").file("words.json")
    listed = read_manifest(folder).model_copy(
        update={"files": (describe_file(folder / "words.json"),)}
    )
    write_manifest(folder, listed)
    assert Registry(shelf).resolve("colours@1.0.0").file("words.json").read_text() == "{}"


def test_a_manifest_is_not_written_with_wrong_hashes(shelf: Path) -> None:
    folder = shelf / "colours" / "1.0.0"
    wrong = read_manifest(folder).model_copy(
        update={"model": ManifestFile(name="model.onnx", sha256="0" * 64)}
    )
    with pytest.raises(ModelError):
        write_manifest(folder, wrong)
    check_files(folder, read_manifest(folder))


def test_every_model_that_ships_is_whole() -> None:
    registry = Registry(default_shelf())
    for name in registry.names():
        for version in registry.versions(name):
            artifact = registry.resolve(f"{name}@{version}")
            assert artifact.manifest.licence
            assert (artifact.folder / "CARD.md").is_file()
        registry.resolve(name)


@pytest.mark.parametrize("backend", available_backends())
def test_sessions_name_what_does_not_fit(backend: str) -> None:
    session = open_session(
        SHELF / "colours" / "1.0.0" / "model.onnx",
        backend=backend,
        threads=1,  # type: ignore[arg-type]
    )
    assert session.backend == backend
    assert session.precision in {"fp32", "bf16"}
    assert session.input_names == ("images",)
    with pytest.raises(ModelError, match="images"):
        session.run({"pictures": np.zeros((1, 3, 32, 32), np.float32)})
    with pytest.raises(ModelError):
        session.run({"images": np.zeros((1, 5, 32, 32), np.float32)})
    first = session.run({"images": np.zeros((1, 3, 32, 32), np.float32)})["output0"]
    kept = first.copy()
    session.run({"images": np.ones((2, 3, 64, 64), np.float32)})
    assert (first == kept).all(), "results belong to the caller"


def test_a_runtime_that_is_not_installed_is_an_error() -> None:
    with pytest.raises(ModelError, match="not installed"):
        open_session(SHELF / "colours" / "1.0.0" / "model.onnx", backend="tensorrt")  # type: ignore[arg-type]
