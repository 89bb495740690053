"""The shipped detector on real street clips: two parked vans are two incidents, traffic is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from vision_support import KINDS

from xiaozheng.models.registry import Registry
from xiaozheng.vision.cameras import Camera, parse_zone
from xiaozheng.vision.detector import Detector
from xiaozheng.vision.incident import Incident
from xiaozheng.vision.watch import watch_video

VANS = "illegal_parking:0.78,0.10 1,0.06 1,0.24 0.78,0.20:20"
CARRIAGEWAY = "illegal_parking:0.33,0.40 0.39,0.38 0.50,0.51 1,0.88 1,1 0.48,1:10"


@pytest.fixture(scope="module")
def detector() -> Detector:
    registry = Registry()
    if "detector" not in registry.names():
        pytest.skip("no detector on the shelf yet")
    return Detector.open(registry)


def reported(clip: Path, zone: str, detector: Detector, fps: float) -> list[Incident]:
    camera = Camera(id="real", zones=(parse_zone(zone, 1, KINDS),))
    found: dict[str, Incident] = {}
    for step in watch_video(clip, camera, KINDS, detector, fps=fps):
        for transition in step.outcome.transitions:
            if transition.incident.opened_at:
                found[transition.incident.id] = transition.incident
    return list(found.values())


@pytest.mark.parametrize("fps", [1, 0.5])
def test_two_parked_vans_are_two_incidents(
    shared_dir: Path, detector: Detector, fps: float
) -> None:
    clip = shared_dir / "data/vision/clips/arjun_vtest.avi"
    found = reported(clip, VANS, detector, fps)
    assert sorted(incident.box[0] > 0.93 for incident in found) == [False, True]


@pytest.mark.parametrize("fps", [1, 0.5])
def test_passing_cars_are_none(shared_dir: Path, detector: Detector, fps: float) -> None:
    clip = shared_dir / "data/vision/clips/ahmetozlu_input_video.mp4"
    assert reported(clip, CARRIAGEWAY, detector, fps) == []
