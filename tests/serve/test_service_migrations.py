"""Databases of every age, on real SQLite files and a real PostgreSQL server."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from database_support import fresh_database
from sqlalchemy import inspect, text

from xiaozheng.cli.main import run as command
from xiaozheng.config.errors import InputError
from xiaozheng.serve.all_tables import METADATA
from xiaozheng.serve.changes import IncidentChange
from xiaozheng.serve.database import connect, open_database
from xiaozheng.serve.migrations import steps
from xiaozheng.serve.store import Store
from xiaozheng.vision.incident import Incident, IncidentState, Transition

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
# The tables as the version before the outbox made them, with one open incident.
VERSION_1 = """
CREATE TABLE incidents (id VARCHAR(64) NOT NULL, kind VARCHAR(64) NOT NULL,
  camera_id VARCHAR(64) NOT NULL, zone_id VARCHAR(64) NOT NULL, state VARCHAR(16) NOT NULL,
  onset_at DATETIME NOT NULL, opened_at DATETIME, last_seen_at DATETIME NOT NULL,
  ended_at DATETIME, box JSON NOT NULL, label VARCHAR(64) NOT NULL, score DOUBLE NOT NULL,
  reasons JSON NOT NULL, model VARCHAR(128) NOT NULL, rule VARCHAR(128) NOT NULL,
  PRIMARY KEY (id));
CREATE TABLE transitions (seq INTEGER NOT NULL, incident_id VARCHAR(64) NOT NULL,
  state VARCHAR(16) NOT NULL, media_at DATETIME NOT NULL, recorded_at DATETIME NOT NULL,
  PRIMARY KEY (seq), FOREIGN KEY(incident_id) REFERENCES incidents (id));
CREATE TABLE evidence (incident_id VARCHAR(64) NOT NULL, moment VARCHAR(8) NOT NULL,
  media_at DATETIME NOT NULL, sha256 VARCHAR(64) NOT NULL, size_bytes INTEGER NOT NULL,
  path VARCHAR(256) NOT NULL, PRIMARY KEY (incident_id, moment),
  FOREIGN KEY(incident_id) REFERENCES incidents (id));
INSERT INTO incidents VALUES ('old', 'illegal_parking', 'cam-1', 'kerb', 'open',
  '2026-03-01 08:00:00.000000', '2026-03-01 08:00:10.000000', '2026-03-01 08:00:20.000000', NULL,
  '[0.1, 0.2, 0.3, 0.4]', 'car', 0.9, '["x"]', 'detector@1.0.0', 'stationary_vehicle@1.0.0');
INSERT INTO evidence VALUES ('old', 'at', '2026-03-01 08:00:10.000000', 'ab', 3, 'old/at.jpg');
"""
OPEN_ONE = Transition(
    Incident(
        id="new",
        kind="illegal_parking",
        camera_id="cam-1",
        zone_id="kerb",
        state=IncidentState.OPEN,
        onset_at=T0,
        opened_at=T0,
        last_seen_at=T0,
        ended_at=None,
        box=(0.1, 0.2, 0.3, 0.4),
        label="car",
        score=0.9,
        reasons=("位置未变",),
        model="detector@1.0.0",
        rule="stationary_vehicle@1.0.0",
    ),
    True,
)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'x.db'}"
    return fresh_database(request.getfixturevalue("postgres"), "migrations")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "x.db"


def tables(url: str) -> set[str]:
    engine = connect(url)
    found = set(inspect(engine).get_table_names())
    engine.dispose()
    return found


def test_steps_lead_exactly_to_the_tables_the_program_uses(url: str) -> None:
    engine = open_database(url)
    with engine.connect() as connection:
        assert steps.current(connection) == steps.head()
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_down_to_nothing_and_up_again_keeps_what_both_revisions_hold(url: str) -> None:
    store = Store.open(url)
    store.write([IncidentChange((OPEN_ONE,))])
    store.close()
    assert command(["db", "downgrade", "0001", "--db-url", url]) == 0
    assert "incidents" in tables(url)
    assert not {"api_keys", "deliveries"} & tables(url)
    assert command(["db", "upgrade", "--db-url", url]) == 0
    store = Store.open(url)
    assert [event.subject for event in store.events(0, 10).events] == ["new"]
    store.close()
    assert command(["db", "downgrade", "base", "--db-url", url]) == 0
    assert tables(url) == {"alembic_version"}


def test_a_step_back_makes_programs_from_before_revisions_accept_it_again(url: str) -> None:
    """They read `store_version`, and refuse what is above their own 2."""
    engine = open_database(url)
    for expected in (3, 2):
        with engine.connect() as connection:
            version = connection.execute(text("SELECT version FROM store_version")).scalar()
        assert version == expected
        steps.downgrade(engine, url, "0001")
    engine.dispose()


def test_a_file_from_before_revisions_is_taken_in_with_all_it_holds(file: Path) -> None:
    with sqlite3.connect(file) as old:
        old.executescript(VERSION_1)
    url = f"sqlite:///{file}"
    for _ in range(2):
        store = Store.open(url)
        record = store.incident("old")
        assert record is not None
        assert [picture.blurred for picture in record.evidence] == [None]
        store.close()
    copy = sqlite3.connect(f"{file}.before-revisions")
    assert copy.execute("SELECT id FROM incidents").fetchall() == [("old",)]
    assert copy.execute("SELECT name FROM sqlite_master WHERE name = 'outbox'").fetchall() == []


def test_a_servers_database_is_brought_up_by_command_only(
    postgres: str, capsys: pytest.CaptureFixture[str]
) -> None:
    url = fresh_database(postgres, "outdated")
    engine = open_database(url)
    steps.downgrade(engine, url, "0001")
    with pytest.raises(InputError, match="xiaozheng db upgrade"):
        open_database(url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(InputError, match="revision none"):
        open_database(url)
    assert command(["db", "current", "--db-url", url]) == 0
    assert "未标记" in capsys.readouterr().out
    assert command(["db", "upgrade", "--db-url", url]) == 0
    open_database(url).dispose()
    engine.dispose()


def test_a_database_of_a_later_program_is_refused(url: str) -> None:
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InputError, match="has revision 9999"):
        open_database(url)
    assert command(["db", "upgrade", "--db-url", url]) == 2
    engine.dispose()


def test_a_file_of_a_later_program_without_revisions_is_refused(file: Path) -> None:
    with sqlite3.connect(file) as old:
        old.executescript(VERSION_1)
        old.execute("CREATE TABLE store_version (id INTEGER PRIMARY KEY, version INTEGER)")
        old.execute("INSERT INTO store_version VALUES (1, 99)")
    with pytest.raises(InputError, match="has version 99"):
        open_database(f"sqlite:///{file}")


def test_a_database_of_somebody_else_is_refused_and_left_as_it_was(file: Path) -> None:
    with sqlite3.connect(file) as foreign:
        foreign.execute("CREATE TABLE incidents (id INTEGER, title TEXT)")
    with pytest.raises(InputError, match="not a database of this service"):
        open_database(f"sqlite:///{file}")
    found = sqlite3.connect(file).execute("SELECT name FROM sqlite_master").fetchall()
    assert found == [("incidents",)]


def test_a_step_that_fails_leaves_the_file_as_it_was(file: Path) -> None:
    """The second step finds a table in its way: nothing of it may stay."""
    engine = open_database(f"sqlite:///{file}")
    steps.downgrade(engine, "x", "0001")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE audit_log (mine INTEGER)"))
    assert command(["db", "upgrade", "--db-url", f"sqlite:///{file}"]) == 1
    assert "api_keys" not in tables(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert steps.current(connection) == "0001"
    engine.dispose()
