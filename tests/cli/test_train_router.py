"""`xiaozheng train router` as a user runs it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HAS_SKLEARN = importlib.util.find_spec("sklearn") is not None


def train(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "xiaozheng.cli.main", "train", "router", *arguments],
        capture_output=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(HAS_SKLEARN, reason="the train extra is installed here")
def test_without_the_train_extra_it_says_what_to_install(tmp_path: Path) -> None:
    done = train("--data", str(tmp_path), "--out", str(tmp_path / "shelf"))
    assert done.returncode == 2
    assert "make setup-train" in done.stderr.decode()
    assert not (tmp_path / "shelf").exists()


@pytest.mark.train
@pytest.mark.skipif(not HAS_SKLEARN, reason="needs the train extra")
def test_a_folder_without_data_is_exit_2_and_named(tmp_path: Path) -> None:
    done = train("--data", str(tmp_path), "--out", str(tmp_path / "shelf"))
    assert done.returncode == 2
    assert "departments.train.jsonl" in done.stderr.decode().replace("\n", "")


def test_options_are_required() -> None:
    assert train().returncode == 2
