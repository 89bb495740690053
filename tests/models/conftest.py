"""A shelf of four real versions of the tests' detector, with gates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from models_support import FIGURES, GATES, make_version


@pytest.fixture
def gated(tmp_path: Path) -> Path:
    """The shelf; 1.0.0 is champion, as shipped: without a history."""
    root = tmp_path / "shelf"
    for version, figures in FIGURES.items():
        metrics = {"street": {"pictures": 100, "bin": figures}}
        make_version(root / "colours" / version, version, metrics=metrics)
    (root / "aliases.json").write_text(
        json.dumps({"colours": {"champion": "1.0.0", "candidate": "1.1.0"}}), encoding="utf-8"
    )
    (root / "gates.yaml").write_text(GATES, encoding="utf-8")
    return root
