"""`xiaozheng eval events` from the outside, on a sample clip and on a few simulated hours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from xiaozheng.cli.main import run
from xiaozheng.datasets.suite import SAMPLE_SUITE, SAMPLES
from xiaozheng.models.registry import Registry

FIGURES = (
    "precision",
    "recall",
    "f1",
    "onset_rmse_s",
    "duplicates_per_event",
    "fragmentation",
    "false_alarms_per_camera_day",
)


def test_a_clip_suite_gives_every_figure_a_page_and_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "detector" not in Registry().names():
        pytest.skip("no detector on the shelf yet")
    clips = yaml.safe_load(SAMPLE_SUITE.read_text())["clips"]
    suite = tmp_path / "suite.yaml"
    suite.write_text(yaml.safe_dump({"clips": clips[:1]}))
    code = run(
        f"eval events --suite {suite} --root {SAMPLES} --json {tmp_path}/out.json "
        f"--html {tmp_path}/out.html --frames {tmp_path}/frames".split()
    )
    assert code == 0
    document = json.loads((tmp_path / "out.json").read_text())
    for part in (document, *document["per_kind"].values(), *document["per_clip"].values()):
        assert set(FIGURES) <= set(part)
    assert document["f1"] == 1.0
    assert list(document["per_clip"]) == ["clips/illegal_parking.mp4"]
    assert {p.stem.rsplit("_", 1)[1] for p in (tmp_path / "frames").iterdir()} >= {"at", "after"}
    assert "事件评测" in (tmp_path / "out.html").read_text()
    assert "机动车违停" in capsys.readouterr().out


def test_simulated_hours_are_told_by_part_with_their_seed_and_every_failure_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text("traces: {hours: 3, days: 1, seeds: [5], random_hours: 1, random_days: 0}\n")

    def once(name: str) -> dict[str, object]:
        code = run(
            f"eval events --suite {suite} --seed 3 --processes 1 --no-checks "
            f"--json {tmp_path}/{name} --failures {tmp_path}/failures".split()
        )
        assert code == 0
        return {k: v for k, v in json.loads((tmp_path / name).read_text()).items() if k in FIGURES}

    assert once("a.json") == once("b.json")
    document = json.loads((tmp_path / "a.json").read_text())
    dense, ordinary = document["parts"]["dense"], document["parts"]["ordinary"]
    assert (dense["camera_hours"], ordinary["camera_hours"]) == (3, 24)
    assert set(FIGURES) <= set(dense) & set(ordinary)
    assert document["events"] == dense["events"] + ordinary["events"]
    wrong = document["misses"] + document["false_alarms"]
    shown = [path.name for path in (tmp_path / "failures").glob("*.svg")]
    assert sum("-miss-" in name or "-false-alarm-" in name for name in shown) == wrong
    assert "随机种子 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [("--hours 0 --days 0", "不能同时为 0"), ("--seed 3", "--seed 3 与套件的固定种子相同")],
)
def test_wishes_that_leave_nothing_to_compare_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: str, says: str
) -> None:
    command = f"eval events --suite traces {options} --json {tmp_path}/out.json"
    assert run(command.split()) == 2
    assert says in capsys.readouterr().err.replace("\n", "")


@pytest.mark.parametrize(
    ("text", "says"),
    [("clips: [{file: none.mp4, camera: {id: a}}]\n", "none.mp4"), ("clips: 5\n", "suite.yaml:1")],
)
def test_wrong_input_leaves_with_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(text)
    out = tmp_path / "out.json"
    assert run(["eval", "events", "--suite", str(suite), "--json", str(out)]) == 2
    assert says in capsys.readouterr().err.replace("\n", "")
    assert not out.exists()
