"""`/v1/incidents` and `/v1/cameras`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from serve_support import entry, picture, post_frames, running

from xiaozheng.serve.settings import Settings

CARS = 3


@pytest.fixture(scope="module")
def now() -> datetime:
    """A whole second close to the present, the same for the whole module."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def parked(
    tmp_path_factory: pytest.TempPathFactory, settings_in: Callable[..., Settings], now: datetime
) -> Iterator[httpx.Client]:
    """A service that has seen three cars come and go, each in a place of its own, and a fourth
    that is still there."""
    start = now - timedelta(seconds=60 * (CARS + 1))
    with running(settings_in(tmp_path_factory.mktemp("parked"))) as client:
        for n in range(CARS + 1):
            entries, pictures = [], {}
            for second in range(0, 60 if n < CARS else 30, 2):
                index = 60 * n + second
                gone = second < 2 or (second >= 20 and n < CARS)
                entries.append(entry(index, start + timedelta(seconds=index)))
                pictures[f"f{index}"] = picture() if gone else picture(("car", n, n))
            assert post_frames(client, entries, pictures).status_code == 200
        yield client


def items(client: httpx.Client, **query: Any) -> list[dict[str, Any]]:
    response = client.get("/v1/incidents", params=query)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["items"]
    return found


def test_incidents_are_listed_filtered_and_paged(parked: httpx.Client, now: datetime) -> None:
    everything = items(parked)
    assert [i["state"] for i in everything] == ["open", "ended", "ended", "ended"]
    onsets = [datetime.fromisoformat(i["onset_at"]) for i in everything]
    assert onsets == sorted(onsets, reverse=True)

    assert len(items(parked, state="open")) == 1
    assert len(items(parked, state=["open", "ended"])) == 4
    assert items(parked, kind="bin_overflow") == []
    assert items(parked, camera_id="cam-2") == []
    assert len(items(parked, zone_id="kerb", camera_id="cam-1", kind="illegal_parking")) == 4
    assert [i["id"] for i in items(parked, since=onsets[1].isoformat())] == [
        i["id"] for i in everything[:2]
    ]
    assert len(items(parked, until=onsets[1].isoformat())) == 2

    seen: list[str] = []
    query: dict[str, Any] = {"limit": 3}
    while True:
        page = parked.get("/v1/incidents", params=query).json()
        seen += [i["id"] for i in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == [i["id"] for i in everything]


def test_cameras_tell_zones_last_frame_and_open_incidents(
    parked: httpx.Client, now: datetime
) -> None:
    body = parked.get("/v1/cameras").json()
    first, second = body["cameras"]
    assert (first["id"], first["name"], first["open_incidents"]) == ("cam-1", "建设路北口", 1)
    assert first["zones"][0]["forbids"] == ["illegal_parking"]
    last = datetime.fromisoformat(first["last_frame_at"])
    assert last == now - timedelta(seconds=32)
    assert (second["last_frame_at"], second["open_incidents"]) == (None, 0)
    assert {"id": "illegal_parking", "zh": "机动车违停", "code": "0505"} in body["kinds"]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "501"}, "limit"),
        ({"state": "lost"}, "state"),
        ({"since": "2026-01-01"}, "since"),
        ({"until": "2026-01-01T00:00:00"}, "until"),
        ({"cursor": "AAAA"}, "cursor"),
        ({"cursor": "%%%"}, "cursor"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_bad_queries_name_their_parameter(
    refusing: httpx.Client, query: dict[str, str], named: str
) -> None:
    response = refusing.get("/v1/incidents", params=query)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert named in response.json()["detail"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/incidents/nobody", 404, "no_such_incident"),
        ("/v1/incidents/nobody/evidence/at", 404, "no_such_evidence"),
        ("/v1/incidents/..%2f..%2fxiaozheng.db/evidence/at", 404, "no_such_page"),
        ("/v1/incidents/nobody/evidence/later", 422, "bad_parameter"),
        ("/v1/nothing", 404, "no_such_page"),
        ("/console/../app.py", 404, "no_such_page"),
        ("/console/%2e%2e/app.py", 404, "no_such_page"),
    ],
)
def test_what_is_not_there_is_a_problem(
    refusing: httpx.Client, path: str, status: int, code: str
) -> None:
    response = refusing.get(path)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"


def test_wrong_methods_are_problems_too(refusing: httpx.Client) -> None:
    response = refusing.delete("/v1/incidents")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["allow"]
