"""`POST /v1/frames:batch` through a real socket, a real model session and a real database."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from serve_support import entry, metrics_of, picture, post_frames, running

from xiaozheng.serve.settings import Settings

PARKED = picture(("car", 2, 3))
EMPTY = picture()


def play(
    client: httpx.Client, start: datetime, frames: dict[int, bytes], camera_id: str = "cam-1"
) -> list[dict[str, Any]]:
    """Post pictures at seconds after `start` as one batch; its results."""
    entries = [entry(s, start + timedelta(seconds=s), camera_id) for s in frames]
    response = post_frames(client, entries, {f"f{s}": data for s, data in frames.items()})
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def parked_car(until_s: int, gone_until_s: int) -> dict[int, bytes]:
    """An empty street for 3 s, a car until `until_s`, an empty street again."""
    return {s: PARKED if 3 <= s < until_s else EMPTY for s in range(max(until_s, gone_until_s))}


def test_detections_are_answered_in_pixels_of_the_frame(
    client: httpx.Client, now: datetime
) -> None:
    (result,) = play(client, now, {0: picture(("car", 2, 3), ("person", 8, 1))})
    assert result["status"] == "ok"
    found = {d["label"]: d["box"] for d in result["detections"]}
    assert found["car"] == pytest.approx([128, 192, 192, 256], abs=2)
    assert found["person"] == pytest.approx([512, 64, 576, 128], abs=2)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_three_formats_are_taken(client: httpx.Client, now: datetime, suffix: str) -> None:
    (result,) = play(client, now, {0: picture(("car", 0, 0), suffix=suffix)})
    assert [d["label"] for d in result["detections"]] == ["car"]


def test_a_parked_car_becomes_one_incident_with_three_pictures(
    client: httpx.Client, now: datetime
) -> None:
    start = now - timedelta(seconds=120)
    results = play(client, start, parked_car(30, 70))
    changes = [(r["index"], i["state"], i["id"]) for r in results for i in r["incidents"]]
    assert [state for _, state, _ in changes] == ["open", "ended"]
    incident_id = changes[0][2]
    assert changes[1][2] == incident_id

    (listed,) = client.get("/v1/incidents").json()["items"]
    assert listed["id"] == incident_id
    assert listed["state"] == "ended"
    assert (listed["kind"], listed["kind_zh"], listed["code"]) == (
        "illegal_parking",
        "机动车违停",
        "0505",
    )
    assert (listed["camera_name"], listed["zone_name"]) == ("建设路北口", "东侧路缘")
    assert listed["model"] == "colours@1.0.0"
    onset = datetime.fromisoformat(listed["onset_at"])
    assert abs((onset - start).total_seconds() - 3) <= 1.5
    opened = datetime.fromisoformat(listed["opened_at"])
    assert (opened - onset).total_seconds() == pytest.approx(10, abs=1.5)

    whole = client.get(f"/v1/incidents/{incident_id}").json()
    assert [step["state"] for step in whole["journal"]] == ["suspected", "open", "ended"]
    assert {e["moment"] for e in whole["evidence"]} == {"before", "at", "after"}
    for evidence in whole["evidence"]:
        response = client.get(evidence["url"])
        assert response.headers["content-type"] == "image/jpeg"
        assert response.content[:2] == b"\xff\xd8"
        assert response.headers["etag"] == f'"{evidence["sha256"]}"'
        again = client.get(evidence["url"], headers={"If-None-Match": response.headers["etag"]})
        assert again.status_code == 304
        assert again.content == b""


def test_frames_of_a_request_are_taken_in_media_time_order(
    client: httpx.Client, now: datetime
) -> None:
    start = now - timedelta(seconds=120)
    backwards = dict(reversed(parked_car(30, 70).items()))
    results = play(client, start, backwards)
    assert {r["status"] for r in results} == {"ok"}
    assert [r["index"] for r in results] == list(range(len(results)))
    assert len(client.get("/v1/incidents").json()["items"]) == 1


def test_repeated_and_late_frames_change_nothing(client: httpx.Client, now: datetime) -> None:
    start = now - timedelta(seconds=120)
    play(client, start, parked_car(30, 20))
    before = client.get("/v1/incidents").json()
    again = play(client, start, parked_car(30, 20))
    assert [r["status"] for r in again] == ["late"] * 29 + ["duplicate"]
    assert all(r["incidents"] == [] and r["detections"] is None for r in again)
    assert client.get("/v1/incidents").json() == before


def test_one_bad_frame_fails_alone(client: httpx.Client, now: datetime) -> None:
    """Every way a single frame can be bad, in one batch, between good ones."""
    huge_png = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + (30_000).to_bytes(4) * 2
    huge_png += bytes.fromhex("0802000000")
    old, ahead = now - timedelta(days=8), now + timedelta(seconds=90)
    cases: list[tuple[dict[str, Any], bytes, str]] = [
        ({}, PARKED[: len(PARKED) // 2], "truncated"),
        ({}, huge_png, "too_many_pixels"),
        ({}, b"just some text, called .jpg", "unsupported_format"),
        ({}, b"", "empty"),
        ({"camera_id": "nobody"}, PARKED, "unknown_camera"),
        ({"ts": ahead.isoformat()}, PARKED, "ts_in_future"),
        ({"ts": old.isoformat()}, PARKED, "ts_too_old"),
        ({"ts": "2026-01-01T10:00:00"}, PARKED, "bad_ts"),
        ({"ts": "yesterday"}, PARKED, "bad_ts"),
        ({"seq": "seven"}, PARKED, "bad_metadata"),
        ({"seq": -1}, PARKED, "bad_metadata"),
        ({"camera_id": None}, PARKED, "bad_metadata"),
        ({"camera_id": "x" * 100_000}, PARKED, "bad_metadata"),
        ({"camera_id": "\ud83d"}, PARKED, "bad_metadata"),
        ({"camera_id": "a\x00b"}, PARKED, "bad_metadata"),
        ({"seq": 10**30}, PARKED, "bad_metadata"),
    ]
    entries, pictures = [], {}
    for n, (change, data, _) in enumerate([({}, PARKED, ""), *cases, ({}, PARKED, "")]):
        entries.append({**entry(n, now + timedelta(milliseconds=n)), **change})
        pictures[f"f{n}"] = data
    response = post_frames(client, entries, pictures)
    assert response.status_code == 200
    results = response.json()["results"]
    assert results[0]["status"] == results[-1]["status"] == "ok"
    assert [r["index"] for r in results] == list(range(len(cases) + 2))
    for result, (_, _, code) in zip(results[1:-1], cases, strict=True):
        assert result["status"] == "error"
        assert result["error"]["code"] == code
        assert result["error"]["message"]
        assert any("\u4e00" <= c <= "\u9fff" for c in result["error"]["message_zh"])
    assert "no camera 'nobody'" in results[5]["error"]["message"]
    assert "seq" in results[10]["error"]["message"]


ONE = {"f0": PARKED}
TS = "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("entries", "pictures", "status", "code", "named"),
    [
        ("[]", {}, 400, "empty_batch", "no frames"),
        ('[{"camera_id": "cam-1",\n  oops]', ONE, 400, "invalid_json", "line 2, column 3"),
        (b'[{"camera_id": "\xff"}]', ONE, 400, "invalid_utf8", "byte 16"),
        ('{"camera_id": "cam-1"}', ONE, 400, "invalid_metadata", "list"),
        ("7", ONE, 400, "invalid_metadata", "number"),
        ("NaN", ONE, 400, "invalid_json", "NaN"),
        ("[" * 100_000, ONE, 400, "invalid_json", "metadata"),
        ([7], ONE, 422, "invalid_metadata", "metadata[0].part"),
        ([{"camera_id": "cam-1"}], ONE, 422, "invalid_metadata", "metadata[0].part"),
        ([entry(0, TS), entry(1, TS)], ONE, 422, "missing_part", "metadata[1].part"),
        ([entry(0, TS)], {**ONE, "f9": PARKED}, 422, "unused_part", "'f9'"),
        ([entry(0, TS), entry(0, TS)], ONE, 422, "duplicate_part", "metadata[1].part"),
        ([entry(n, TS) for n in range(300)], ONE, 413, "too_many_items", "300"),
        ([{**entry(0, TS), "part": "\ud83d"}], ONE, 422, "missing_part", "metadata[0].part"),
        ([{**entry(0, TS), "part": "p" * 99_999}], ONE, 422, "missing_part", "ppp…"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_whole(
    refusing: httpx.Client,
    entries: Any,
    pictures: dict[str, bytes],
    status: int,
    code: str,
    named: str,
) -> None:
    response = post_frames(refusing, entries, pictures)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert named in problem["detail"]
    assert problem["detail_zh"]


def test_ten_thousand_frames_are_too_many(refusing: httpx.Client) -> None:
    response = post_frames(
        refusing, [entry(n, TS) for n in range(10_000)], {f"f{n}": b"x" for n in range(10_000)}
    )
    assert response.status_code == 413
    assert response.json()["code"] == "too_many_items"


def test_two_parts_of_one_name_are_refused(refusing: httpx.Client) -> None:
    files: list[tuple[str, Any]] = [
        ("metadata", (None, json.dumps([entry(0, TS)]))),
        ("f0", ("a.jpg", PARKED)),
        ("f0", ("b.jpg", EMPTY)),
    ]
    response = refusing.post("/v1/frames:batch", files=files)
    assert (response.status_code, response.json()["code"]) == (422, "duplicate_part")


def test_metadata_must_be_there(refusing: httpx.Client) -> None:
    response = refusing.post("/v1/frames:batch", files=[("f0", ("a.jpg", PARKED))])
    assert (response.status_code, response.json()["code"]) == (400, "missing_metadata")


@pytest.mark.parametrize(
    ("content_type", "status", "code"),
    [
        ("application/json", 415, "unsupported_media_type"),
        ("", 415, "unsupported_media_type"),
        ("multipart/form-data", 400, "bad_multipart"),
        ("multipart/form-data; boundary=b", 400, "bad_multipart"),
    ],
)
def test_what_is_not_multipart_is_refused(
    refusing: httpx.Client, content_type: str, status: int, code: str
) -> None:
    response = refusing.post(
        "/v1/frames:batch", content=b"[]", headers={"Content-Type": content_type}
    )
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_form_that_is_cut_off_is_refused(refusing: httpx.Client) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n[]'
    response = refusing.post(
        "/v1/frames:batch",
        content=body,
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert response.status_code == 400
    assert "cut off" in response.json()["detail"]


@pytest.mark.parametrize("chunked", [True, False])
def test_bodies_are_capped_whether_their_length_is_declared_or_not(
    make_settings: Callable[..., Settings], chunked: bool
) -> None:
    with running(make_settings(max_body_bytes=100_000)) as client:
        body = b"x" * 150_000
        content: Any = iter([body[:75_000], body[75_000:]]) if chunked else body
        response = client.post(
            "/v1/frames:batch",
            content=content,
            headers={"Content-Type": "multipart/form-data; boundary=b"},
        )
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


def test_callers_share_batches(make_settings: Callable[..., Settings], now: datetime) -> None:
    with running(make_settings(max_batch=16)) as client, ThreadPoolExecutor(24) as pool:

        def call(n: int) -> int:
            moment = now + timedelta(milliseconds=n)
            answer = post_frames(client, [entry(n, moment, "cam-2")], {f"f{n}": PARKED})
            return answer.status_code

        assert set(pool.map(call, range(240))) == {200}
        values = metrics_of(client)
        frames = values['xiaozheng_frames_total{status="ok"}'] + values.get(
            'xiaozheng_frames_total{status="late"}', 0
        )
        assert frames == 240
        batches = values['xiaozheng_batch_size_count{batcher="detector"}']
        assert values['xiaozheng_batch_size_sum{batcher="detector"}'] == 240
        assert batches < 240, "some batches held frames of several callers"


def test_a_full_queue_answers_429_with_retry_after(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    """20 callers of 8 frames each against a queue of 8: some must be refused, whole."""
    settings = make_settings(max_queue=8, max_frames=8, max_batch=1)
    with running(settings) as client, ThreadPoolExecutor(20) as pool:

        def call(n: int) -> httpx.Response:
            start = now - timedelta(hours=1) + timedelta(seconds=10 * n)
            entries = [entry(i, start + timedelta(seconds=i), "cam-2") for i in range(8)]
            return post_frames(client, entries, {f"f{i}": PARKED for i in range(8)})

        answers = list(pool.map(call, range(60)))
        refused = [a for a in answers if a.status_code == 429]
        served = [a for a in answers if a.status_code == 200]
        assert len(refused) + len(served) == 60
        assert refused
        assert served
        for answer in refused:
            assert int(answer.headers["retry-after"]) >= 1
            assert answer.json()["code"] == "busy"
        done = [r["status"] for a in served for r in a.json()["results"]]
        assert set(done) <= {"ok", "late", "duplicate"}
        taken = metrics_of(client)['xiaozheng_batch_size_sum{batcher="detector"}']
        assert taken == 8 * len(served), "no work was done for refused requests"
