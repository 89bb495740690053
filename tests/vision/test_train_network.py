"""The trained networks: kept COCO rows, the guide, two branches in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from xiaozheng.config.errors import ModelError
from xiaozheng.datasets.labels import COCO_NAMES, DETECTOR_LABELS, TRAFFIC_LABELS

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("ultralytics", reason="needs the train extra")

from ultralytics.cfg import get_cfg  # noqa: E402

from xiaozheng.vision.train.branches import TwoBranch, branch_from_onnx  # noqa: E402
from xiaozheng.vision.train.export import export_onnx  # noqa: E402
from xiaozheng.vision.train.guide import Guide, anchor_centres  # noqa: E402
from xiaozheng.vision.train.network import average, build, load_network, row_sources  # noqa: E402
from xiaozheng.vision.train.parity import deviation  # noqa: E402
from xiaozheng.vision.train.recipe import OWN_LABELS  # noqa: E402

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def checkpoint(shared_dir: Path) -> Path:
    return shared_dir / "weights/yolo11n-coco.pt"


@pytest.fixture(scope="module")
def pictures(shared_dir: Path) -> np.ndarray:
    """Two street pictures as a (2, 3, 320, 320) batch."""
    folder = shared_dir / "data/vision/bins/images"
    images = [cv2.resize(cv2.imread(str(folder / f"{i:06d}.jpg")), (320, 320)) for i in (1, 2816)]
    return np.asarray(cv2.dnn.blobFromImages(images, 1 / 255, swapRB=True), dtype=np.float32)


@pytest.fixture(scope="module")
def two(checkpoint: Path) -> TwoBranch:
    base = load_network(checkpoint)
    return TwoBranch(build(base, TRAFFIC_LABELS), build(base, OWN_LABELS))


@pytest.fixture(scope="module")
def exported(two: TwoBranch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_onnx(two, tmp_path_factory.mktemp("out") / "model.onnx")


def test_transplant_keeps_the_coco_rows_to_the_bit(checkpoint: Path, pictures: np.ndarray) -> None:
    base: Any = load_network(checkpoint).eval()
    ours: Any = build(base, DETECTOR_LABELS).eval()
    batch = torch.from_numpy(pictures)
    with torch.inference_mode():
        old, new = base(batch)[0], ours(batch)[0]
    assert new.shape[1] == 4 + len(DETECTOR_LABELS)
    # The weights are the same; another head width lets the CPU sum in another order.
    assert torch.allclose(old[:, :4], new[:, :4], atol=0.05)
    for name in TRAFFIC_LABELS:
        source, target = COCO_NAMES.index(name), DETECTOR_LABELS.index(name)
        assert torch.allclose(old[:, 4 + source], new[:, 4 + target], atol=1e-3), name
        for before, after in zip(base.model[-1].cv3, ours.model[-1].cv3, strict=True):
            assert torch.equal(before[-1].weight[source], after[-1].weight[target]), name


def test_new_classes_start_from_the_mean_of_their_kin(checkpoint: Path) -> None:
    base: Any = load_network(checkpoint)
    ours: Any = build(base, DETECTOR_LABELS)
    rows = row_sources("stall", COCO_NAMES)
    assert [COCO_NAMES[r] for r in rows][:1] == ["umbrella"]
    for old, new in zip(base.model[-1].cv3, ours.model[-1].cv3, strict=True):
        expected = old[-1].weight[rows].mean(0)
        assert torch.allclose(new[-1].weight[DETECTOR_LABELS.index("stall")], expected)
    assert row_sources("dragon", COCO_NAMES) == list(range(80))


def test_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such checkpoint"):
        load_network(tmp_path / "none.pt")


def test_anchor_centres_cover_the_picture() -> None:
    centres = anchor_centres([(2, 4), (1, 2)])
    assert centres.tolist()[:4] == [[0.125, 0.25], [0.375, 0.25], [0.625, 0.25], [0.875, 0.25]]
    assert centres.tolist()[-1] == [0.75, 0.5]


def test_guide_pulls_a_student_that_forgot(checkpoint: Path, pictures: np.ndarray) -> None:
    """The untouched student costs least; one whose traffic rows are wiped costs more."""
    student: Any = build(load_network(checkpoint), DETECTOR_LABELS)
    student.args = get_cfg()
    student.guide = Guide(load_network(checkpoint), DETECTOR_LABELS, start=7)
    student.train()
    for layer in student.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.eval()
    batch = {
        "img": torch.from_numpy(pictures),
        "cls": torch.zeros(0, 1),
        "bboxes": torch.zeros(0, 4),
        "batch_idx": torch.zeros(0),
    }

    def guided() -> float:
        outputs = student(batch["img"])
        return float(student.guide.loss(outputs, batch).detach())

    faithful = guided()
    with torch.no_grad():
        for branch in student.model[-1].cv3:
            branch[-1].bias[:6] -= 4
    assert guided() > faithful * 1.2
    loss, items = student.loss(batch)
    assert loss.shape == (4,)
    assert set(items) == {"box_loss", "cls_loss", "dfl_loss"}


def test_guide_leaves_boxes_of_new_classes_alone(checkpoint: Path, pictures: np.ndarray) -> None:
    student: Any = build(load_network(checkpoint), DETECTOR_LABELS)
    student.guide = Guide(load_network(checkpoint), DETECTOR_LABELS, start=7)
    student.train()
    outputs = student(torch.from_numpy(pictures))
    whole = {
        "cls": torch.full((2, 1), float(DETECTOR_LABELS.index("bin"))),
        "bboxes": torch.tensor([[0.5, 0.5, 1.1, 1.1]] * 2),
        "batch_idx": torch.arange(2),
    }
    assert float(student.guide.loss(outputs, whole).detach()) == 0


def test_two_branches_say_what_each_says_alone(
    checkpoint: Path, two: TwoBranch, pictures: np.ndarray
) -> None:
    base = load_network(checkpoint)
    batch = torch.from_numpy(pictures)
    assert two.labels == DETECTOR_LABELS
    with torch.inference_mode():
        both = two(batch)
        traffic = build(base, TRAFFIC_LABELS).eval()(batch)[0]
        own = build(base, OWN_LABELS).eval()(batch)[0]
    anchors = traffic.shape[2]
    assert both.shape == (2, 14, 2 * anchors)
    assert torch.allclose(both[:, :10, :anchors], traffic, atol=1e-3)
    assert torch.allclose(both[:, [0, 1, 2, 3, 10, 11, 12, 13], anchors:], own, atol=1e-3)
    assert not both[:, 10:, :anchors].any()
    assert not both[:, 4:10, anchors:].any()


def test_mean_lies_between(checkpoint: Path) -> None:
    before: Any = build(load_network(checkpoint), TRAFFIC_LABELS)
    after: Any = build(load_network(checkpoint), TRAFFIC_LABELS)
    with torch.no_grad():
        after.model[7].conv.weight += 1.0
    mixed = average([before, after], (0.75, 0.25)).state_dict()
    moved = mixed["model.7.conv.weight"] - before.state_dict()["model.7.conv.weight"]
    assert torch.allclose(moved, torch.full_like(moved, 0.25), atol=1e-6)
    assert torch.equal(
        mixed["model.6.cv1.conv.weight"], before.state_dict()["model.6.cv1.conv.weight"]
    )


def test_branches_of_different_trunks_are_refused(checkpoint: Path) -> None:
    base = load_network(checkpoint)
    other: Any = build(base, OWN_LABELS)
    with torch.no_grad():
        other.model[0].conv.weight += 0.01
    with pytest.raises(ModelError, match="do not share their first layers"):
        TwoBranch(build(base, TRAFFIC_LABELS), other)


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_export_says_what_torch_says(
    two: TwoBranch, exported: Path, pictures: np.ndarray, backend: str
) -> None:
    pytest.importorskip(backend)
    found = deviation(two, exported, pictures, backend)
    exact = backend == "onnxruntime"
    assert found.box_px < (0.2 if exact else 8)
    assert found.score < (3e-3 if exact else 0.08)
    odd = np.repeat(pictures[:, :, 32:288], 2, axis=0)  # another batch size, another shape
    assert deviation(two, exported, odd, backend).box_px < (0.2 if exact else 8)
    assert str(exported.parent).encode() not in exported.read_bytes()


def test_training_goes_on_from_an_exported_file(
    checkpoint: Path, two: TwoBranch, exported: Path, pictures: np.ndarray, tmp_path: Path
) -> None:
    base = load_network(checkpoint)
    own = branch_from_onnx(exported, base, OWN_LABELS, "second")
    again = TwoBranch(branch_from_onnx(exported, base, TRAFFIC_LABELS, "first"), own)
    batch = torch.from_numpy(pictures)
    with torch.inference_mode():
        assert torch.allclose(again(batch)[:, 4:], two(batch)[:, 4:], atol=3e-3)
    assert all(p.requires_grad for p in own.model[6].parameters())

    altered: Any = load_network(checkpoint)
    with torch.no_grad():
        altered.model[0].conv.weight += 0.05
    with pytest.raises(ModelError, match="another base"):
        branch_from_onnx(exported, altered, OWN_LABELS, "second")
