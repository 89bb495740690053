"""Pictures to boxes through real sessions, with a detector whose right answers are known."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from vision_support import SHELF

from xiaozheng.config.errors import ModelError
from xiaozheng.models.manifest import read_manifest, sha256_file, write_manifest
from xiaozheng.models.registry import Registry
from xiaozheng.models.runtimes import Backend, available_backends, open_session
from xiaozheng.vision.detections import Detections
from xiaozheng.vision.detector import Detector

BGR = {"car": (0, 0, 255), "person": (0, 255, 0), "bin": (255, 0, 0), "garbage": (0, 255, 255)}


def street(width: int, height: int, **things: tuple[int, int, int, int]) -> np.ndarray:
    """Grey, with a rectangle of its colour for each thing."""
    image = np.full((height, width, 3), 128, np.uint8)
    for name, (x1, y1, x2, y2) in things.items():
        cv2.rectangle(image, (x1, y1), (x2 - 1, y2 - 1), BGR[name], cv2.FILLED)
    return image


def boxes(found: Detections) -> dict[str, list[float]]:
    return dict(zip(found.names(), found.xyxy.tolist(), strict=True))


@pytest.fixture(scope="module", params=available_backends())
def detector(request: pytest.FixtureRequest) -> Detector:
    return Detector.open(Registry(SHELF), "colours", backend=request.param, threads=1)


@pytest.mark.parametrize(
    ("width", "height"), [(640, 360), (640, 640), (320, 240), (1280, 720), (1281, 723), (90, 333)]
)
def test_boxes_come_in_pixels_of_the_picture(detector: Detector, width: int, height: int) -> None:
    car = (width // 4, height // 4, width // 2, height // 2)
    (found,) = detector.detect([street(width, height, car=car)])
    slack = max(1.0, max(width, height) / 640)
    assert boxes(found)["car"] == pytest.approx(car, abs=slack)
    assert (found.width, found.height) == (width, height)
    assert found.labels == detector.labels
    assert found.score.tolist() == pytest.approx([1.0], abs=0.02)
    assert found.track_id.tolist() == [-1]


def test_mixed_sizes_keep_their_order(detector: Detector) -> None:
    sizes = [(640, 360), (320, 240), (640, 360), (240, 320), (640, 352)] * 5
    pictures = [
        street(width, height, car=(10 + i, 20, 100 + i, 90))
        for i, (width, height) in enumerate(sizes)
    ]
    found = detector.detect(pictures)
    assert [(f.width, f.height) for f in found] == sizes
    assert [boxes(f)["car"][0] for f in found] == pytest.approx(
        [10 + i for i in range(len(sizes))], abs=1.0
    )


def test_reduced_pictures_give_boxes_of_the_submitted_frame(detector: Detector) -> None:
    half = street(640, 360, car=(100, 100, 300, 200))
    (found,) = detector.detect([half], sizes=[(1280, 720)])
    assert boxes(found)["car"] == pytest.approx([200, 200, 600, 400], abs=2)
    assert (found.width, found.height) == (1280, 720)


def test_nothing_is_nothing(detector: Detector) -> None:
    assert detector.detect([]) == []
    (found,) = detector.detect([street(640, 360)])
    assert len(found) == 0
    assert found.xyxy.shape == (0, 4)


def test_several_things_at_once(detector: Detector) -> None:
    picture = street(
        640, 360, car=(0, 0, 90, 90), person=(200, 50, 240, 200), bin=(500, 300, 640, 360)
    )
    (found,) = detector.detect([picture])
    assert sorted(found.names()) == ["bin", "car", "person"]
    assert boxes(found)["bin"] == pytest.approx([500, 300, 640, 360], abs=1)


def test_thresholds_and_min_score(detector: Detector) -> None:
    """A duller red scores lower: below the manifest's 0.4 it counts only when asked for."""
    picture = street(640, 360)
    picture[100:200, 100:300] = (60, 60, 200)
    (normal,) = detector.detect([picture])
    (eager,) = detector.detect([picture], min_score=0.1)
    (strict,) = detector.detect([street(640, 360, car=(0, 0, 50, 50))], min_score=1.01)
    score = eager.score[eager.names().index("car")]
    assert ("car" in normal.names()) == (score >= detector.thresholds["car"])
    assert len(strict) == 0


def test_backends_agree() -> None:
    picture = street(1280, 720, car=(100, 200, 500, 400), person=(700, 100, 800, 500))
    found = [
        Detector.open(Registry(SHELF), "colours", backend=backend).detect([picture])[0]
        for backend in available_backends()
    ]
    for other in found[1:]:
        assert boxes(other).keys() == boxes(found[0]).keys()
        for name, box in boxes(other).items():
            assert box == pytest.approx(boxes(found[0])[name], abs=1.5)


def test_what_it_says_of_itself(detector: Detector) -> None:
    assert detector.ref == "colours@1.0.0"
    assert detector.backend in available_backends()
    assert detector.labels_zh["car"] == "小汽车"
    assert detector.thresholds["bin"] == 0.4


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A shelf of one's own to spoil; gives the artefact's folder."""
    shutil.copytree(SHELF, tmp_path / "shelf")
    return tmp_path / "shelf" / "colours" / "1.0.0"


def rewrite(folder: Path, **changes: object) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | changes), encoding="utf-8")


def open_copy(folder: Path, backend: Backend = "onnxruntime") -> Detector:
    return Detector.open(Registry(folder.parent.parent), "colours", backend=backend)


def test_an_altered_model_is_not_loaded(copied: Path) -> None:
    data = bytearray((copied / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (copied / "model.onnx").write_bytes(bytes(data))
    with pytest.raises(ModelError) as caught:
        open_copy(copied)
    assert caught.value.code == "hash_mismatch"


def test_a_router_is_no_detector(copied: Path) -> None:
    rewrite(copied, task="routing")
    with pytest.raises(ModelError, match="made for routing"):
        open_copy(copied)


def test_labels_that_do_not_fit_the_output_are_found(copied: Path) -> None:
    rewrite(copied, labels=[{"name": "car", "zh": "车"}])
    with pytest.raises(ModelError, match="does not fit 1 labels"):
        open_copy(copied).detect([street(64, 64)])


@pytest.mark.parametrize("backend", available_backends())
def test_a_file_that_is_no_model_is_refused(copied: Path, backend: Backend) -> None:
    (copied / "model.onnx").write_bytes(b"not a model at all")
    manifest = read_manifest(copied)
    entry = {"name": "model.onnx", "sha256": sha256_file(copied / "model.onnx")}
    rewrite(copied, model=entry)
    assert read_manifest(copied).model != manifest.model
    with pytest.raises(ModelError, match="not an ONNX"):
        open_copy(copied, backend)  # the shelf looks into the file
    with pytest.raises(ModelError, match="cannot load"):
        open_session(copied / "model.onnx", backend=backend)  # and so does the runtime


def test_a_smaller_working_size_is_taken_from_the_manifest(copied: Path) -> None:
    manifest = read_manifest(copied)
    smaller = manifest.model_copy(update={"input": {**manifest.input, "size": 320}})
    write_manifest(copied, smaller)
    detector = open_copy(copied)
    assert detector.side == 320
    (found,) = detector.detect([street(1280, 720, car=(400, 200, 800, 600))])
    assert boxes(found)["car"] == pytest.approx([400, 200, 800, 600], abs=4)
