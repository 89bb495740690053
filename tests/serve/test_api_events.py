"""`GET /v1/events` over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from serve_support import entry, picture, post_frames, running

from xiaozheng.serve.settings import Settings


def park(client: httpx.Client, start: datetime, seconds: int = 50) -> None:
    """A car stands there from second 3 to 24."""
    entries = [entry(s, start + timedelta(seconds=s)) for s in range(seconds)]
    pictures = {
        f"f{s}": picture(("car", 2, 3)) if 3 <= s < 24 else picture() for s in range(seconds)
    }
    assert post_frames(client, entries, pictures).status_code == 200


def events(client: httpx.Client, **query: int) -> dict[str, Any]:
    response = client.get("/v1/events", params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_a_reader_with_a_cursor_sees_each_event_once(client: httpx.Client, now: datetime) -> None:
    assert events(client) == {
        "events": [],
        "next_after": 0,
        "more": False,
        "first_kept": 0,
        "last_kept": 0,
    }
    park(client, now - timedelta(seconds=200))
    (incident,) = client.get("/v1/incidents").json()["items"]
    first = events(client, limit=1)
    (opened,) = first["events"]
    assert (opened["specversion"], opened["datacontenttype"]) == ("1.0", "application/json")
    assert opened["type"] == "cn.xiaozheng.incident.opened.v1"
    assert opened["source"] == "urn:xiaozheng:camera:cam-1"
    assert opened["subject"] == opened["data"]["id"] == incident["id"]
    assert opened["time"] == incident["opened_at"]
    assert (first["more"], int(opened["sequence"])) == (True, first["next_after"])
    second = events(client, after=first["next_after"])
    assert [event["type"] for event in second["events"]] == ["cn.xiaozheng.incident.ended.v1"]
    assert second["events"][0]["data"]["ended_at"][:19] == incident["ended_at"][:19]
    assert second["more"] is False
    assert events(client, after=second["next_after"])["events"] == []


def test_the_same_frames_give_the_same_events_in_another_service(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    told = []
    for name in ("one", "two"):
        settings = make_settings()
        with running(settings.model_copy(update={"var": settings.var / name})) as client:
            park(client, now - timedelta(seconds=200))
            told.append(events(client)["events"])
    assert len(told[0]) == 2
    assert told[0] == told[1]


def test_a_reader_that_comes_too_late_is_told_so(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    settings = make_settings(max_events=1, prune_every_s=0.05)
    with running(settings) as client:
        for minutes in (50, 40, 30):
            park(client, now - timedelta(minutes=minutes))
        while events(client)["first_kept"] < 6:
            pass
        response = client.get("/v1/events", params={"after": 1})
        assert response.status_code == 410
        assert response.json()["code"] == "events_gone"
        assert "after=5" in response.json()["detail"]
        assert len(events(client, after=5)["events"]) == 1


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=1001", "since=1"])
def test_a_wrong_question_is_refused(refusing: httpx.Client, query: str) -> None:
    response = refusing.get(f"/v1/events?{query}")
    assert response.status_code == 422
    assert response.json()["code"] == "bad_parameter"
