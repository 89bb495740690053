"""`xiaozheng models` as people and scripts use it: tables, JSON, exit codes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from models_support import FIGURES, GATES, make_version

from xiaozheng.cli.main import run
from xiaozheng.models.registry import Registry


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    root = tmp_path / "shelf"
    for version, figures in FIGURES.items():
        metrics = {"street": {"pictures": 100, "bin": figures}}
        make_version(root / "colours" / version, version, metrics=metrics)
    (root / "aliases.json").write_text('{"colours": {"champion": "1.0.0"}}', encoding="utf-8")
    (root / "gates.yaml").write_text(GATES, encoding="utf-8")
    return root


class Shelf:
    """Runs the command on one shelf and reads what it printed."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root = root
        self.capsys = capsys
        self.errors = ""

    def text(self, *arguments: str | Path, code: int = 0) -> str:
        assert run(["models", *map(str, arguments), "--shelf", str(self.root)]) == code
        printed = self.capsys.readouterr()
        self.errors = printed.err.replace("\n", "")  # the console folds long lines
        return printed.out

    def json(self, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.text(*arguments, "--json", code=code))
        return document


@pytest.fixture
def models(shelf: Path, capsys: pytest.CaptureFixture[str]) -> Shelf:
    return Shelf(shelf, capsys)


def test_from_a_foreign_folder_to_champion_and_back(models: Shelf, tmp_path: Path) -> None:
    metrics = {"street": {"pictures": 100, "bin": {"ap50": 0.9, "false": 0.0}}}
    folder = make_version(tmp_path / "foreign", "2.0.0", metrics=metrics)
    assert "colours@2.0.0" in models.text("add", folder, "--as", "colours", "--by", "李工")
    listed = {row["version"]: row["aliases"] for row in models.json("list")["models"]}
    assert (listed["1.0.0"], listed["2.0.0"]) == (["champion"], ["candidate"])
    change = models.json("promote", "colours", "--reason", "新数据", "--by", "李工")
    assert (change["from"], change["to"], change["changed"]) == ("1.0.0", "2.0.0", True)
    assert "已经是 champion" in models.text("promote", "colours@2.0.0")
    assert "2.0.0 → 1.0.0" in models.text("rollback", "colours")
    shown = models.json("show", "colours@2.0.0")
    assert [(r["action"], r["to"]) for r in shown["history"]] == [
        ("promote", "2.0.0"),
        ("promote", "2.0.0"),
        ("rollback", "1.0.0"),
    ]
    assert (shown["aliases"], shown["files_ok"]) == ([], True)
    assert "李工" in models.text("show", "colours")
    assert models.text("rollback", "colours", code=1) == ""
    assert "没有可以退回的上一版" in models.errors


def test_a_refusal_shows_old_new_limit_and_the_reason_in_chinese(models: Shelf) -> None:
    table = models.text("promote", "colours@1.2.0", code=1)
    (line,) = (line for line in table.splitlines() if "垃圾桶" in line)
    assert line.split() == [
        "垃圾桶",
        "0.8000",
        "0.7500",
        "≥",
        "0.7800",
        "✗",
        "比前任下降",
        "0.0500，最多允许",
        "0.02",
    ]
    assert "未通过门槛，champion 不变" in models.errors
    refused = models.json("promote", "colours@1.3.0", code=1)
    assert refused["changed"] is False
    (missing,) = (gate for gate in refused["gates"] if not gate["passed"])
    assert (missing["gate"], missing["new"]) == ("street.bin.false", None)


def test_force_needs_a_reason_and_is_said(models: Shelf) -> None:
    models.text("promote", "colours@1.2.0", "--force", code=2)
    assert "--reason" in models.errors
    assert "强制" in models.text("promote", "colours@1.2.0", "--force", "--reason", "试用")
    assert models.json("show", "colours")["history"][0]["forced"] is True


def test_a_candidate_is_set_without_figures(models: Shelf) -> None:
    models.text("promote", "colours", code=1)
    assert "colours@candidate" in models.errors
    models.text("promote", "colours@1.3.0", "--to", "candidate")
    assert Registry(models.root).ref_of("colours@candidate") == "colours@1.3.0"
    models.text("promote", "colours", "--to", "emperor", code=2)


def test_verify_lists_everything_and_fails_on_anything(models: Shelf) -> None:
    assert models.json("verify")["ok"] is True
    (models.root / "colours" / "1.1.0" / "model.onnx").write_bytes(b"x")
    (models.root / "colours" / "1.2.0" / "best.pt").write_bytes(b"x")
    document = models.json("verify", code=1)
    failed = [finding["subject"] for finding in document["findings"] if not finding["ok"]]
    assert failed == ["colours@1.1.0", "colours@1.2.0"]
    table = models.text("verify", "colours", code=1)
    assert "sha256 不符" in table
    assert "best.pt" in table
    models.text("verify", "other", code=1)


def test_diff_puts_two_versions_side_by_side(models: Shelf) -> None:
    document = models.json("diff", "colours", "colours@1.2.0")
    assert document["metrics"]["street.bin.ap50"] == [0.8, 0.75]
    assert document["labels"] == {"only_a": [], "only_b": [], "same_order": True}
    assert document["facts"]["bytes"] == [1795, 1795]
    assert "-0.0500" in models.text("diff", "colours", "colours@1.2.0")
    chosen = models.text("diff", "colours", "colours@1.2.0", "--metrics", "*.pictures")
    assert "street.pictures" in chosen
    assert "street.bin" not in chosen


def test_a_broken_version_is_listed_with_its_reason(models: Shelf) -> None:
    (models.root / "colours" / "1.1.0" / "manifest.json").write_text("{", encoding="utf-8")
    (models.root / "colours" / "1.2.0" / "model.onnx").unlink()
    rows = {row["version"]: row for row in models.json("list")["models"]}
    assert "清单无效" in rows["1.1.0"]["error"]
    assert "文件缺失" in rows["1.2.0"]["error"]
    assert "error" not in rows["1.0.0"]
    assert "文件缺失" in models.text("show", "colours@1.2.0")


def test_bad_paths_and_gates_are_told_not_thrown(models: Shelf, tmp_path: Path) -> None:
    models.text("add", tmp_path / "nowhere", code=1)
    assert "清单缺失" in models.errors
    (models.root / "gates.yaml").write_text("models:\n  colours:\n    metric: []\n")
    models.text("promote", "colours@1.1.0", code=2)
    assert "gates.yaml:3" in models.errors
    shutil.rmtree(models.root)
    models.text("verify", code=1)
    assert "没有模型库" in models.errors
    models.text("rollback", "colours", code=1)
    assert models.json("list")["models"] == []
