"""Suite files: what is accepted, and where a mistake is said to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from xiaozheng.config.errors import ConfigError
from xiaozheng.eval.events_suite import SUITES, TraceSettings, load_event_suite
from xiaozheng.vision.kinds import load_kinds

KINDS = load_kinds()
GOOD = """\
clips:
- file: a.mp4
  camera:
    id: a
    zones:
    - id: kerb
      polygon: [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
      forbids: [illegal_parking]
  truth:
  - {kind: illegal_parking, zone: kerb, start_s: 3, end_s: 9}
"""


def test_a_suite_has_clips_with_cameras_and_truth(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(GOOD)
    suite = load_event_suite(str(path), KINDS)
    assert suite.traces is None
    assert suite.clips[0].camera.zone("kerb").forbids == ("illegal_parking",)
    assert (suite.clips[0].truth[0].start_s, suite.clips[0].truth[0].end_s) == (3, 9)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("end_s: 9", "end_s: 2", 10, "end_s"),
        ("zone: kerb, start", "zone: moon, start", 10, "moon"),
        ("{kind: illegal_parking", "{kind: bin_overflow", 10, "bin_overflow"),
        ("forbids: [illegal_parking]", "forbids: [flying]", 8, "flying"),
        ("0.9, 0.9]]", "0.9, 9.9]]", 7, "0–1"),
        ("  truth:", "  wahrheit:", 9, "wahrheit"),
        ("- file: a.mp4\n", "- file: ''\n", 2, "file"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    path = tmp_path / "suite.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_event_suite(str(path), KINDS)
    assert f"{path}:{line}" in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["clips: []\n", GOOD + "traces: {hours: 5}\n", "{}\n"])
def test_a_suite_is_either_clips_or_traces(tmp_path: Path, text: str) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="either clips or traces"):
        load_event_suite(str(path), KINDS)


def test_the_suites_that_come_along_are_sound() -> None:
    assert {path.name for path in SUITES.glob("*.yaml")} >= {"real_clips.yaml", "traces.yaml"}
    for path in SUITES.glob("*.yaml"):
        load_event_suite(str(path), KINDS)


def test_the_name_traces_means_the_file_of_that_name() -> None:
    assert load_event_suite("traces", KINDS).traces == TraceSettings()
    assert load_event_suite(str(SUITES / "traces.yaml"), KINDS) == load_event_suite("traces", KINDS)
