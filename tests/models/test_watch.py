"""What a running server asks the shelf every second."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from xiaozheng.config.errors import ModelError
from xiaozheng.models.manifest import read_manifest, write_manifest
from xiaozheng.models.registry import Registry
from xiaozheng.models.watch import Watch

SHELF = Path(__file__).parent.parent / "fixtures" / "shelf"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Two versions of the tests' detector, the older one in use."""
    root = tmp_path / "shelf"
    for version in ("1.0.0", "1.1.0"):
        folder = root / "colours" / version
        shutil.copytree(SHELF / "colours" / "1.0.0", folder)
        write_manifest(folder, read_manifest(folder).model_copy(update={"version": version}))
    point(root, "1.0.0")
    return root


def point(root: Path, version: str) -> None:
    """Replace the alias file as a promotion does: by a rename."""
    draft = root / "new.json"
    draft.write_text(json.dumps({"colours": {"champion": version}}), encoding="utf-8")
    os.replace(draft, root / "aliases.json")


def test_a_registry_that_lives_on_sees_a_promotion(shelf: Path) -> None:
    registry = Registry(shelf)
    assert registry.champion_version("colours") == "1.0.0"
    point(shelf, "1.1.0")
    assert registry.champion_version("colours") == "1.1.0"
    assert registry.ref_of("colours") == "colours@1.1.0"
    assert registry.ref_of("colours@1.0.0") == "colours@1.0.0"
    assert registry.champion_version("other") is None
    (shelf / "aliases.json").unlink()
    assert registry.champion_version("colours") is None


def test_asking_for_the_version_hashes_nothing_but_loading_does(shelf: Path) -> None:
    (shelf / "colours" / "1.0.0" / "model.onnx").write_bytes(b"altered")
    registry = Registry(shelf)
    assert registry.ref_of("colours") == "colours@1.0.0"
    with pytest.raises(ModelError) as caught:
        registry.resolve("colours")
    assert caught.value.code == "hash_mismatch"


def test_drafts_are_not_versions(shelf: Path) -> None:
    shutil.copytree(shelf / "colours" / "1.0.0", shelf / "colours" / ".2.0.0.draft")
    registry = Registry(shelf)
    assert registry.versions("colours") == ["1.0.0", "1.1.0"]
    with pytest.raises(ModelError):
        registry.ref_of("colours@.2.0.0.draft")


def test_watch_offers_a_new_version_until_it_is_taken_or_refused(shelf: Path) -> None:
    watch = Watch(Registry(shelf), "colours", "colours@1.0.0")
    assert watch.poll() is None
    point(shelf, "1.1.0")
    assert watch.poll() == watch.poll() == "colours@1.1.0"
    watch.refuse("colours@1.1.0")
    assert watch.poll() is None
    point(shelf, "1.0.0")
    assert watch.poll() is None
    point(shelf, "1.1.0")
    assert watch.poll() == "colours@1.1.0", "promoted anew, so it is tried anew"
    watch.accept("colours@1.1.0")
    assert watch.poll() is None


def test_a_shelf_that_cannot_be_read_changes_nothing(shelf: Path) -> None:
    watch = Watch(Registry(shelf), "colours", "colours@1.0.0")
    (shelf / "aliases.json").write_text("{", encoding="utf-8")
    assert watch.poll() is None
    assert "aliases.json" in watch.problem
    point(shelf, "7.0.0")
    assert watch.poll() is None
    assert "7.0.0" in watch.problem
    point(shelf, "1.1.0")
    assert watch.poll() == "colours@1.1.0"
    assert watch.problem == ""
