"""`xiaozheng backup | restore | gc` on real databases and files."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from database_support import fresh_database

from xiaozheng.cli.main import run
from xiaozheng.serve import retention
from xiaozheng.serve.changes import CameraChange, StoredEvidence
from xiaozheng.serve.evidence_files import EvidenceFiles
from xiaozheng.serve.records import IncidentQuery
from xiaozheng.serve.settings import Settings
from xiaozheng.serve.store import Store
from xiaozheng.vision.incident import Incident, IncidentState, Transition

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def incident(name: str, *, ended: bool = True) -> Incident:
    return Incident(
        id=name,
        kind="illegal_parking",
        camera_id="cam-1",
        zone_id="kerb",
        state=IncidentState.ENDED if ended else IncidentState.OPEN,
        onset_at=T0,
        opened_at=T0,
        last_seen_at=T0,
        ended_at=T0 if ended else None,
        box=(0.1, 0.2, 0.3, 0.4),
        label="car",
        score=0.9,
        reasons=(),
        model="detector@1.0.0",
        rule="stationary_vehicle@1.0.0",
    )


def picture(var: Path, name: str) -> StoredEvidence:
    data, blurred = f"{name} sharp".encode() * 99, f"{name} coarse".encode() * 99
    return EvidenceFiles(var / "evidence").keep(name, "at", T0, data, blurred)


def written(store: Store, var: Path, name: str, *, ended: bool = True) -> None:
    steps = (Transition(incident(name, ended=ended), True),)
    store.write([CameraChange("cam-1", T0, 1, {}, steps, (picture(var, name),))])


def names(url: str) -> set[str]:
    store = Store.open(url)
    found = store.incidents(IncidentQuery(states=tuple(IncidentState), limit=1_000))
    store.close()
    return {record.incident.id for record in found}


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A state with three incidents, each with its picture."""
    folder = tmp_path / "var"
    store = Store.open(f"sqlite:///{folder / 'xiaozheng.db'}")
    for name in ("a", "b", "c"):
        written(store, folder, name)
    store.close()
    return folder


@pytest.fixture
def archive(var: Path, tmp_path: Path) -> Path:
    path = tmp_path / "kept" / "state.tar"
    assert run(["backup", "--to", str(path), "--var", str(var)]) == 0
    return path


def test_what_was_backed_up_comes_back_byte_by_byte(
    var: Path, archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert archive.stat().st_mode & 0o077 == 0
    assert [path.name for path in archive.parent.iterdir()] == ["state.tar"]
    new = tmp_path / "new"
    capsys.readouterr()
    assert run(["restore", str(archive), "--var", str(new), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["missing"]) == (7, [])
    for path in (var / "evidence").rglob("*.jpg"):
        assert (new / path.relative_to(var)).read_bytes() == path.read_bytes()
    assert names(f"sqlite:///{new}/xiaozheng.db") == {"a", "b", "c"}
    assert {path.name for path in new.iterdir()} <= {
        "lock", "evidence", "xiaozheng.db", "xiaozheng.db-wal", "xiaozheng.db-shm",
    }  # fmt: skip


def test_a_backup_beside_a_busy_writer_is_consistent(var: Path, tmp_path: Path) -> None:
    """Every incident in the copy has its picture in the copy, though both are being written."""
    enough, begun = threading.Event(), threading.Event()

    def keep_writing() -> None:
        store = Store.open(f"sqlite:///{var / 'xiaozheng.db'}")
        number = 0
        while not enough.is_set():
            written(store, var, f"busy-{number}")
            number += 1
            if number > 5:
                begun.set()
        store.close()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        assert begun.wait(30)
        assert run(["backup", "--to", str(tmp_path / "b.tar"), "--var", str(var)]) == 0
    finally:
        enough.set()
        writer.join()
    new = tmp_path / "new"
    assert run(["restore", str(tmp_path / "b.tar"), "--var", str(new)]) == 0
    there = names(f"sqlite:///{new}/xiaozheng.db")
    assert len(there) >= 3 + 5
    assert {path.name for path in (new / "evidence").iterdir()} == there


def test_evidence_that_is_gone_or_altered_is_told_and_not_packed(
    var: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (var / "evidence" / "a" / "at.jpg").unlink()
    (var / "evidence" / "b" / "at.jpg").write_bytes(b"another picture")
    command = ["backup", "--to", str(tmp_path / "b.tar"), "--var", str(var), "--json"]
    assert run(command) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["missing"] == ["evidence/a/at.jpg", "evidence/b/at.jpg"]
    assert run(["restore", str(tmp_path / "b.tar"), "--var", str(tmp_path / "new")]) == 0
    assert not (tmp_path / "new" / "evidence" / "b" / "at.jpg").exists()


def altered(archive: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> Path:
    """The archive with each member's name and content passed through `change`."""
    path = archive.with_name("altered.tar")
    with tarfile.open(archive) as source, tarfile.open(path, "w") as target:
        for entry in source.getmembers():
            stream = source.extractfile(entry)
            assert stream is not None
            changed = change(entry.name, stream.read())
            if changed is not None:
                entry.name, data = changed
                entry.size = len(data)
                target.addfile(entry, io.BytesIO(data))
    return path


def _other_picture(name: str, data: bytes) -> tuple[str, bytes]:
    return name, data.replace(b"sharp", b"SHARP", 1) if name == "evidence/a/at.jpg" else data


def _cut_off(name: str, data: bytes) -> tuple[str, bytes] | None:
    return None if name == "manifest.json" else (name, data)


def _newer(name: str, data: bytes) -> tuple[str, bytes]:
    if name != "manifest.json":
        return name, data
    return name, json.dumps(json.loads(data) | {"revision": "9999"}).encode()


def _climbing(name: str, data: bytes) -> tuple[str, bytes]:
    return name.replace("evidence/a", "evidence/.."), data.replace(b"evidence/a/", b"evidence/../")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_other_picture, "sha256"),
        (_cut_off, "cut off"),
        (_newer, "高于本程序支持的"),
        (_climbing, "no name of a file"),
    ],
)
def test_a_restore_takes_no_archive_that_is_not_whole_and_ours(
    archive: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[str, bytes], tuple[str, bytes] | None],
    says: str,
) -> None:
    new = tmp_path / "new"
    assert run(["restore", str(altered(archive, change)), "--var", str(new)]) == 2
    assert says in capsys.readouterr().err.replace("\n", "")
    # Nothing is left that a second try, with the right file, would stumble over.
    assert run(["restore", str(archive), "--var", str(new)]) == 0


def test_a_restore_and_a_backup_overwrite_nothing(
    var: Path, archive: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = archive.read_bytes()
    assert run(["restore", str(archive), "--var", str(var)]) == 2
    assert "不是空的" in capsys.readouterr().err
    assert run(["backup", "--to", str(archive), "--var", str(var)]) == 2
    assert archive.read_bytes() == before
    nowhere = archive.with_name("x.tar")
    assert run(["backup", "--to", str(nowhere), "--var", str(var / "no")]) == 2
    assert not nowhere.exists()


def test_of_a_servers_database_only_the_evidence_is_packed_and_that_is_said(
    postgres: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = fresh_database(postgres, "backup")
    var = tmp_path / "var"
    store = Store.open(url)
    written(store, var, "a")
    store.close()
    path, new = tmp_path / "b.tar", tmp_path / "new"
    assert run(["backup", "--to", str(path), "--var", str(var), "--db-url", url]) == 0
    said = capsys.readouterr().out
    assert "pg_dump" in said
    assert "只备份了证据文件" in said
    with tarfile.open(path) as tar:
        assert sorted(tar.getnames()) == [
            "evidence/a/at.blurred.jpg", "evidence/a/at.jpg", "manifest.json",
        ]  # fmt: skip
    assert run(["restore", str(path), "--var", str(new)]) == 2
    assert run(["restore", str(path), "--var", str(new), "--db-url", url]) == 0
    assert "pg_restore" in capsys.readouterr().out
    assert (new / "evidence" / "a" / "at.jpg").is_file()


@pytest.fixture
def cluttered(var: Path) -> Iterator[tuple[Settings, Store]]:
    """An old closed incident (a), a closed one with a fresh stray file beside (b), an open one (d),
    and files that nothing refers to."""
    settings = Settings(var=var, keep_pictures_days=30)
    store = Store.open(settings.database, lambda: T0)
    written(store, var, "d", ended=False)
    stray, fresh = var / "evidence" / "x" / "at.jpg", var / "evidence" / "b" / "then.jpg"
    stray.parent.mkdir()
    for path, age in ((stray, 2 * HOUR), (fresh, HOUR / 2)):
        path.write_bytes(b"stray" * 10)
        at = (T0 - age).timestamp()
        os.utime(path, (at, at))
    yield settings, store
    store.close()


def test_collecting_plans_and_removes_only_what_is_over(cluttered: tuple[Settings, Store]) -> None:
    settings, store = cluttered
    folder = settings.evidence_folder
    before = {path for path in folder.rglob("*") if path.is_file()}

    early = retention.plan(store.engine, settings, T0)
    assert early.rows == ()
    assert early.unreferred == (folder / "x" / "at.jpg",)
    late = T0 + timedelta(days=31)
    found = retention.plan(store.engine, settings, late)
    assert {key for key, _ in found.rows} == {"a", "b", "c"}
    assert {path for path in folder.rglob("*") if path.is_file()} == before

    retention.carry_out(store.engine, settings, early, T0)
    assert before - set(folder.rglob("*")) == {folder / "x" / "at.jpg"}
    assert not (folder / "x").exists()
    retention.carry_out(store.engine, settings, found, late)
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg")}
    assert left == {"d/at.jpg", "d/at.blurred.jpg"}
    assert store.evidence("a", "at") is None
    assert store.evidence("d", "at") is not None
    assert names(settings.database) == {"a", "b", "c", "d"}  # the incidents themselves stay


def test_gc_lists_and_only_removes_when_told_to(
    var: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stray = var / "evidence" / "x.tmp"
    stray.write_bytes(b"half")
    os.utime(stray, (0, 0))
    assert run(["gc", "--var", str(var)]) == 0
    assert "加 --apply 才会删除" in capsys.readouterr().out
    assert stray.exists()
    assert run(["gc", "--var", str(var), "--apply", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    counts = {waste["kind"]: waste["count"] for waste in told["wastes"]}
    assert (counts["unreferred"], told["applied"], stray.exists()) == (1, True, False)
    with closing(sqlite3.connect(var / "xiaozheng.db")) as database:
        assert database.execute("SELECT count(*) FROM incidents").fetchone() == (3,)
