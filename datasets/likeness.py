"""Which pictures show the same scene: perceptual hashes, colour histograms, union–find."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ..config.errors import DatasetError
from .table import Picture, Table

Tick = Callable[[], None]

HASH_SIDE = 16
HISTOGRAM_BINS = (12, 4, 3)
BLOCK = 1024
"""Rows compared at a time: memory stays small for large sets."""
DARK = 8
"""Pixels darker than this are usually the corners a rotation left empty; colour ignores them."""


@dataclass(frozen=True, slots=True)
class LikenessRule:
    """When two pictures count as one scene.

    Attributes:
        max_hash_bits: differing bits (of 256) below which any two pictures are near-duplicates.
        burst_window: file numbers apart within which `burst_colour` is enough.
        burst_colour: colour likeness (0–1) of neighbours in a burst.
        far_colour: colour likeness of burst pictures at any distance (a scene may come back).
        burst_from: first file number that belongs to bursts; None: no bursts.
    """

    max_hash_bits: int = 48
    burst_window: int = 6
    burst_colour: float = 0.75
    far_colour: float = 0.90
    burst_from: int | None = None


def difference_hash(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """256 bits: is each cell of a 16×17 grey thumbnail brighter than its left neighbour."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (HASH_SIDE + 1, HASH_SIDE), interpolation=cv2.INTER_AREA).astype(int)
    return np.asarray(small[:, 1:] > small[:, :-1]).ravel()


def colour_signature(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Square root of the HSV histogram, unit length: dot products are Bhattacharyya likeness."""
    hsv = cv2.cvtColor(image, cv2.COLOR_BGR2HSV)
    mask = (hsv[..., 2] > DARK).astype(np.uint8)
    histogram = cv2.calcHist([hsv], [0, 1, 2], mask, HISTOGRAM_BINS, [0, 180, 0, 256, 0, 256])
    return np.asarray(np.sqrt(histogram.ravel() / max(histogram.sum(), 1.0)), dtype=np.float32)


def complete_groups(table: Table, rule: LikenessRule, tick: Tick = lambda: None) -> Table:
    """A group for every picture; groups that are there stay whole.

    Pictures the rule joins get one group, so do the groups they stand in. A group is named
    after its first picture, or keeps the name that one has.

    Raises:
        DatasetError: a picture cannot be decoded.
    """
    bits, colours = fingerprints(table, tick)
    numbers = np.array([_number(p.path, rule) for p in table.pictures], dtype=np.int64)
    names = [p.group or f"{p.source}/{p.path.stem}" for p in table.pictures]
    first: dict[str, int] = {}
    own = np.array([first.setdefault(p.group or f"\0{i}", i) for i, p in
                    enumerate(table.pictures)], dtype=np.int64)  # fmt: skip
    alike = like_pairs(bits, colours, numbers, rule, own)
    roots = connected(len(table), [*enumerate(own.tolist()), *alike])
    return table.select(replace(p, group=names[roots[i]]) for i, p in enumerate(table.pictures))


def fingerprints(
    table: Table, tick: Tick = lambda: None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Hash bits (N, 256) as 0 and 1, and colour signatures (N, 144).

    Raises:
        DatasetError: a picture cannot be decoded.
    """
    bits = np.zeros((len(table), HASH_SIDE * HASH_SIDE), dtype=np.float32)
    colours = np.zeros((len(table), int(np.prod(HISTOGRAM_BINS))), dtype=np.float32)
    for i, item in enumerate(table.pictures):
        image = _thumbnail(item.path)
        bits[i], colours[i] = difference_hash(image), colour_signature(image)
        tick()
    return bits, colours


def like_pairs(
    bits: NDArray[np.float32],
    colours: NDArray[np.float32],
    numbers: NDArray[np.int64],
    rule: LikenessRule,
    apart: NDArray[np.int64] | None = None,
) -> list[tuple[int, int]]:
    """Index pairs (i < j) that the rule joins.

    Args:
        numbers: file numbers; −1 outside bursts.
        apart: pairs with equal values here are of no interest.
    """
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(bits), BLOCK):
        part = slice(start, start + BLOCK)
        differing = bits[part] @ (1 - bits).T + (1 - bits[part]) @ bits.T
        joined = differing <= rule.max_hash_bits
        if rule.burst_from is not None:
            likeness = colours[part] @ colours.T
            gaps = np.abs(numbers[part, None] - numbers[None, :])
            both = (numbers[part, None] >= 0) & (numbers[None, :] >= 0)
            near = (gaps <= rule.burst_window) & (likeness >= rule.burst_colour)
            joined |= both & (near | (likeness >= rule.far_colour))
        if apart is not None:
            joined &= apart[part, None] != apart[None, :]
        pairs += [(start + int(i), int(j)) for i, j in np.argwhere(np.triu(joined, start + 1))]
    return pairs


def connected(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Smallest member of each item's connected component."""
    parent = list(range(count))

    def root(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return [root(i) for i in range(count)]


def data_hash(pictures: Sequence[Picture]) -> str:
    """SHA-256 over the sorted (picture bytes, labels) pairs: same data, same hash, any order."""
    lines = sorted(
        f"{_file_sha(p.path)} {np.round(np.column_stack([p.classes, p.boxes]), 6).tolist()}"
        for p in pictures
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _file_sha(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _number(path: Path, rule: LikenessRule) -> int:
    if rule.burst_from is None or not path.stem.isdigit() or int(path.stem) < rule.burst_from:
        return -1
    return int(path.stem)


def _thumbnail(path: Path) -> NDArray[np.uint8]:
    image = cv2.imread(str(path), cv2.IMREAD_REDUCED_COLOR_4)
    if image is None:
        raise DatasetError(f"{path}: not a readable picture", message_zh=f"图片无法读取：{path}")
    return np.asarray(image, dtype=np.uint8)
