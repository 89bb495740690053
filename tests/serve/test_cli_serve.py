"""`xiaozheng serve` as a process: what keeps it from starting, and how it says so."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "xiaozheng.cli.main", "serve", "--router", "", "--port", "0"]


def serve(*options: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, options)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_other_machines_are_not_let_in_by_accident(tmp_path: Path) -> None:
    done = serve("--host", "0.0.0.0", "--var", tmp_path / "var")
    assert done.returncode == 2
    assert "xiaozheng keys create" in done.stderr.replace("\n", " ")
    assert "--allow-anonymous" in done.stderr


def test_a_broken_file_is_named_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("cameras:\n  - id: a\n    zoness: []\n", encoding="utf-8")
    done = serve("--cameras", broken, "--var", tmp_path / "var")
    assert done.returncode == 2
    assert "broken.yaml:3" in done.stderr.replace("\n", "")
    assert "Traceback" not in done.stderr


def test_a_bad_setting_of_the_environment_is_named() -> None:
    done = serve(XIAOZHENG_MAX_FRAMES="many")
    assert done.returncode == 2
    assert "max_frames" in done.stderr


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    done = serve("--shelf", tmp_path, "--var", tmp_path / "var")
    assert done.returncode == 1
    assert "detector" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = serve("--port", port, "--var", tmp_path / "var")
    assert done.returncode == 1
    assert port in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_stops_gently(
    tmp_path: Path, shelf: Path, number: signal.Signals
) -> None:
    options = ["--shelf", shelf, "--detector", "colours", "--var", tmp_path / "var"]
    with subprocess.Popen(
        [*COMMAND, *map(str, options)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(number)
        _, log = process.communicate(timeout=60)
    assert line.startswith("小郑 http://127.0.0.1:")
    assert process.returncode == 0, log
