"""`xiaozheng eval router` from the door: files in, figures and page out, errors with a place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xiaozheng.cli.main import run

ROWS = [
    {"id": "1", "text": "公积金提取申请提交一个月了没有到账", "department": "gongjijin"},
    {"id": "2", "title": "路灯", "text": "路灯不亮电话13837123456", "department": "chengguan"},
    {"id": "3", "text": "公交车半个小时都不来一辆司机还甩站", "department": "jiaotong"},
    {"id": "4", "text": "医保异地报销要准备什么材料", "department": "renshe", "second": "yibao"},
]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def evaluate(*arguments: str | Path) -> int:
    return run(["eval", "router", *map(str, arguments)])


def test_figures_and_page_of_the_shelfs_router(tmp_path: Path) -> None:
    data = write(tmp_path / "calls.jsonl", [{**row, "confidence": 3} for row in ROWS])
    out, page = tmp_path / "a.json", tmp_path / "a.html"
    assert evaluate("--data", data, "--field", "department", "--json", out, "--html", page) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    assert {"top1", "top3", "macro_f1", "ece", "auto_share_at_97", "n"} <= found.keys()
    assert {"risk_coverage", "per_class", "reliability", "decisions"} <= found.keys()
    assert (found["n"], found["top1"], found["first_or_second"]) == (4, 0.75, 1.0)
    assert found["per_reader_confidence"]["3"]["n"] == 4
    html = page.read_text(encoding="utf-8")
    assert "可靠性图" in html
    assert "风险—覆盖曲线" in html
    assert "13837123456" not in html
    assert "<script" not in html


def test_categories_are_judged_with_their_whole_ranking(tmp_path: Path) -> None:
    rows = [{"id": "1", "text": "学校乱收补课费老师体罚学生", "category": "教育文体"}]
    data, out = write(tmp_path / "c.jsonl", rows), tmp_path / "c.json"
    assert evaluate("--data", data, "--field", "category", "--json", out) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    assert (found["top1"], found["top3"]) == (1.0, 1.0)
    assert "decisions" not in found


def test_noise_changes_the_reading_and_is_repeatable(tmp_path: Path, shared_dir: Path) -> None:
    data = write(tmp_path / "calls.jsonl", ROWS)
    table = shared_dir / "data/text/asr/same_pinyin.txt"
    wish = ["--data", data, "--field", "department", "--homophones", table]
    noisy = ["--noise", "homophone=0.6,speaker=1,punctuation=1"]
    for name, more in (("a", noisy), ("b", noisy), ("c", [])):
        assert evaluate(*wish, *more, "--json", tmp_path / f"{name}.json") == 0
    first, again, plain = (
        json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))["risk_coverage"]
        for name in "abc"
    )
    assert first == again != plain


def test_stored_answers_need_no_model(tmp_path: Path) -> None:
    data = write(tmp_path / "calls.jsonl", ROWS)
    order = np.array(["chengguan", "gongjijin", "jiaotong", "renshe", "yibao"])
    labels = np.array([1, 0, 2])
    stored = tmp_path / "oof.npz"
    p = np.full((3, 5), 0.05)
    p[np.arange(3), labels] = 0.8
    np.savez(stored, probabilities=p, labels=labels, ids=np.array(["1", "2", "3"]), order=order)
    out = tmp_path / "a.json"
    wish = ["--data", data, "--field", "department", "--oof", stored, "--json", out]
    assert evaluate(*wish) == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    assert (found["n"], found["without_answer"], found["top1"]) == (3, 1, 1.0)
    assert evaluate(*wish, "--noise", "drop=0.1") == 2


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"id": "9", "text": "路灯不亮"}, "calls.jsonl:2: department: Field required"),
        ({"id": "9", "text": "路灯", "department": "x"}, "calls.jsonl:2: department: .*'x'"),
        ({"id": "9", "text": " ", "department": "other"}, "calls.jsonl:2: row: .*empty"),
        (
            {"id": "9", "text": "路灯", "department": "other", "second": "x"},
            "calls.jsonl:2: second: .*'x'",
        ),
        ({"id": "9", "text": 7, "department": "other"}, "calls.jsonl:2: text: "),
    ],
)
def test_a_bad_row_is_named_by_file_line_and_field(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: dict[str, Any], told: str
) -> None:
    data, out = write(tmp_path / "calls.jsonl", [ROWS[0], row]), tmp_path / "a.json"
    assert evaluate("--data", data, "--field", "department", "--json", out) == 2
    shown = "".join(capsys.readouterr().err.splitlines())
    for part in told.split(".*"):
        assert part.replace(" ", "") in shown.replace(" ", "")
    assert not out.exists()


def test_wrong_wishes_are_refused(tmp_path: Path) -> None:
    data, out = write(tmp_path / "calls.jsonl", ROWS), tmp_path / "a.json"
    wish = ["--data", data, "--field", "department", "--json", out]
    assert evaluate(*wish, "--noise", "homophone=0.3") == 2
    assert evaluate(*wish, "--noise", "louder=1") == 2
    assert evaluate("--field", "department", "--json", out) == 2
    assert not out.exists()


@pytest.mark.train
def test_cross_validation_trains_and_tests_in_turn(tmp_path: Path, shared_dir: Path) -> None:
    folder = shared_dir / "data/text"
    lines = (folder / "departments.train.jsonl").read_text(encoding="utf-8").splitlines()
    train = tmp_path / "train.jsonl"
    train.write_text("\n".join(lines[:300]) + "\n", encoding="utf-8")
    out = tmp_path / "cv.json"
    table = folder / "asr/same_pinyin.txt"
    wish = ["--train", train, "--folds", "3", "--homophones", table, "--json", out]
    assert evaluate(*wish, "--field", "department") == 0
    found = json.loads(out.read_text(encoding="utf-8"))
    assert found["n"] == 300
    assert found["top1"] > 0.45
