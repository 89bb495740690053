"""A shelf with a detector that sees colours (`fixtures/make_colour_detector.py`) and the shipped
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
from database_support import postgres_server
from serve_support import CAMERAS, running

from xiaozheng.models.registry import Registry, default_shelf
from xiaozheng.serve.settings import Settings

COLOURS = Path(__file__).parent.parent / "fixtures" / "shelf"


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The colour detector and, where it is shipped, the router, on one shelf."""
    root = tmp_path_factory.mktemp("shelf")
    shutil.copytree(COLOURS, root, dirs_exist_ok=True)
    aliases = Registry(COLOURS).aliases()
    shipped = Registry(default_shelf())
    if "router" in shipped.names():
        shutil.copytree(default_shelf() / "router", root / "router")
        newest = {"champion": shipped.versions("router")[-1]}
        aliases["router"] = shipped.aliases().get("router", newest)
    (root / "aliases.json").write_text(json.dumps(aliases), encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def settings_in(shelf: Path) -> Callable[..., Settings]:
    """Settings of a service in a folder; the hotline is off unless `router` is given."""

    def make(folder: Path, **changes: Any) -> Settings:
        cameras = folder / "cameras.yaml"
        # On a busy machine a test may be silent for longer than a camera should be.
        patient = [{**camera, "health": {"no_signal_s": 600}} for camera in CAMERAS["cameras"]]
        text = yaml.safe_dump({"cameras": patient}, allow_unicode=True)
        cameras.write_text(text, encoding="utf-8")
        values: dict[str, Any] = {
            "var": folder / "var",
            "cameras": cameras,
            "shelf": shelf,
            "detector": "colours",
            "router": "",
            "backend": "onnxruntime",
            "threads": 1,
        }
        return Settings(**(values | changes))

    return make


@pytest.fixture
def make_settings(tmp_path: Path, settings_in: Callable[..., Settings]) -> Callable[..., Settings]:
    """Settings of a fresh service in the test's own folder."""

    def make(**changes: Any) -> Settings:
        return settings_in(tmp_path, **changes)

    return make


@pytest.fixture(scope="session")
def refusing(
    tmp_path_factory: pytest.TempPathFactory, settings_in: Callable[..., Settings]
) -> Iterator[httpx.Client]:
    """One service for all tests in which nothing is stored."""
    with running(settings_in(tmp_path_factory.mktemp("refusing"))) as found:
        yield found


@pytest.fixture
def client(make_settings: Callable[..., Settings]) -> Iterator[httpx.Client]:
    """A running service without the hotline."""
    with running(make_settings()) as found:
        yield found


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of our own."""
    with postgres_server() as url:
        yield url


@pytest.fixture
def now() -> datetime:
    """A whole second close to the present."""
    return datetime.now(UTC).replace(microsecond=0)
