"""API keys over real HTTP: who comes in, for what, how often, and what is noted of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from delivery_support import until
from serve_support import entry, picture, post_frames, running

from xiaozheng.cli.main import run as command
from xiaozheng.config.errors import InputError
from xiaozheng.serve.app import create_app
from xiaozheng.serve.database import open_database
from xiaozheng.serve.security.key_store import KeyStore
from xiaozheng.serve.security.policy import PUBLIC, door_of
from xiaozheng.serve.settings import Settings

NOBODY = {"authorization": "Bearer xz_000000000000_" + "A" * 43}


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings(auth="required")


@pytest.fixture
def store(settings: Settings) -> Iterator[KeyStore]:
    settings.var.mkdir()
    engine = open_database(settings.database)
    yield KeyStore(engine)
    engine.dispose()


def make(store: KeyStore, *scopes: str, **more: Any) -> str:
    return store.create("test", scopes, now=datetime.now(UTC), **more)[0]


def test_nobody_comes_in_without_a_key_and_a_key_opens_only_its_doors(
    settings: Settings, store: KeyStore, now: datetime
) -> None:
    gateway, reader = make(store, "frames:write"), make(store, "incidents:read")
    with running(settings) as client:
        for path in ("/v1/incidents", "/v1/events", "/metrics", "/v1/webhooks", "/v1/key", "/v9"):
            refused = client.get(path)
            assert (refused.status_code, refused.json()["code"]) == (401, "no_key"), path
            assert refused.headers["www-authenticate"].startswith("Bearer")
            assert refused.json()["detail_zh"] == "需要访问密钥"
        assert post_frames(client, [entry(0, now)], {"f0": picture()}).status_code == 401
        for path in ("/healthz", "/readyz", "/openapi.json", "/"):
            assert client.get(path).status_code == 200, path

        client.headers = httpx.Headers(bearer(gateway))
        assert post_frames(client, [entry(0, now)], {"f0": picture()}).status_code == 200
        refused = client.get("/v1/incidents")
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
        assert "incidents:read" in refused.json()["detail"]
        assert client.get("/v1/key").json()["scopes"] == ["frames:write"]
        client.headers = httpx.Headers({"x-api-key": reader})
        assert client.get("/v1/incidents").status_code == 200
        original = client.get("/v1/incidents/x/evidence/at?original=true")
        assert (original.status_code, original.json()["code"]) == (403, "scope_missing")
        assert "evidence:originals" in original.json()["detail"]


@pytest.mark.parametrize("wrong", ["", "x", "xz_", "密钥"])
def test_a_wrong_key_is_refused_even_where_none_is_needed(client: httpx.Client, wrong: str) -> None:
    assert client.get("/v1/incidents").status_code == 200
    assert client.get("/v1/incidents", headers=NOBODY).json()["code"] == "bad_key"
    headers = {b"authorization": b"Bearer xz_x" + wrong.encode()}
    assert client.get("/v1/incidents", headers=headers).status_code == 401


def test_keys_end_by_time_and_by_revocation_and_overlap_while_they_rotate(
    settings: Settings, store: KeyStore, capsys: pytest.CaptureFixture[str]
) -> None:
    in_a_bit = datetime.now(UTC) + timedelta(seconds=2)
    short = make(store, "events:read", expires_at=in_a_bit)
    token, key = store.create("old", ["events:read"], now=datetime.now(UTC))
    where = ["--var", str(settings.var)]
    with running(settings) as client:

        def code(token: str) -> str | None:
            answer = client.get("/v1/events", headers=bearer(token))
            return answer.json().get("code") if answer.status_code == 401 else None

        assert code(short) is None
        until(lambda: code(short) == "key_expired")
        assert command(["keys", "rotate", key.id, "--overlap", "1h", "--json", *where]) == 0
        new = json.loads(capsys.readouterr().out)
        until(lambda: code(new["token"]) is None)
        assert code(token) is None
        assert command(["keys", "revoke", key.id, *where]) == 0
        until(lambda: code(token) == "key_revoked")
        assert code(new["token"]) is None
    assert command(["keys", "rotate", key.id, *where]) == 2
    replaced = {key.id: key for key in store.all()}[new["id"]]
    assert (replaced.replaces, replaced.name) == (key.id, "old")
    assert replaced.last_used_at is not None


def test_a_key_that_asks_too_often_waits_and_others_do_not(
    settings: Settings, store: KeyStore
) -> None:
    eager = make(store, "events:read", rate_per_s=0.01, burst=3)
    calm = make(store, "events:read")
    with running(settings) as client:
        answers = [client.get("/v1/events", headers=bearer(eager)) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert answers[-1].json()["code"] == "rate_limited"
        assert 50 < int(answers[-1].headers["retry-after"]) <= 100
        refused = [client.get("/v1/events", headers=NOBODY).status_code for _ in range(80)]
        assert refused[0] == 401
        assert set(refused) == {401, 429}
        assert client.get("/v1/events", headers=bearer(calm)).status_code == 200


def test_what_was_done_and_refused_is_noted_and_no_token_is_kept_anywhere(
    settings: Settings, store: KeyStore, capsys: pytest.CaptureFixture[str], now: datetime
) -> None:
    token = make(store, "frames:write")
    with running(settings) as client:
        for _ in range(3):
            client.get("/v1/incidents/secret-name", headers=bearer(token))
        post_frames_as(client, token, now)
    assert command(["keys", "log", "--var", str(settings.var), "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    seen = {(e["action"], e["outcome"], e["count"]) for e in entries}
    assert ("GET /v1/incidents/…", "403 scope_missing", 3) in seen
    assert ("POST /v1/frames:batch", "200", 1) in seen
    assert ("keys create", "ok", 1) in seen
    secret = token.split("_", 2)[2].encode()
    files = [file for file in settings.var.rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if secret in file.read_bytes()]
    assert command(["keys", "list", "--var", str(settings.var)]) == 0
    shown = capsys.readouterr().out
    assert "有效" in shown
    assert token not in shown


def post_frames_as(client: httpx.Client, token: str, now: datetime) -> None:
    client.headers = httpx.Headers(bearer(token))
    assert post_frames(client, [entry(0, now)], {"f0": picture()}).status_code == 200


def test_every_door_has_its_scope(make_settings: Callable[..., Settings]) -> None:
    """A door nobody thought of asks for `admin`; none in the document may be such."""
    for path, methods in create_app(make_settings()).openapi()["paths"].items():
        for method in methods:
            door = door_of(method.upper(), path, "")
            assert door.scope != "admin", (method, path)
            health = {"/healthz", "/readyz", "/v2", "/v2/health/live", "/v2/health/ready"}
            assert door.scope != PUBLIC or path in health, path
    assert door_of("DELETE", "/v1/incidents/x", "").scope == "admin"
    assert door_of("GET", "/v1/incidents/x/evidence/at", "original=1&original=0").scope == (
        "evidence:originals"
    )


@pytest.mark.parametrize("scopes", [["all"], []])
def test_a_scope_that_does_not_exist_is_refused(
    settings: Settings, store: KeyStore, scopes: list[str]
) -> None:
    with pytest.raises(InputError, match="scope"):
        make(store, *scopes)
    past = datetime.now(UTC) - timedelta(days=1)
    with pytest.raises(InputError, match="later than now"):
        make(store, "admin", expires_at=past)


def test_a_service_that_needs_keys_does_not_start_without_one(
    settings: Settings, tmp_path: Path
) -> None:
    options = ["--auth", "required", "--var", str(tmp_path / "v"), "--router", "", "--port", "0"]
    assert command(["serve", *options]) == 2
