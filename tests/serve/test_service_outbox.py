"""The outbox, the journal of observations, and databases of other versions, on real SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from xiaozheng.serve.changes import CameraChange, IncidentChange, PruneChange
from xiaozheng.serve.store import Store
from xiaozheng.vision.incident import Incident, IncidentState, Transition
from xiaozheng.vision.observation import Observation

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
NOW = T0 + timedelta(hours=1)
OPEN, ENDED = IncidentState.OPEN, IncidentState.ENDED


def step(state: IncidentState, seen_s: float = 20, *, changed: bool = True) -> Transition:
    opened = state in (OPEN, ENDED)
    over = state in (ENDED, IncidentState.DISCARDED)
    incident = Incident(
        id="a",
        kind="illegal_parking",
        camera_id="cam-1",
        zone_id="kerb",
        state=state,
        onset_at=T0,
        opened_at=T0 + timedelta(seconds=10) if opened else None,
        last_seen_at=T0 + timedelta(seconds=seen_s),
        ended_at=T0 + timedelta(seconds=seen_s) if over else None,
        box=(0.1, 0.2, 0.3, 0.4),
        label="car",
        score=0.9,
        reasons=("位置未变",),
        model="detector@1.0.0",
        rule="stationary_vehicle@1.0.0",
    )
    return Transition(incident, changed)


def change(*steps: Transition, observations: tuple[Observation, ...] = ()) -> CameraChange:
    return CameraChange("cam-1", T0, 7, {}, steps, (), observations)


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'x.db'}"


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    found = Store.open(url, lambda: NOW)
    yield found
    found.close()


def test_a_life_with_a_second_part_is_told_in_order_and_suspicions_are_not(store: Store) -> None:
    store.write([change(step(IncidentState.SUSPECTED, 5), step(OPEN, 10))])
    store.write([change(step(OPEN, 20, changed=False), step(ENDED, 30))])
    store.write([change(step(OPEN, 50)), change(step(ENDED, 60))])
    page = store.events(0, 10)
    assert [event.type.split(".")[3] for event in page.events] == [
        "opened",
        "ended",
        "reopened",
        "ended",
    ]
    assert [event.seq for event in page.events] == [1, 2, 3, 4]
    assert (page.first, page.last) == (1, 4)
    assert len({event.id for event in page.events}) == 4
    opened, ended = page.events[:2]
    assert (opened.subject, opened.source) == ("a", "urn:xiaozheng:camera:cam-1")
    assert (opened.time, ended.time) == (T0 + timedelta(seconds=10), T0 + timedelta(seconds=30))
    assert opened.data["state"] == "open"
    assert datetime.fromisoformat(opened.data["onset_at"]) == T0
    assert [event.seq for event in store.events(2, 1).events] == [3]


def test_a_discarded_suspicion_is_never_told(store: Store) -> None:
    store.write([change(step(IncidentState.SUSPECTED), step(IncidentState.DISCARDED))])
    assert store.events(0, 10).events == ()


def test_a_step_that_is_written_twice_is_told_once(store: Store) -> None:
    """As after a replay; without a camera's frame behind it, too."""
    store.write([change(step(OPEN))])
    store.write(
        [change(step(OPEN)), IncidentChange((step(ENDED),)), IncidentChange((step(ENDED),))]
    )
    assert len(store.events(0, 10).events) == 2


def test_event_and_step_are_stored_together_or_not_at_all(store: Store) -> None:
    bad = replace(step(OPEN).incident, id="b", onset_at=datetime(2026, 1, 1))
    with pytest.raises(Exception, match="naive"):
        store.write([change(step(OPEN)), IncidentChange((Transition(bad, True),))])
    assert store.incident("a") is None
    assert store.events(0, 10).events == ()


def test_an_incident_stays_that_of_the_model_it_began_with(store: Store) -> None:
    store.write([change(step(OPEN))])
    later = replace(step(ENDED).incident, model="detector@2.0.0")
    store.write([change(Transition(later, True))])
    record = store.incident("a")
    assert record is not None
    assert record.incident.model == "detector@1.0.0"
    assert store.events(1, 1).events[0].data["model"] == "detector@1.0.0"


def test_old_events_are_forgotten_and_their_numbers_never_given_again(
    url: str, store: Store
) -> None:
    for second in range(0, 10, 2):
        store.write([change(step(OPEN, second)), change(step(ENDED, second + 1))])
    keep = PruneChange(T0, 3, T0, 3)
    store.write([keep])
    assert [event.seq for event in store.events(0, 10).events] == [8, 9, 10]
    store.write([replace(keep, events_before=NOW + timedelta(seconds=1))])
    assert store.events(0, 10).events == ()
    store.close()
    again = Store.open(url, lambda: NOW)
    again.write([change(step(OPEN, 99))])
    assert [event.seq for event in again.events(0, 10).events] == [11]


def test_observations_are_kept_in_order_and_forgotten_by_number(store: Store) -> None:
    seen = tuple(
        Observation(
            camera_id="cam-1",
            kind="illegal_parking",
            zone_id="kerb",
            incident_id="a" if n < 3 else "b",
            at=T0 + timedelta(seconds=n),
            strength=0.5 + n / 10,
            holds=n != 1,
            reasons=("慢",),
        )
        for n in range(4)
    )
    store.write([change(observations=seen)])
    assert store.observations("a") == list(seen[:3])
    assert store.observations("c") == []
    store.write([PruneChange(T0, 9, T0, 1)])
    assert store.observations("a") == []
    assert store.observations("b") == [seen[3]]
