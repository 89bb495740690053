"""The command line as a script sees it: exit codes and where text goes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def xiaozheng(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "xiaozheng.cli.main", *arguments],
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
    )


def test_version_is_printed() -> None:
    done = xiaozheng("--version")
    assert done.returncode == 0
    assert done.stdout.decode().startswith("xiaozheng 0.")


@pytest.mark.parametrize("verb", ["demo", "serve", "watch", "detect", "route", "train"])
def test_help_names_every_verb(verb: str) -> None:
    assert verb in xiaozheng("--help").stdout.decode()
    assert xiaozheng(verb, "--help").returncode == 0


@pytest.mark.parametrize(
    "arguments", [["no-such-verb"], ["demo", "--fps", "fast"], ["route", "--no-such-option", "-"]]
)
def test_wrong_usage_is_exit_code_2(arguments: list[str]) -> None:
    done = xiaozheng(*arguments)
    assert done.returncode == 2
    assert done.stdout == b""
    assert done.stderr


def test_broken_cameras_file_names_file_and_line(tmp_path: Path) -> None:
    cameras = tmp_path / "cameras.yaml"
    cameras.write_text("cameras:\n  - id: a\n    zones: [\n", encoding="utf-8")
    done = xiaozheng("watch", "clip.mp4", "--camera", "a", "--cameras", str(cameras))
    assert done.returncode == 2
    assert f"{cameras}:" in done.stderr.decode().replace("\n", "")
