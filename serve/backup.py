"""One file with everything that cannot be made again: a consistent copy of the database, and the
evidence that it names.

The archive is a plain tar: `database/xiaozheng.db`, `evidence/…`, and last `manifest.json` with the
SHA-256 of each. One that was cut off has no manifest and is refused. Settings files, the model
shelf and secrets are not in it.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import IO, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy import Engine, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from ..config.errors import InputError
from .database import connect, shown_url
from .errors import UnavailableError
from .migrations import steps
from .services import lock_folder
from .settings import EVIDENCE_FOLDER, Settings
from .tables import EvidenceRow

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
DATABASE: Final = "database/xiaozheng.db"
MAX_MANIFEST_BYTES: Final = 1024 * 1024 * 1024
CHUNK_BYTES: Final = 1024 * 1024
HARMLESS: Final = frozenset({"lock", "lost+found"})
STAGING: Final = ".restoring"
NAME: Final = re.compile(rf"{DATABASE}|{EVIDENCE_FOLDER}(/[A-Za-z0-9_.:-]+)+")

OnFile = Callable[[int, int], None]
"""Called with the number of files done and of all."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stored(_Part):
    """One file of the archive."""

    name: str
    sha256: str
    size_bytes: int


class Manifest(_Part):
    """What the archive holds.

    Attributes:
        database: `sqlite` when the database is in it; `server` when it must be dumped by its own
            tools.
        revision: of the database's tables.
        missing: evidence that the database names and that was not there, or had been altered.
    """

    format: Literal[1] = FORMAT
    program: str
    created_at: datetime
    database: Literal["sqlite", "server"]
    revision: str
    files: tuple[Stored, ...]
    missing: tuple[str, ...] = ()

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


def back_up(settings: Settings, target: Path, now: datetime, on_file: OnFile) -> Manifest:
    """Write an archive beside a running service or a stopped one; `target` appears when it is
    whole, readable by its owner only.

    Raises:
        InputError: `target` exists, or there is no state to back up.
        UnavailableError: the database or the target cannot be used.
    """
    if target.exists():
        raise _bad(f"{target} exists already", f"{target} 已存在，请换一个文件名", "exists")
    file = sqlite_file(settings)
    if file is not None and not file.is_file():
        raise _bad(f"{file}: no such database", f"没有数据库 {file}，无可备份", "no_database")
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".xiaozheng-", dir=target.parent) as scratch:
            source = settings.database
            if file is not None:
                copy = Path(scratch) / "copy.db"
                _copy_sqlite(file, copy)
                source = f"sqlite:///{copy}"
            manifest = _write(settings, source, part, now, on_file)
        part.replace(target)
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise UnavailableError(
            f"backup to {target}: {error}", message_zh=f"备份未完成：{error}", code="backup_failed"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def restore(settings: Settings, archive: Path, on_file: OnFile) -> Manifest:
    """Put an archive's state into a folder that has none.

    Everything is unpacked and verified beside its place first; the database is moved last, so that
    a restore that broke off never looks like one that ended.

    Raises:
        InputError: not a whole archive of ours, altered, of a later version, or the state's folder
            is not empty or in use.
        UnavailableError: the folder cannot be written.
    """
    file = sqlite_file(settings)
    descriptor = lock_folder(settings.var)
    try:
        _check_empty(settings, file)
        staging = settings.var / STAGING
        staging.mkdir(mode=0o700)
        try:
            with _opened(archive) as tar:
                manifest = _read_manifest(tar, archive)
                _check_fits(manifest, file, archive)
                _unpack(tar, manifest, staging, archive, on_file)
            _move(staging, settings, file)
        finally:
            shutil.rmtree(staging)
    except OSError as error:
        raise UnavailableError(
            f"restore into {settings.var}: {error}", message_zh=f"恢复未完成：{error.strerror}"
        ) from error
    finally:
        os.close(descriptor)
    return manifest


def sqlite_file(settings: Settings) -> Path | None:
    """The database's file; None when a server keeps it."""
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite":
        return None
    return Path(url.database or "")


def _copy_sqlite(file: Path, copy: Path) -> None:
    """SQLite's online backup: consistent while the service goes on writing."""
    address = f"{file.absolute().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(address, uri=True)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        # In one step: between several, a busy writer would have it begin again and again.
        source.backup(target)
        # The copy must be whole in one file, without a log beside it.
        target.execute("PRAGMA journal_mode=DELETE")


def _write(settings: Settings, source: str, part: Path, now: datetime, on_file: OnFile) -> Manifest:
    engine = connect(source)
    try:
        revision = _revision(engine)
        pictures = list(_evidence(engine))
    finally:
        engine.dispose()
    is_file = engine.dialect.name == "sqlite"
    files: list[Stored] = []
    missing: list[str] = []
    total = len(pictures) + is_file
    opener = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(opener, "wb") as raw, tarfile.open(fileobj=raw, mode="w") as tar:
        if is_file:
            files.append(_add(tar, DATABASE, Path(str(engine.url.database)), now))
            on_file(1, total)
        for picture in pictures:
            stored = _add_evidence(tar, settings.evidence_folder, picture, now)
            files += [] if stored is None else [stored]
            missing += [picture.name] if stored is None else []
            on_file(len(files) + len(missing), total)
        manifest = Manifest(
            program=version("xiaozheng"),
            created_at=now,
            database="sqlite" if is_file else "server",
            revision=revision,
            files=tuple(files),
            missing=tuple(missing),
        )
        text = manifest.model_dump_json(indent=1).encode()
        tar.addfile(_entry(MANIFEST, len(text), now), io.BytesIO(text))
        tar.close()
        raw.flush()
        os.fsync(raw.fileno())
    return manifest


def _revision(engine: Engine) -> str:
    with engine.connect() as connection:
        revision, empty = steps.current(connection), steps.is_empty(connection)
    if revision is None or empty:
        shown = shown_url(engine)
        raise _bad(
            f"database {shown} has no revision: run `xiaozheng db upgrade`",
            "数据库是空的或早于版本管理，请先运行 xiaozheng db upgrade",
            "database_outdated",
        )
    return revision


def _evidence(engine: Engine) -> Iterator[Stored]:
    """Every file that the database names."""
    with Session(engine) as session:
        for row in session.scalars(select(EvidenceRow).order_by(EvidenceRow.path)):
            yield Stored(
                name=f"{EVIDENCE_FOLDER}/{row.path}", sha256=row.sha256, size_bytes=row.size_bytes
            )
            if row.blurred_path and row.blurred_sha256 and row.blurred_size_bytes is not None:
                yield Stored(
                    name=f"{EVIDENCE_FOLDER}/{row.blurred_path}",
                    sha256=row.blurred_sha256,
                    size_bytes=row.blurred_size_bytes,
                )


def _add_evidence(
    tar: tarfile.TarFile, folder: Path, wanted: Stored, now: datetime
) -> Stored | None:
    """Pack a picture as the database knows it; None when there is none such."""
    path = folder / PurePosixPath(wanted.name).relative_to(EVIDENCE_FOLDER)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if hashlib.sha256(data).hexdigest() != wanted.sha256:
        return None
    tar.addfile(_entry(wanted.name, len(data), now), io.BytesIO(data))
    return wanted


def _add(tar: tarfile.TarFile, name: str, path: Path, now: datetime) -> Stored:
    size_bytes = path.stat().st_size
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        tar.addfile(_entry(name, size_bytes, now), stream)
    return Stored(name=name, sha256=digest, size_bytes=size_bytes)


def _entry(name: str, size_bytes: int, now: datetime) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size_bytes, 0o600, int(now.timestamp())
    return entry


def _check_empty(settings: Settings, file: Path | None) -> None:
    """Raises InputError when there is anything that a restore would mix with."""
    there = sorted(path.name for path in settings.var.iterdir() if path.name not in HARMLESS)
    if file is not None and file.exists() and file.name not in there:
        there.append(str(file))
    if there:
        raise _bad(
            f"{settings.var} is not empty: {', '.join(there[:5])}; a restore overwrites nothing, "
            "move the old state away or give another --var",
            f"{settings.var} 不是空的（{'、'.join(there[:5])}）：恢复不覆盖任何数据，"
            "请先移走旧数据或用 --var 指定新目录",
            "not_empty",
        )


@contextmanager
def _opened(archive: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(archive, "r:") as tar:
            yield tar
    except FileNotFoundError:
        raise _bad(f"{archive}: no such file", f"没有文件 {archive}", "no_archive") from None
    except tarfile.TarError as error:
        raise _broken(archive, f"not a whole tar: {error}") from None


def _read_manifest(tar: tarfile.TarFile, archive: Path) -> Manifest:
    try:
        entry = tar.getmember(MANIFEST)
    except KeyError:
        raise _broken(archive, "it has no manifest, as if it was cut off") from None
    stream = tar.extractfile(entry)
    if stream is None or entry.size > MAX_MANIFEST_BYTES:
        raise _broken(archive, "its manifest is no file")
    try:
        manifest = Manifest.model_validate_json(stream.read())
    except ValidationError as error:
        raise _broken(archive, f"manifest: {error.errors()[0]['msg']}") from None
    for file in manifest.files:
        if not NAME.fullmatch(file.name) or {".", ".."} & set(file.name.split("/")):
            raise _broken(archive, f"manifest: {file.name!r} is no name of a file of the state")
    return manifest


def _check_fits(manifest: Manifest, file: Path | None, archive: Path) -> None:
    steps.check_known(manifest.revision, str(archive))
    if (manifest.database == "sqlite") != (file is not None):
        raise _bad(
            f"{archive} is of a state with a {manifest.database} database, the settings name "
            "another kind",
            "备份与当前设置的数据库类型不同：SQLite 备份请不带 --db-url 恢复，"
            "服务器数据库的备份须给出它的 --db-url",
            "other_database",
        )


def _unpack(
    tar: tarfile.TarFile, manifest: Manifest, staging: Path, archive: Path, on_file: OnFile
) -> None:
    entries = {entry.name: entry for entry in tar.getmembers()}
    for done, file in enumerate(manifest.files, 1):
        entry = entries.get(file.name)
        stream = tar.extractfile(entry) if entry is not None and entry.isreg() else None
        if stream is None:
            raise _broken(archive, f"{file.name} is not in it")
        target = staging / file.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as out:
            if _copy_hashed(stream, out) != file.sha256:
                raise _broken(archive, f"{file.name} is not what was packed (sha256)")
        on_file(done, len(manifest.files))
    if manifest.database == "sqlite":
        _check_database(staging / DATABASE, manifest, archive)


def _copy_hashed(stream: IO[bytes], out: IO[bytes]) -> str:
    """Copy and make durable; the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
        out.write(chunk)
    out.flush()
    os.fsync(out.fileno())
    return digest.hexdigest()


def _check_database(file: Path, manifest: Manifest, archive: Path) -> None:
    """Whole, and of the revision that the manifest says."""
    if not file.is_file():
        raise _broken(archive, f"{DATABASE} is not in it")
    engine = connect(f"sqlite:///{file}")
    try:
        with engine.connect() as connection:
            verdict = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
            revision = steps.current(connection)
            # Back to one file: what is moved has no log beside it.
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
    except SQLAlchemyError:
        verdict, revision = "not a database", None
    finally:
        engine.dispose()
    if (verdict, revision) != ("ok", manifest.revision):
        raise _broken(archive, f"{DATABASE}: {verdict}, revision {revision}")


def _move(staging: Path, settings: Settings, file: Path | None) -> None:
    evidence = staging / EVIDENCE_FOLDER
    if evidence.is_dir():
        evidence.rename(settings.evidence_folder)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Another disk cannot be renamed to: copy beside, then rename.
        beside = file.with_name(file.name + ".restoring")
        shutil.move(staging / DATABASE, beside)
        beside.replace(file)


def _bad(text: str, text_zh: str, code: str) -> InputError:
    return InputError(text, message_zh=text_zh, code=code)


def _broken(archive: Path, why: str) -> InputError:
    return _bad(f"{archive}: {why}", f"{archive} 不是完整的小郑备份：{why}", "broken_archive")
