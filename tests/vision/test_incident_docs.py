"""docs/incidents.md explains every parameter that the settings files may hold."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

DOORS = {"cameras": ("Camera", "Zone", "Frontage", "HealthSettings", "Tune"), "kinds": ("Kind",)}


def model(repo_dir: Path, file: str, name: str) -> dict[str, Any]:
    schemas = repo_dir / "docs" / "schemas"
    schema: dict[str, Any] = json.loads((schemas / f"{file}.schema.json").read_text("utf-8"))
    found: dict[str, Any] = schema["$defs"][name]["properties"]
    return found


def rows(repo_dir: Path) -> dict[str, list[str]]:
    """The cells of each table row of the page, by every name its first cell gives."""
    text = (repo_dir / "docs" / "incidents.md").read_text("utf-8")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            for name in re.findall(r"`([a-z_]+)`", cells[0]):
                found[name] = cells
    return found


@pytest.mark.parametrize(("file", "name"), [(f, n) for f, names in DOORS.items() for n in names])
def test_every_parameter_has_a_row_that_says_something(
    repo_dir: Path, file: str, name: str
) -> None:
    explained = rows(repo_dir)
    parameters = model(repo_dir, file, name)
    assert [p for p in parameters if p not in explained] == []
    assert all(max(len(cell) for cell in explained[p][1:]) > 8 for p in parameters)


def test_the_defaults_of_the_health_checks_are_those_of_the_schema(repo_dir: Path) -> None:
    explained = rows(repo_dir)
    for name, field in model(repo_dir, "cameras", "HealthSettings").items():
        if isinstance(field["default"], int | float):
            assert explained[name][1] == f"{field['default']:g}", name


def test_every_picture_of_the_page_is_there(repo_dir: Path) -> None:
    text = (repo_dir / "docs" / "incidents.md").read_text("utf-8")
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text)
    assert len(pictures) >= 5
    assert [p for p in pictures if not (repo_dir / "docs" / p).is_file()] == []
