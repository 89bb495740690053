"""Health, readiness, metrics, OpenAPI and the outer layer."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from serve_support import entry, metrics_of, picture, post_frames, running

from xiaozheng.config.errors import ConfigError, ModelError
from xiaozheng.serve.app import create_app
from xiaozheng.serve.settings import Settings


def test_health_readiness_and_models(client: httpx.Client) -> None:
    assert client.get("/healthz").text == "ok\n"
    ready = client.get("/readyz")
    assert ready.status_code == 200
    body = ready.json()
    assert body["ready"] is True
    assert body["checks"]["database"]["ok"]
    assert body["checks"]["detector"] == {
        "ok": True,
        "detail": "colours@1.0.0 (onnxruntime)",
        "refused": None,
    }


def test_a_spoilt_database_is_told_and_nothing_is_lost_silently(
    make_settings: Callable[..., Settings], tmp_path: Path, now: datetime
) -> None:
    """The file is overwritten under the running service: it stays alive, says that it is not
    ready, and does not claim to have stored a frame."""
    with running(make_settings(db_url=f"sqlite:///{tmp_path}/x.db")) as client:
        assert client.get("/readyz").status_code == 200
        for file in tmp_path.glob("x.db*"):
            file.write_bytes(b"poem " * 20_000)
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["checks"]["database"]["ok"] is False
        assert ready.json()["checks"]["detector"]["ok"] is True
        (result,) = post_frames(client, [entry(0, now)], {"f0": picture()}).json()["results"]
        assert (result["status"], result["error"]["code"]) == ("error", "not_stored")
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/incidents").status_code == 503


def test_metrics_count_what_happened(client: httpx.Client, now: datetime) -> None:
    entries = [entry(0, now), entry(1, now)]
    post_frames(client, entries, {"f0": picture(), "f1": b"junk"})
    client.get("/v1/incidents/nobody")
    values = metrics_of(client)
    assert values['xiaozheng_frames_total{status="ok"}'] == 1
    assert values['xiaozheng_frames_total{status="error"}'] == 1
    assert values['xiaozheng_queue_items{batcher="detector"}'] == 0
    assert values['xiaozheng_worker_ready{batcher="detector"}'] == 1
    assert values['xiaozheng_detector_info{backend="onnxruntime",model="colours@1.0.0"}'] == 1
    route = 'method="GET",route="/v1/incidents/{incident_id}",status="404"'
    assert values[f"xiaozheng_http_requests_total{{{route}}}"] == 1


def test_invented_methods_do_not_become_labels(client: httpx.Client) -> None:
    for n in range(20):
        assert client.request(f"X{n}", "/healthz").status_code == 405
    methods = {name for name in metrics_of(client) if "http_requests_total" in name}
    assert len(methods) == 1
    assert 'method="other"' in methods.pop()


def test_openapi_describes_every_door(refusing: httpx.Client) -> None:
    spec = refusing.get("/openapi.json").json()
    assert set(spec["paths"]) >= {
        "/v1/frames:batch",
        "/v1/transcripts:batch",
        "/v1/incidents",
        "/v1/incidents/{incident_id}",
        "/v1/incidents/{incident_id}/evidence/{moment}",
        "/v1/cameras",
        "/v1/cameras/{camera_id}/view:learn",
        "/v1/events",
        "/v1/webhooks",
        "/v1/key",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    post = spec["paths"]["/v1/frames:batch"]["post"]
    form = post["requestBody"]["content"]["multipart/form-data"]
    assert form["encoding"]["metadata"]["contentType"] == "application/json"
    item = form["schema"]["properties"]["metadata"]["items"]
    assert item["required"] == ["camera_id", "ts", "seq", "part"]
    assert form["schema"]["additionalProperties"]["format"] == "binary"
    for status in ("400", "413", "415", "422", "429", "503"):
        assert list(post["responses"][status]["content"]) == ["application/problem+json"]
    for door in (post, spec["paths"]["/v1/events"]["get"], spec["paths"]["/metrics"]["get"]):
        assert {"401", "403", "429"} <= set(door["responses"])
        assert {"bearer": []} in door["security"]
    assert "security" not in spec["paths"]["/readyz"]["get"]
    listing = spec["paths"]["/v1/incidents"]["get"]
    names = {parameter["name"] for parameter in listing["parameters"]}
    assert names >= {"kind", "camera_id", "zone_id", "state", "since", "until", "limit", "cursor"}


def test_every_reference_of_the_openapi_document_leads_somewhere(refusing: httpx.Client) -> None:
    spec = refusing.get("/openapi.json").json()

    def references(node: object) -> set[str]:
        if isinstance(node, dict):
            own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
            return own.union(*(references(value) for value in node.values()))
        if isinstance(node, list):
            return set().union(*(references(value) for value in node))
        return set()

    found = references(spec)
    assert found
    for reference in found:
        node = spec
        for key in reference.removeprefix("#/").split("/"):
            node = node[key]


@pytest.mark.parametrize("path", ["/", "/v1/incidents", "/v1/nothing", "/console/app.js"])
def test_every_answer_has_secure_headers(refusing: httpx.Client, path: str) -> None:
    headers = refusing.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "script-src 'self'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers or "uvicorn" in headers["server"]


def test_other_names_and_other_sites_are_kept_out(refusing: httpx.Client) -> None:
    rebound = refusing.get("/v1/incidents", headers={"Host": "evil.example:8600"})
    assert (rebound.status_code, rebound.json()["code"]) == (403, "unknown_host")
    headers = {"Sec-Fetch-Site": "cross-site", "Content-Type": "multipart/form-data; boundary=b"}
    forged = refusing.post("/v1/frames:batch", content=b"", headers=headers)
    assert (forged.status_code, forged.json()["code"]) == (403, "cross_site")
    assert refusing.get("/healthz", headers={"Host": "localhost:1"}).status_code == 200


def test_a_half_that_is_off_says_so(refusing: httpx.Client) -> None:
    response = refusing.post("/v1/transcripts:batch", json=[{"id": "1", "text": "路灯坏了"}])
    assert (response.status_code, response.json()["code"]) == (503, "hotline_off")


async def _open(settings: Settings) -> None:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        raise AssertionError("it should not have started")


def test_it_does_not_start_on_a_broken_file(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("cameras:\n  - id: a\n    zones: [\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"broken\.yaml:\d+: broken YAML"):
        asyncio.run(_open(make_settings(cameras=broken)))


def test_it_does_not_start_with_an_altered_model(
    make_settings: Callable[..., Settings], tmp_path: Path, shelf: Path
) -> None:
    altered = tmp_path / "altered"
    shutil.copytree(shelf, altered)
    with (altered / "colours" / "1.0.0" / "model.onnx").open("ab") as model:
        model.write(b"more")
    with pytest.raises(ModelError, match="sha256"):
        asyncio.run(_open(make_settings(shelf=altered)))
