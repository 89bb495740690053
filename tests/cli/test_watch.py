"""`xiaozheng watch` on a made-up clip: table, JSON, evidence files, exit codes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from xiaozheng.cli.main import run

SHELF = Path(__file__).parent.parent / "fixtures" / "shelf"
RED = (0, 0, 255)
CAMERAS = """\
cameras:
  - id: gate
    name: 东门
    zones:
      - id: fire-lane
        name: 消防通道
        polygon: [[0, 0.4], [1, 0.4], [1, 1], [0, 1]]
        forbids: [illegal_parking]
        dwell_s: 5
"""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A red car stands from 3 s to 12 s of 36 s."""
    path = tmp_path_factory.mktemp("clips") / "gate.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5, (320, 192))
    for i in range(180):
        image = np.full((192, 320, 3), 128, np.uint8)
        if 15 <= i < 60:
            cv2.rectangle(image, (96, 96), (175, 143), RED, cv2.FILLED)
        writer.write(image)
    writer.release()
    return path


@pytest.fixture
def cameras(tmp_path: Path) -> Path:
    path = tmp_path / "cameras.yaml"
    path.write_text(CAMERAS, encoding="utf-8")
    return path


def watch(clip: Path, out: Path, *options: str) -> int:
    return run(
        [
            "watch",
            str(clip),
            "--shelf",
            str(SHELF),
            "--model",
            "colours",
            "--out",
            str(out),
            *options,
        ]
    )


def watch_json(
    clip: Path, out: Path, capsys: pytest.CaptureFixture[str], *options: str
) -> dict[str, Any]:
    assert watch(clip, out, "--json", *options) == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def test_a_clip_of_the_opening_is_written_where_the_camera_wants_one(
    clip: Path, cameras: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("av", reason="needs PyAV")
    cameras.write_text(CAMERAS + "    evidence_clip: true\n", encoding="utf-8")
    options = ("--cameras", str(cameras), "--camera", "gate")
    (incident,) = watch_json(clip, tmp_path / "out", capsys, *options)["incidents"]
    assert {e["moment"] for e in incident["evidence"]} == {"before", "at", "clip", "after"}
    (film,) = (e for e in incident["evidence"] if e["moment"] == "clip")
    data = Path(film["path"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == film["sha256"]
    assert data[4:8] == b"ftyp"
    # From 5 s before the opening, at two frames a second.
    assert cv2.VideoCapture(film["path"]).get(cv2.CAP_PROP_FRAME_COUNT) == 21


def test_json_tells_all(
    clip: Path, cameras: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--camera", "gate", "--cameras", str(cameras))
    document = watch_json(clip, tmp_path / "out", capsys, *options)
    assert (document["camera_id"], document["model"], document["frames"]) == (
        "gate",
        "colours@1.0.0",
        72,
    )
    (incident,) = document["incidents"]
    assert (incident["kind"], incident["kind_zh"], incident["code"]) == (
        "illegal_parking",
        "机动车违停",
        "0505",
    )
    assert (incident["zone_id"], incident["state"]) == ("fire-lane", "ended")
    assert incident["onset_s"] == pytest.approx(3, abs=1)
    assert incident["opened_s"] - incident["onset_s"] == pytest.approx(5, abs=1)
    assert incident["ended_s"] == pytest.approx(12, abs=1)
    assert incident["dwell_s"] == pytest.approx(9, abs=1)
    assert [item["moment"] for item in incident["evidence"]] == ["before", "at", "after"]
    for item in incident["evidence"]:
        path = Path(item["path"])
        assert path.parent == tmp_path / "out"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == item["sha256"]
        assert cv2.imread(str(path)).shape == (192, 320, 3)


def test_a_second_run_gives_the_same_document(
    clip: Path, cameras: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--camera", "gate", "--cameras", str(cameras))
    first = watch_json(clip, tmp_path / "out", capsys, *options)
    assert watch_json(clip, tmp_path / "out", capsys, *options) == first


def test_the_table_is_chinese(
    clip: Path, cameras: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert watch(clip, tmp_path / "out", "--camera", "gate", "--cameras", str(cameras)) == 0
    captured = capsys.readouterr()
    for word in ("事件 1 件", "机动车违停 0505", "消防通道", "立案", "已结束", "证据图", "00:03"):
        assert word in captured.out
    assert captured.out.index("立案 机动车违停") < captured.out.index("结束 机动车违停")
    assert str(tmp_path / "out") in captured.out


def test_a_start_gives_local_times(
    clip: Path, cameras: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--camera", "gate", "--cameras", str(cameras), "--start", "2026-05-01T08:00:00")
    document = watch_json(clip, tmp_path / "a", capsys, *options)
    assert document["incidents"][0]["onset_at"].startswith("2026-05-01T00:00:0")
    assert watch(clip, tmp_path / "b", *options) == 0
    assert "08:00:03" in capsys.readouterr().out


def test_zones_can_be_given_without_a_camera(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    upper = "illegal_parking:0,0 1,0 1,0.4 0,0.4:5"
    lower = "illegal_parking:0,0.4 1,0.4 1,1 0,1:5"
    document = watch_json(clip, tmp_path, capsys, "--zone", upper, "--zone", lower, "--fps", "5")
    assert [i["zone_id"] for i in document["incidents"]] == ["zone2"]
    document = watch_json(clip, tmp_path, capsys, "--zone", upper)
    assert document["incidents"] == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([], "--camera"),
        (["--camera", "gate"], "cameras.yaml"),
        (["--camera", "back", "--cameras", "{cameras}"], "back"),
        (["--zone", "jaywalking:0,0 1,0 1,1"], "jaywalking"),
        (["--zone", "illegal_parking:0,0 1,0 1,1", "--start", "yesterday"], "yesterday"),
        (["--zone", "illegal_parking:0,0 1,0 1,1", "--fps", "0"], "--fps"),
        (["--zone", "illegal_parking:0,0 1,0 1,1", "--kinds", "none.yaml"], "none.yaml"),
    ],
)
def test_bad_options_are_exit_code_2(
    clip: Path,
    cameras: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path / "..")
    filled = [option.replace("{cameras}", str(cameras)) for option in options]
    assert watch(clip, tmp_path / "out", *filled) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert says in captured.err


@pytest.mark.parametrize("content", [None, b"text, not video"])
def test_a_bad_source_is_exit_code_2_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    source = tmp_path / "broken.mp4"
    if content is not None:
        source.write_bytes(content)
    assert watch(source, tmp_path / "out", "--zone", "illegal_parking:0,0 1,0 1,1") == 2
    assert "broken.mp4" in capsys.readouterr().err.replace("\n", "")
    assert not (tmp_path / "out").exists()
