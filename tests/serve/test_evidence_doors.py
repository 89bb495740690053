"""What leaves the store of evidence, and what of it outlives the process."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest
import yaml
from numpy.typing import NDArray
from serve_support import BGR, CAMERAS, CELL, entry, picture, post_frames, running

from xiaozheng.serve.recent_frames import RecentFrames
from xiaozheng.serve.settings import Settings
from xiaozheng.vision.detections import Detections
from xiaozheng.vision.frame import Frame
from xiaozheng.vision.incident import Incident, IncidentState, Transition

T0 = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
NOTHING = Detections.of([], [], [], ("car", "person"), (640, 384))


def striped(*things: tuple[str, int, int]) -> bytes:
    image = cv2.imdecode(np.frombuffer(picture(*things), np.uint8), cv2.IMREAD_COLOR)
    face = image[2 * CELL : 3 * CELL, 7 * CELL : 8 * CELL]
    face[:] = BGR["person"]
    face[:, ::4] = 0
    return cv2.imencode(".png", image)[1].tobytes()


def opened(client: httpx.Client, now: datetime) -> dict[str, Any]:
    """A car comes to the kerb, and a person stands by with a face of stripes."""
    start = now - timedelta(seconds=60)
    entries = [entry(s, start + timedelta(seconds=s)) for s in range(20)]
    pictures = {f"f{s}": striped(("car", 2, 3)) if s >= 3 else striped() for s in range(20)}
    assert post_frames(client, entries, pictures).status_code == 200
    (item,) = client.get("/v1/incidents").json()["items"]
    found: dict[str, Any] = client.get(f"/v1/incidents/{item['id']}").json()
    return found


def stripes(jpeg: bytes) -> float:
    """How much of the striped face can still be told."""
    image: NDArray[Any] = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    head = image[2 * CELL + 4 : 2 * CELL + 16, 7 * CELL + 20 : 7 * CELL + 44]
    return float(np.abs(np.diff(head.astype(int), axis=1)).mean())


def test_the_doors_give_blurred_pictures_and_their_hashes(
    client: httpx.Client, make_settings: Callable[..., Settings], now: datetime
) -> None:
    incident = opened(client, now)
    folder = make_settings().var
    for entry_of in incident["evidence"]:
        answer = client.get(entry_of["url"])
        assert hashlib.sha256(answer.content).hexdigest() == entry_of["sha256"]
        assert answer.headers["etag"] == f'"{entry_of["sha256"]}"'
        original = (folder / entry_of["path"].replace(".blurred", "")).read_bytes()
        assert hashlib.sha256(original).hexdigest() == entry_of["original_sha256"]
        assert (folder / entry_of["path"]).read_bytes() == answer.content
        assert stripes(original) > 40
        assert stripes(answer.content) < stripes(original) / 2
        refused = client.get(entry_of["url"], params={"original": "true"})
        assert (refused.status_code, refused.json()["code"]) == (403, "originals_off")
    assert {e["moment"] for e in incident["evidence"]} == {"before", "at"}


def test_originals_are_given_where_the_settings_allow_it(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    settings = make_settings(serve_originals=True)
    with running(settings) as client:
        entry_of = opened(client, now)["evidence"][-1]
        original = client.get(entry_of["url"], params={"original": "true"})
        assert hashlib.sha256(original.content).hexdigest() == entry_of["original_sha256"]
        assert client.get(entry_of["url"]).content != original.content


def test_a_picture_of_before_there_were_blurred_copies_stays_inside(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    settings = make_settings(serve_originals=True)
    with running(settings) as client:
        url = opened(client, now)["evidence"][-1]["url"]
        with sqlite3.connect(settings.var / "xiaozheng.db") as database:
            database.execute(
                "UPDATE evidence SET blurred_sha256 = NULL, blurred_size_bytes = NULL, "
                "blurred_path = NULL"
            )
        assert client.get(url).status_code == 404
        assert client.get(url, params={"original": "true"}).status_code == 200
        incident = client.get(url.rpartition("/evidence")[0]).json()
        assert {e["blurred"] for e in incident["evidence"]} == {False}


def test_an_incident_shows_what_was_seen_for_it(client: httpx.Client, now: datetime) -> None:
    incident = opened(client, now)
    seen = incident["observations"]
    assert seen
    assert seen[0]["holds"] is True
    assert seen[0]["reasons"]
    assert [s["at"] for s in seen] == sorted(s["at"] for s in seen)
    assert client.get("/v1/incidents").json()["items"][0]["observations"] is None


# -- recent frames ----------------------------------------------------------------------------


def frame(second: float, data: bytes = b"picture") -> Frame:
    return Frame("..", T0 + timedelta(seconds=second), int(second), data)


def suspicion(state: IncidentState = IncidentState.SUSPECTED, onset_s: float = 6) -> Transition:
    onset = T0 + timedelta(seconds=onset_s)
    incident = Incident(
        id="abc",
        kind="illegal_parking",
        camera_id="..",
        zone_id="kerb",
        state=state,
        onset_at=onset,
        opened_at=None,
        last_seen_at=onset,
        ended_at=None,
        box=(0.1, 0.2, 0.3, 0.4),
        label="car",
        score=0.9,
        reasons=(),
        model="m@1",
        rule="r@1",
    )
    return Transition(incident, True)


def recent(folder: Path) -> RecentFrames:
    return RecentFrames(folder, "..", 1_000_000)


def seconds(kept: RecentFrames, until_s: float, suspected: tuple[str, ...] = ()) -> list[Any]:
    found = kept.read(T0 + timedelta(seconds=until_s), suspected)
    return [((k.frame.ts - T0).total_seconds(), k.incident_id) for k in found]


def test_another_process_finds_the_frames_and_boxes_that_counted(tmp_path: Path) -> None:
    first = recent(tmp_path)
    boxes = Detections.of([(1, 2, 3, 4)], [0.5], ["person"], ("car", "person"), (640, 384))
    for second in range(6):
        first.add(frame(second, bytes([second, 10])), boxes, ())
    assert list(tmp_path.iterdir()) == [tmp_path / "camera-.."]
    again = list(recent(tmp_path).read(T0 + timedelta(seconds=3), ()))
    assert [k.frame.data for k in again] == [bytes([n, 10]) for n in range(4)]
    assert again[0].detections.names() == ["person"]
    assert again[0].detections.xyxy.tolist() == [[1, 2, 3, 4]]
    assert seconds(recent(tmp_path), 99) == [(0, ""), (1, ""), (2, ""), (3, "")]
    assert list(recent(tmp_path).read(None, ())) == []


def test_what_was_set_aside_stays_until_its_incident_is_settled_and_stored(tmp_path: Path) -> None:
    first = recent(tmp_path)
    for second in range(8):
        first.add(frame(second), NOTHING, [suspicion()] if second == 7 else ())
    first.commit([suspicion()])
    for second in range(8, 60):
        first.add(frame(second), NOTHING, ())
    assert len(seconds(recent(tmp_path), 59, ("abc",))) == 61, "nothing goes before the commit"
    second_life = recent(tmp_path)
    list(second_life.read(T0 + timedelta(seconds=59), ("abc",)))
    second_life.commit(())
    kept = seconds(second_life, 59, ("abc",))
    assert kept == [(4, "abc"), *((n, "") for n in range(29, 60))]
    assert second_life.boxes(T0 + timedelta(seconds=4)) is not None
    second_life.commit([suspicion(IncidentState.OPEN)])
    assert (4, "abc") not in seconds(recent(tmp_path), 59, ("abc",))


def test_broken_and_half_written_files_are_thrown_away(tmp_path: Path) -> None:
    first = recent(tmp_path)
    for second in range(3):
        first.add(frame(second), NOTHING, ())
    files = sorted(first.folder.iterdir())
    files[1].write_bytes(files[1].read_bytes()[:-1] + b"?")
    (first.folder / "1_2.tmp").write_bytes(b"half")
    assert seconds(recent(tmp_path), 9) == [(0, ""), (2, "")]
    assert len(list(first.folder.iterdir())) == 2


@pytest.mark.parametrize(("step_s", "kept"), [(0.1, 6), (1.0, 30)])
def test_no_film_is_kept(tmp_path: Path, step_s: float, kept: int) -> None:
    first = recent(tmp_path)
    for n in range(30):
        first.add(frame(n * step_s), NOTHING, ())
    assert len(seconds(recent(tmp_path), 99)) == kept


# -- clips ------------------------------------------------------------------------------------


def test_a_clip_of_the_opening_outlives_restarts_and_is_given_in_parts(
    make_settings: Callable[..., Settings], now: datetime
) -> None:
    """A car comes at second 3, its incident opens ten seconds later; killed before and after."""
    pytest.importorskip("av", reason="needs PyAV")
    settings = make_settings()
    camera = {**CAMERAS["cameras"][0], "evidence_clip": True}
    assert settings.cameras is not None
    settings.cameras.write_text(yaml.safe_dump({"cameras": [camera]}, allow_unicode=True), "utf-8")
    start = now - timedelta(seconds=60)
    for span in (range(11), range(11, 15), range(15, 25)):
        with running(settings) as client:
            entries = [entry(s, start + timedelta(seconds=s)) for s in span]
            pictures = {f"f{s}": striped(("car", 2, 3)) if s >= 3 else striped() for s in span}
            assert post_frames(client, entries, pictures).status_code == 200
            (item,) = client.get("/v1/incidents").json()["items"] or [{"evidence": []}]
            clips = [e for e in item["evidence"] if e["moment"] == "clip"]
            if span.stop < 25:
                assert clips == []
                continue
            (clip,) = clips
            opened_at = datetime.fromisoformat(item["opened_at"])
            assert datetime.fromisoformat(clip["ts"]) == opened_at - timedelta(seconds=5)
            whole = client.get(clip["url"])
            assert (whole.status_code, whole.headers["content-type"]) == (200, "video/mp4")
            assert hashlib.sha256(whole.content).hexdigest() == clip["sha256"]
            size = len(whole.content)
            for asked, first, last in (
                ("bytes=0-99", 0, 99),
                (f"bytes={size - 5}-", size - 5, size - 1),
                ("bytes=-7", size - 7, size - 1),
                (f"bytes=5-{size + 9}", 5, size - 1),
            ):
                part = client.get(clip["url"], headers={"Range": asked})
                assert part.status_code == 206
                assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
                assert part.content == whole.content[first : last + 1]
            beyond = client.get(clip["url"], headers={"Range": f"bytes={size}-"})
            assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
            assert client.get(clip["url"], headers={"Range": "lines=1-2"}).content == whole.content
            original = (settings.var / clip["path"].replace(".blurred", "")).read_bytes()
            assert hashlib.sha256(original).hexdigest() == clip["original_sha256"]
            seen = cv2.VideoCapture(str(settings.var / clip["path"]))
            stamps = []
            while seen.grab():
                stamps.append(round(seen.get(cv2.CAP_PROP_POS_MSEC)))
            assert stamps == [1000 * s for s in range(11)]
