"""The whole recipe on a handful of pictures: killed, resumed, shelved, run, gone on from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import pytest

from xiaozheng.config.errors import DatasetError, ModelError
from xiaozheng.datasets.aliases import rename
from xiaozheng.datasets.folder import about, write_dataset
from xiaozheng.datasets.labels import DETECTOR_LABELS
from xiaozheng.datasets.table import Table
from xiaozheng.datasets.yolo_layouts import scan_yolo_folder
from xiaozheng.models.registry import Registry
from xiaozheng.vision.detector import Detector

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("ultralytics", reason="needs the train extra")

from xiaozheng.vision.train.network import load_network  # noqa: E402
from xiaozheng.vision.train.recipe import (  # noqa: E402
    OWN_LABELS,
    OWN_STAGES,
    Order,
    Stage,
    adjusted,
    epochs_done,
    train,
)
from xiaozheng.vision.train.workshop import make_detector, put_on_shelf  # noqa: E402

pytestmark = pytest.mark.train

EPOCHS = 5
COMMAND = """
import sys
from pathlib import Path
from xiaozheng.vision.train.recipe import Order, Stage, train
bins, coco, base, work = map(Path, sys.argv[1:5])
train(Order(data=(bins, coco), base=base, work=work, batch=4, traffic_stages=(),
            own_stages=(Stage("wide", {epochs}, 64, 1e-4, 0.5, 2, 0.1),)))
"""


@pytest.fixture(scope="module")
def sets(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A few pictures of each real source as data-set folders."""
    root = tmp_path_factory.mktemp("data")
    made = []
    for name, folder, count in (("bins", "bins", 40), ("coco", "coco_train_subset", 16)):
        place = shared_dir / "data/vision" / folder
        scan = rename(scan_yolo_folder(place, None, name))
        table = scan.table.select(scan.table.pictures[:count])
        parts = ["val" if i % 4 == 0 else "train" for i in range(count)]
        facts = about(table, datetime.now(UTC), name, "test", scan.labelled)
        write_dataset(root / name, table, facts, parts)
        made.append(root / name)
    return made[0], made[1]


def order_of(data: Sequence[Path], shared_dir: Path, work: Path) -> Order:
    return Order(
        data=tuple(data),
        base=shared_dir / "weights/yolo11n-coco.pt",
        work=work,
        own_stages=(Stage("wide", EPOCHS, 64, 1e-4, 0.5, 2, 0.1),),
        traffic_stages=(),
        batch=4,
    )


def test_killed_run_ends_at_the_same_weights_and_its_model_detects(
    sets: tuple[Path, Path], shared_dir: Path, tmp_path: Path
) -> None:
    order = order_of(sets, shared_dir, tmp_path / "work")
    last = order.work / "runs/wide/weights/last.pt"
    arguments = [*map(str, sets), str(order.base), str(order.work)]
    run = subprocess.Popen(
        [sys.executable, "-c", COMMAND.format(epochs=EPOCHS), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not last.is_file() and run.poll() is None:
        time.sleep(0.05)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    before = epochs_done(last)
    assert before is not None
    assert before < EPOCHS

    trained = train(order)

    rows = (order.work / "runs/wide/results.csv").read_text(encoding="utf-8").splitlines()
    assert [int(r.split(",")[0]) for r in rows[1:]] == list(range(1, EPOCHS + 1))
    assert epochs_done(last) is None
    assert (order.work / "runs/wide/curves.png").stat().st_size > 1000
    undisturbed = train(replace(order, work=tmp_path / "other"))
    one, two = (load_network(t.own).state_dict() for t in (trained, undisturbed))
    for name, value in one.items():
        assert torch.equal(value, two[name]), name

    shelf = tmp_path / "shelf"
    manifest = put_on_shelf(trained, order, shelf / "detector/0.1.0", datetime.now(UTC))
    assert tuple(label.name for label in manifest.labels) == DETECTOR_LABELS
    assert set(manifest.metrics) == {"bins", "coco"}
    assert set(manifest.metrics["bins"]["per_class"]) == set(OWN_LABELS[:3])
    assert set(manifest.thresholds) == set(DETECTOR_LABELS)
    assert manifest.extra["parity"]["onnxruntime"]["box_px"] < 0.5
    assert abs(manifest.extra["parity"]["onnxruntime"]["ap50_difference"]) < 0.01
    made = sorted(p.name for p in (shelf / "detector/0.1.0").iterdir())
    assert made == ["CARD.md", "manifest.json", "model.onnx"]
    artifact = Registry(shelf).resolve("detector@0.1.0")
    image = cv2.imread(str(next((sets[0] / "images").iterdir())))
    detector = Detector.open(Registry(shelf), "detector@0.1.0")
    assert len(detector.detect([image], min_score=0.01)) == 1

    onward = replace(
        order, work=tmp_path / "onward", start=artifact, teacher=artifact, own_stages=()
    )
    again = load_network(train(onward).own).state_dict()
    for name, value in load_network(trained.own).state_dict().items():
        assert torch.allclose(value, again[name], rtol=2e-3, atol=1e-3), name


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Room for what training begins with, not for its first full state."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=50m", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small tmpfs cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=False)


def test_full_disk_is_told_and_the_same_command_goes_on(
    sets: tuple[Path, Path], shared_dir: Path, disk: Path, tmp_path: Path
) -> None:
    order = order_of(sets, shared_dir, disk / "work")
    order = replace(order, own_stages=(replace(order.own_stages[0], epochs=1, close_mosaic=1),))
    out = tmp_path / "shelf/detector/0.1.0"
    with pytest.raises(ModelError, match="No space left on device") as told:
        make_detector(order, out, datetime.now(UTC))
    assert "用同样的命令继续" in told.value.message_zh
    assert not out.parent.exists()
    assert not list(disk.rglob("exact-*.part"))

    subprocess.run(["mount", "-o", "remount,size=400m", str(disk)], check=True)
    manifest, _ = make_detector(order, out, datetime.now(UTC))
    assert manifest.version == "0.1.0"
    assert (order.work / "CARD.md").read_text(encoding="utf-8").startswith("# detector 0.1.0")


def test_existing_version_is_never_overwritten(
    sets: tuple[Path, Path], shared_dir: Path, tmp_path: Path
) -> None:
    out = tmp_path / "detector/0.1.0"
    out.mkdir(parents=True)
    with pytest.raises(ModelError, match="give a new version"):
        make_detector(order_of(sets, shared_dir, tmp_path / "w"), out, datetime.now(UTC))
    assert not (tmp_path / "w").exists()


def test_sets_that_cannot_be_learned_from_are_named(
    sets: tuple[Path, Path], shared_dir: Path, tmp_path: Path
) -> None:
    work = tmp_path / "w"
    with pytest.raises(DatasetError, match="nowhere: no such folder"):
        train(order_of([tmp_path / "nowhere"], shared_dir, work))
    with pytest.raises(DatasetError, match="nothing to learn"):
        train(order_of(sets[1:], shared_dir, work))
    with pytest.raises(DatasetError, match="source 'bins' is there already"):
        train(order_of([sets[0], sets[0]], shared_dir, work))
    table = Table(OWN_LABELS, ())
    write_dataset(tmp_path / "empty", table, about(table, datetime.now(UTC)), [])
    with pytest.raises(DatasetError, match="has no pictures"):
        train(order_of([tmp_path / "empty"], shared_dir, work))


def test_stages_adjust() -> None:
    quick = adjusted(OWN_STAGES, epochs=1, size=320)
    assert [(s.name, s.epochs, s.size, s.close_mosaic) for s in quick] == [
        ("wide", 1, 320, 1),
        ("sharp", 1, 320, 1),
        ("scenes", 1, 320, 1),
    ]
    assert adjusted(OWN_STAGES) == OWN_STAGES
    assert adjusted(OWN_STAGES, epochs=0) == ()
