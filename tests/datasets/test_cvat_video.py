"""CVAT video tracks: keyframes, interpolation, outside, occluded; clips cut without repeats."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from xiaozheng.config.errors import DatasetError
from xiaozheng.datasets.cvat_tracks import Key, key_at, read_tracks
from xiaozheng.datasets.cvat_video import Cut, scan_cvat_video
from xiaozheng.datasets.scan import Scan
from xiaozheng.datasets.xmltree import parse_xml

FPS, FRAMES, WIDTH, HEIGHT = 10, 60, 160, 120

HEAD = f"""<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <id>7</id><name>gate</name><size>{FRAMES}</size><mode>interpolation</mode>
      <start_frame>0</start_frame><stop_frame>{FRAMES - 1}</stop_frame><frame_filter></frame_filter>
      <labels>
        <label><name>car</name><attributes></attributes></label>
        <label><name>满溢垃圾桶</name><attributes></attributes></label>
      </labels>
      <original_size><width>{WIDTH}</width><height>{HEIGHT}</height></original_size>
      <source>gate.mp4</source>
    </task>
  </meta>
"""


def box(frame: int, left: float, *, outside: int = 0, occluded: int = 0, top: float = 20) -> str:
    return (
        f'<box frame="{frame}" keyframe="1" outside="{outside}" occluded="{occluded}"'
        f' xtl="{left}" ytl="{top}" xbr="{left + 40}" ybr="{top + 30}" z_order="0">'
        '<attribute name="plate">no</attribute></box>\n'
    )


def track(label: str, *boxes: str) -> str:
    return f'<track id="0" label="{label}" source="manual">\n{"".join(boxes)}</track>\n'


def video(path: Path, frames: int = FRAMES, *, moving: bool = True) -> Path:
    """A grey street over which a block moves from left to right."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    street = np.kron(
        np.random.default_rng(1).integers(60, 200, (12, 16), dtype=np.uint8),
        np.ones((10, 10), np.uint8),
    )
    for i in range(frames):
        image = cv2.merge([street] * 3)
        left = 2 * i if moving else 20
        cv2.rectangle(image, (left, 20), (left + 39, 49), (0, 0, 250), cv2.FILLED)
        writer.write(image)
    writer.release()
    return path


def clip(folder: Path, *tracks: str, name: str = "gate", moving: bool = True) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    video(folder / f"{name}.mp4", moving=moving)
    xml = folder / f"{name}.xml"
    xml.write_text(HEAD + "".join(tracks) + "</annotations>\n", encoding="utf-8")
    return xml


def scan(xml: Path, work: Path, **cut: object) -> Scan:
    work.mkdir(exist_ok=True)
    return scan_cvat_video(xml, Cut(work, **cut), name="city")  # type: ignore[arg-type]


def test_a_clip_becomes_pictures_whose_boxes_follow_the_thing(tmp_path: Path) -> None:
    xml = clip(tmp_path, track("car", box(0, 0), box(50, 100), box(55, 110, outside=1)))
    found = scan(xml, tmp_path / "work", fps=2)
    assert found.problems == ()
    assert found.table.names == ("car", "满溢垃圾桶")
    assert {p.group for p in found.table.pictures} == {"clip/gate"}
    assert [int(p.path.stem[-6:]) for p in found.table.pictures] == list(range(0, 60, 5))
    for item in found.table.pictures[:-1]:
        (left,) = (item.boxes[:, 0] - item.boxes[:, 2] / 2) * WIDTH
        image = cv2.imread(str(item.path)).astype(int)
        red = np.flatnonzero((image[35, :, 2] > 180) & (image[35, :, 0] < 90))
        assert red[0] == pytest.approx(left, abs=2), "the box stands where the thing is"
    assert len(found.table.pictures[-1]) == 0, "outside from frame 55 on"


def test_interpolation_is_linear_holds_after_the_last_key_and_skips_outside() -> None:
    def key(frame: int, left: float, *, outside: bool = False, occluded: bool = False) -> Key:
        return Key(frame, (left, 0, left + 10, 10), outside, occluded, 1)

    keys = [key(2, 0, occluded=True), key(6, 8), key(8, 8, outside=True), key(12, 50)]
    found = [k for frame in range(15) if (k := key_at(keys, frame))]
    got = {k.frame: (k.corners[0], k.occluded) for k in found}
    assert got == {
        2: (0, True), 3: (2, True), 4: (4, True), 5: (6, True), 6: (8, False), 7: (8, False),
        12: (50, False), 13: (50, False), 14: (50, False),
    }  # fmt: skip


def test_a_still_street_gives_one_picture_and_a_new_box_gives_another(tmp_path: Path) -> None:
    parked = track("car", box(0, 20))
    overflows = track("满溢垃圾桶", box(30, 100, top=70))
    xml = clip(tmp_path, parked, overflows, moving=False)
    found = scan(xml, tmp_path / "work", fps=5)
    assert [len(p) for p in found.table.pictures] == [1, 2]
    assert "略去近似重复 28 帧" in "".join(found.notes)
    every = scan(xml, tmp_path / "all", fps=5, every=True)
    assert len(every.table) == 30


def test_occluded_boxes_go_when_asked(tmp_path: Path) -> None:
    xml = clip(tmp_path, track("car", box(0, 0), box(20, 40, occluded=1), box(40, 80)))
    assert all(len(p) == 1 for p in scan(xml, tmp_path / "a", fps=1, every=True).table.pictures)
    less = scan(xml, tmp_path / "b", fps=1, keep_occluded=False, every=True)
    assert [len(p) for p in less.table.pictures] == [1, 1, 0, 0, 1, 1]


def test_absolute_frames_of_a_task_that_took_every_fifth(tmp_path: Path) -> None:
    head = HEAD.replace("<start_frame>0", "<start_frame>10").replace(
        "<frame_filter></frame_filter>", "<frame_filter>step=5</frame_filter>"
    )
    xml = clip(tmp_path)
    xml.write_text(head + track("car", box(10, 20), box(50, 100)) + "</annotations>", "utf-8")
    tracks = read_tracks(xml)
    assert (tracks.start, tracks.stop, tracks.step) == (10, 59, 5)
    assert tracks.boxes_at(30)[0][1].corners[0] == 60
    found = scan(xml, tmp_path / "work", fps=2, every=True)
    assert [int(p.path.stem[-6:]) for p in found.table.pictures] == list(range(10, 60, 5))


def test_a_broken_row_spoils_only_the_frames_it_leaves_unclear(tmp_path: Path) -> None:
    broken = box(20, 40).replace('xbr="80"', 'xbr="wide"')
    xml = clip(tmp_path, track("car", box(0, 0), box(10, 20), broken, box(30, 60)))
    found = scan(xml, tmp_path / "work", fps=2, every=True)
    assert [int(p.path.stem[-6:]) for p in found.table.pictures] == [0, 5, 10, *range(30, 60, 5)]
    (problem,) = found.problems
    line = xml.read_text(encoding="utf-8").split("\n").index(broken.strip()) + 1
    assert (problem.path, problem.line) == (xml, line)
    assert "3 帧因轨迹有误未导入" in "".join(found.notes)


def test_a_folder_of_clips_takes_the_sound_ones_and_names_the_others(tmp_path: Path) -> None:
    clip(tmp_path / "one", track("car", box(0, 0)), name="annotations")
    clip(tmp_path / "two", track("car", box(0, 0)), name="gate")
    clip(tmp_path / "bad", track("car", box(0, 0)), name="cut").write_text("<annotations>", "utf-8")
    lonely = clip(tmp_path / "lonely", track("car", box(0, 0)))
    (tmp_path / "lonely" / "gate.mp4").unlink()
    short = clip(tmp_path / "short", track("car", box(0, 0)), name="short")
    video(tmp_path / "short" / "short.mp4", 22)
    found = scan(tmp_path, tmp_path / "work", fps=1)
    assert {p.group for p in found.table.pictures} == {
        "clip/annotations",
        "clip/gate",
        "clip/short",
    }
    told = {p.path.name: p.reason for p in found.problems}
    assert "broken XML" in told["cut.xml"]
    assert "0 videos beside it" in told[lonely.name]
    assert "the video ends before 30" in told["short.mp4"]
    assert short.is_file()


def test_the_wrong_video_and_the_wrong_format_are_refused(tmp_path: Path) -> None:
    xml = clip(tmp_path, track("car", box(0, 0)))
    text = xml.read_text(encoding="utf-8")
    xml.write_text(text.replace(f"<width>{WIDTH}", "<width>640"), encoding="utf-8")
    with pytest.raises(DatasetError, match=r"labelled at 640×120, gate\.mp4 is 160×120"):
        scan(xml, tmp_path / "work")
    (tmp_path / "gate.mp4").write_bytes(b"no video")
    with pytest.raises(DatasetError, match="not a readable video"):
        scan(xml, tmp_path / "work")
    xml.write_text('<annotations><image name="a.jpg"/></annotations>', encoding="utf-8")
    with pytest.raises(DatasetError, match="use the format cvat-images"):
        scan(xml, tmp_path / "work")


BOMB = """<!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<annotations><track label="&b;"/></annotations>"""
OUTSIDE = (
    """<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><annotations>&a;</annotations>"""
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "entities are refused"),
        (OUTSIDE, "entities are refused"),
        ("<a><b></a>", "broken XML"),
        ("<a>" * 60 + "</a>" * 60, "nested deeper"),
        ("<a>&none;</a>", "broken XML"),
        ('<?xml version="1.0" encoding="gbk"?><a/>', "broken XML"),
        ('<?xml version="1.0" encoding="utfN8"?><a/>', "broken XML"),
    ],
)
def test_xml_that_attacks_or_breaks_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "x.xml").write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError, match=says):
        parse_xml(tmp_path / "x.xml")
