"""Camera faults: same size, same seed same picture, each fault does what it says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from xiaozheng.vision.train.augment import CameraLook, spoil, stretched

NONE = CameraLook(blur_p=0, shrink_p=0, jpeg_p=0, night_p=0, haze_p=0, noise_p=0, rain_p=0)


def street() -> np.ndarray:
    rng = np.random.default_rng(0)
    coarse = rng.integers(60, 255, (12, 16, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (160, 120), interpolation=cv2.INTER_NEAREST), np.uint8)


def look(**chances: float) -> CameraLook:
    return CameraLook(**(dict.fromkeys(("blur_p", "shrink_p", "jpeg_p"), 0.0) | {
        "night_p": 0.0, "haze_p": 0.0, "noise_p": 0.0, "rain_p": 0.0} | chances))  # fmt: skip


def test_without_faults_nothing_changes() -> None:
    assert np.array_equal(spoil(street(), NONE, np.random.default_rng(1)), street())


@pytest.mark.parametrize(
    "fault", ["blur_p", "shrink_p", "jpeg_p", "night_p", "haze_p", "noise_p", "rain_p"]
)
def test_each_fault_changes_pixels_and_keeps_the_size(fault: str) -> None:
    out = spoil(street(), look(**{fault: 1.0}), np.random.default_rng(2))
    assert out.shape == street().shape
    assert out.dtype == np.uint8
    assert not np.array_equal(out, street())


def test_same_seed_same_picture() -> None:
    one, two = (spoil(street(), CameraLook(), np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one, two)


def test_night_is_darker_and_haze_is_flatter() -> None:
    night = spoil(street(), look(night_p=1.0), np.random.default_rng(3))
    haze = spoil(street(), look(haze_p=1.0), np.random.default_rng(3))
    assert night.mean() < street().mean() * 0.8
    assert haze.std() < street().std()


def test_blur_and_shrinking_lose_detail() -> None:
    def detail(image: np.ndarray) -> float:
        return float(cv2.Laplacian(image, cv2.CV_64F).var())

    for fault in ("blur_p", "shrink_p"):
        soft = spoil(street(), look(**{fault: 1.0}), np.random.default_rng(4))
        assert detail(soft) < detail(street()) * 0.8


@pytest.mark.parametrize(
    ("aspect", "shape"), [(2.0, (60, 160)), (0.5, (120, 80)), (1.0, (120, 160))]
)
def test_stretching_shrinks_one_side_only(aspect: float, shape: tuple[int, int]) -> None:
    assert stretched(street(), aspect).shape[:2] == shape
