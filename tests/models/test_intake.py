"""What may come onto the shelf and be loaded from it, and what a full disk leaves behind."""

from __future__ import annotations

import contextlib
import io
import pickle
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from models_support import COLOURS, make_version

from xiaozheng.config.errors import ModelError
from xiaozheng.models.audit import audit
from xiaozheng.models.gates import Gates
from xiaozheng.models.intake import add
from xiaozheng.models.manifest import MANIFEST_NAME, Manifest, ManifestFile, sha256_file
from xiaozheng.models.promote import Order, promote
from xiaozheng.models.registry import Registry

CONTENTS = {"weights": [1, 2, 3]}


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder from elsewhere, as it should be."""
    return make_version(tmp_path / "foreign", "2.0.0")


def relist(folder: Path, *companions: str, model: str = "model.onnx") -> None:
    """Rewrite the manifest so that every hash is right, whatever the files hold."""
    manifest = Manifest.model_validate_json((folder / MANIFEST_NAME).read_bytes())
    entries = [
        ManifestFile(name=name, sha256=sha256_file(folder / name)) for name in (model, *companions)
    ]
    changed = manifest.model_copy(update={"model": entries[0], "files": tuple(entries[1:])})
    (folder / MANIFEST_NAME).write_text(changed.model_dump_json(), encoding="utf-8")


def field(number: int, value: bytes | int) -> bytes:
    """One field of a protocol buffer, shorter than 128 bytes."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    return bytes([number << 3 | 2, len(value)]) + value


def append_to_model(folder: Path, data: bytes) -> None:
    """Repeated messages of a protocol buffer merge, so a graph can be added to at the end."""
    path = folder / "model.onnx"
    path.write_bytes(path.read_bytes() + data)
    relist(folder)


def torch_archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(CONTENTS))
    return stream.getvalue()


def object_array() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, words=np.array([CONTENTS], dtype=object))
    return stream.getvalue()


def test_a_foreign_folder_comes_onto_the_shelf_whole(gated: Path, foreign: Path) -> None:
    (foreign / "CARD.md").write_text("card", encoding="utf-8")
    (foreign / "words.txt").write_text("words", encoding="utf-8")
    np.savez(foreign / "rows.npz", rows=np.zeros(3))
    relist(foreign, "words.txt", "rows.npz")
    artifact = add(Registry(gated), foreign, "colours@2.0.0")
    assert Registry(gated).resolve("colours@2.0.0") == artifact
    shelved = {path.name: path.read_bytes() for path in artifact.folder.iterdir()}
    assert shelved == {path.name: path.read_bytes() for path in foreign.iterdir()}
    assert Registry(gated).champion_version("colours") == "1.0.0", "not in use by being there"
    with pytest.raises(ModelError) as caught:
        add(Registry(gated), foreign)
    assert caught.value.code == "version_exists"


def test_the_first_model_of_a_new_shelf(tmp_path: Path, foreign: Path) -> None:
    assert add(Registry(tmp_path / "new" / "shelf"), foreign).folder.is_dir()


def _pickle_beside(folder: Path) -> None:
    (folder / "best.pt").write_bytes(torch_archive())


def _listed_companion(name: str, data: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).write_bytes(data)
        relist(folder, name)

    return spoil


def _model_is(name: str, data: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / "model.onnx").unlink()
        (folder / name).write_bytes(data)
        relist(folder, model=name)

    return spoil


def _append(data: bytes) -> Callable[[Path], None]:
    return lambda folder: append_to_model(folder, data)


def _alter(folder: Path) -> None:
    (folder / "model.onnx").write_bytes((folder / "model.onnx").read_bytes() + b"\0")


def _link(folder: Path) -> None:
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").symlink_to(COLOURS / "model.onnx")


UNSAFE: dict[str, tuple[str, Callable[[Path], None]]] = {
    "checkpoint as model": ("pickle", _model_is("model.pt", torch_archive())),
    "checkpoint called onnx": ("pickle", _model_is("model.onnx", torch_archive())),
    "pickle called onnx": ("pickle", _model_is("model.onnx", pickle.dumps(CONTENTS))),
    "pickle as companion": ("pickle", _listed_companion("words.pkl", b"cos\nsystem\n.")),
    "pickle called json": ("pickle", _listed_companion("words.json", pickle.dumps(CONTENTS))),
    "array of objects": ("pickle", _listed_companion("rows.npz", object_array())),
    "broken archive": ("unreadable", _listed_companion("rows.npz", b"PK\x03\x04broken")),
    "broken array": ("unreadable", _listed_companion("a.npy", b"\x93NUMPY\1\0\4\0((((")),
    "weights elsewhere": ("external_data", _append(field(7, field(5, field(14, 1))))),
    "weights at a path": ("external_data", _append(field(7, field(5, field(13, b""))))),
    "weights in a constant": (
        "external_data",
        _append(field(7, field(1, field(5, field(5, field(14, 1)))))),
    ),
    "own operators": ("unknown_operators", _append(field(7, field(1, field(7, b"evil.ops"))))),
    "own operator set": ("unknown_operators", _append(field(8, field(1, b"evil.ops")))),
    "no model": ("not_onnx", _model_is("model.onnx", b"hello, world")),
    "empty model": ("not_onnx", _model_is("model.onnx", b"")),
    "model called bin": ("not_onnx", _model_is("model.bin", (COLOURS / "model.onnx").read_bytes())),
    "altered": ("hash_mismatch", _alter),
}


@pytest.mark.parametrize("case", UNSAFE)
def test_unsafe_or_altered_artefacts_are_neither_taken_in_nor_loaded(
    gated: Path, foreign: Path, case: str
) -> None:
    code, spoil = UNSAFE[case]
    spoil(foreign)
    with pytest.raises(ModelError) as caught:
        add(Registry(gated), foreign)
    assert caught.value.code == code
    assert not (gated / "colours" / "2.0.0").exists()
    shutil.rmtree(gated / "colours")
    shutil.copytree(foreign, gated / "colours" / "2.0.0")
    (gated / "aliases.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError) as caught:
        Registry(gated).resolve("colours@2.0.0")
    assert caught.value.code == code
    failed = [finding for finding in audit(Registry(gated)) if not finding.is_fine]
    assert [(finding.subject, finding.code) for finding in failed] == [("colours@2.0.0", code)]


@pytest.mark.parametrize("spoil", [_pickle_beside, _link, lambda f: (f / "more").mkdir()])
def test_what_no_hash_covers_is_not_taken_in(
    gated: Path, foreign: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(foreign)
    with pytest.raises(ModelError) as caught:
        add(Registry(gated), foreign)
    assert caught.value.code == "unlisted_file"


def test_name_and_version_must_be_those_expected(gated: Path, foreign: Path) -> None:
    for ref in ("other", "colours@2.0.1", "detector@2.0.0"):
        with pytest.raises(ModelError) as caught:
            add(Registry(gated), foreign, ref)
        assert caught.value.code == "wrong_name"


def test_a_model_that_does_not_run_as_stated_is_not_taken_in(gated: Path, tmp_path: Path) -> None:
    wrong_name = make_version(tmp_path / "a", "2.0.0", input={"name": "pixels"})
    wrong_size = make_version(tmp_path / "b", "2.0.0", input={"name": "images", "size": 10**9})
    for folder in (wrong_name, wrong_size):
        with pytest.raises(ModelError, match="pixels"):
            add(Registry(gated), folder)


def test_an_audit_names_everything_and_stops_at_nothing(gated: Path) -> None:
    (gated / "colours" / "1.0.0" / MANIFEST_NAME).write_text("{", encoding="utf-8")
    (gated / "colours" / "1.1.0" / "model.onnx").unlink()
    (gated / "colours" / "1.3.0" / "best.pt").write_bytes(torch_archive())
    (gated / "colours" / "half").mkdir()
    (gated / "aliases.json").write_text('{"colours": {"champion": "9.0.0"}}', encoding="utf-8")
    (gated / "gates.yaml").write_text("models: 1\n", encoding="utf-8")
    (gated / "best.pkl").write_bytes(b"")
    found = {finding.subject: finding.code for finding in audit(Registry(gated))}
    assert found == {
        "colours@half": "model_error",
        "colours@1.0.0": "model_error",
        "colours@1.1.0": "missing_file",
        "colours@1.2.0": "",
        "colours@1.3.0": "unlisted_file",
        "aliases.json": "no_such_model",
        "history.jsonl": "",
        "gates.yaml": "bad_config",
        "best.pkl": "unlisted_file",
    }


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def fill(path: Path) -> None:
    """Take all the room there is."""
    with path.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(b"x" * 4096):
            pass


def test_a_full_disk_leaves_the_shelf_as_it_was(
    gated: Path, foreign: Path, small_disk: Path
) -> None:
    root = small_disk / "shelf"
    shutil.copytree(gated, root)
    fill(small_disk / "filler")
    before = {path: path.is_file() and path.read_bytes() for path in root.rglob("*")}
    order = Order("李工", datetime(2026, 1, 1, tzinfo=UTC))
    for act in (
        lambda: add(Registry(root), foreign),
        lambda: promote(Registry(root), "colours@1.1.0", Gates(), order),
    ):
        with pytest.raises(ModelError, match="nothing was changed") as caught:
            act()
        assert caught.value.code == "disk_full"
        assert "磁盘已满" in caught.value.message_zh
        now = {path: path.is_file() and path.read_bytes() for path in root.rglob("*")}
        assert now == before
    (small_disk / "filler").unlink()
    add(Registry(root), foreign)
    assert promote(Registry(root), "colours@2.0.0", Gates(), order).changed


@pytest.mark.train
def test_weights_that_onnx_itself_stored_elsewhere_are_refused(gated: Path, foreign: Path) -> None:
    onnx = pytest.importorskip("onnx")
    path = foreign / "model.onnx"
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="w.bin", size_threshold=0)
    relist(foreign, "w.bin")
    with pytest.raises(ModelError) as caught:
        add(Registry(gated), foreign)
    assert caught.value.code == "external_data"
