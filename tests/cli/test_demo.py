"""The demo on the committed models, clips and calls: what the README promises."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from xiaozheng.cli.demo_truth import judge
from xiaozheng.datasets.suite import Suite, SuiteClip, TrueEvent, load_suite

START = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
SUITE = Suite(
    clips=(
        SuiteClip(
            file="a.mp4",
            camera={"id": "cam-a", "zones": []},
            truth=(TrueEvent(kind="illegal_parking", zone="kerb", start_s=12, end_s=30),),
        ),
        SuiteClip(file="b.mp4", camera={"id": "cam-b", "zones": []}),
    )
)


def incident(camera: str = "cam-a", onset_s: float = 12.0, **changes: Any) -> dict[str, Any]:
    onset = (START + timedelta(seconds=onset_s)).isoformat()
    base = {"camera_id": camera, "zone_id": "kerb", "kind": "illegal_parking", "onset_at": onset}
    return {**base, **changes}


def test_one_report_near_the_true_onset_is_good() -> None:
    verdict = judge(SUITE, [incident(onset_s=14.5)], start=START)
    assert verdict.good
    assert verdict.matches[0].found_onset_s == pytest.approx(14.5)


@pytest.mark.parametrize(
    "reports",
    [
        [],
        [incident(onset_s=22.5)],
        [incident(zone_id="other")],
        [incident(kind="street_vending")],
        [incident(camera="cam-b")],
    ],
)
def test_absent_late_or_misplaced_reports_are_misses(reports: list[dict[str, Any]]) -> None:
    verdict = judge(SUITE, reports, start=START)
    assert [m.clip for m in verdict.missed] == ["a.mp4"]
    assert len(verdict.extra) == len(reports)


def test_a_second_report_of_the_same_event_is_extra() -> None:
    verdict = judge(SUITE, [incident(onset_s=12), incident(onset_s=13)], start=START)
    assert not verdict.missed
    assert len(verdict.extra) == 1
    assert not verdict.good


def test_sample_suite_has_one_event_of_each_kind_and_one_ordinary_clip() -> None:
    suite = load_suite()
    kinds = sorted(event.kind for clip in suite.clips for event in clip.truth)
    assert kinds == ["bin_overflow", "illegal_parking", "street_vending"]
    assert sum(not clip.truth for clip in suite.clips) == 1


def test_demo_finds_every_sample_event_once_and_routes_every_call(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "xiaozheng.cli.main", "demo", "--once", "--json"]
    done = subprocess.run(
        [*command, "--port", "0", "--dir", str(tmp_path)],
        capture_output=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    shown = json.loads(done.stdout)
    assert shown["verdict"]["good"]
    assert len(shown["verdict"]["matches"]) == 3
    assert all(call["status"] == "ok" for call in shown["calls"])
    for found in shown["incidents"]:
        moments = {evidence["moment"] for evidence in found["evidence"]}
        ended = {"after"} if found["state"] == "ended" else set()
        assert moments == {"before", "at"} | ended
        for evidence in found["evidence"]:
            picture = Path(shown["folder"]) / evidence["path"]
            assert picture.read_bytes().startswith(b"\xff\xd8")
