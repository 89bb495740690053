"""Open Inference Protocol v2, spoken as its stock clients speak it."""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from serve_support import entry, metrics_of, picture, post_frames, running

from xiaozheng.models.registry import Registry, default_shelf
from xiaozheng.serve.database import open_database
from xiaozheng.serve.security.key_store import KeyStore
from xiaozheng.serve.settings import Settings

LENGTH = "Inference-Header-Content-Length"
DETECTOR = "/v2/models/detector/infer"
NEEDS_ROUTER = pytest.mark.skipif(
    "router" not in Registry(default_shelf()).names(), reason="the shelf has no router yet"
)
TWO = picture(("car", 2, 3), ("person", 6, 1))
TEXTS = ["我们小区门口的垃圾桶满出来好几天了，味道很大", "路口的路灯不亮了，晚上很黑"]


def packed(items: list[bytes]) -> bytes:
    return b"".join(struct.pack("<I", len(item)) + item for item in items)


def unpacked(data: bytes) -> list[bytes]:
    items = []
    while data:
        size = 4 + struct.unpack("<I", data[:4])[0]
        items.append(data[4:size])
        data = data[size:]
    return items


def infer(
    client: httpx.Client, path: str, name: str, items: list[bytes], **more: Any
) -> httpx.Response:
    """A request as `tritonclient.http` sends it: BYTES behind the JSON, all outputs binary."""
    data = packed(items)
    tensor = {"name": name, "datatype": "BYTES", "shape": [len(items)]}
    tensor["parameters"] = {"binary_data_size": len(data)}
    head = {"inputs": [tensor], "parameters": {"binary_data_output": True}} | more
    text = json.dumps(head).encode()
    return client.post(path, content=text + data, headers={LENGTH: str(len(text))})


def tensors_of(response: httpx.Response) -> dict[str, Any]:
    """Outputs as a client reads them, from JSON or from behind it."""
    assert response.status_code == 200, response.text
    size = int(response.headers.get(LENGTH, len(response.content)))
    head, data = json.loads(response.content[:size]), response.content[size:]
    found = {}
    for output in head["outputs"]:
        kind, values = output["datatype"], output.get("data")
        if values is None:
            used = output["parameters"]["binary_data_size"]
            part, data = data[:used], data[used:]
            if kind == "BYTES":
                values = [item.decode() for item in unpacked(part)]
            else:
                values = np.frombuffer(part, {"FP32": "<f4", "INT32": "<i4"}[kind])
        found[output["name"]] = np.array(values).reshape(output["shape"])
    assert data == b""
    return found


@pytest.fixture(scope="module")
def hotline(
    tmp_path_factory: pytest.TempPathFactory, settings_in: Callable[..., Settings]
) -> Iterator[httpx.Client]:
    with running(settings_in(tmp_path_factory.mktemp("v2"), router="router")) as client:
        yield client


def test_pictures_give_boxes_in_their_own_pixels(client: httpx.Client) -> None:
    pictures = [picture(), TWO, picture(("bin", 0, 0), suffix=".png")]
    answer = infer(client, DETECTOR, "image", pictures, id="r-1")
    head = json.loads(answer.content[: int(answer.headers[LENGTH])])
    assert (head["id"], head["model_name"]) == ("r-1", "detector")
    found = tensors_of(answer)
    assert found["count"].tolist() == [0, 2, 1]
    assert found["boxes"].shape == (3, 2, 6)
    assert sorted(found["label"][1]) == ["car", "person"]
    assert found["label"][2].tolist() == ["bin", ""]
    car = found["boxes"][1][found["label"][1].tolist().index("car")]
    np.testing.assert_allclose(car[:4], [128, 192, 192, 256], atol=8)
    assert found["boxes"][0].tolist() == [[0, 0, 0, 0, 0, -1]] * 2
    # The same through JSON alone.
    tensor = {
        "name": "image",
        "datatype": "BYTES",
        "shape": [1, 1],
        "parameters": {"content_type": "base64"},
        "data": [[base64.b64encode(TWO).decode()]],
    }
    plain = client.post(DETECTOR, json={"inputs": [tensor], "outputs": [{"name": "boxes"}]})
    assert LENGTH not in plain.headers
    (boxes,) = tensors_of(plain).values()
    np.testing.assert_allclose(boxes[0], found["boxes"][1])


def test_it_shares_the_queue_with_frames_but_leaves_no_trace(
    client: httpx.Client, now: Any
) -> None:
    infer(client, DETECTOR, "image", [TWO] * 4)
    assert client.get("/v1/cameras").json()["cameras"][0]["last_frame_at"] is None
    assert post_frames(client, [entry(0, now)], {"f0": TWO}).status_code == 200
    values = metrics_of(client)
    assert values['xiaozheng_batch_size_sum{batcher="detector"}'] == 5
    assert values['xiaozheng_frames_total{status="ok"}'] == 1


@NEEDS_ROUTER
def test_texts_give_departments_and_are_not_remembered(hotline: httpx.Client) -> None:
    path = "/v2/models/router/infer"
    found = tensors_of(infer(hotline, path, "text", [text.encode() for text in TEXTS]))
    v1 = hotline.post(
        "/v1/transcripts:batch", json=[{"id": str(n), "text": t} for n, t in enumerate(TEXTS)]
    ).json()["results"]
    for row, result in enumerate(v1):
        suggestion, best = result["suggestion"], result["suggestion"]["departments"]
        assert found["department"][row].tolist() == [one["code"] for one in best]
        np.testing.assert_allclose(
            found["probability"][row], [one["probability"] for one in best], atol=1e-4
        )
        assert found["assigned"][row] == result["department"]
        assert found["decision"][row] == suggestion["decision"]["verdict"]
        assert found["category"][row] == suggestion["category"]
        # What was only asked is no call that a later one could join.
        assert result["proposals"] == []
    assert {call["id"] for call in hotline.get("/v1/transcripts").json()["items"]} == {"0", "1"}
    tensor = {"name": "text", "datatype": "BYTES", "shape": [2], "data": TEXTS}
    title = {"name": "title", "datatype": "BYTES", "shape": [2], "data": ["垃圾", "路灯"]}
    asked = {"inputs": [tensor, title], "outputs": [{"name": "decision"}]}
    assert list(tensors_of(hotline.post(path, json=asked))) == ["decision"]
    broken = infer(hotline, path, "text", [TEXTS[0].encode(), b"\xb5\xc6"])
    assert (broken.status_code, broken.json()) == (
        400,
        {"error": "invalid_utf8: text[1]: invalid UTF-8 at byte 0"},
    )


def test_the_server_and_its_models_say_what_they_are(client: httpx.Client) -> None:
    assert client.get("/v2").json()["extensions"] == ["binary_tensor_data"]
    assert client.get("/v2/health/live").status_code == 200
    assert client.get("/v2/health/ready").json() == {"ready": True}
    model = client.get("/v2/models/detector").json()
    assert model["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
    (version,) = model["versions"]
    of_version = f"/v2/models/detector/versions/{version}"
    assert client.get(of_version).json() == model
    assert client.get(f"{of_version}/ready").status_code == 200
    assert client.get("/v2/models/detector/ready").status_code == 200
    assert tensors_of(infer(client, f"{of_version}/infer", "image", [TWO]))["count"] == [2]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        # The hotline is off in this service.
        ("/v2/models/router", 404, "unknown_model"),
        ("/v2/models/router/ready", 404, "unknown_model"),
        ("/v2/models/detector/versions/0.0.0", 404, "unknown_version"),
        ("/v2/models/detector/versions/0.0.0/ready", 404, "unknown_version"),
        ("/v2/repository/index", 404, "no_such_page"),
        (DETECTOR, 405, "method_not_allowed"),
    ],
)
def test_errors_have_the_protocols_form(
    refusing: httpx.Client, path: str, status: int, words: str
) -> None:
    answer = refusing.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json")
    (error,) = answer.json().values()
    assert error.startswith(f"{words}: ")
    assert answer.headers["x-content-type-options"] == "nosniff"


IMAGE = {"name": "image", "datatype": "BYTES", "shape": [1], "data": ["x"]}


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ([IMAGE], "unsupported_format: image[0]"),
        ([IMAGE | {"data": [""]}], "empty: image[0]"),
        ([IMAGE | {"datatype": "FP32"}], "BYTES is wanted"),
        ([IMAGE | {"shape": [2]}], "1 elements are given, the shape says 2"),
        ([IMAGE | {"shape": [1, 2]}], "a shape [N]"),
        ([IMAGE | {"shape": [True]}], "a shape [N]"),
        ([IMAGE | {"shape": [0], "data": []}], "empty_batch"),
        ([IMAGE | {"data": [7]}], "image[0]: a string is wanted"),
        ([IMAGE | {"data": None}], "no data"),
        ([IMAGE | {"parameters": {"content_type": "base64"}}], "image[0]: base64 is wanted"),
        ([IMAGE | {"parameters": {"binary_data_size": 1}}], "binary_data_size is 1, 0 bytes"),
        ([IMAGE | {"parameters": {"shared_memory_region": "x"}}], "no shared memory"),
        ([IMAGE | {"parameters": []}], "an object is wanted"),
        ([IMAGE | {"name": "images"}], "inputs[0].name: one of image"),
        ([IMAGE | {"name": {}}], "inputs[0].name"),
        ([IMAGE, IMAGE], "inputs[1].name"),
        ([], "image is missing"),
        ({}, "image is missing"),
    ],
)
def test_a_request_that_does_not_fit_is_refused_with_the_place(
    refusing: httpx.Client, inputs: Any, words: str
) -> None:
    answer = refusing.post(DETECTOR, json={"inputs": inputs})
    assert answer.status_code == 400
    assert words in answer.json()["error"]


@pytest.mark.parametrize(
    ("data", "length", "words"),
    [
        (packed([b"x"])[:-1], None, "element 0 is cut short"),
        (b"\xff\xff\xff\xff", None, "element 0 is cut short"),
        (b"\x01", None, "element 0 is cut short"),
        (packed([b"x"]) + b"more", None, "bytes are left behind"),
        (b"", "999", LENGTH),
        (b"", "-1", LENGTH),
        (b"", "²", LENGTH),
    ],
)
def test_binary_data_that_does_not_add_up_is_refused(
    refusing: httpx.Client, data: bytes, length: str | None, words: str
) -> None:
    size = min(len(data), 5) if b"more" in data else len(data)
    parameters = {"binary_data_size": size}
    tensor = {"name": "image", "datatype": "BYTES", "shape": [1], "parameters": parameters}
    text = json.dumps({"inputs": [tensor]}).encode()
    headers = {LENGTH: (length or str(len(text))).encode("latin-1")}
    answer = refusing.post(DETECTOR, content=text + data, headers=httpx.Headers(headers))
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_the_limits_of_the_other_doors_hold(make_settings: Callable[..., Settings]) -> None:
    small = make_settings(max_frames=2, max_pixels=1_000, max_body_bytes=20_000)
    with running(small) as client:
        answer = infer(client, DETECTOR, "image", [TWO] * 3)
        assert (answer.status_code, answer.json()["error"][:14]) == (413, "too_many_items")
        answer = infer(client, DETECTOR, "image", [TWO])
        assert (answer.status_code, answer.json()["error"][:24]) == (
            400,
            "too_many_pixels: image[0",
        )
        answer = infer(client, DETECTOR, "image", [b"\xff" * 20_001])
        assert (answer.status_code, answer.json()["error"][:14]) == (413, "body_too_large")


def test_asking_needs_the_scope_of_the_v1_door(
    make_settings: Callable[..., Settings], now: Any
) -> None:
    settings = make_settings(auth="required")
    settings.var.mkdir()
    engine = open_database(settings.database)
    store = KeyStore(engine)
    good, other = (
        store.create(scope, [scope], now=now)[0] for scope in ("frames:write", "transcripts:write")
    )
    engine.dispose()
    with running(settings) as client:
        assert client.get("/v2/health/ready").status_code == 200
        assert client.get("/v2/models/detector").status_code == 401
        statuses = []
        for headers in ({}, {"X-API-Key": other}, {"X-API-Key": good}):
            client.headers.pop("X-API-Key", None)
            client.headers.update(headers)
            answer = infer(client, DETECTOR, "image", [TWO])
            statuses.append(answer.status_code)
            assert (answer.status_code == 200) != answer.content.startswith(b'{"error": "')
        assert statuses == [401, 403, 200]


def test_the_openapi_document_describes_the_protocol(refusing: httpx.Client) -> None:
    paths = refusing.get("/openapi.json").json()["paths"]
    assert {"/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/{name}"} <= set(paths)
    for door in ("/v2/models/{name}/infer", "/v2/models/{name}/versions/{version}/infer"):
        post = paths[door]["post"]
        assert LENGTH in {parameter["name"] for parameter in post["parameters"]}
        error = post["responses"]["429"]["content"]["application/json"]["schema"]
        assert error["required"] == ["error"]
        assert set(post["requestBody"]["content"]) == {
            "application/json",
            "application/octet-stream",
        }
