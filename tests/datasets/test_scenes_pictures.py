"""From renderer output to pictures and labels: OpenEXR, film, boxes, and a small real render."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from xiaozheng.config.errors import InputError
from xiaozheng.datasets.labels import DETECTOR_LABELS
from xiaozheng.datasets.scenes.__main__ import main
from xiaozheng.datasets.scenes.boxes import Box, visible_boxes, yolo_lines
from xiaozheng.datasets.scenes.exr import read_exr
from xiaozheng.datasets.scenes.film import Film, develop, meter


def exr_bytes(planes: dict[str, np.ndarray], compression: int = 0) -> bytes:
    """A minimal scan-line OpenEXR file, written from the format's description."""
    names = sorted(planes)
    high, wide = planes[names[0]].shape
    channels = b"".join(n.encode() + b"\0" + struct.pack("<iB3xii", 2, 0, 1, 1) for n in names)
    window = struct.pack("<4i", 0, 0, wide - 1, high - 1)
    fields = [
        ("channels", "chlist", channels + b"\0"),
        ("compression", "compression", bytes([compression])),
        ("dataWindow", "box2i", window),
    ]
    head = struct.pack("<II", 20000630, 2)
    for name, kind, value in fields:
        head += (
            name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
        )
    head += b"\0"
    rows = [
        struct.pack("<ii", y, 4 * wide * len(names))
        + b"".join(planes[n][y].astype("<f4").tobytes() for n in names)
        for y in range(high)
    ]
    first = len(head) + 8 * high
    offsets = [first + sum(map(len, rows[:y])) for y in range(high)]
    return head + struct.pack(f"<{high}Q", *offsets) + b"".join(rows)


def test_exr_round_trip(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    planes = {n: rng.random((5, 7), dtype=np.float32) for n in ("L.Combined.R", "L.IndexOB.X")}
    path = tmp_path / "a.exr"
    path.write_bytes(exr_bytes(planes))
    found = read_exr(path)
    assert found.keys() == planes.keys()
    for name, plane in planes.items():
        assert np.array_equal(found[name], plane)


def test_exr_refuses_other_files(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    path.write_bytes(b"not an exr file")
    with pytest.raises(InputError, match="not an OpenEXR"):
        read_exr(path)
    path.write_bytes(exr_bytes({"R": np.zeros((2, 2), np.float32)}, compression=3))
    with pytest.raises(InputError, match="compressed"):
        read_exr(path)


def test_box_encloses_the_visible_pixels() -> None:
    index = np.zeros((40, 60), np.int32)
    index[10:30, 20:50] = 2
    boxes = visible_boxes(index, [None, "car"])
    assert boxes == [Box("car", 20, 10, 50, 30, 600)]


def test_occluded_part_does_not_count() -> None:
    index = np.zeros((40, 60), np.int32)
    index[10:30, 20:50] = 1
    index[10:30, 35:60] = 2
    left = visible_boxes(index, ["car", "truck"])[0]
    assert (left.x0, left.x1) == (20, 35)


def test_specks_and_props_are_left_out() -> None:
    index = np.zeros((40, 60), np.int32)
    index[0:3, 0:3] = 1
    index[10:30, 10:30] = 2
    index[35, 55] = 2
    assert visible_boxes(index, ["person", None]) == []
    assert visible_boxes(index, [None, "bin"])[0].x1 == 30


def test_an_object_glimpsed_through_leaves_is_left_out() -> None:
    index = np.zeros((100, 100), np.int32)
    index[10:14, 10:90] = index[86:90, 10:90] = 1
    assert visible_boxes(index, ["stall"])[0].pixels == 640
    index[:] = 0
    index[10:14, 10:30] = index[86:90, 70:90] = 1
    assert visible_boxes(index, ["stall"]) == []


def test_yolo_lines_are_shares_of_the_picture() -> None:
    text = yolo_lines([Box("stall", 0, 0, 320, 180, 9)], 640, 360)
    number, *shares = text.split()
    assert int(number) == DETECTOR_LABELS.index("stall")
    assert [float(v) for v in shares] == [0.25, 0.25, 0.5, 0.5]


def test_developing_is_repeatable_and_noise_differs_by_seed() -> None:
    light = np.full((36, 64, 3), 0.2, np.float32)
    first, again, other = (develop(light, Film(), seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.dtype == np.uint8


def test_more_light_is_brighter_and_corners_are_darker() -> None:
    light = np.full((36, 64, 3), 0.2, np.float32)
    film = Film(noise=0.0, vignette=0.3)
    dim, bright = develop(light, film, 1), develop(light * 3, film, 1)
    assert bright.mean() > dim.mean() + 20
    assert dim[0, 0].mean() < dim[18, 32].mean()


def test_metering_undoes_the_brightness_of_the_scene() -> None:
    light = np.full((36, 64, 3), 0.2, np.float32)
    assert meter(light) == pytest.approx(2 * meter(light * 2), rel=1e-4)


def test_suite_command_writes_the_file(tmp_path: Path) -> None:
    assert main(["suite", "--out", str(tmp_path / "suite.yaml")]) == 0
    assert "illegal_parking" in (tmp_path / "suite.yaml").read_text("utf-8")


@pytest.mark.train
def test_stills_render_with_labels_and_resume(tmp_path: Path) -> None:
    pytest.importorskip("bpy")
    command = ["stills", "--count", "1", "--seed", "5", "--samples", "1", "--out", str(tmp_path)]
    assert main(command) == 0
    picture = cv2.imread(str(tmp_path / "images" / "s00005.jpg"))
    assert picture.shape == (360, 640, 3)
    assert picture.std() > 15
    note = tmp_path / "labels" / "s00005.txt"
    rows = [line.split() for line in note.read_text().splitlines()]
    assert rows
    for _, cx, cy, wide, high in rows:
        assert 0 <= float(cx) - float(wide) / 2 <= float(cx) + float(wide) / 2 <= 1.000001
        assert 0 <= float(cy) - float(high) / 2 <= float(cy) + float(high) / 2 <= 1.000001
    stamp = note.stat().st_mtime_ns
    assert main(command) == 0
    assert note.stat().st_mtime_ns == stamp


@pytest.mark.train
def test_a_region_equals_the_same_part_of_the_whole_picture(tmp_path: Path) -> None:
    pytest.importorskip("bpy")
    from dataclasses import replace

    from xiaozheng.datasets.scenes.blender import Stage
    from xiaozheng.datasets.scenes.random_scenes import random_scene

    scene = random_scene(5)
    scene = replace(scene, camera=replace(scene.camera, width=160, height=90))
    stage = Stage(1, tmp_path)
    stage.set_street(scene.street, scene.light)
    stage.aim(scene.camera)
    labels = stage.pose(scene, 0.0)
    _, whole = stage.shoot()
    _, part = stage.shoot(region=(37, 21, 121, 83))
    assert part.shape == (62, 84)
    agreement = (part == whole[21:83, 37:121]).mean()
    assert agreement > 0.97
    assert set(np.unique(whole)) - {0} <= {k + 1 for k, name in enumerate(labels)}
