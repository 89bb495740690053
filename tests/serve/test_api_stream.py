"""`GET /v1/events` as a stream, on real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
from delivery_support import until
from serve_support import ServerProcess, entry, picture, post_frames, running
from sqlalchemy import insert
from test_api_events import events, park

from xiaozheng.serve.settings import Settings
from xiaozheng.serve.store import Store
from xiaozheng.serve.tables import OutboxRow

LISTEN = {"accept": "text/event-stream"}


def told(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Events of a stream as they come."""
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_a_listener_hears_what_a_reader_reads_and_resumes_where_it_was(
    client: httpx.Client, now: datetime
) -> None:
    park(client, now - timedelta(minutes=9))
    with client.stream("GET", "/v1/events?after=0", headers=LISTEN) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        heard = told(answer.iter_lines())
        first = [next(heard), next(heard)]
        park(client, now - timedelta(minutes=5))
        later = [next(heard), next(heard)]
    assert first + later == events(client)["events"]
    resume = LISTEN | {"last-event-id": later[0]["sequence"]}
    with client.stream("GET", "/v1/events", headers=resume) as answer:
        assert next(told(answer.iter_lines())) == later[1]
    assert client.get("/v1/events", headers=LISTEN | {"last-event-id": "x"}).status_code == 422


def test_filters_leave_out_the_rest_and_an_idle_line_shows_that_it_lives(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    with running(make_settings(stream_heartbeat_s=0.05)) as client:
        park(client, now - timedelta(minutes=5))
        query = "after=0&type=incident.ended.*&camera_id=cam-1"
        with client.stream("GET", f"/v1/events?{query}", headers=LISTEN) as answer:
            lines = answer.iter_lines()
            assert next(told(lines))["type"] == "cn.xiaozheng.incident.ended.v1"
            # A comment with the id of the last event looked at, wanted or not.
            assert next(line for line in lines if line.startswith(":")) == ": alive"
            assert int(next(lines).removeprefix("id: ")) == 2
        assert events(client, type="camera.*")["events"] == []  # type: ignore[arg-type]
        assert events(client, camera_id="cam-2") == {  # type: ignore[arg-type]
            "events": [],
            "next_after": 2,
            "more": False,
            "first_kept": 1,
            "last_kept": 2,
        }


def test_many_listeners_hear_everything_without_a_thread_for_each(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    count = 300

    async def listen(http: httpx.AsyncClient, ready: asyncio.Semaphore) -> list[str]:
        heard = []
        async with http.stream("GET", "/v1/events", headers=LISTEN) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("retry:"):
                    ready.release()
                if line.startswith("id: "):
                    heard.append(line.removeprefix("id: "))
                if len(heard) == 2:
                    break
        return heard

    async def all_of(client: httpx.Client) -> list[list[str]]:
        limits = httpx.Limits(max_connections=count)
        async with httpx.AsyncClient(base_url=client.base_url, timeout=60, limits=limits) as http:
            ready = asyncio.Semaphore(0)
            tasks = [asyncio.create_task(listen(http, ready)) for _ in range(count)]
            for _ in range(count):
                await ready.acquire()
            before = threading.active_count()
            await asyncio.to_thread(park, client, now - timedelta(minutes=5))
            # Python's pool for blocking calls has at most cores + 4 threads.
            assert threading.active_count() - before < 40
            return await asyncio.gather(*tasks)

    with running(make_settings(max_streams=count)) as client:
        heard = asyncio.run(all_of(client))
        numbers = [event["sequence"] for event in events(client)["events"]]
        assert heard == [numbers] * count
        with client.stream("GET", "/v1/events", headers=LISTEN) as answer:
            assert answer.status_code == 200


def test_listeners_beyond_the_bound_are_told_to_come_later(
    make_settings: Callable[..., Settings],
) -> None:
    with running(make_settings(max_streams=1)) as client:
        with client.stream("GET", "/v1/events", headers=LISTEN):
            second = client.get("/v1/events", headers=LISTEN)
            assert (second.status_code, second.headers["retry-after"]) == (429, "5")

        def again() -> bool:
            with client.stream("GET", "/v1/events", headers=LISTEN) as answer:
                return answer.status_code == 200

        until(again)


def test_a_listener_that_does_not_read_is_dropped(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    """More is to be told than all buffers on the way hold; then it has `stream_stall_s`."""
    settings = make_settings(stream_stall_s=0.3)
    large = {"type": "t", "source": "s", "subject": "x", "time": now, "recorded_at": now}
    store = Store.open(settings.database)
    with store.engine.begin() as connection:
        rows = [large | {"id": f"{n}", "data": {"text": "x" * 100_000}} for n in range(80)]
        connection.execute(insert(OutboxRow), rows)
    store.close()
    with running(settings) as client, socket.socket() as lazy:
        host, port = client.base_url.host, client.base_url.port or 0
        lazy.connect((host, port))
        lines = (f"GET /v1/events?after=0 HTTP/1.1\r\nHost: {host}", "Accept: text/event-stream")
        lazy.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        until(lambda: 'route="/v1/events",status="200"' in client.get("/metrics").text)


def test_a_stop_ends_streams_at_once_and_cleanly(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    with ServerProcess(make_settings()) as server, httpx.Client(base_url=server.url) as client:
        post_frames(client, [entry(0, now)], {"f0": picture()})
        with client.stream("GET", "/v1/events", headers=LISTEN, timeout=30) as answer:
            lines = answer.iter_lines()
            assert next(lines).startswith("retry")
            assert server.stop() == 0
            assert ": the service stops" in list(lines)
