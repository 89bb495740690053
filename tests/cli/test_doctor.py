"""`xiaozheng doctor` on healthy and on broken surroundings."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from xiaozheng.cli.main import run
from xiaozheng.serve.security.key_store import KeyStore
from xiaozheng.serve.store import Store

SHELF = Path(__file__).parent.parent / "fixtures" / "shelf"
SECRET = "hunter2-never-shown"
CAMERAS = """
cameras:
  - id: cam-1
    zones:
      - {id: kerb, polygon: [[0, 0], [0.5, 0], [0.5, 1]], forbids: [illegal_parking], dwell_s: 9}
"""


class Doctor:
    """Runs the verb on a service without the hotline; `found` is what it said, by subject."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.var = folder / "var"
        self._capsys = capsys
        self.cameras = folder / "cameras.yaml"
        self.cameras.write_text(CAMERAS, encoding="utf-8")
        self.found: dict[str, tuple[str, str, str]] = {}
        self.said = ""

    def __call__(self, *options: str) -> int:
        self._capsys.readouterr()
        given = dict(zip(options[::2], options[1::2], strict=True))
        asked = {
            "--var": str(self.var),
            "--shelf": str(SHELF),
            "--detector": "colours",
            "--router": "",
            "--cameras": str(self.cameras),
            "--backend": "onnxruntime",
            "--port": "0",
        } | given
        code = run(["doctor", *(part for pair in asked.items() for part in pair), "--json"])
        shown = self._capsys.readouterr()
        self.said = shown.out + shown.err
        if shown.out:
            told = json.loads(shown.out)
            self.found = {
                f["subject"]: (f["level"], f["found"], f["advice"]) for f in told["findings"]
            }
            assert told["ok"] is (code == 0)
            assert all(f["advice"] for f in told["findings"] if f["level"] != "ok")
        return code


@pytest.fixture
def doctor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(tmp_path, capsys)


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that somebody else has."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def test_a_healthy_place_passes_and_is_left_as_it_was(doctor: Doctor) -> None:
    assert doctor() == 0
    assert {subject for subject, (level, _, _) in doctor.found.items() if level == "fail"} == set()
    assert "colours@1.0.0 哈希相符" in doctor.found["检测模型"][1]
    assert doctor.found["摄像机"][:2] == ("ok", "1 路，1 个区域")
    assert "首次启动时建立" in doctor.found["数据库"][1]
    assert not doctor.var.exists()


def test_models_files_port_and_disk_are_told_when_they_are_amiss(
    doctor: Doctor, listener: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor.var.write_text("a file", encoding="utf-8")
    doctor.cameras.write_text("cameras:\n  - id: a b\n", encoding="utf-8")
    monkeypatch.setenv("XIAOZHENG_MIN_FREE_BYTES", str(2**60))
    assert doctor("--port", str(listener), "--detector", "nobody") == 1
    failed = {subject for subject, (level, _, _) in doctor.found.items() if level == "fail"}
    assert failed >= {"检测模型", "摄像机", "端口", "数据目录"}
    assert "cameras.yaml:2" in doctor.found["摄像机"][1]
    doctor.var.unlink()
    assert doctor() == 1
    assert "gc --apply" in doctor.found["磁盘空间"][2]


def test_a_database_is_judged_by_revision_wholeness_and_time(doctor: Doctor) -> None:
    file = doctor.var / "xiaozheng.db"
    store = Store.open(f"sqlite:///{file}")
    store.close()
    assert doctor() == 0
    assert doctor.found["数据库"][0] == "ok"
    future = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with closing(sqlite3.connect(file)) as database, database:
        database.execute(
            "INSERT INTO outbox (id, type, source, subject, time, data, recorded_at)"
            " VALUES ('1', 't', 's', 's', ?, '{}', ?)",
            (future, future),
        )
    assert doctor() == 1
    assert doctor.found["时钟倒退"][0] == "fail"
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    assert doctor() == 1
    assert "高于本程序" in doctor.found["数据库"][1]
    for path in doctor.var.glob("xiaozheng.db*"):
        path.write_bytes(b"poem " * 20_000)
    assert doctor() == 1
    assert "restore" in doctor.found["数据库"][2]


def test_an_open_host_needs_a_key(doctor: Doctor) -> None:
    assert doctor("--host", "0.0.0.0") == 1
    assert "keys create" in doctor.found["访问密钥"][2]
    store = Store.open(f"sqlite:///{doctor.var / 'xiaozheng.db'}")
    now = datetime.now(UTC)
    KeyStore(store.engine).create(
        "gateway", ["frames:write"], now=now, expires_at=None, rate_per_s=1, burst=1
    )
    store.close()
    assert doctor("--host", "0.0.0.0") == 0
    assert doctor.found["访问密钥"][:2] == ("ok", "1 个有效")


def test_receivers_are_knocked_at_and_no_secret_is_shown(
    doctor: Doctor, listener: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with socket.create_server(("127.0.0.1", 0)) as brief:
        closed = brief.getsockname()[1]
    delivery = tmp_path / "delivery.yaml"
    delivery.write_text(
        f"""
allow_networks: [127.0.0.0/8]
webhooks:
  - {{id: there, url: "http://127.0.0.1:{listener}/", secrets: ["env:HOOK_SECRET"]}}
  - {{id: gone, url: "http://127.0.0.1:{closed}/", secrets: ["env:HOOK_SECRET"]}}
  - {{id: bare, url: "http://127.0.0.1:{listener}/", secrets: ["env:NO_SUCH_SECRET"]}}
mqtt: {{host: 127.0.0.1, port: {closed}, tls: false, password: "env:HOOK_SECRET"}}
""",
        encoding="utf-8",
    )
    assert doctor("--delivery", str(delivery)) == 1
    levels = {subject: level for subject, (level, _, _) in doctor.found.items()}
    assert levels["投递 there"] == "ok"
    assert (levels["投递 gone"], levels["投递 bare"], levels["投递 mqtt"]) == ("fail",) * 3
    assert SECRET not in doctor.said
    url = f"postgresql+psycopg://xz:{SECRET}@127.0.0.1:{closed}/x?connect_timeout=2"
    assert doctor("--db-url", url) == 1
    assert doctor.found["数据库"][0] == "fail"
    assert SECRET not in doctor.said
    assert doctor("--db-url", f"postgresql+nothing://xz:{SECRET}@h/x") == 1
    assert SECRET not in doctor.said


def test_the_table_is_chinese_and_the_exit_code_the_same(
    doctor: Doctor, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--var", str(doctor.var), "--shelf", str(SHELF), "--router", "", "--port", "0"]
    assert run(["doctor", *options, "--detector", "nobody"]) == 1
    shown = capsys.readouterr().out
    assert "✗ 不可用" in shown
    assert "1 项不可用" in shown
