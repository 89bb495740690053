"""Training rows, near-duplicate groups, and the messages that are kept out of training."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from ...datasets.texts import read_rows

DEPARTMENTS_FILE = "departments.train.jsonl"
CATEGORIES_FILE = "teddy_category.train.jsonl"
HOMOPHONES_FILE = "asr/same_pinyin.txt"
WRITTEN_FILE = Path(__file__).with_name("written_examples.jsonl")

HELD_OUT_PERCENT = 12
SHINGLE_CHARS = 12
SHINGLES_KEPT = 8


class MessageRow(BaseModel):
    """One message with its lead department; `confidence` 1 (toss-up) to 3 (sure)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1)
    title: str = ""
    text: str = Field(min_length=1)
    department: str = Field(min_length=1)
    second: str = ""
    confidence: int = Field(default=3, ge=1, le=3)
    category: str = ""
    provenance: str = ""


class CategoryRow(BaseModel):
    """One message with its public first-level category."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1)
    title: str = ""
    text: str = Field(min_length=1)
    category: str = Field(min_length=1)


def load_messages(folder: Path) -> list[MessageRow]:
    """Messages read by a reader against the guide."""
    return read_rows(folder / DEPARTMENTS_FILE, MessageRow)


def load_written() -> list[MessageRow]:
    """Our own written examples for departments that the messages hardly show."""
    return read_rows(WRITTEN_FILE, MessageRow)


def load_categories(folder: Path) -> list[CategoryRow]:
    """Messages with first-level category only."""
    return read_rows(folder / CATEGORIES_FILE, CategoryRow)


def duplicate_groups(texts: Sequence[str]) -> NDArray[np.int64]:
    """Group number of each text (N,): texts that share a rare run of words are one group.

    Each text is represented by the smallest hashes of its 12-character shingles (min-wise
    sampling, Broder 1997); sharing one of them joins two texts.
    """
    parent = list(range(len(texts)))

    def root(node: int) -> int:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    first_with: dict[bytes, int] = {}
    for at, text in enumerate(texts):
        for shingle in _sampled_shingles(text):
            other = first_with.setdefault(shingle, at)
            if other != at:
                parent[root(at)] = root(other)
    return np.array([root(at) for at in range(len(texts))], dtype=np.int64)


def _sampled_shingles(text: str) -> list[bytes]:
    compact = "".join(char for char in text if char.isalnum())
    count = max(1, len(compact) - SHINGLE_CHARS + 1)
    hashes = {
        hashlib.blake2b(compact[at : at + SHINGLE_CHARS].encode(), digest_size=8).digest()
        for at in range(count)
    }
    return sorted(hashes)[:SHINGLES_KEPT]


def held_out_mask(ids: Sequence[str], groups: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows are never trained on (N,).

    A group is held out when the SHA-256 of its smallest id, as a number, modulo 100 is below
    12. The rule needs no list and survives added rows.
    """
    smallest: dict[int, str] = {}
    for row_id, group in zip(ids, groups.tolist(), strict=True):
        smallest[group] = min(row_id, smallest.get(group, row_id))
    chosen = {group for group, first in smallest.items() if _hash_percent(first) < HELD_OUT_PERCENT}
    return np.array([group in chosen for group in groups.tolist()], dtype=bool)


def _hash_percent(row_id: str) -> int:
    return int(hashlib.sha256(row_id.encode()).hexdigest(), 16) % 100


def syllable_classes(path: Path) -> NDArray[np.uint16]:
    """Class number of each BMP code point (65536,), 0 for characters without homophones.

    The file has tab-separated rows: character, homophones of the same tone, of other tones.
    A character belongs to the class in which it is first met.
    """
    classes = np.zeros(65536, np.uint16)
    fresh = 1
    for line in path.read_text(encoding="utf-8").splitlines():
        head, *homophones = line.split("\t")
        if len(head) != 1 or not homophones:
            continue
        members = [ord(char) for char in head + "".join(homophones) if ord(char) < 65536]
        if not classes[members[0]]:
            classes[members[0]] = fresh
            fresh += 1
        for code in members[1:]:
            if not classes[code]:
                classes[code] = classes[members[0]]
    return classes


def data_hash(paths: Sequence[Path]) -> str:
    """SHA-256 over the training files, in order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
