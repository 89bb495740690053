"""`xiaozheng route` as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GARBAGE = "我们小区门口的垃圾桶满出来好几天了味道很大麻烦派环卫的人来清一下"
BUS = "公交车半个小时都不来一辆司机还甩站不停车"


def route(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run the command; output decoded as UTF-8."""
    done = subprocess.run(
        [sys.executable, "-m", "xiaozheng.cli.main", "route", *arguments],
        input=stdin,
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "COLUMNS": "160", "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def json_lines(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_table_in_chinese_and_accuracy_where_labels_are_given(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    rows = [
        {"id": "甲", "text": GARBAGE + "电话13837123456", "department": "chengguan"},
        {"id": "乙", "text": BUS, "department": "renshe"},
        {"text": "[b]停[/b]电停电一直停电没有人修"},
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    done = route(str(path))
    assert done.returncode == 0, done.stderr
    for shown in ("派单建议", "甲", "城市管理局", "垃圾桶", "交通运输局", "〔手机号〕", "[b]"):
        assert shown in done.stdout
    assert "13837123456" not in done.stdout
    assert "有标注 2 条：首选正确 1（50.0%）" in done.stdout


def test_json_is_one_object_a_line_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "calls.txt"
    path.write_text(f"{GARBAGE}\n{BUS}\n", encoding="utf-8")
    done = route(str(path), "--json", "--top", "2")
    assert done.returncode == 0, done.stderr
    first, second = json_lines(done.stdout)
    assert (first["id"], second["id"]) == ("1", "2")
    departments = first["departments"]
    assert isinstance(departments, list)
    assert [len(departments), departments[0]["code"]] == [2, "chengguan"]
    assert first["decision"]["verdict"] in ("auto", "suggest")  # type: ignore[index]


@pytest.mark.parametrize(
    "stdin", [GARBAGE.encode(), json.dumps({"text": GARBAGE}, ensure_ascii=False).encode()]
)
def test_standard_input_takes_lines_or_objects(stdin: bytes) -> None:
    done = route("-", "--json", stdin=stdin)
    assert done.returncode == 0, done.stderr
    (answer,) = json_lines(done.stdout)
    assert answer["masked_text"] == GARBAGE


def test_bad_lines_are_named_and_the_rest_is_served(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    good = json.dumps({"text": GARBAGE}).encode()
    bad = [
        b'{"text": "\xff\xfe"}',
        b"{broken",
        b"[1]",
        b'{"id": "x"}',
        b'{"text": 5}',
        b'{"text": ["a"]}',
        b'{"text": [{"speaker": "robot", "text": "a"}]}',
        json.dumps({"id": "x" * 200, "text": "a"}).encode(),
    ]
    path.write_bytes(b"\n".join([good, *bad, good]))
    done = route(str(path), "--json")
    assert done.returncode == 2
    assert [row["id"] for row in json_lines(done.stdout)] == ["1", "10"]
    flat = done.stderr.replace("\n", "")
    for number, complaint in enumerate(
        ["UTF-8", "JSON", "不是JSON对象", "text", "text", "对象", "第1轮", "上限128字"], start=2
    ):
        assert f"calls.jsonl:{number}" in flat
        assert complaint in flat.replace(" ", "")
    assert "8 行无法处理，其余 2 条已处理" in flat


def test_blank_overlong_and_odd_calls_are_answered_for_a_person(tmp_path: Path) -> None:
    path = tmp_path / "calls.txt"
    path.write_text(f"{GARBAGE}\n\n{BUS * 10_000}\nhello\n😀\n", encoding="utf-8")
    done = route(str(path), "--json")
    assert done.returncode == 0, done.stderr
    decisions = [row["decision"] for row in json_lines(done.stdout)]
    rules = [decision["rule"] for decision in decisions[1:]]  # type: ignore[index]
    assert rules == ["no_words", "too_long", "not_chinese", "no_words"]
    assert "只读了前 20000 字" in route(str(path)).stdout.replace("\n", "")


def test_turns_are_read_without_what_the_agent_says(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    turns = [
        {"speaker": "agent", "text": "您好这里是热线公交车路灯工资都可以反映"},
        {"speaker": "caller", "text": GARBAGE},
    ]
    path.write_text(json.dumps({"text": turns}), encoding="utf-8")
    done = route(str(path), "--json", "--top", "1")
    assert done.returncode == 0, done.stderr
    (answer,) = json_lines(done.stdout)
    assert answer["departments"][0]["code"] == "chengguan"  # type: ignore[index]
    assert str(answer["masked_text"]).startswith("坐席：您好")


@pytest.mark.parametrize("content", [None, b"", b"\n\n"])
def test_no_input_at_all_is_exit_2(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "calls.jsonl"
    if content is not None:
        path.write_bytes(content)
    done = route(str(path))
    assert done.returncode == 2
    assert "calls.jsonl" in done.stderr.replace("\n", "")
    assert done.stdout == ""


def test_a_citys_own_departments_and_a_broken_file(tmp_path: Path) -> None:
    calls = tmp_path / "calls.txt"
    calls.write_text(GARBAGE, encoding="utf-8")
    city = tmp_path / "city.yaml"
    city.write_text("departments:\n  - code: a1\n    name: 甲\n    duties: []\n", encoding="utf-8")
    done = route(str(calls), "--departments", str(city))
    assert done.returncode == 2
    assert "city.yaml:4" in done.stderr.replace("\n", "")


def test_an_unknown_model_is_an_internal_failure(tmp_path: Path) -> None:
    calls = tmp_path / "calls.txt"
    calls.write_text(GARBAGE, encoding="utf-8")
    done = route(str(calls), "--model", "router@9.9.9")
    assert done.returncode == 1
    assert "9.9.9" in done.stderr
