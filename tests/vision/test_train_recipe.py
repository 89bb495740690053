"""The whole recipe on a handful of pictures: killed, resumed, shelved, and run by the detector."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import pytest

from xiaozheng.config.errors import DatasetError, ModelError
from xiaozheng.datasets.labels import DETECTOR_LABELS
from xiaozheng.models.registry import Registry
from xiaozheng.vision.detector import Detector

pytest.importorskip("ultralytics", reason="needs the train extra")

from xiaozheng.vision.train.recipe import (
    Order,
    Stage,
    adjusted_stages,
    epochs_done,
    train,
)
from xiaozheng.vision.train.workshop import make_detector, put_on_shelf

pytestmark = pytest.mark.train

EPOCHS = 6
STAGE = Stage("street", EPOCHS, 64, 1e-4, 7, 0.5, 1, 0.1, {"bins": 1, "coco": 1})
COMMAND = """
import sys
from pathlib import Path
from xiaozheng.vision.train.recipe import Order, Stage, train
data, base, work = map(Path, sys.argv[1:4])
stage = Stage("street", {epochs}, 64, 1e-4, 7, 0.5, 1, 0.1, {{"bins": 1, "coco": 1}})
train(Order(data=data, base=base, work=work, stages=(stage,), batch=4))
"""


@pytest.fixture(scope="module")
def small(shared_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few pictures of each real source, in the sources' own layout."""
    root = tmp_path_factory.mktemp("data")
    for name, count in (("bins", 40), ("coco_train_subset", 16)):
        source = shared_dir / "data/vision" / name
        for part in ("images", "labels"):
            (root / name / part).mkdir(parents=True)
        shutil.copy(source / "classes.txt", root / name)
        for image in sorted((source / "images").iterdir())[:count]:
            shutil.copy(image, root / name / "images")
            shutil.copy(source / "labels" / f"{image.stem}.txt", root / name / "labels")
    return root


def order_of(data: Path, shared_dir: Path, work: Path) -> Order:
    return Order(
        data=data,
        base=shared_dir / "weights/yolo11n-coco.pt",
        work=work,
        stages=(STAGE,),
        batch=4,
    )


def test_killed_run_goes_on_and_its_model_detects(
    small: Path, shared_dir: Path, tmp_path: Path
) -> None:
    order = order_of(small, shared_dir, tmp_path / "work")
    last = order.work / "runs/street/weights/last.pt"
    arguments = [str(small), str(order.base), str(order.work)]
    run = subprocess.Popen(
        [sys.executable, "-c", COMMAND.format(epochs=EPOCHS), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not last.is_file() and run.poll() is None:
        time.sleep(0.1)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    before = epochs_done(last)
    assert before is not None
    assert before < EPOCHS

    trained = train(order)

    rows = (order.work / "runs/street/results.csv").read_text(encoding="utf-8").splitlines()
    assert [int(r.split(",")[0]) for r in rows[1:]] == list(range(1, EPOCHS + 1))
    assert epochs_done(last) is None
    assert trained.record.is_file()

    shelf = tmp_path / "shelf"
    manifest = put_on_shelf(trained, order, shelf / "detector/0.1.0", datetime.now(UTC))
    assert tuple(label.name for label in manifest.labels) == DETECTOR_LABELS
    assert manifest.data_hash == trained.data_hash
    assert set(manifest.thresholds) == set(DETECTOR_LABELS)
    assert manifest.extra["parity"]["onnxruntime"]["box_px"] < 0.5
    assert sorted(p.name for p in (shelf / "detector/0.1.0").iterdir()) == [
        "CARD.md",
        "manifest.json",
        "model.onnx",
    ]
    detector = Detector.open(Registry(shelf), "detector@0.1.0")
    image = cv2.imread(str(next((small / "bins/images").iterdir())))
    assert len(detector.detect([image], min_score=0.01)) == 1


def test_existing_version_is_never_overwritten(
    small: Path, shared_dir: Path, tmp_path: Path
) -> None:
    out = tmp_path / "detector/0.1.0"
    out.mkdir(parents=True)
    with pytest.raises(ModelError, match="give a new version"):
        make_detector(order_of(small, shared_dir, tmp_path / "w"), out, datetime.now(UTC))
    assert not (tmp_path / "w").exists()


def test_missing_source_is_named(shared_dir: Path, tmp_path: Path) -> None:
    order = order_of(tmp_path / "nowhere", shared_dir, tmp_path / "w")
    with pytest.raises(DatasetError, match="bins: no such folder"):
        train(order)


def test_stages_adjust_and_the_later_ones_need_stills() -> None:
    quick = adjusted_stages(epochs=1, size=320, with_stills=False)
    assert [(s.name, s.epochs, s.size, s.close_mosaic) for s in quick] == [("street", 1, 320, 1)]
    full = adjusted_stages(None, None, with_stills=True)
    assert [s.name for s in full] == ["street", "scenes", "larger"]
    assert replace(full[0], epochs=1, size=320, close_mosaic=1) == quick[0]
