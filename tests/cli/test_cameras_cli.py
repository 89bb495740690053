"""`xiaozheng cameras`: files checked with lines, zones drawn, zones proposed from a clip."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from xiaozheng.cli.main import run
from xiaozheng.vision.cameras import load_cameras
from xiaozheng.vision.kinds import load_kinds

SHELF = Path(__file__).parent.parent / "fixtures" / "shelf"
GOOD = """\
cameras:
  - id: gate
    name: 东门
    zones:
      - id: lane
        name: 消防通道
        polygon: [[0.1, 0.4], [0.9, 0.4], [0.9, 1], [0.1, 1]]
        forbids: [illegal_parking]
        dwell_s: 60
"""


@pytest.fixture
def cameras(tmp_path: Path) -> Path:
    path = tmp_path / "cameras.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A red car that stands for all of 30 s."""
    path = tmp_path / "gate.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 2, (320, 192))
    image = np.full((192, 320, 3), 128, np.uint8)
    cv2.rectangle(image, (96, 96), (175, 143), (0, 0, 255), cv2.FILLED)
    for _ in range(60):
        writer.write(image)
    writer.release()
    return path


def test_a_good_file_is_tabled(cameras: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cameras", "check", str(cameras)]) == 0
    said = capsys.readouterr().out
    for words in ("东门", "消防通道", "机动车违停 60 秒", "48.0%", "1 台摄像机可用"):
        assert words in said
    assert run(["cameras", "check", str(cameras), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["ok"], document["zones"], document["doubts"]) == (True, 1, [])


@pytest.mark.parametrize(
    ("good", "bad", "line", "says"),
    [
        ("[0.9, 0.4], [0.9, 1], [0.1, 1]", "[0.9, 1], [0.9, 0.4], [0.1, 1]", 7, "crosses itself"),
        ("[0.9, 1]", "[9, 1]", 7, "0–1"),
        ("dwell_s: 60", "dwell_s: -1", 9, "dwell_s"),
        ("[illegal_parking]", "[jaywalking]", 8, "jaywalking"),
        ("name: 消防通道", "nmae: 消防通道", 6, "nmae"),
    ],
)
def test_mistakes_are_exit_code_2_with_their_line(
    cameras: Path,
    capsys: pytest.CaptureFixture[str],
    good: str,
    bad: str,
    line: int,
    says: str,
) -> None:
    cameras.write_text(GOOD.replace(good, bad), encoding="utf-8")
    assert run(["cameras", "check", str(cameras)]) == 2
    said = capsys.readouterr().err.replace("\n", "")
    assert f"cameras.yaml:{line}" in said
    assert says in said
    assert run(["cameras", "check", str(cameras), "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    assert not document["ok"]
    assert any(f":{line}:" in text for text in document["errors"])


def test_zones_are_drawn_on_a_picture_and_on_a_page(
    cameras: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, page = tmp_path / "out.jpg", tmp_path / "draw.html"
    options = ["--camera", "gate", "--clip", str(clip), "--out", str(picture), "--html", str(page)]
    assert run(["cameras", "draw", str(cameras), *options]) == 0
    assert cv2.imread(str(picture)).shape == (192, 320, 3)
    assert "消防通道" in page.read_text(encoding="utf-8")
    again = ["--camera", "gate", "--still", str(picture), "--out", str(tmp_path / "b.jpg")]
    assert run(["cameras", "draw", str(cameras), *again]) == 0
    for wrong in (
        ["--camera", "gate", "--out", "x.jpg"],
        ["--camera", "back", "--clip", str(clip), "--out", "x.jpg"],
        ["--camera", "gate", "--clip", str(clip)],
        ["--camera", "gate", "--still", str(cameras), "--out", "x.jpg"],
        ["--camera", "gate", "--still", "none.jpg", "--out", "x.jpg"],
    ):
        assert run(["cameras", "draw", str(cameras), *wrong]) == 2
    assert "none.jpg" in capsys.readouterr().err


def test_a_proposal_is_a_file_that_can_be_loaded(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proposal = tmp_path / "s.yaml"
    options = ["--shelf", str(SHELF), "--model", "colours", "--out", str(proposal)]
    start = ["cameras", "suggest", str(clip), *options, "--kind"]
    assert run([*start, "illegal_parking"]) == 0
    assert "1 个建议区域" in capsys.readouterr().out
    (eye,) = load_cameras(proposal, load_kinds()).cameras
    (zone,) = eye.zones
    xs, ys = zip(*zone.polygon, strict=True)
    assert min(xs) == pytest.approx(0.3, abs=0.04)
    assert max(ys) == pytest.approx(0.75, abs=0.04)
    assert cv2.imread(str(proposal.with_suffix(".jpg"))) is not None
    assert run([*start, "illegal_parking", "--min-s", "100"]) == 0
    assert load_cameras(proposal, load_kinds()).cameras[0].zones == ()
    assert run([*start, "jaywalking"]) == 2
