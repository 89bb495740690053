"""The restart test itself: it kills a real server, and it sees what is wrong."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from xiaozheng.cli.main import run
from xiaozheng.eval.restarts_compare import Aftermath, compare
from xiaozheng.eval.restarts_scene import draw_up


def test_a_server_that_is_killed_loses_doubles_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out" / "restarts.json"
    arguments = ["--kills", "5", "--seed", "3", "--cameras", "2", "--seconds", "80"]
    code = run(
        ["eval", "restarts", *arguments, "--json", str(target), "--keep", str(tmp_path / "k")]
    )
    shown = capsys.readouterr()
    assert code == 0, shown.out + shown.err
    figures = json.loads(target.read_text(encoding="utf-8"))
    assert figures["ok"] is True
    assert (figures["kills"], figures["frames"]) == (5, 160)
    assert figures["posts_sent_again"] > 0
    assert figures["incidents"]["expected"] == figures["incidents"]["found"] > 2
    assert figures["events"]["expected"] == figures["events"]["found"] > 2
    evidence = figures["evidence"]
    assert evidence["before_expected"] == evidence["before_found"] > 0
    assert evidence["same_picture"] == evidence["expected"]
    assert "结论：无丢失、无重复、编号一致" in shown.out
    assert (tmp_path / "k" / "killed" / "var" / "xiaozheng.db").is_file()


def test_a_shelf_without_the_detector_is_the_callers_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "o.json"
    assert run(["eval", "restarts", "--shelf", str(tmp_path), "--json", str(target)]) == 2
    assert "没有检测模型 colours" in capsys.readouterr().err
    assert not target.exists()


def test_scenes_follow_from_the_seed() -> None:
    first, again, other = draw_up("a", 200, 1), draw_up("a", 200, 1), draw_up("a", 200, 2)
    assert first == again
    assert first.jpeg(20) == again.jpeg(20)
    assert first.stays != other.stays
    assert {stay.label for stay in first.stays} == {"car", "overflowing_bin", "garbage"}
    assert min(first.black) == 150


def incident(name: str, **changes: Any) -> dict[str, Any]:
    step = {"state": "open", "media_at": "t", "recorded_at": "r"}
    return {"id": name, "onset_at": "t", "evidence": [], "journal": [step], **changes}


def event(number: int, name: str, subject: str = "a") -> dict[str, Any]:
    return {
        "sequence": f"{number:019}",
        "id": name,
        "subject": subject,
        "time": "t",
        "data": {},
    }


CALM = Aftermath(
    {"a": incident("a"), "b": incident("b")},
    [event(1, "a.opened"), event(2, "b.opened", "b")],
    {("a", "before"): "1", ("a", "at"): "2"},
    [],
)


def test_two_equal_runs_are_equal_whatever_the_order_between_subjects() -> None:
    swapped = [event(1, "b.opened", "b"), event(2, "a.opened")]
    figures = compare(CALM, replace(CALM, events=swapped), swapped, [incident("a")])
    assert figures["ok"] is True
    assert not compare(replace(CALM, incidents={}), replace(CALM, incidents={}), [], [])["ok"]


@pytest.mark.parametrize(
    ("part", "figure", "changes"),
    [
        ("incidents", "lost", {"incidents": {"a": incident("a")}}),
        ("incidents", "doubled", {"incidents": {**CALM.incidents, "c": incident("c")}}),
        (
            "incidents",
            "changed",
            {"incidents": {**CALM.incidents, "b": incident("b", onset_at="u")}},
        ),
        ("incidents", "told_but_not_stored", {"incidents": {"b": incident("b")}}),
        ("events", "gaps", {"events": [event(1, "a.opened"), event(3, "b.opened", "b")]}),
        ("events", "repeated", {"events": [*CALM.events, event(3, "a.opened")]}),
        ("events", "subjects_that_differ", {"events": CALM.events[:1]}),
        ("events", "read_but_not_stored", {"events": CALM.events[1:]}),
        ("evidence", "missing", {"pictures": {("a", "at"): "2"}}),
        ("evidence", "extra", {"pictures": {**CALM.pictures, ("b", "at"): "3"}}),
        ("evidence", "broken", {"broken": ["a/at"]}),
    ],
)
def test_every_kind_of_damage_is_seen(part: str, figure: str, changes: dict[str, Any]) -> None:
    damaged = replace(copy.deepcopy(CALM), **changes)
    figures = compare(CALM, damaged, CALM.events, [incident("a")])
    assert figures[part][figure] == 1
    assert figures["ok"] is False
