"""Fixtures that every room's tests may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repo_dir() -> Path:
    """The checkout."""
    return REPO


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder of training material beside the checkout; tests that need it skip without it."""
    folder = Path(os.environ.get("XIAOZHENG_SHARED", REPO.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip("needs the shared training material, which a bare clone does not have")
    return folder
