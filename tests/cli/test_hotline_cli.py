"""`datasets export feedback` and `drift router` on a real service's database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from xiaozheng.cli.main import run
from xiaozheng.nlp.matter.profile import Place
from xiaozheng.nlp.train.rows import MessageRow
from xiaozheng.serve.hotline_changes import CallChange, FeedbackChange
from xiaozheng.serve.store import Store

NOW = datetime(2026, 3, 10, 4, tzinfo=UTC)
PHONE = "13800138000"


def call(call_id: str, text: str, at: datetime = NOW, **other: Any) -> CallChange:
    facts: dict[str, Any] = {
        "transcript_id": call_id,
        "channel": "电话",
        "received_at": at,
        "at": at,
        "title": "",
        "text": text,
        "place": Place(),
        "category": "城乡建设",
        "department": "chengguan",
        "model_department": "chengguan",
        "confidence": 0.8,
        "decision": "suggest",
        "model": "router@0.1.0",
        "suggestion": {},
    }
    return CallChange(**facts | other)


def said(call_id: str, action: Any, to: str, by: str = "张三") -> FeedbackChange:
    return FeedbackChange(call_id, NOW, by, "clerk", action, to, "")


@pytest.fixture
def var(tmp_path: Path) -> Path:
    return tmp_path / "var"


def write(var: Path, *changes: Any) -> None:
    store = Store.open(f"sqlite:///{var / 'xiaozheng.db'}")
    store.write(changes)
    store.close()


def test_feedback_becomes_rows_with_provenance_and_conflicts(
    var: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(
        var,
        call("ok", "路灯坏了三天了"),
        said("ok", "accept", "chengguan"),
        call("moved", f"红绿灯时间太短，电话{PHONE}"),
        said("moved", "override", "jiaojing"),
        call("torn", "小区门口违停严重"),
        said("torn", "accept", "chengguan"),
        said("torn", "override", "jiaojing", by="李四"),
        call("twin-1", "楼道里堆满杂物"),
        said("twin-1", "accept", "chengguan"),
        call("twin-2", "楼道里堆满杂物"),
        said("twin-2", "override", "zhujian"),
        call("back", "这个事不知道归谁管"),
        said("back", "return", "chengguan"),
        call("quiet", "没人处理过的来电"),
    )
    out = tmp_path / "feedback.jsonl"
    arguments = ["datasets", "export", "feedback", "--out", str(out), "--var", str(var), "--json"]
    assert run(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["calls"], told["rows"], told["without_label"]) == (6, 5, 1)
    kinds = {conflict["kind"]: conflict["ids"] for conflict in told["conflicts"]}
    assert kinds == {"decisions": ["torn"], "same_text": ["twin-1", "twin-2"]}
    rows = {row["id"]: row for row in map(json.loads, out.read_text("utf-8").splitlines())}
    labels = {key: (row["department"], row["confidence"]) for key, row in rows.items()}
    assert labels == {
        "ok": ("chengguan", 3),
        "moved": ("jiaojing", 3),
        "torn": ("jiaojing", 1),
        "twin-1": ("chengguan", 1),
        "twin-2": ("zhujian", 1),
    }
    assert PHONE not in out.read_text("utf-8")
    provenance = rows["moved"]["feedback"]
    assert rows["moved"]["provenance"] == "feedback"
    assert provenance["model"] == "router@0.1.0"
    assert (provenance["suggested"], provenance["action"], provenance["role"]) == (
        "chengguan",
        "override",
        "clerk",
    )
    assert "张三" not in out.read_text("utf-8")
    for row in rows.values():
        MessageRow.model_validate(row)
    assert run(arguments) == 2, "a file that is there is not written over"


def test_drift_tells_alarm_from_too_few(var: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = NOW - timedelta(days=20), NOW - timedelta(days=2)
    write(
        var,
        *(call(f"o{n}", "路灯坏了", old) for n in range(60)),
        *(
            call(f"p{n}", "红绿灯太短", old, model_department="jiaojing", decision="auto")
            for n in range(60)
        ),
        *(call(f"n{n}", "路灯又坏了", new, confidence=0.35) for n in range(80)),
        said("o1", "accept", "chengguan"),
        said("n1", "override", "jiaojing"),
    )
    arguments = ["drift", "router", "--var", str(var), "--until", NOW.isoformat()]
    assert run([*arguments, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = {shift["measure"]: shift for shift in told["shifts"]}
    assert found["labels"]["status"] == found["confidence"]["status"] == "alarm"
    assert found["feedback"]["status"] == "too_few"
    assert told["recent"]["auto"]["value"] == 0
    assert told["thresholds"] == {"watch": 0.1, "alarm": 0.25}
    assert run(arguments) == 0
    shown = capsys.readouterr().out
    assert "部门构成" in shown
    assert "样本太少" in shown
    assert "结论：报警" in shown


def test_a_database_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["drift", "router", "--var", str(tmp_path)]) == 2
    assert "没有数据库" in capsys.readouterr().err
    assert not (tmp_path / "xiaozheng.db").exists()


def test_pictures_are_still_exported_by_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert (
        run(["datasets", "export", str(tmp_path / "none"), "--format", "yolo", "--out", out]) == 2
    )
    assert (
        run(["datasets", "export", "--format", "yolo", "--out", out, str(tmp_path / "none")]) == 2
    )
    assert "none" in capsys.readouterr().err
