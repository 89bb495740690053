"""`Idempotency-Key`: what is sent again is answered again, through a real server."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from serve_support import ServerProcess, entry, metrics_of, picture, running

from xiaozheng.serve.database import open_database
from xiaozheng.serve.idempotency_store import AnswerChange, PruneAnswers, find_answer
from xiaozheng.serve.security.key_store import KeyStore
from xiaozheng.serve.settings import Settings
from xiaozheng.serve.store import Store

DOOR = "/v1/frames:batch"
FRAMES_OK = 'xiaozheng_frames_total{status="ok"}'
PARKED = picture(("car", 2, 3))


def build(
    client: httpx.Client, key: str | None, ts: datetime, seq: int = 1, **headers: str
) -> httpx.Request:
    """One frame; httpx draws another boundary each time."""
    metadata = json.dumps([entry(seq, ts)])
    files = [
        ("metadata", (None, metadata, "application/json")),
        (f"f{seq}", ("f.jpg", PARKED, "image/jpeg")),
    ]
    if key is not None:
        headers["Idempotency-Key"] = key
    return client.build_request("POST", DOOR, files=files, headers=headers)


def post(
    client: httpx.Client, key: str | None, ts: datetime, seq: int = 1, **headers: str
) -> httpx.Response:
    return client.send(build(client, key, ts, seq, **headers))


def replayed(response: httpx.Response) -> bool:
    return response.headers.get("idempotent-replayed") == "true"


def status_of(response: httpx.Response) -> str:
    status: str = response.json()["results"][0]["status"]
    return status


def test_the_same_request_gets_the_same_answer_and_another_one_none(
    client: httpx.Client, now: datetime
) -> None:
    first = post(client, "k-1", now)
    assert (first.status_code, status_of(first), replayed(first)) == (200, "ok", False)
    # With quotes, as the draft writes it, it is the same key.
    for key in ("k-1", '"k-1"'):
        again = post(client, key, now)
        assert replayed(again)
        assert (again.status_code, again.content) == (200, first.content)
        assert again.headers["content-type"] == first.headers["content-type"]
    assert metrics_of(client)[FRAMES_OK] == 1
    # Without the key, and with another one, the door itself sees the repeat.
    assert [status_of(post(client, key, now)) for key in (None, "k-2")] == ["duplicate"] * 2
    for other in (
        post(client, "k-1", now, seq=2),
        client.post(
            "/v1/cameras/cam-1/view:learn", json={"by": "x"}, headers={"Idempotency-Key": "k-1"}
        ),
    ):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
        assert other.headers["content-type"] == "application/problem+json"
        assert not replayed(other)


def test_the_same_form_in_other_pieces_is_the_same(client: httpx.Client, now: datetime) -> None:
    first = post(client, "pieces", now)
    for size in (1, 7, 64, 1_000):
        request = build(client, "pieces", now)
        form = request.read()
        headers = {name: request.headers[name] for name in ("content-type", "idempotency-key")}
        pieces = (form[at : at + size] for at in range(0, len(form), size))
        again = client.post(DOOR, content=pieces, headers=headers)
        assert (replayed(again), again.content) == (True, first.content)


@pytest.mark.parametrize(
    "keys", [[""], ["a b"], ["k" * 129], ['"k'], ["k\xe9"], ["a", "b"], ['""']]
)
def test_a_key_of_another_form_is_refused_before_any_work(
    client: httpx.Client, now: datetime, keys: list[str]
) -> None:
    headers = [("Idempotency-Key", key.encode("latin-1")) for key in keys]
    answer = client.post(DOOR, content=b"x", headers=httpx.Headers(headers))
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")


def test_of_twenty_equal_requests_at_once_one_runs(client: httpx.Client, now: datetime) -> None:
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post(client, "race", now), range(20)))
    done = [answer for answer in answers if answer.status_code == 200]
    assert len({answer.content for answer in done}) == 1
    assert [replayed(answer) for answer in done].count(False) == 1
    for answer in answers:
        if answer.status_code != 200:
            assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_progress")
            assert answer.headers["retry-after"] == "1"
    assert metrics_of(client)[FRAMES_OK] == 1
    assert replayed(post(client, "race", now))


def test_a_caller_that_hangs_up_finds_its_answer_later(client: httpx.Client, now: datetime) -> None:
    """It leaves right after its last byte; without a key the frame would leave the queue."""
    request = build(client, "gone", now)
    request.headers["Expect"] = "100-continue"
    lines = [f"POST {request.url.path} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    assert request.url.port is not None
    with socket.create_connection((request.url.host, request.url.port)) as line:
        line.sendall("\r\n".join([*lines, "", ""]).encode())
        # The service asks for the body only when the door wants it.
        assert line.recv(100).startswith(b"HTTP/1.1 100")
        line.sendall(request.read())
    while (answer := post(client, "gone", now)).status_code == 409:
        time.sleep(0.01)
    assert (answer.status_code, replayed(answer), status_of(answer)) == (200, True, "ok")


def test_answers_outlive_a_kill_and_work_cut_off_is_done_again(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    settings = make_settings()
    with ServerProcess(settings) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        first = post(client, "before", now)
        assert first.status_code == 200
        threading.Timer(0.004, server.process.kill).start()
        try:
            cut_off: httpx.Response | None = post(client, "between", now + timedelta(seconds=1), 2)
        except httpx.TransportError:
            cut_off = None
        server.process.wait(30)
    with ServerProcess(settings) as server, httpx.Client(base_url=server.url, timeout=30) as client:
        again = post(client, "before", now)
        assert (replayed(again), again.content) == (True, first.content)
        second = post(client, "between", now + timedelta(seconds=1), 2)
        if cut_off is not None:
            assert (replayed(second), second.content) == (True, cut_off.content)
        # Killed after the frame was stored and before its answer was kept, it is a duplicate.
        assert status_of(second) in {"ok", "duplicate"}
        assert replayed(post(client, "between", now + timedelta(seconds=1), 2))


@pytest.mark.parametrize(
    ("trouble", "status"), [({"min_free_bytes": 2**60}, 503), ({"queue_timeout_s": 1e-9}, 200)]
)
def test_what_may_pass_is_tried_again(
    make_settings: Callable[..., Settings], now: datetime, trouble: dict[str, float], status: int
) -> None:
    """A full disk refuses the whole request, a queue that is too slow one item of it."""
    with running(make_settings(**trouble)) as client:
        for _ in range(2):
            refused = post(client, "k", now)
            assert (refused.status_code, replayed(refused)) == (status, False)
        if status == 200:
            assert refused.json()["results"][0]["error"]["code"] == "deadline_exceeded"
    with running(make_settings()) as client:
        answer = post(client, "k", now)
        assert (replayed(answer), status_of(answer)) == (False, "ok")


def test_keys_belong_to_the_api_key_that_sent_them(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    settings = make_settings(auth="required")
    engine = open_database(settings.database)
    store = KeyStore(engine)
    tokens = [store.create(name, ["frames:write"], now=now)[0] for name in ("one", "two")]
    engine.dispose()
    with running(settings) as client:
        answers = [post(client, "same", now, **{"X-API-Key": token}) for token in tokens]
        assert [(replayed(a), status_of(a)) for a in answers] == [
            (False, "ok"),
            (False, "duplicate"),
        ]
        # Who may not come in gets no kept answer either.
        assert post(client, "same", now).status_code == 401
        assert replayed(post(client, "same", now, **{"X-API-Key": tokens[0]}))


def test_after_a_day_a_key_is_new_again(make_settings: Callable[..., Settings]) -> None:
    moment = [datetime(2026, 3, 1, 8, 0, tzinfo=UTC)]
    ts = moment[0]
    with running(make_settings(), now=lambda: moment[0]) as client:
        post(client, "k", ts)
        moment[0] += timedelta(hours=23, minutes=59)
        assert replayed(post(client, "k", ts))
        moment[0] += timedelta(minutes=2)
        fresh = post(client, "k", ts)
        assert (replayed(fresh), status_of(fresh)) == (False, "duplicate")
        assert replayed(post(client, "k", ts))


def test_old_answers_go_by_age_and_by_size_of_each_client(tmp_path: Path) -> None:
    moment = [datetime(2026, 3, 1, 8, 0, tzinfo=UTC)]
    store = Store.open(f"sqlite:///{tmp_path / 'x.db'}", lambda: moment[0])
    for number in range(6):
        client = "big" if number % 2 else "small"
        body = b"x" if client == "small" else bytes(range(256)) * 16
        store.write([AnswerChange(client, f"k{number}", "f" * 64, 200, {}, body)])
        moment[0] += timedelta(hours=1)

    def left() -> list[int]:
        names = [("big" if n % 2 else "small", f"k{n}") for n in range(6)]
        found = [find_answer(store.engine, *name, moment[0]) for name in names]
        return [n for n, answer in enumerate(found) if answer is not None]

    assert left() == [0, 1, 2, 3, 4, 5]
    store.write([PruneAnswers(moment[0] - timedelta(days=1), max_bytes=3_000)])
    assert left() == [0, 1, 2, 3, 4, 5]
    store.write([PruneAnswers(moment[0] - timedelta(hours=4, minutes=30))])
    assert left() == [2, 3, 4, 5]
    store.write([PruneAnswers(moment[0] - timedelta(days=1), max_bytes=1_100)])
    assert left() == [2, 4, 5]
    store.close()


def test_the_openapi_document_shows_it_at_the_doors_that_heed_it(refusing: httpx.Client) -> None:
    paths = refusing.get("/openapi.json").json()["paths"]
    with_key = {
        path
        for path, doors in paths.items()
        for door in doors.values()
        if any(p["name"] == "Idempotency-Key" for p in door.get("parameters", []))
    }
    assert with_key >= {DOOR, "/v1/transcripts:batch", "/v1/transcripts/{transcript_id}/feedback"}
    # Its answer is unmasked: not to be kept.
    assert "/v1/transcripts/{transcript_id}/original:read" not in with_key
    door = paths[DOOR]["post"]
    assert {"400", "409", "422"} <= set(door["responses"])
    assert "Idempotent-Replayed" in door["responses"]["200"]["headers"]
