"""`POST /v1/transcripts:batch` with the shipped router."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from serve_support import metrics_of, running

from xiaozheng.models.registry import Registry, default_shelf
from xiaozheng.serve.settings import Settings

pytestmark = pytest.mark.skipif(
    "router" not in Registry(default_shelf()).names(), reason="the shelf has no router yet"
)

GARBAGE = "喂你好，我们小区门口的垃圾桶满出来好几天了，味道很大，麻烦派环卫的人来清一下。"
PHONE = "13800138000"


@pytest.fixture(scope="module")
def hotline(
    tmp_path_factory: pytest.TempPathFactory, shelf: Path
) -> Iterator[tuple[httpx.Client, Path]]:
    """A service without a detector, and its folder."""
    folder = tmp_path_factory.mktemp("hotline")
    settings = Settings(var=folder, shelf=shelf, detector="")
    with running(settings) as client:
        yield client, folder


def post(client: httpx.Client, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.post(
        "/v1/transcripts:batch", content=content, headers={"Content-Type": "application/json"}
    )


def test_a_call_gets_ranked_departments_with_evidence(hotline: tuple[httpx.Client, Path]) -> None:
    response = post(hotline[0], [{"id": "c1", "text": GARBAGE, "channel": "电话"}])
    assert response.status_code == 200, response.text
    body = response.json()
    (result,) = body["results"]
    assert (result["index"], result["id"], result["status"]) == (0, "c1", "ok")
    suggestion = result["suggestion"]
    probabilities = [d["probability"] for d in suggestion["departments"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0 < sum(probabilities) <= 1.001
    assert suggestion["departments"][0]["code"] == "chengguan"
    assert suggestion["decision"]["verdict"] in {"auto", "suggest", "human"}
    for word in suggestion["evidence"]:
        assert suggestion["masked_text"][word["start"] : word["end"]] == word["text"]
    assert body["model"].startswith("router@")


def test_personal_data_is_masked_before_answer_disk_and_log(
    hotline: tuple[httpx.Client, Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    client, folder = hotline
    text = GARBAGE + f"我的电话是{PHONE}。"
    response = post(
        client, [{"id": "c2", "text": text, "received_at": "2026-03-01T08:00:00+08:00"}]
    )
    assert PHONE not in response.text
    with sqlite3.connect(folder / "xiaozheng.db") as database:
        (row,) = database.execute(
            "SELECT suggestion, received_at FROM suggestions WHERE transcript_id = 'c2'"
        )
    assert "垃圾桶" in json.loads(row[0])["masked_text"]
    assert row[1].startswith("2026-03-01 00:00:00")
    for file in folder.rglob("*"):
        assert not file.is_file() or PHONE.encode() not in file.read_bytes()
    assert PHONE not in caplog.text
    assert "垃圾桶" not in caplog.text


def test_any_text_gets_an_answer(hotline: tuple[httpx.Client, Path]) -> None:
    texts = {
        "good": GARBAGE,
        "empty": "",
        "blank": " \n\u3000",
        "long": "路" * 100_000,
        "half": "路灯坏了\ud83d，晚上很黑，请来修一下",
        "nul": "路灯坏了\x00，晚上很黑，请来修一下",
        "english": "the street light is broken",
    }
    response = post(hotline[0], [{"id": id, "text": text} for id, text in texts.items()])
    assert response.status_code == 200
    results = {result["id"]: result for result in response.json()["results"]}
    assert {result["status"] for result in results.values()} == {"ok"}
    told = {id: result["suggestion"] for id, result in results.items()}
    rules = {id: told[id]["decision"]["rule"] for id in ("empty", "blank", "long", "english")}
    assert rules == {
        "empty": "no_words",
        "blank": "no_words",
        "long": "too_long",
        "english": "not_chinese",
    }
    assert told["long"]["notes"] == ["文本共 100000 字，只读了前 20000 字"]
    for id in ("half", "nul"):
        assert "\ufffd" in told[id]["notes"][0]
        assert told[id]["masked_text"].startswith("路灯坏了\ufffd")
    assert told["good"]["notes"] == []


def test_a_call_is_told_by_category_intent_and_urgency(hotline: tuple[httpx.Client, Path]) -> None:
    client = hotline[0]
    text = "我家楼道里燃气漏气了，味道特别大，已经有人头晕了，你们快派人来啊"
    (result,) = post(client, [{"id": "gas", "text": text}]).json()["results"]
    told = result["suggestion"]
    assert told["categories"][0]["name"] == told["category"]
    assert len(told["categories"]) == 3
    assert told["intent"]["code"] == "help"
    assert told["urgency"]["level"] == "critical"
    (why, *_) = [reason for reason in told["urgency"]["reasons"] if reason["state"] == "now"]
    assert told["masked_text"][why["start"] : why["end"]] == why["words"]
    post(client, [{"id": "calm", "text": GARBAGE}])
    urgent = client.get("/v1/transcripts", params={"urgency": "urgent"}).json()["items"]
    assert [(call["id"], call["urgency"], call["urgency_zh"]) for call in urgent] == [
        ("gas", "critical", "特急")
    ]
    assert any(why["words"] in reason for reason in urgent[0]["urgent_reasons"])


def test_turns_are_masked_together_and_the_agents_words_are_no_matter(
    hotline: tuple[httpx.Client, Path],
) -> None:
    client, _ = hotline
    turns = [
        {
            "speaker": "agent",
            "text": "您好，这里是市民热线，暖气不热请找供热公司，请问您反映什么？",
        },
        {"speaker": "caller", "text": "小区门口的垃圾桶满出来好几天了，味道很大"},
        {"speaker": "agent", "text": "请留个电话"},
        {"speaker": "caller", "text": "138 0013"},
        {"speaker": "agent", "text": "嗯"},
        {"speaker": "caller", "text": "8000"},
    ]
    (result,) = post(client, [{"id": "turns", "turns": turns}]).json()["results"]
    told = result["suggestion"]
    assert told["departments"][0]["code"] == "chengguan"
    assert told["personal_data"] == ["mobile"]
    lines = told["masked_text"].split("\n")
    assert lines[1] == "市民：小区门口的垃圾桶满出来好几天了，味道很大"
    assert (lines[3], lines[5]) == ("市民：〔手机号〕", "市民：〔…〕")
    agent = len(lines[0])
    assert all(word["start"] > agent for word in told["evidence"])
    call = client.get("/v1/transcripts/turns").json()
    assert call["text"] == told["masked_text"]
    assert call["line"].startswith("小区门口的垃圾桶")
    long = [{"speaker": "caller", "text": "路灯坏了，" * 3_000}] * 2
    (cut,) = post(client, [{"id": "long", "turns": long}]).json()["results"]
    assert cut["suggestion"]["decision"]["verdict"] == "human"
    assert "对话共 30000 字，只读了前 20000 字" in cut["suggestion"]["notes"]


@pytest.mark.parametrize(
    ("body", "status", "code", "named"),
    [
        (b'[{"id": "1", "text": "\xb5\xc6\xbb\xb5"}]', 400, "invalid_utf8", "byte 22"),
        (b'[{"id": "1",\n "text": }]', 400, "invalid_json", "line 2, column 10"),
        (b"", 400, "invalid_json", "line 1, column 1"),
        ({"id": "1", "text": "x"}, 400, "not_a_list", "list"),
        ([], 400, "empty_batch", "no transcripts"),
        ([{"id": str(n), "text": "x"} for n in range(10_000)], 413, "too_many_items", "10000"),
        ([{"id": "1", "text": "x"}, {"id": "1", "text": "y"}], 422, "duplicate_id", "[1].id"),
        ([{"id": "1", "text": "x"}, {"id": "2"}], 422, "bad_field", "[1].text"),
        ([{"id": "1", "text": "x", "turns": []}], 422, "bad_field", "[0].turns"),
        (
            [{"id": "1", "text": "x"}, {"id": "2", "turns": [{"speaker": "boss", "text": "x"}]}],
            422,
            "bad_field",
            "[1].turns[0].speaker",
        ),
        ([{"id": "1", "turns": [{"speaker": "caller"}]}], 422, "bad_field", "[0].turns[0].text"),
        ([{"id": "1", "turns": "x"}], 422, "bad_field", "[0].turns"),
        ([{"id": 1, "text": "x"}], 422, "bad_field", "[0].id"),
        ([{"id": "", "text": "x"}], 422, "bad_field", "[0].id"),
        ([{"id": "\ud83d", "text": "x"}], 422, "bad_field", "[0].id"),
        ([{"id": "a\x00b", "text": "x"}], 422, "bad_field", "[0].id"),
        ([{"id": "1", "text": "x", "channel": "c" * 129}], 422, "bad_field", "[0].channel"),
        ([{"id": "1", "text": ["x"]}], 422, "bad_field", "[0].text"),
        (["x"], 422, "bad_field", "[0]"),
        ([{"id": "1", "text": "x", "received_at": "today"}], 422, "bad_field", "[0].received_at"),
        (
            [{"id": "1", "text": "x", "received_at": "2026-03-01T08:00:00"}],
            422,
            "bad_field",
            "no UTC offset",
        ),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_whole(
    hotline: tuple[httpx.Client, Path], body: Any, status: int, code: str, named: str
) -> None:
    response = post(hotline[0], body)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert named in response.json()["detail"]
    assert response.headers["content-type"] == "application/problem+json"


def test_a_refusal_does_not_repeat_the_callers_words(hotline: tuple[httpx.Client, Path]) -> None:
    response = post(hotline[0], [{"id": "1", "text": {"phone": PHONE}}])
    assert response.status_code == 422
    assert PHONE not in response.text


def test_other_media_types_are_refused(hotline: tuple[httpx.Client, Path]) -> None:
    response = hotline[0].post("/v1/transcripts:batch", content=b"[]")
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


def test_callers_share_batches(make_settings: Callable[..., Settings]) -> None:
    with (
        running(make_settings(detector="", router="router")) as client,
        ThreadPoolExecutor(24) as pool,
    ):
        batch = [{"id": f"t{n}", "text": GARBAGE} for n in range(8)]
        answers = list(pool.map(lambda _: post(client, batch), range(40)))
        assert {a.status_code for a in answers} == {200}
        values = metrics_of(client)
        assert values['xiaozheng_batch_size_sum{batcher="router"}'] == 320
        assert values['xiaozheng_batch_size_count{batcher="router"}'] < 40
