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
from xiaozheng.datasets.scenes.boxes import Box, instance_mask, visible_boxes, yolo_lines
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
    assert boxes == [Box("car", 20, 10, 50, 30, 600, 2)]


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


def test_instance_mask_numbers_the_label_lines() -> None:
    index = np.zeros((40, 60), np.int32)
    index[5:25, 5:25], index[10:30, 30:50], index[32:36, 2:6] = 7, 3, 5
    labels = [None, None, "bin", None, "person", None, "stall"]
    boxes = visible_boxes(index, labels)
    assert [box.label for box in boxes] == ["bin", "stall"]
    mask = instance_mask(index, boxes)
    for number, box in enumerate(boxes, 1):
        rows, columns = np.nonzero(mask == number)
        assert (columns.min(), columns.max() + 1) == (box.x0, box.x1)
        assert (rows.min(), rows.max() + 1) == (box.y0, box.y1)
    assert mask[33, 3] == 0


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
def test_stills_render_resume_and_reproduce(tmp_path: Path) -> None:
    pytest.importorskip("bpy")
    first, again = tmp_path / "first", tmp_path / "again"
    command = ["stills", "--count", "1", "--seed", "5", "--samples", "1", "--masks", "--out"]
    assert main([*command, str(first)]) == 0
    picture = cv2.imread(str(first / "images" / "s00005.jpg"))
    assert picture.shape == (360, 640, 3)
    assert picture.std() > 15
    note = first / "labels" / "s00005.txt"
    rows = [line.split() for line in note.read_text().splitlines()]
    mask = cv2.imread(str(first / "masks" / "s00005.png"), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(mask)) == set(range(len(rows) + 1))
    for number, (_, *shares) in enumerate(rows, 1):
        cx, cy, wide, high = (float(v) for v in shares)
        ys, xs = np.nonzero(mask == number)
        assert (xs.min() + xs.max() + 1) / 2 / 640 == pytest.approx(cx, abs=0.02)
        assert (ys.min() + ys.max() + 1) / 2 / 360 == pytest.approx(cy, abs=0.03)
        assert 0 <= cx - wide / 2 <= cx + wide / 2 <= 1.000001
        assert 0 <= cy - high / 2 <= cy + high / 2 <= 1.000001
    stamp = note.stat().st_mtime_ns
    assert main([*command, str(first)]) == 0
    assert note.stat().st_mtime_ns == stamp
    assert main([*command, str(again)]) == 0
    assert (again / "labels" / "s00005.txt").read_bytes() == note.read_bytes()
    other_mask = (again / "masks" / "s00005.png").read_bytes()
    assert other_mask == (first / "masks" / "s00005.png").read_bytes()
    other = cv2.imread(str(again / "images" / "s00005.jpg"))
    assert np.abs(other.astype(int) - picture).mean() < 1.0


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
