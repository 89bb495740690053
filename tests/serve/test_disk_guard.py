"""A disk that fills up: intake stops before anything is lost, says so, and resumes by itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from serve_support import entry, metrics_of, picture, post_frames, running

from xiaozheng.serve.disk_guard import DiskGuard
from xiaozheng.serve.errors import UnavailableError
from xiaozheng.serve.settings import MIB, Settings


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 MiB in memory."""
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("needs root to mount a tmpfs")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = [mount, "-t", "tmpfs", "-o", "size=96m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this machine does not let root mount a tmpfs")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_stops_intake_and_an_emptied_one_resumes_it(
    small_disk: Path, make_settings: Callable[..., Settings], now: datetime
) -> None:
    settings = make_settings(var=small_disk / "var", min_free_bytes=48 * MIB)
    with running(settings) as client:

        def send(seq: int) -> tuple[int, str]:
            answer = post_frames(client, [entry(seq, now)], {f"f{seq}": picture()})
            return answer.status_code, answer.json().get("code", "")

        assert send(0) == (200, "")
        assert client.get("/readyz").json()["checks"]["disk"]["ok"] is True

        ballast = small_disk / "ballast"
        ballast.write_bytes(bytes(64 * MIB))
        assert send(1) == (503, "disk_full")
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert "intake is stopped" in ready.json()["checks"]["disk"]["detail"]
        values = metrics_of(client)
        assert values["xiaozheng_intake_stopped"] == 1
        assert values["xiaozheng_disk_free_bytes"] < 48 * MIB
        # What was taken is there, and reading goes on.
        assert client.get("/v1/incidents").status_code == 200
        assert client.get("/v1/cameras").json()["cameras"][0]["last_frame_at"] is not None

        # Just over the floor is not enough: it would stop again at once.
        os.truncate(ballast, 45 * MIB)
        assert send(1) == (503, "disk_full")
        ballast.unlink()
        assert send(1) == (200, "")
        assert client.get("/readyz").status_code == 200
        assert metrics_of(client)["xiaozheng_intake_stopped"] == 0


def test_the_disk_of_a_database_elsewhere_counts_too(
    small_disk: Path, make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    url = f"sqlite:///{small_disk}/x.db"
    guard = DiskGuard.of(make_settings(var=tmp_path, db_url=url, min_free_bytes=512 * MIB))
    assert guard.look().folder == small_disk
    with pytest.raises(UnavailableError, match="512 MiB; intake is stopped"):
        guard.check()


def test_a_floor_of_zero_never_stops(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    guard = DiskGuard.of(make_settings(var=tmp_path / "not" / "yet", min_free_bytes=0))
    guard.check()
    assert guard.look().free_bytes > 0
