"""The house rules that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOMS = ("config", "models", "datasets", "vision", "nlp", "serve", "eval", "cli")
MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 80


def python_files(repo_dir: Path) -> list[Path]:
    return [p for room in (*ROOMS, "tests") for p in sorted((repo_dir / room).rglob("*.py"))]


def test_no_file_and_no_function_is_too_long(repo_dir: Path) -> None:
    too_long: list[str] = []
    for path in python_files(repo_dir):
        text = path.read_text(encoding="utf-8")
        if len(text.splitlines()) > MAX_FILE_LINES:
            too_long.append(str(path.relative_to(repo_dir)))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    too_long.append(f"{path.relative_to(repo_dir)}:{node.lineno} {node.name}")
    assert too_long == []


def test_every_package_folder_is_declared(repo_dir: Path) -> None:
    """setuptools cannot discover mapped folders: a forgotten one would not be installed."""
    settings = tomllib.loads((repo_dir / "pyproject.toml").read_text(encoding="utf-8"))
    declared = set(settings["tool"]["setuptools"]["packages"])
    found = {
        "xiaozheng." + ".".join(p.parent.relative_to(repo_dir).parts)
        for room in ROOMS
        for p in (repo_dir / room).rglob("__init__.py")
    }
    assert found == declared


def test_torch_and_torchvision_are_a_matching_pair(repo_dir: Path) -> None:
    """torch 2.N goes with torchvision 0.(N + 15); any other pair fails to import."""
    settings = tomllib.loads((repo_dir / "pyproject.toml").read_text(encoding="utf-8"))
    extra = " ".join(settings["project"]["optional-dependencies"]["train"])
    torch_minor = re.search(r"torch==2\.(\d+)\.", extra)
    vision_minor = re.search(r"torchvision==0\.(\d+)\.", extra)
    assert torch_minor is not None
    assert vision_minor is not None
    assert int(vision_minor[1]) == int(torch_minor[1]) + 15


def test_serving_locks_hold_no_training_framework(repo_dir: Path) -> None:
    locked = (repo_dir / "requirements" / "base.txt").read_text(encoding="utf-8")
    names = {line.split("==")[0] for line in locked.splitlines() if "==" in line}
    assert {"numpy", "onnxruntime", "fastapi"} <= names
    assert names.isdisjoint({"torch", "torchvision", "ultralytics", "transformers"})


def test_committed_models_stay_small(repo_dir: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "models/shelf"], cwd=repo_dir, capture_output=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout: what is committed cannot be told")
    paths = [repo_dir / name for name in listed.stdout.decode().split("\0") if name]
    assert paths, "the shelf ships at least one model"
    assert sum(p.stat().st_size for p in paths) <= 60_000_000
