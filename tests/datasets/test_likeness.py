"""Scenes: a burst is one group, unlike pictures are not, and hashes do not depend on order."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from xiaozheng.config.errors import DatasetError
from xiaozheng.datasets.likeness import (
    LikenessRule,
    colour_signature,
    complete_groups,
    connected,
    data_hash,
    difference_hash,
)
from xiaozheng.datasets.table import Table, picture

NAMES = ("bin",)


def scene(seed: int) -> NDArray[np.uint8]:
    """A picture of coloured blocks, different for every seed."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)
    blocks[..., 1] = blocks[..., 1] // 4 + (seed * 60) % 190
    return np.asarray(cv2.resize(blocks, (256, 256), interpolation=cv2.INTER_LINEAR), np.uint8)


def saved(folder: Path, name: str, image: NDArray[np.uint8]) -> Path:
    path = folder / name
    cv2.imwrite(str(path), image)
    return path


def test_same_scene_in_other_compression_and_light_hashes_alike() -> None:
    image = scene(1)
    other = np.clip(image.astype(int) + 12, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", other, [cv2.IMWRITE_JPEG_QUALITY, 40])
    again = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    near = int((difference_hash(image) != difference_hash(again)).sum())
    far = int((difference_hash(image) != difference_hash(scene(2))).sum())
    assert near <= 48 < far


def test_colour_signature_has_unit_length_and_ignores_dark_corners() -> None:
    image = scene(3)
    cornered = image.copy()
    cornered[:64, :64] = 0
    a, b = colour_signature(image), colour_signature(cornered)
    assert float(a @ a) == pytest.approx(1, abs=1e-5)
    assert float(a @ b) > 0.9


def test_near_duplicates_join_wherever_they_stand(tmp_path: Path) -> None:
    image = scene(4)
    paths = [
        saved(tmp_path, "000001.png", image),
        saved(tmp_path, "000500.png", scene(5)),
        saved(tmp_path, "000900.jpg", image),
    ]
    grouped = complete_groups(Table(NAMES, tuple(picture(p) for p in paths)), LikenessRule())
    first, other, copy = (p.group for p in grouped.pictures)
    assert first == copy != other


def test_burst_joins_moved_views_of_one_place_only_in_its_range(tmp_path: Path) -> None:
    image = scene(6)
    turned = np.asarray(cv2.rotate(image, cv2.ROTATE_180), np.uint8)  # same colours, other layout
    paths = [
        saved(tmp_path, "2600.png", image),
        saved(tmp_path, "2603.png", turned),
        saved(tmp_path, "0003.png", np.asarray(cv2.flip(image, 1), np.uint8)),
    ]
    table = Table(NAMES, tuple(picture(p) for p in paths))
    one, two, outside = (
        p.group for p in complete_groups(table, LikenessRule(burst_from=2600)).pictures
    )
    assert one == two != outside
    assert len({p.group for p in complete_groups(table, LikenessRule()).pictures}) == 3


def test_connected_components_name_their_first_member() -> None:
    assert connected(6, [(4, 5), (1, 2), (2, 4)]) == [0, 1, 1, 3, 1, 1]


def test_unreadable_picture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_text("not a picture", encoding="utf-8")
    with pytest.raises(DatasetError, match=r"broken\.jpg: not a readable picture"):
        complete_groups(Table(NAMES, (picture(path),)), LikenessRule())


def test_data_hash_sees_pixels_and_labels_but_not_order(tmp_path: Path) -> None:
    a, b = saved(tmp_path, "a.png", scene(7)), saved(tmp_path, "b.png", scene(8))
    box = (0, 0.5, 0.5, 0.2, 0.2)
    one = [picture(a, [box]), picture(b)]
    assert data_hash(one) == data_hash(one[::-1])
    assert data_hash(one) != data_hash([picture(a), picture(b, [box])])
    assert data_hash(one) != data_hash([picture(a, [(0, 0.5, 0.5, 0.2, 0.3)]), picture(b)])
    assert len(data_hash(one)) == 64
