"""Reading bodies: JSON that cannot be used, the budget of all requests, callers who leave."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic, sleep

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from serve_support import entry, metrics_of, picture, running

from xiaozheng.config.errors import BusyError, InputError
from xiaozheng.serve.body import BodyBudget, parse_json
from xiaozheng.serve.errors import RequestError
from xiaozheng.serve.moments import parse_moment
from xiaozheng.serve.settings import Settings


@given(st.binary(max_size=60))
def test_any_bytes_are_json_or_a_refusal(body: bytes) -> None:
    try:
        parse_json(body, "body")
    except RequestError as error:
        refused = error.code
    else:
        refused = ""
    assert refused in {"", "invalid_utf8", "invalid_json"}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"\xff", "byte 0"),
        (b'{"a":\n 1,,}', "line 2, column 4"),
        (b"Infinity", "Infinity"),
        (b"9" * 5000, "unusable JSON"),
        (b"[" * 200_000, "unusable JSON"),
    ],
)
def test_broken_json_is_located(body: bytes, named: str) -> None:
    with pytest.raises(RequestError, match=named):
        parse_json(body, "body")


def test_the_budget_refuses_what_does_not_fit_and_takes_it_later() -> None:
    budget = BodyBudget(100)
    budget.take(60)
    with pytest.raises(BusyError) as refused:
        budget.take(50)
    assert refused.value.retry_after_s > 0
    budget.give_back(60)
    budget.take(100)
    assert budget.used_bytes == 100


def test_a_request_gives_its_bytes_back(make_settings: Callable[..., Settings]) -> None:
    """Many bodies one after another, each of them near the budget of all."""
    with running(make_settings(max_body_bytes=50_000, max_inflight_bytes=50_000)) as client:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        for _ in range(5):
            answer = client.post("/v1/frames:batch", content=b"x" * 40_000, headers=headers)
            assert answer.json()["code"] == "bad_multipart"
            assert (
                client.post("/v1/frames:batch", content=b"x" * 60_000, headers=headers).status_code
                == 413
            )


def test_work_for_a_caller_who_has_left_is_dropped(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    """256 frames, one a batch: the caller hangs up, and most of them are never worked on."""
    count = 256
    entries = [entry(n, now - timedelta(seconds=count - n)) for n in range(count)]
    files = [("metadata", (None, json.dumps(entries).encode(), "application/json"))]
    files += [(f"f{n}", (f"f{n}.png", picture(suffix=".png"), "image/png")) for n in range(count)]
    with running(make_settings(max_batch=1)) as client:
        request = client.build_request("POST", "/v1/frames:batch", files=files)
        body = request.read()
        host, port = client.base_url.host, client.base_url.port
        assert port is not None
        with socket.create_connection((host, port)) as wire:
            lines = [f"POST {request.url.path} HTTP/1.1", f"Host: {host}:{port}"]
            lines += [f"{k}: {v}" for k, v in request.headers.items() if k.startswith("content")]
            wire.sendall("\r\n".join([*lines, "", ""]).encode() + body)
            _wait(lambda: _batches(client) >= 1)
        _wait(lambda: metrics_of(client)['xiaozheng_queue_items{batcher="detector"}'] == 0)
        worked = _batches(client)
        assert worked < count
        assert client.get("/v1/cameras").json()["cameras"][0]["last_frame_at"] is None
        assert client.get("/readyz").status_code == 200


def _batches(client: httpx.Client) -> float:
    return metrics_of(client).get('xiaozheng_batch_size_count{batcher="detector"}', 0.0)


def _wait(condition: Callable[[], bool]) -> None:
    end = monotonic() + 30
    while not condition():
        assert monotonic() < end
        sleep(0.01)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-01T08:00:00Z", "2026-03-01T08:00:00+00:00"),
        ("2026-03-01T08:00:00+08:00", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01t08:00:00.123456789z", "2026-03-01T08:00:00.123456+00:00"),
        ("2026-03-01 08:00:00.5-03:30", "2026-03-01T11:30:00.500000+00:00"),
    ],
)
def test_moments(text: str, utc: str) -> None:
    assert parse_moment(text, "ts").isoformat() == utc


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "RFC 3339"),
        ("1772352000", "RFC 3339"),
        ("2026-03-01", "RFC 3339"),
        ("2026-03-01T08:00", "RFC 3339"),
        ("2026-W09-7T08:00:00Z", "RFC 3339"),
        ("2026-03-01T08:00:00", "UTC offset"),
        ("2026-02-30T08:00:00Z", "day"),
        ("2026-03-01T25:00:00Z", "hour"),
        ("2026-03-01T08:00:00+99:00", "offset"),
        ("0001-01-01T00:00:00+08:00", "ts"),
    ],
)
def test_refused_moments_say_why(text: str, named: str) -> None:
    with pytest.raises(InputError, match=named) as refused:
        parse_moment(text, "ts")
    assert refused.value.code == "bad_ts"
