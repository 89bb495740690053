"""One camera's lane: what is taken, what is stored, and how it is set back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from serve_support import entry, picture, post_frames, running

from xiaozheng.config.errors import FrameError, InputError
from xiaozheng.serve.evidence_files import EvidenceFiles, EvidenceKeeper
from xiaozheng.serve.lane import CameraLane, SeenFrame
from xiaozheng.serve.lane_health import LaneHealth
from xiaozheng.serve.recent_frames import RecentFrames
from xiaozheng.serve.records import Checkpoint
from xiaozheng.serve.settings import Settings
from xiaozheng.vision.cameras import Camera
from xiaozheng.vision.detections import Detections
from xiaozheng.vision.engine import FrameOutcome
from xiaozheng.vision.frame import Frame
from xiaozheng.vision.incident import IncidentState
from xiaozheng.vision.kinds import load_kinds

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LABELS = ("person", "car")
DATA = picture(("car", 2, 3))


@dataclass(frozen=True, slots=True)
class Model:
    """A detector's name and thresholds; the lane asks for nothing else."""

    ref: str
    thresholds: Mapping[str, float]


SEER = Model("colours@1.0.0", {})
CAMERA = Camera.model_validate(
    {
        "id": "cam-1",
        "zones": [
            {
                "id": "kerb",
                "polygon": [[0, 0], [1, 0], [1, 1], [0, 1]],
                "forbids": ["illegal_parking"],
                "dwell_s": 10,
            }
        ],
    }
)


def seen(second: int) -> SeenFrame:
    """A car stands there from second 2 on."""
    boxes = [(128.0, 192.0, 192.0, 256.0)] if second >= 2 else []
    found = Detections.of(boxes, [0.9] * len(boxes), ["car"] * len(boxes), LABELS, (640, 384))
    return SeenFrame(Frame("cam-1", T0 + timedelta(seconds=second), second, DATA), found, SEER, T0)


def lane(folder: Path, checkpoint: Checkpoint | None = None) -> CameraLane:
    return CameraLane(
        CAMERA,
        load_kinds(),
        detector=SEER,
        health=LaneHealth(CAMERA, None, None),
        recent=RecentFrames(folder / "recent", "cam-1", 1_000_000),
        checkpoint=checkpoint,
        keeper=EvidenceKeeper(EvidenceFiles(folder), CAMERA, load_kinds()),
        history_bytes=1_000_000,
    )


def statuses(outcomes: list[FrameOutcome | Exception]) -> list[str]:
    return [o.status if isinstance(o, FrameOutcome) else type(o).__name__ for o in outcomes]


def test_a_step_holds_the_journal_the_pictures_and_the_state(tmp_path: Path) -> None:
    step = lane(tmp_path).advance([seen(s) for s in range(20)])
    assert statuses(step.outcomes) == ["accepted"] * 20
    change = step.change
    assert change is not None
    assert (change.frame_at, change.frame_seq) == (T0 + timedelta(seconds=19), 19)
    states = [s.incident.state for s in change.transitions if s.changed]
    assert states == [IncidentState.SUSPECTED, IncidentState.OPEN]
    assert [p.moment for p in change.evidence] == ["before", "at"]
    assert all(p.blurred is not None for p in change.evidence)
    assert all((tmp_path / p.path).stat().st_size == p.size_bytes for p in change.evidence)


def test_it_goes_on_from_a_checkpoint_as_if_it_had_never_stopped(tmp_path: Path) -> None:
    frames = [seen(s) for s in range(20)]
    whole = lane(tmp_path).advance(frames).change
    first = lane(tmp_path).advance(frames[:8]).change
    assert whole is not None
    assert first is not None
    resumed = lane(tmp_path, Checkpoint("cam-1", first.frame_at, first.frame_seq, first.snapshot))
    assert resumed.last_frame_at == first.frame_at
    rest = resumed.advance(frames[8:]).change
    assert rest is not None
    assert rest.snapshot == whole.snapshot
    assert rest.transitions[-1].incident == whole.transitions[-1].incident


def test_what_was_not_stored_is_forgotten(tmp_path: Path) -> None:
    kept = lane(tmp_path)
    begun = kept.advance([seen(s) for s in range(5)]).change
    assert begun is not None
    kept.commit(begun)
    lost = kept.advance([seen(s) for s in range(5, 20)])
    kept.roll_back()
    again = kept.advance([seen(s) for s in range(5, 20)])
    assert statuses(again.outcomes) == ["accepted"] * 15
    assert again.change is not None
    assert lost.change is not None
    assert again.change.snapshot == lost.change.snapshot
    assert kept.last_frame_at == T0 + timedelta(seconds=4)


def test_a_frame_that_breaks_the_engine_fails_alone(tmp_path: Path) -> None:
    frames = [seen(s) for s in range(20)]
    naive = replace(frames[10].frame, ts=frames[10].frame.ts.replace(tzinfo=None))
    broken = [*frames[:10], SeenFrame(naive, frames[10].detections, SEER, T0), *frames[11:]]
    step = lane(tmp_path).advance(broken)
    assert isinstance(step.outcomes[10], FrameError)
    assert statuses(step.outcomes).count("accepted") == 19
    without = lane(tmp_path).advance(frames[:10] + frames[11:])
    assert step.change is not None
    assert without.change is not None
    assert step.change.snapshot == without.change.snapshot
    assert step.change.transitions == without.change.transitions


def test_late_frames_alone_change_nothing(tmp_path: Path) -> None:
    some = lane(tmp_path)
    some.advance([seen(5)])
    step = some.advance([seen(3), seen(5)])
    assert statuses(step.outcomes) == ["late", "duplicate"]
    assert step.change is None


def test_a_state_of_another_version_is_not_guessed_at(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="camera cam-1: the state in the database"):
        lane(tmp_path, Checkpoint("cam-1", T0, 1, {"version": -1}))


def test_pictures_are_replaced_whole_and_leave_no_scraps(tmp_path: Path) -> None:
    files = EvidenceFiles(tmp_path)
    first = files.keep("i1", "at", T0, b"one", b"blur")
    second = files.keep("i1", "at", T0, b"second", b"blurred")
    assert first.path == second.path == "i1/at.jpg"
    assert files.read(second.path) == b"second"
    assert second.size_bytes == 6
    assert second.blurred is not None
    assert files.read(second.blurred.path) == b"blurred"
    assert sorted(p.name for p in (tmp_path / "i1").iterdir()) == ["at.blurred.jpg", "at.jpg"]
    assert files.read("i1/after.jpg") is None


def test_when_the_disk_refuses_the_camera_waits_for_the_same_frames(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    """A file stands where the evidence folder should be: the frame that needs a picture is not
    stored and says so; once the folder can be made, sending it again opens the incident."""
    settings = make_settings()
    settings.var.mkdir()
    settings.evidence_folder.write_text("in the way")
    start = now - timedelta(seconds=60)

    def send(client: httpx.Client, second: int) -> dict[str, object]:
        item = entry(second, start + timedelta(seconds=second))
        data = DATA if second >= 2 else picture()
        (result,) = post_frames(client, [item], {f"f{second}": data}).json()["results"]
        assert isinstance(result, dict)
        return result

    with running(settings) as client:
        second = 0
        while (result := send(client, second))["status"] == "ok":
            second += 1
            assert second < 30
        error = result["error"]
        assert isinstance(error, dict)
        assert error["code"] == "not_stored"
        assert client.get("/v1/incidents").json()["items"] == []
        assert send(client, second)["status"] == "error"
        settings.evidence_folder.unlink()
        assert send(client, second)["status"] == "ok"
        (incident,) = client.get("/v1/incidents").json()["items"]
        assert incident["state"] == "open"
        assert client.get(incident["evidence"][-1]["url"]).status_code == 200
