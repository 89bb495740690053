"""Calls from the first answer to staff's last word, through the doors."""

from __future__ import annotations

import base64
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from encoder_shelf import VERSION, encoder_registry
from serve_support import metrics_of, running

from xiaozheng.models.manifest import read_manifest, write_manifest
from xiaozheng.models.registry import Registry, default_shelf
from xiaozheng.serve.settings import Settings

pytestmark = pytest.mark.skipif(
    "router" not in Registry(default_shelf()).names(), reason="the shelf has no router"
)

PHONE = "13800138000"
MIXER = "丽景新城小区旁边建了个搅拌站，噪音大灰尘多，晚上没法睡觉，请环保部门来管一管"
MIXER_TOO = "我们丽景新城的，小区边上那个搅拌站灰尘太大了，噪音也吵，晚上睡不着，请环保查处"
BINS = "小区门口的垃圾桶好几天没人清了，垃圾堆得到处都是"
POWER = "我们这里停电了，停电一天了也没有人来修"
LAMP = "东风渠边上的路灯坏了三天了，晚上黑得很，请派人来修一下路灯"
RULES = """
rules:
  - id: gaoxin-heating
    title: 高新区供暖归管委会
    law: 《高新区管理条例》第九条：区内供暖由管委会负责
    priority: 5
    when: {district: [高新区], words: [供暖, 暖气]}
    then: {department: gongyong, dispatch: human}
  - id: heating
    title: 供暖归住建
    law: 《供热条例》第三条
    when: {words: [暖气]}
    then: {department: zhujian}
"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, shelf: Path) -> Iterator[Any]:
    """A hotline with rules that keeps sealed originals, and its folder."""
    folder = tmp_path_factory.mktemp("hotline")
    rules = folder / "rules.yaml"
    rules.write_text(RULES, encoding="utf-8")
    settings = Settings(
        var=folder,
        shelf=shelf,
        detector="",
        rules=rules,
        keep_originals=True,
        originals_key=base64.b64encode(bytes(range(32))).decode(),
    )
    with running(settings) as client:
        yield client, folder


def send(client: httpx.Client, call_id: str, text: str, **other: Any) -> dict[str, Any]:
    response = client.post(
        "/v1/transcripts:batch", json=[{"id": call_id, "text": text, "channel": "电话", **other}]
    )
    assert response.status_code == 200, response.text
    (result,) = response.json()["results"]
    assert result["status"] == "ok", result
    return dict(result)


def post(client: httpx.Client, path: str, body: Any, status: int = 200) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == status, response.text
    return response.json()


def test_a_rule_overrides_visibly_and_is_counted(service: Any) -> None:
    client, _ = service
    result = send(client, "heat", "高新区科学大道这边小区的暖气一直不热，找谁都没人管")
    override = result["override"]
    assert (result["department"], override["rule"]) == ("gongyong", "gaoxin-heating")
    assert override["replaced"] == result["suggestion"]["departments"][0]["code"]
    assert override["matched"] == ["区县：高新区", "提到：暖气"]
    assert override["also_fitting"] == ["heating"]
    assert result["suggestion"]["decision"]["verdict"] == "human"
    assert "第九条" in result["suggestion"]["decision"]["reason"]
    kept = client.get("/v1/transcripts/heat").json()
    assert kept["override"] == override
    assert kept["assigned"] == "gongyong"
    rules = client.get("/v1/rules").json()["rules"]
    assert [(rule["id"], rule["calls"]) for rule in rules] == [
        ("gaoxin-heating", 1),
        ("heating", 0),
    ]
    assert sum(v for k, v in metrics_of(client).items() if "rule_overrides_total" in k) == 1


def test_one_matter_is_proposed_and_only_staff_merge_it(service: Any) -> None:
    client, _ = service
    send(client, "mixer-1", MIXER)
    assert send(client, "lamp", LAMP)["proposals"] == []
    (pair,) = send(client, "mixer-2", MIXER_TOO)["proposals"]
    assert (pair["call_id"], pair["other_id"], pair["state"]) == ("mixer-2", "mixer-1", "proposed")
    assert pair["score"] >= 0.5
    assert any("丽景新城" in reason for reason in pair["reasons"])
    assert client.get("/v1/transcripts/mixer-1").json()["matter_id"] is None

    (stored,) = client.get("/v1/matters/proposals").json()["proposals"]
    path = f"/v1/matters/proposals/{stored['id']}:decide"
    assert post(client, path, {"accept": True, "by": "王工"})["state"] == "accepted"
    matter = client.get("/v1/transcripts", params={"matter_id": "mixer-1"}).json()["items"]
    assert {call["id"] for call in matter} == {"mixer-1", "mixer-2"}
    hot = client.get("/v1/hot-issues").json()
    (issue,) = [found for found in hot["issues"] if "mixer-1" in found["members"]]
    assert (issue["size"], issue["on_day"], issue["trend"]) == (2, 2, "new")
    assert "丽景新城" in issue["title"]
    assert "搅拌站" in issue["title"]
    assert issue["heat"] > 1

    post(client, path, {"accept": False, "by": "李工", "reason": "两处工地"})
    assert client.get("/v1/transcripts/mixer-2").json()["matter_id"] is None
    assert all("mixer-1" not in i["members"] for i in client.get("/v1/hot-issues").json()["issues"])
    # Sent again, the rejected pair is found again, but not asked about again.
    send(client, "mixer-2", MIXER_TOO)
    assert client.get("/v1/matters/proposals").json()["proposals"] == []


def test_a_closed_call_gets_no_proposals(service: Any) -> None:
    client, _ = service
    send(client, "pit-1", "文昌巷口的窨井盖没了，留下一个大坑，老人小孩走过太危险")
    client.put("/v1/transcripts/pit-1/state", json={"state": "closed"}).raise_for_status()
    again = "文昌巷口的窨井盖没了，留下一个大坑，老人小孩走过去太危险了"
    assert send(client, "pit-2", again)["proposals"] == []
    client.put("/v1/transcripts/pit-1/state", json={"state": "open"}).raise_for_status()
    (pair,) = send(client, "pit-3", again)["proposals"][:1]
    assert pair["kind"] == "repeat"


def test_feedback_is_journalled_and_moves_the_call(service: Any) -> None:
    client, _ = service
    first = send(client, "fb", LAMP)["department"]
    path = "/v1/transcripts/fb/feedback"
    post(client, path, {"action": "accept", "by": "张三"})
    said = {"action": "return", "by": "李四", "role": "leader", "reason": f"不归我们，问{PHONE}"}
    post(client, path, said)
    call = post(client, path, {"action": "override", "by": "张三", "department": "jiaojing"})
    steps = [(s["action"], s["department_from"], s["department_to"]) for s in call["journal"]]
    assert steps == [
        ("accept", first, first),
        ("return", first, first),
        ("override", first, "jiaojing"),
    ]
    assert (call["department"], call["assigned"]) == (first, "jiaojing")
    assert call["journal"][1]["reason"] == "不归我们，问〔手机号〕"
    send(client, "fb", LAMP)
    assert client.get("/v1/transcripts/fb").json()["assigned"] == "jiaojing"

    for body, status, code in (
        ({"action": "override", "by": "张三"}, 422, "bad_parameter"),
        ({"action": "return", "by": "张三"}, 422, "bad_parameter"),
        ({"action": "override", "by": "张三", "department": "nowhere"}, 422, "unknown_department"),
        ({"action": "accept", "by": "张三", "department": "gongan"}, 422, "not_an_acceptance"),
    ):
        assert post(client, path, body, status)["code"] == code
    missing = post(client, "/v1/transcripts/none/feedback", {"action": "accept", "by": "x"}, 404)
    assert missing["code"] == "unknown_transcript"
    assert len(client.get("/v1/transcripts/fb").json()["journal"]) == 3


def test_originals_are_sealed_on_disk_and_every_reading_is_noted(service: Any) -> None:
    client, folder = service
    text = f"楼下噪音很大，我的电话是{PHONE}，请回复"
    result = send(client, "secret", text)
    assert PHONE not in str(result)
    raw = b"".join(path.read_bytes() for path in folder.glob("xiaozheng.db*"))
    assert PHONE.encode() not in raw
    assert "〔手机号〕".encode() in raw
    door = "/v1/transcripts/secret/original:read"
    refused = post(client, door, {"by": "张三", "reason": "看"}, 403)
    assert refused["code"] == "no_reason"
    shown = post(client, door, {"by": "张三", "reason": "回访核实来电人号码"})
    assert shown["text"] == text
    reads = client.get("/v1/transcripts/secret/original:reads").json()["reads"]
    assert [(r["by"], r["outcome"]) for r in reads] == [("张三", "no_reason"), ("张三", "given")]
    with sqlite3.connect(folder / "xiaozheng.db") as connection:
        connection.execute("UPDATE call_originals SET transcript_id = 'heat2' WHERE 0")
        sealed = connection.execute(
            "SELECT sealed FROM call_originals WHERE transcript_id = 'secret'"
        ).fetchone()[0]
        connection.execute(
            "UPDATE call_originals SET sealed = ? WHERE transcript_id = 'lamp'", (sealed,)
        )
    # An original moved to another call does not open.
    moved = post(
        client, "/v1/transcripts/lamp/original:read", {"by": "张三", "reason": "核实号码"}, 503
    )
    assert moved["code"] == "original_unreadable"


def test_calls_are_listed_by_page_and_forgotten_in_time(
    make_settings: Callable[..., Settings],
) -> None:
    clock = [datetime.now(UTC)]
    settings = make_settings(detector="", router="router", keep_calls_days=1.0, prune_every_s=0.2)
    with running(settings, lambda: clock[0]) as client:
        for number in range(5):
            send(client, f"c{number}", f"{LAMP}，第{number}次了")
        client.post("/v1/transcripts/c0/feedback", json={"action": "accept", "by": "张三"})
        first = client.get("/v1/transcripts", params={"limit": 3}).json()
        rest = client.get(
            "/v1/transcripts", params={"limit": 3, "cursor": first["next_cursor"]}
        ).json()
        ids = [call["id"] for call in (*first["items"], *rest["items"])]
        assert sorted(ids) == [f"c{number}" for number in range(5)]
        assert rest["next_cursor"] is None
        door = client.post(
            "/v1/transcripts/c0/original:read", json={"by": "x", "reason": "要看一看"}
        )
        assert (door.status_code, door.json()["code"]) == (404, "no_original")
        clock[0] += timedelta(days=2)
        while client.get("/v1/transcripts").json()["items"]:
            pass
        assert client.get("/v1/matters/proposals").json()["proposals"] == []
    with sqlite3.connect(settings.var / "xiaozheng.db") as connection:
        assert connection.execute("SELECT count(*) FROM suggestions").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM call_decisions").fetchone() == (1,)


def test_open_calls_are_known_again_after_a_restart(make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(detector="", router="router")
    with running(settings) as client:
        send(client, "before", MIXER)
    with running(settings) as client:
        (pair,) = send(client, "after", MIXER_TOO)["proposals"]
        assert pair["other_id"] == "before"
        assert pair["other_text"].startswith("丽景新城")


def similar_to(client: httpx.Client, call_id: str) -> list[tuple[str, str, bool]]:
    found = client.get(f"/v1/transcripts/{call_id}").json()["similar"]
    return [(past["id"], past["department"], past["confirmed"]) for past in found]


def test_past_calls_of_the_same_meaning_are_shown(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    encoder_registry(tmp_path / "shelf")
    settings = make_settings(detector="", router="router", shelf=tmp_path / "shelf")
    with running(settings) as client:
        first = send(client, "bins-1", BINS)
        assert first["similar"] == []
        send(client, "power", POWER)
        joke = send(client, "joke", "喂，讲个笑话给我听听吧")
        assert joke["suggestion"]["decision"]["verdict"] == "human"
        (near, far) = send(client, "bins-2", BINS + f"，我电话{PHONE}")["similar"]
        assert (near["id"], near["department"]) == ("bins-1", first["department"])
        assert (near["confirmed"], near["similarity"]) == (False, pytest.approx(1, abs=0.01))
        assert near["text"] == BINS
        assert near["department_name"] != near["department"]
        assert far["id"] == "power"
        assert far["similarity"] < 0.5

        said = {"action": "override", "by": "张三", "department": "weijian"}
        post(client, "/v1/transcripts/bins-1/feedback", said)
        said = {"action": "return", "by": "李四", "reason": "不归我们"}
        post(client, "/v1/transcripts/power/feedback", said)
        assert similar_to(client, "bins-2") == [("bins-1", "weijian", True)]
    with running(settings) as client:
        assert similar_to(client, "bins-2") == [("bins-1", "weijian", True)]
    short = {"keep_calls_days": 1.0, "prune_every_s": 0.2, "model_poll_s": 0.1}
    later = datetime.now(UTC) + timedelta(days=2)
    with running(settings.model_copy(update=short), lambda: later) as client:
        while client.get("/v1/transcripts").json()["items"]:
            time.sleep(0.05)
        while send(client, "bins-3", BINS)["similar"]:
            time.sleep(0.05)
        assert similar_to(client, "bins-3") == []


def test_another_model_reads_stored_calls_anew(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    shelf = tmp_path / "shelf"
    encoder_registry(shelf)
    settings = make_settings(
        detector="", router="router", shelf=shelf, model_poll_s=0.1, max_similar_calls=3
    )

    def readers() -> set[tuple[str, int]]:
        with sqlite3.connect(settings.var / "xiaozheng.db") as connection:
            statement = "SELECT model, length(vector) FROM call_embeddings"
            return set(connection.execute(statement))

    with running(settings) as client:
        send(client, "bins-1", BINS)
        send(client, "bins-2", BINS)
        assert readers() == {(f"router@{VERSION}", 16)}
        shutil.copytree(shelf / "router" / VERSION, shelf / "router" / "9.1.0")
        manifest = read_manifest(shelf / "router" / VERSION)
        write_manifest(shelf / "router" / "9.1.0", manifest.model_copy(update={"version": "9.1.0"}))
        (shelf / "aliases.json").write_text('{"router": {"champion": "9.1.0"}}')
        while readers() != {("router@9.1.0", 16)}:
            time.sleep(0.05)
        while [call_id for call_id, *_ in similar_to(client, "bins-2")] != ["bins-1"]:
            time.sleep(0.05)
        for number in range(3):
            send(client, f"power-{number}", POWER)
        assert {call_id for call_id, *_ in similar_to(client, "bins-2")} == {
            f"power-{number}" for number in range(3)
        }


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"keep_originals": True}, "openssl rand"),
        ({"keep_originals": True, "originals_key": "c2hvcnQ="}, "5 bytes"),
        ({"keep_originals": True, "originals_key": "不是"}, "not base64"),
    ],
)
def test_originals_without_a_good_key_are_refused_at_the_start(
    make_settings: Callable[..., Settings], changes: dict[str, Any], named: str
) -> None:
    from xiaozheng.config.errors import InputError
    from xiaozheng.serve.hotline_vault import Vault

    settings = make_settings(detector="", router="router", **changes)
    with pytest.raises(InputError, match=named):
        Vault.open(settings.originals_key.get_secret_value(), settings.originals_key_file)
