"""Webhooks: real receiver processes, a real store, and a service that is killed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from delivery_support import (
    LOOPBACK,
    delivering,
    free_port,
    in_order,
    life,
    receiver,
    taken,
    taken_whole,
    until,
)
from serve_support import ServerProcess
from test_api_events import park

from xiaozheng.cli.main import run as command
from xiaozheng.config.errors import ConfigError, InputError
from xiaozheng.serve.batcher import Batcher
from xiaozheng.serve.changes import Change
from xiaozheng.serve.delivery.config import Delivery, load_delivery
from xiaozheng.serve.delivery.courier import pause_after
from xiaozheng.serve.delivery.feed import Feed
from xiaozheng.serve.delivery.service import DeliveryService
from xiaozheng.serve.delivery.signing import secret_bytes
from xiaozheng.serve.security.targets import ForbiddenTargetError, Targets
from xiaozheng.serve.settings import Settings
from xiaozheng.serve.store import Store

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
ALL = [f"i{n:02}" for n in range(20)]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def settings_file(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HUB_SECRET", SECRET)
    return write_settings(tmp_path, port)


def write_settings(folder: Path, port: int, more: str = "") -> Path:
    file = folder / "delivery.yaml"
    file.write_text(
        f"{LOOPBACK}webhooks:\n"
        f"- {{id: hub, url: 'http://127.0.0.1:{port}/hook', secrets: ['env:HUB_SECRET'],"
        f" since: start{more}}}\n"
    )
    return file


def test_one_incident_that_is_refused_holds_back_nothing_else_and_can_be_replayed(
    tmp_path: Path, settings_file: Path, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dead after the bound, what follows of it goes on, and a replay brings the dead."""
    write_settings(tmp_path, port, ", give_up_s: 2")
    url, folder = f"sqlite:///{tmp_path / 'x.db'}", tmp_path / "hub"
    folder.mkdir()
    (folder / "refused").write_text("i03")

    async def tell() -> None:
        async with delivering(url, settings_file) as (store, service):
            for n, name in enumerate(ALL):
                store.write([life(name, minute=n)])
            await asyncio.to_thread(until, lambda: len(taken(folder)) == 38)
            assert {e["subject"] for e in taken(folder)} == set(ALL) - {"i03"}
            await asyncio.to_thread(until, lambda: len(service.ledger.dead()) == 2)
            (folder / "refused").unlink()
            assert command(["webhooks", "dead", "webhook:hub", "--db-url", url]) == 0
            assert "answered 500" in capsys.readouterr().out
            assert command(["webhooks", "replay", "webhook:hub", "--db-url", url]) == 0
            await asyncio.to_thread(until, lambda: len(taken(folder)) == 40)

    with receiver(folder, port):
        asyncio.run(tell())
    events = taken(folder)
    assert len({event["id"] for event in events}) == 40
    assert in_order(events)
    assert command(["webhooks", "list", "--db-url", url, "--json"]) == 0
    assert '"after": 40,\n    "waiting": 0,\n    "dead": 0' in capsys.readouterr().out


def test_deliveries_are_signed_as_the_standard_says(
    tmp_path: Path, settings_file: Path, port: int
) -> None:
    folder = tmp_path / "hub"
    with receiver(folder, port):
        assert command(["webhooks", "test", "hub", "--delivery", str(settings_file)]) == 0
    (got,) = taken_whole(folder)
    headers, body = got["headers"], got["body"]
    content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}"
    digest = hmac.new(b"s" * 32, content.encode(), hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    assert headers["content-type"].startswith("application/cloudevents+json")
    age_s = datetime.now(UTC).timestamp() - int(headers["webhook-timestamp"])
    assert 0 <= age_s < 60
    assert command(["webhooks", "test", "hub", "--delivery", str(settings_file)]) == 1


def test_receiver_away_and_service_killed_meanwhile_and_all_is_delivered_in_order(
    make_settings: Callable[..., Settings],
    tmp_path: Path,
    settings_file: Path,
    port: int,
    now: datetime,
) -> None:
    """Killed while nobody answers, and again in the middle of delivering."""
    folder = tmp_path / "hub"
    settings = make_settings(delivery=settings_file)
    with ServerProcess(settings) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        for minutes in (60, 50, 40):
            park(client, now - timedelta(minutes=minutes))
        (hub,) = client.get("/v1/webhooks").json()["receivers"]
        assert (hub["sink"], hub["behind"] + hub["waiting"] > 0) == ("webhook:hub", True)
        server.kill()
    with receiver(folder, port):
        with ServerProcess(settings) as server:
            until(lambda: taken(folder))
            server.kill()
        with ServerProcess(settings) as server, httpx.Client(base_url=server.url) as client:
            until(lambda: len({event["id"] for event in taken(folder)}) == 6)
            stored = client.get("/v1/events").json()["events"]
    events = taken(folder)
    assert in_order(events)
    told = {event["id"]: event for event in events}
    assert [told[event["id"]] for event in stored] == stored


def test_redirects_are_not_followed(tmp_path: Path, settings_file: Path, port: int) -> None:
    file = tmp_path / "delivery.yaml"
    file.write_text(file.read_text().replace("/hook", "/elsewhere"))
    with receiver(tmp_path / "hub", port):
        assert command(["webhooks", "test", "hub", "--delivery", str(file)]) == 1
    assert taken(tmp_path / "hub") == []


PUBLIC = ("93.184.215.14", "2606:2800:21f::1")
INSIDE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1",
    "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:a00:1::1",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside_are_refused_unless_allowed(address: str) -> None:
    parsed = ipaddress.ip_address(address)
    with pytest.raises(ForbiddenTargetError, match="not public"):
        Targets().check("hub", [parsed], secure=True)
    with pytest.raises(ForbiddenTargetError, match="not public"):
        Targets().check("hub", [ipaddress.ip_address(PUBLIC[0]), parsed], secure=True)


def test_public_addresses_need_tls_and_allowed_ones_do_not() -> None:
    public = [ipaddress.ip_address(address) for address in PUBLIC]
    Targets().check("hub", public, secure=True)
    with pytest.raises(ForbiddenTargetError, match="https"):
        Targets().check("hub", public, secure=False)
    inside = [ipaddress.ip_address("::ffff:10.1.2.3")]
    Targets((ipaddress.ip_network("10.0.0.0/8"),)).check("hub", inside, secure=False)


def test_a_name_that_leads_inside_is_refused_after_it_was_resolved() -> None:
    with pytest.raises(ForbiddenTargetError, match=r"127\.0\.0\.1|::1"):
        asyncio.run(Targets().resolve("localhost", 443, secure=True))


def test_pauses_grow_up_to_a_bound() -> None:
    for tries in (0, 3, 9, 10, 50, 10_000):
        full = min(900.0, 2.0 ** min(tries, 60))
        assert full / 2 <= pause_after(tries) <= full


@pytest.mark.parametrize(
    ("hook", "named"),
    [
        ({"url": "ftp://x/"}, "http"),
        ({"url": "https://u:p@x/"}, "password"),
        ({"secrets": ["whsec_abc"]}, "env:NAME"),
        ({"secrets": []}, "at least 1"),
        ({"id": "a b"}, "pattern"),
    ],
)
def test_wrong_settings_are_named_with_their_line(
    tmp_path: Path, hook: dict[str, Any], named: str
) -> None:
    whole = {"id": "hub", "url": "https://x/", "secrets": ["env:A"]} | hook
    lines = "".join(f"  {key}: {value!r}\n" for key, value in whole.items())
    file = tmp_path / "d.yaml"
    file.write_text("webhooks:\n-\n" + lines)
    with pytest.raises(ConfigError, match=rf"d\.yaml:\d+: .*{named}"):
        load_delivery(file)


def test_a_secret_that_is_short_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="24 bytes"):
        secret_bytes("whsec_c2hvcnQ=")
    told = Delivery.model_validate(
        {"webhooks": [{"id": "a", "url": "https://x/", "secrets": ["file:/nowhere"]}]}
    )
    store = Store.open(f"sqlite:///{tmp_path / 'x.db'}")
    writer: Batcher[Change, None] = Batcher("store", lambda: lambda items: [None] * len(items))
    with pytest.raises(InputError, match="file:/nowhere cannot be read"):
        DeliveryService(
            told,
            store=store,
            feed=Feed(store, 0),
            writer=writer,
            cameras=(),
            now=lambda: datetime.now(UTC),
        )
    store.close()
