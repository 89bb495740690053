"""The store on a real SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from xiaozheng.config.errors import InputError
from xiaozheng.nlp.matter.profile import Place
from xiaozheng.serve.changes import CameraChange, StoredEvidence
from xiaozheng.serve.errors import UnavailableError
from xiaozheng.serve.hotline_changes import CallChange
from xiaozheng.serve.records import IncidentQuery
from xiaozheng.serve.store import Store
from xiaozheng.vision.incident import Incident, IncidentState, Transition

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
STATES = list(IncidentState)


def incident(name: str, state: IncidentState = IncidentState.OPEN, minute: int = 0) -> Incident:
    onset = T0 + timedelta(minutes=minute)
    ended = state in {IncidentState.ENDED, IncidentState.DISCARDED}
    return Incident(
        id=name,
        kind="illegal_parking",
        camera_id="cam-1",
        zone_id="kerb",
        state=state,
        onset_at=onset,
        opened_at=onset + timedelta(seconds=10) if state is not IncidentState.SUSPECTED else None,
        last_seen_at=onset + timedelta(seconds=20),
        ended_at=onset + timedelta(seconds=30) if ended else None,
        box=(0.1, 0.2, 0.3, 0.4),
        label="car",
        score=0.9,
        reasons=("位置未变",),
        model="detector@1.0.0",
        rule="stationary_vehicle@1.0.0",
    )


def change(
    *steps: Transition, camera_id: str = "cam-1", evidence: tuple[StoredEvidence, ...] = ()
) -> CameraChange:
    return CameraChange(camera_id, T0, 7, {"n": len(steps)}, steps, evidence)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'new folder' / 'x.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    found = Store.open(url, lambda: T0 + timedelta(hours=1))
    yield found
    found.close()


def test_an_incident_comes_back_as_it_was_stored(store: Store) -> None:
    stored = incident("a", IncidentState.ENDED)
    store.write([change(Transition(stored, True))])
    record = store.incident("a")
    assert record is not None
    assert record.incident == stored
    assert record.incident.onset_at.tzinfo is UTC
    assert [(s.state, s.media_at, s.recorded_at) for s in record.journal] == [
        (IncidentState.ENDED, stored.ended_at, T0 + timedelta(hours=1))
    ]
    assert store.incident("b") is None


def test_times_of_any_zone_are_the_same_moment_afterwards(store: Store) -> None:
    local = T0.astimezone(timezone(timedelta(hours=8)))
    store.write([change(Transition(replace(incident("a"), onset_at=local), True))])
    (record,) = store.incidents(IncidentQuery(since=T0, until=T0 + timedelta(seconds=1)))
    assert record.incident.onset_at == T0


def test_only_changes_enter_the_journal_and_the_last_state_counts(store: Store) -> None:
    steps = [
        Transition(incident("a", IncidentState.SUSPECTED), True),
        Transition(incident("a", IncidentState.OPEN), True),
        Transition(replace(incident("a"), score=0.95), False),
    ]
    store.write([change(*steps)])
    store.write([change(Transition(incident("a", IncidentState.ENDED), True))])
    record = store.incident("a")
    assert record is not None
    assert record.incident.state is IncidentState.ENDED
    assert [step.state.value for step in record.journal] == ["suspected", "open", "ended"]


def test_listing_filters_and_hides_what_was_never_reported(store: Store) -> None:
    steps = [Transition(incident(s.value, s, n), True) for n, s in enumerate(STATES)]
    other = replace(incident("other", minute=9), kind="bin_overflow", camera_id="cam-2")
    store.write([change(*steps), change(Transition(other, True), camera_id="cam-2")])

    def ids(query: IncidentQuery) -> list[str]:
        return [record.incident.id for record in store.incidents(query)]

    assert ids(IncidentQuery()) == ["other", "ended", "open"]
    assert ids(IncidentQuery(states=tuple(STATES), camera_id="cam-1")) == [
        "discarded",
        "ended",
        "open",
        "suspected",
    ]
    assert ids(IncidentQuery(kind="bin_overflow")) == ["other"]
    assert ids(IncidentQuery(zone_id="nowhere")) == []
    assert ids(IncidentQuery(since=T0 + timedelta(minutes=2))) == ["other", "ended"]
    assert ids(IncidentQuery(until=T0 + timedelta(minutes=2))) == ["open"]
    assert store.open_counts() == {"cam-1": 1, "cam-2": 1}
    assert store.counts()["illegal_parking", "discarded"] == 1


def test_pages_meet_without_gap_or_overlap_even_at_equal_times(store: Store) -> None:
    names = [f"i{n:02}" for n in range(25)]
    store.write(
        [change(*(Transition(incident(n, minute=i // 5), True) for i, n in enumerate(names)))]
    )
    seen: list[str] = []
    after: tuple[datetime, str] | None = None
    while page := store.incidents(IncidentQuery(limit=4, after=after)):
        seen += [record.incident.id for record in page]
        after = (page[-1].incident.onset_at, page[-1].incident.id)
    assert sorted(seen) == names
    assert len(seen) == 25


def test_a_change_is_stored_whole_or_not_at_all(store: Store) -> None:
    """The second change names an incident that does not exist: nothing of the first may stay."""
    orphan = StoredEvidence("nobody", "at", T0, "0" * 64, 1, "nobody/at.jpg")
    with pytest.raises(SQLAlchemyError):
        store.write([change(Transition(incident("a"), True)), change(evidence=(orphan,))])
    assert store.incident("a") is None
    assert store.checkpoints() == {}


def test_checkpoints_keep_the_last_state_of_each_camera(url: str, store: Store) -> None:
    store.write([change(), change(camera_id="cam-2")])
    store.write([change(Transition(incident("a"), True))])
    store.close()
    found = Store.open(url).checkpoints()
    assert {name: point.snapshot for name, point in found.items()} == {
        "cam-1": {"n": 1},
        "cam-2": {"n": 0},
    }
    assert (found["cam-1"].frame_at, found["cam-1"].frame_seq) == (T0, 7)


def test_evidence_is_found_by_incident_and_moment(store: Store) -> None:
    pictures = tuple(
        StoredEvidence(
            "a", moment, T0 + timedelta(seconds=n), f"{n}" * 64, 10 + n, f"a/{moment}.jpg"
        )
        for n, moment in enumerate(["before", "at", "after"])
    )
    store.write([change(Transition(incident("a"), True), evidence=pictures)])
    assert store.evidence("a", "at") == pictures[1]
    assert store.evidence("a", "then") is None
    (listed,) = store.incidents(IncidentQuery())
    assert listed.evidence == pictures
    store.write([change(evidence=(replace(pictures[1], sha256="f" * 64),))])
    again = store.evidence("a", "at")
    assert again is not None
    assert again.sha256 == "f" * 64


def test_a_suggestion_sent_again_replaces_the_first(store: Store) -> None:
    first = CallChange(
        transcript_id="t1",
        channel="电话",
        received_at=None,
        at=T0,
        title="",
        text="路灯坏了",
        place=Place(),
        category="城乡建设",
        department="chengguan",
        model_department="chengguan",
        confidence=0.9,
        decision="auto",
        model="router@1.0.0",
        suggestion={"n": 1},
    )
    store.write([first])
    store.write([replace(first, received_at=T0, suggestion={"n": 2})])
    assert store.suggestion("t1") == {"n": 2}
    assert store.suggestion("t2") is None


def test_sqlite_is_tuned(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "new folder" / "x.db"
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize("bad", ["nonsense", "nosuchdb://x/y"])
def test_an_unusable_url_is_the_callers_fault(bad: str) -> None:
    with pytest.raises(InputError, match="database URL"):
        Store.open(bad)


def test_a_database_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_text("this is not a database, it is a poem" * 100)
    with pytest.raises(UnavailableError, match="not a database"):
        Store.open(f"sqlite:///{tmp_path / 'x.db'}")
