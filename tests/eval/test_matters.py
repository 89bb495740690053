"""Pairs against teams: what is counted, and the whole command on small spreadsheets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xiaozheng.cli.main import run
from xiaozheng.config.errors import DatasetError
from xiaozheng.eval.matters import against_majority, against_team, pairs_of

TEAMS = {
    "x": {"1": "a", "2": "a", "3": "a", "9": "b"},
    "y": {"1": "p", "2": "p", "4": "q"},
    "z": {"1": "s", "3": "s"},
}


def test_a_team_judges_only_what_touches_its_lists() -> None:
    assert pairs_of(TEAMS["x"]) == {("1", "2"), ("1", "3"), ("2", "3")}
    said = [("1", "2"), ("2", "8"), ("5", "6")]
    found = against_team(said, TEAMS["x"])
    assert (found.said, found.true, found.both) == (2, 3, 1)
    assert found.figures()["f1"] == pytest.approx(0.4)


def test_the_majority_is_of_those_who_cover_a_pair() -> None:
    # 1-2: x, y of x, y, z. 1-3: x, z of x, y, z. 2-3: only x of three. 4-9: two cover, none joins.
    found = against_majority([("1", "2"), ("2", "3"), ("4", "9"), ("4", "5")], TEAMS)
    assert (found.said, found.true, found.both) == (3, 2, 1)


def sheet(path: Path, rows: list[list[str]]) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="needs the eval extra")
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


def test_the_command_on_spreadsheets_whatever_their_ending(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    head = ["留言编号", "留言主题", "留言时间", "留言详情"]
    texts = ["丽景新城旁边搅拌站噪音灰尘扰民", "丽景新城小区搅拌站灰尘噪音太大", "东风渠路灯不亮"]
    rows = [[str(n), text, f"2026/3/{n + 1} 8:00:00", text * 2] for n, text in enumerate(texts)]
    sheet(tmp_path / "messages_3.xlsx", [head, *rows])
    sheet(tmp_path / "one.xlsx", [["问题ID", "留言编号"], ["1", "0"], ["1", "1"]])
    (tmp_path / "one.xlsx").rename(tmp_path / "one.xls")
    sheet(tmp_path / "two.xlsx", [["问题ID", "留言编号"], ["7", "0"], ["7", "1"], ["8", "2"]])
    out = tmp_path / "m.json"
    page = tmp_path / "m.html"
    code = run(
        ["eval", "matters", "--data", str(tmp_path), "--json", str(out), "--html", str(page)]
    )
    assert code == 0
    figures = json.loads(out.read_text())
    assert figures["n"] == 3
    assert figures["groups"]["majority"]["f1"] == 1
    assert figures["agreement"]["mean_f1"] == 1
    assert figures["largest"][0]["size"] == 2
    assert "丽景新城" in page.read_text()
    sheet(tmp_path / "bad.xlsx", [["问题ID", "留言编号"], ["1", "77"]])
    assert run(["eval", "matters", "--data", str(tmp_path), "--json", str(out)]) == 2
    assert "bad.xlsx:2" in capsys.readouterr().err


def test_the_given_clusters_are_found(shared_dir: Path) -> None:
    pytest.importorskip("xlrd", reason="needs the eval extra")
    from xiaozheng.eval.matters_data import read_folder

    try:
        judged = read_folder(shared_dir / "data" / "text" / "hot_issues")
    except DatasetError as error:
        pytest.skip(str(error))
    assert len(judged.calls) == 4_326
    assert {name: len(team) for name, team in judged.teams.items()}["Syu"] == 174
