"""A shelf with a detector that sees colours (see `make_colour_detector.py`) and the shipped
router, and services on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from serve_support import CAMERAS, running

from xiaozheng.models.manifest import Label, Manifest, describe_file, write_manifest
from xiaozheng.models.registry import Registry, default_shelf
from xiaozheng.serve.settings import Settings

DATA = Path(__file__).parent / "data"
LABELS = (
    "person",
    "bicycle",
    "motorcycle",
    "car",
    "bus",
    "truck",
    "bin",
    "overflowing_bin",
    "garbage",
    "stall",
)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shelf with the colour detector and, where it is shipped, the router."""
    root = tmp_path_factory.mktemp("shelf")
    folder = root / "detector" / "1.0.0"
    folder.mkdir(parents=True)
    shutil.copy(DATA / "colour_detector.onnx", folder / "model.onnx")
    manifest = Manifest(
        name="detector",
        version="1.0.0",
        task="detection",
        model=describe_file(folder / "model.onnx"),
        labels=tuple(Label(name=name, zh=name) for name in LABELS),
        input={"name": "images", "size": 640, "stride": 32},
        output={"name": "output"},
        thresholds={"car": 0.5},
        data_hash="0" * 64,
        licence="AGPL-3.0-or-later",
        created="2026-01-01",
    )
    write_manifest(folder, manifest)
    aliases = {"detector": {"champion": "1.0.0"}}
    shipped = Registry(default_shelf())
    if "router" in shipped.names():
        shutil.copytree(default_shelf() / "router", root / "router")
        aliases["router"] = shipped.aliases()["router"]
    (root / "aliases.json").write_text(json.dumps(aliases), encoding="utf-8")
    return root


@pytest.fixture
def make_settings(tmp_path: Path, shelf: Path) -> Callable[..., Settings]:
    """Settings of a fresh service; the hotline is off unless `router` is given."""

    def make(**changes: Any) -> Settings:
        return _settings(tmp_path, shelf, **changes)

    return make


def _settings(folder: Path, shelf: Path, /, **changes: Any) -> Settings:
    cameras = folder / "cameras.yaml"
    cameras.write_text(yaml.safe_dump(CAMERAS, allow_unicode=True), encoding="utf-8")
    values: dict[str, Any] = {
        "var": folder / "var",
        "cameras": cameras,
        "shelf": shelf,
        "router": "",
        "backend": "onnxruntime",
        "threads": 1,
    }
    return Settings(**(values | changes))


@pytest.fixture(scope="session")
def refusing(tmp_path_factory: pytest.TempPathFactory, shelf: Path) -> Iterator[httpx.Client]:
    """One service for all tests in which nothing is stored."""
    folder = tmp_path_factory.mktemp("refusing")
    with running(_settings(folder, shelf)) as found:
        yield found


@pytest.fixture
def client(make_settings: Callable[..., Settings]) -> Iterator[httpx.Client]:
    """A running service without the hotline."""
    with running(make_settings()) as found:
        yield found


@pytest.fixture
def now() -> datetime:
    """A whole second close to the present."""
    return datetime.now(UTC).replace(microsecond=0)
