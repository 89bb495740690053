"""`xiaozheng models tune` as an operator runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from encoder_shelf import VERSION, encoder_registry, linear_registry, made_up_rows

from xiaozheng.cli.main import run
from xiaozheng.models.registry import Registry
from xiaozheng.nlp.router import Router
from xiaozheng.nlp.transcript import Transcript


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    encoder_registry(tmp_path, rows=made_up_rows(2000))
    return tmp_path


def test_the_table_names_every_department_and_nothing_is_changed(
    shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["models", "tune", "router", "--shelf", str(shelf)]) == 0
    shown = capsys.readouterr().out
    for text in ("城市管理局", "其他（转人工）", "不自动", "风险与覆盖", "共 2000 条", "两可"):
        assert text in shown
    assert Registry(shelf).versions("router") == [VERSION]


def test_a_written_version_is_a_candidate_with_the_new_thresholds(
    shelf: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["models", "tune", "--shelf", str(shelf), "--json", "--by", "李"]
    more = ["--precision", "0.9", "--ambiguity", "0.1", "--write", "9.0.1"]
    assert run([*arguments, *more]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["written"] == "router@9.0.1"
    assert said["overall"]["precision"] >= 0.9
    assert said["risk_coverage"][-1]["coverage"] == 1.0
    registry = Registry(shelf)
    before, after = registry.resolve("router"), registry.resolve("router@candidate")
    assert (before.manifest.version, after.manifest.version) == (VERSION, "9.0.1")
    assert after.manifest.thresholds == said["thresholds"]
    assert after.manifest.extra["decision"]["min_gap"] == 0.1
    assert after.manifest.model == before.manifest.model
    assert "Thresholds of 9.0.1" in (after.folder / "CARD.md").read_text(encoding="utf-8")
    record = json.loads((shelf / "history.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert (record["who"], record["to"]) == ("李", "9.0.1")
    assert "90.0%" in record["reason"]
    answer = Router.open(registry, "router@candidate").route([Transcript("1", "路灯坏了没有人修")])
    assert answer[0].model == "router@9.0.1"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--write", "1.x"], 2, "须形如 1.2.3"),
        (["--write", VERSION], 1, "版本不可覆盖"),
        (["--precision", "0.2"], 2, "precision"),
    ],
)
def test_what_cannot_be_written_is_refused(
    shelf: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    assert run(["models", "tune", "--shelf", str(shelf), *arguments]) == code
    assert said in capsys.readouterr().err
    assert Registry(shelf).versions("router") == [VERSION]


def test_a_model_without_rows_or_of_another_kind_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shelf = linear_registry(tmp_path).root
    assert run(["models", "tune", "--shelf", str(shelf)]) == 1
    assert "tuning.npz" in capsys.readouterr().err
    assert run(["models", "tune", "detector"]) == 2
    assert "不是派单模型" in capsys.readouterr().err
