"""The published JSON Schemas are those the settings files are checked by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from xiaozheng.eval.events_suite import EventSuite
from xiaozheng.models.gates import Gates
from xiaozheng.nlp.departments import Departments
from xiaozheng.nlp.overrides import OverrideRules
from xiaozheng.nlp.place.grids import GridFile
from xiaozheng.serve.delivery.config import Delivery
from xiaozheng.vision.cameras import Cameras
from xiaozheng.vision.kinds import Kinds

SCHEMAS: dict[str, type[BaseModel]] = {
    "cameras": Cameras,
    "delivery": Delivery,
    "departments": Departments,
    "event_suite": EventSuite,
    "gates": Gates,
    "grids": GridFile,
    "kinds": Kinds,
    "rules": OverrideRules,
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_published_schema_is_current(repo_dir: Path, name: str) -> None:
    published = json.loads((repo_dir / "docs" / "schemas" / f"{name}.schema.json").read_text())
    assert published == SCHEMAS[name].model_json_schema()
