"""Every label format: out and in again is the same set; broken parts are named, the rest stays."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xiaozheng.config.errors import DatasetError
from xiaozheng.datasets.cvat_video import Cut
from xiaozheng.datasets.formats import FORMATS, Source, export, read_source
from xiaozheng.datasets.intake import take_in
from xiaozheng.datasets.scan import Scan
from xiaozheng.datasets.table import Row, Table, picture

NAMES = ("bin", "overflowing_bin", '垃圾 <散落> & "袋"')
WIDTH, HEIGHT = 64, 48


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Four pictures, one of them a PNG."""
    folder = tmp_path_factory.mktemp("album")
    paths = [folder / n for n in ("a.jpg", "b.png", "c 1.jpg", "丁.jpg")]
    for i, path in enumerate(paths):
        noise = np.random.default_rng(i).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        path.write_bytes(cv2.imencode(path.suffix, noise)[1].tobytes())
    return paths


def read(format_: str, place: Path, **more: Any) -> Scan:
    return read_source(Source(format_, place, **more), Cut(place))


@st.composite
def row(draw: st.DrawFn) -> Row:
    """A box inside the picture, at least a pixel wide and high."""
    w, h = draw(st.floats(1 / WIDTH, 1)), draw(st.floats(1 / HEIGHT, 1))
    x, y = draw(st.floats(0, 1 - w)), draw(st.floats(0, 1 - h))
    return draw(st.integers(0, 2)), x + w / 2, y + h / 2, w, h


def rows_of(scan: Scan) -> list[list[tuple[str, list[float]]]]:
    return [
        sorted((scan.table.names[c], b) for c, b in zip(p.classes, p.boxes.tolist(), strict=True))
        for p in scan.table.pictures
    ]


@pytest.mark.parametrize("format_", FORMATS)
@settings(max_examples=25, deadline=None)
@given(rows=st.lists(st.lists(row(), max_size=4), min_size=4, max_size=4))
def test_out_and_in_again_is_the_same(
    album: list[Path], format_: str, rows: list[list[Row]]
) -> None:
    # CVAT keeps two decimals of a pixel: boxes nearer than that would read back as one.
    places = [{tuple(round(v * 6) for v in r): r for r in some} for some in rows]
    table = Table(
        NAMES,
        tuple(picture(p, r.values(), "s") for p, r in zip(album, places, strict=True)),
    )
    with tempfile.TemporaryDirectory() as folder:
        export(table, format_, Path(folder) / "out", ())
        back = read(format_, Path(folder) / "out")
        assert back.problems == ()
        assert back.notes == ()
        assert len(back.table) == 4
        slack = 0.011 / HEIGHT if format_.startswith("cvat") else 3e-6
        by_bytes = {p.path.read_bytes(): p for p in back.table.pictures}
        for item in table.pictures:
            twin = by_bytes[item.path.read_bytes()]
            assert len(twin) == len(item)
            free = list(range(len(twin)))
            for label, box in zip(item.classes.tolist(), item.boxes, strict=True):
                fits = [
                    j
                    for j in free
                    if back.table.names[int(twin.classes[j])] == NAMES[label]
                    and np.abs(twin.boxes[j] - box).max() <= slack
                ]
                assert fits, f"{NAMES[label]} {box} is not in {twin.boxes}"
                free.remove(fits[0])


@settings(max_examples=20, deadline=None)
@given(way=st.lists(st.sampled_from(FORMATS), min_size=2, max_size=4), seed=st.integers(0, 99))
def test_a_set_survives_any_way_through_the_formats(
    album: list[Path], way: list[str], seed: int
) -> None:
    rng = random.Random(seed)
    rows: list[list[Row]] = [
        [(rng.randrange(3), rng.uniform(0.3, 0.7), 0.5, 0.2 + 0.1 * k, 0.4) for k in range(3)]
        for _ in album
    ]
    table = Table(NAMES, tuple(picture(p, r) for p, r in zip(album, rows, strict=True)))
    with tempfile.TemporaryDirectory() as folder:
        for step, format_ in enumerate(way):
            export(table, format_, Path(folder) / str(step))
            scan = read(format_, Path(folder) / str(step))
            assert scan.problems == ()
            table = scan.table
        counts = {n: sum(r[0] == i for some in rows for r in some) for i, n in enumerate(NAMES)}
        assert {n: c for n, c in table.counts().items() if c} == {
            n: c for n, c in counts.items() if c
        }
        got = sorted(float(b[2]) for p in table.pictures for b in p.boxes)
        np.testing.assert_allclose(got, sorted(r[3] for some in rows for r in some), atol=1e-3)


@pytest.mark.parametrize("layout", ["ultralytics", "roboflow", "lists"])
def test_yolo_splits_of_others_are_kept(album: list[Path], tmp_path: Path, layout: str) -> None:
    parts = {"train": album[:2], "valid" if layout == "roboflow" else "val": album[2:]}
    for part, paths in parts.items():
        inner = (part, "images") if layout == "roboflow" else ("images", part)
        for path in paths:
            target = tmp_path / inner[0] / inner[1] / path.name
            label = Path(str(target).replace("images", "labels")).with_suffix(".txt")
            target.parent.mkdir(parents=True, exist_ok=True)
            label.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
            label.write_text("1 0.5 0.5 0.5 0.5\n")
    told = {"ultralytics": "path: .\ntrain: images/train\nval: images/val\n",
            "roboflow": "train: ../train/images\nval: ../valid/images\n",
            "lists": "train: train.txt\nval: val.txt\n"}[layout]  # fmt: skip
    if layout == "lists":
        for part, paths in parts.items():
            (tmp_path / f"{part}.txt").write_text(
                "".join(f"./images/{part}/{p.name}\n" for p in paths)
            )
    (tmp_path / "data.yaml").write_text(told + "names: {0: bin, 1: overflow}\n")
    scan = read("yolo", tmp_path)
    assert scan.problems == ()
    assert scan.table.names == ("bin", "overflow")
    assert scan.table.counts()["overflow"] == 4
    assert sorted(scan.parts) == ["train", "train", "val", "val"]


def spoil(folder: Path, format_: str, count: int) -> None:
    """Break every twentieth picture or row of a set in turn, in several ways."""
    images = sorted(p for p in folder.rglob("*") if p.suffix == ".jpg")
    for k, image in enumerate(images[::20]):
        if k % 3 == 0:
            image.write_bytes(image.read_bytes()[:200])
        elif k % 3 == 1:
            image.write_bytes(b"")
        elif format_ == "labelme":
            image.with_suffix(".json").write_text("{ broken")
        elif format_ == "yolo":
            (folder / "labels" / f"{image.stem}.txt").write_text("0 0.5 0.5 0.5\n")
        elif format_ in ("cvat-images", "cvat-video"):
            image.write_text("no picture")
        else:
            image.unlink()
    assert len(images) == count


@pytest.mark.parametrize("format_", FORMATS)
def test_five_per_cent_broken_files_are_listed_and_the_rest_is_taken(
    tmp_path: Path, format_: str
) -> None:
    raw = tmp_path / "raw"
    raw.mkdir()
    pictures = []
    for i in range(100):
        noise = np.random.default_rng(i).integers(0, 255, (24, 32, 3), dtype=np.uint8)
        cv2.imwrite(str(raw / f"{i:03d}.jpg"), noise)
        pictures.append(picture(raw / f"{i:03d}.jpg", [(i % 2, 0.5, 0.5, 0.5, 0.5)]))
    # Breaking a hard link would break the original too; copies make the set stand alone.
    export(Table(("bin", "garbage"), tuple(pictures)), format_, tmp_path / "set")
    for path in (tmp_path / "set").rglob("*.jpg"):
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
    spoil(tmp_path / "set", format_, 100)
    scan = take_in(Source(format_, tmp_path / "set"), Cut(tmp_path))
    assert len(scan.table) == 95
    broken = {p.path.stem for p in scan.problems if p.path.suffix in (".jpg", ".txt")}
    told = " ".join(str(p) for p in scan.problems)
    numbers = [f"{i:06d}" if format_ == "cvat-video" else f"{i:03d}" for i in (0, 20, 40, 60, 80)]
    assert all(n in broken or n in told for n in numbers)
    assert all(p.reason and p.code for p in scan.problems)


COCO: dict[str, Any] = {
    "images": [{"id": 1, "file_name": "x/a.jpg", "width": 64, "height": 48}],
    "annotations": [{"image_id": 1, "category_id": 7, "bbox": [8, 12, 16, 24], "iscrowd": 0}],
    "categories": [{"id": 7, "name": "bin"}],
}


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        ({"category_id": 9}, "unknown_class", "annotations[0]: no category 9"),
        ({"bbox": [1, 2, 3]}, "bad_row", "bbox is not four numbers"),
        ({"bbox": [1, 2, 3, None]}, "bad_row", "not a finite number"),
        ({"bbox": [8, 12, 0, 24]}, "degenerate", "box without area"),
        ({"bbox": [60, 12, 16, 24]}, "outside", "box outside the picture"),
        ({"image_id": 2}, "missing_picture", "no usable picture with id 2"),
    ],
)
def test_broken_coco_rows_are_named(
    album: list[Path], tmp_path: Path, change: dict[str, Any], code: str, says: str
) -> None:
    content = COCO | {"annotations": [COCO["annotations"][0] | change]}
    (tmp_path / "c.json").write_text(json.dumps(content), encoding="utf-8")
    scan = read("coco", tmp_path / "c.json", images=album[0].parent)
    assert [p.code for p in scan.problems] == [code]
    assert says in scan.problems[0].reason


def test_coco_crowds_and_turned_pictures(album: list[Path], tmp_path: Path) -> None:
    rows = [COCO["annotations"][0], COCO["annotations"][0] | {"iscrowd": 1}]
    (tmp_path / "c.json").write_text(json.dumps(COCO | {"annotations": rows}), encoding="utf-8")
    scan = read("coco", tmp_path / "c.json", images=album[0].parent)
    assert rows_of(scan) == [[("bin", [0.25, 0.5, 0.25, 0.5])]]
    assert any("iscrowd" in note for note in scan.notes)
    turned = COCO | {"images": [COCO["images"][0] | {"width": 48, "height": 64}]}
    (tmp_path / "c.json").write_text(json.dumps(turned), encoding="utf-8")
    scan = read("coco", tmp_path / "c.json", images=album[0].parent)
    assert "turned by its EXIF orientation?" in scan.problems[0].reason


def test_labelme_polygons_windows_paths_and_points(album: list[Path], tmp_path: Path) -> None:
    content = {
        "imagePath": "..\\photos\\a.jpg",
        "shapes": [
            {"label": "bin", "shape_type": "polygon", "points": [[8, 12], [24, 12], [16, 36]]},
            {"label": "bin", "shape_type": "point", "points": [[1, 1]]},
        ],
    }
    (tmp_path / "a.json").write_text(json.dumps(content), encoding="utf-8")
    scan = read("labelme", tmp_path, images=album[0].parent)
    assert rows_of(scan) == [[("bin", [0.25, 0.5, 0.25, 0.5])]]
    assert any("point" in note for note in scan.notes)


def test_label_studio_uploads_cancelled_and_turned_boxes(album: list[Path], tmp_path: Path) -> None:
    def result(**value: float) -> dict[str, Any]:
        box = {"x": 50, "y": 25, "width": 25, "height": 50, "rectanglelabels": ["bin"], **value}
        return {"type": "rectanglelabels", "original_width": 64, "original_height": 48,
                "value": box}  # fmt: skip

    tasks = [
        {"data": {"image": "/data/upload/1/0a1b2c3d-a.jpg"},
         "annotations": [{"result": [result(rotation=90)]},
                         {"result": [], "was_cancelled": True}]},
        {"data": {"image": "b.png"}, "annotations": []},
    ]  # fmt: skip
    (tmp_path / "t.json").write_text(json.dumps(tasks), encoding="utf-8")
    scan = read("label-studio", tmp_path / "t.json", images=album[0].parent)
    assert scan.problems == ()
    # 16 × 24 pixels from (32, 12), a quarter turn clockwise about that corner: 24 × 16 to its left.
    ((label, box),) = rows_of(scan)[0]
    assert label == "bin"
    assert box == pytest.approx([20 / 64, 20 / 48, 24 / 64, 16 / 48], abs=1e-6)
    assert "1 个任务没有标注结果，未导入" in scan.notes


def test_nothing_outside_the_folder_is_read(album: list[Path], tmp_path: Path) -> None:
    inside = tmp_path / "set"
    inside.mkdir()
    (tmp_path / "secret.jpg").write_bytes(album[0].read_bytes())
    content = {"imagePath": "../secret.jpg", "shapes": []}
    (inside / "a.json").write_text(json.dumps(content), encoding="utf-8")
    scan = read("labelme", inside)
    assert len(scan.table) == 0
    assert scan.problems[0].code == "missing_picture"


def test_unknown_formats_and_empty_sources(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no format 'voc'"):
        read("voc", tmp_path)
    with pytest.raises(DatasetError, match="name one file"):
        read("coco", tmp_path)
    for format_ in ("cvat-video", "labelme", "yolo"):
        with pytest.raises(DatasetError):
            read(format_, tmp_path)
    with pytest.raises(DatasetError, match="--video goes with cvat-video"):
        read("coco", tmp_path, video=tmp_path / "v.mp4")
