"""Past cases that are like a call."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xiaozheng.config.errors import ModelError
from xiaozheng.nlp.similar import SimilarCases


def unit(rng: np.random.Generator, n: int) -> np.ndarray:
    vectors = rng.normal(size=(n, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def filled(n: int, most: int = 100_000) -> tuple[SimilarCases, np.ndarray]:
    vectors = unit(np.random.default_rng(7), n)
    index = SimilarCases("router@1.0.0", most=most)
    for at, vector in enumerate(vectors):
        index.add(f"c{at}", vector, f"d{at % 3}", f"文{at}")
    return index, vectors


def test_the_nearest_are_those_of_a_plain_search() -> None:
    index, vectors = filled(700)
    for query in unit(np.random.default_rng(8), 20):
        wanted = np.argsort(-(vectors @ query))[:3]
        found = index.nearest(query, 3)
        assert [case.id for case in found] == [f"c{at}" for at in wanted]
        assert found[0].likeness == pytest.approx(float(vectors[wanted[0]] @ query), abs=1e-4)
    first, second = (
        index.nearest(vectors[5], 1, but=frozenset({"c5"})),
        index.nearest(vectors[5], 1),
    )
    assert (second[0].id, second[0].masked_text) == ("c5", "文5")
    assert first[0].id != "c5"


def test_a_case_is_replaced_removed_and_the_oldest_makes_room() -> None:
    index, vectors = filled(400, most=300)
    assert len(index) == 300
    assert {case.id for case in index.nearest(vectors[3], 300)} == {
        f"c{n}" for n in range(100, 400)
    }
    index.add("c399", vectors[3], "d9", "改")
    assert len(index) == 300
    assert index.nearest(vectors[3], 1)[0].department == "d9"
    assert index.remove("c399")
    assert not index.remove("c399")
    assert index.nearest(vectors[3], 1)[0].id != "c399"
    assert SimilarCases("router@1.0.0").nearest(vectors[0]) == []


def test_the_file_comes_back_and_belongs_to_one_model(tmp_path: Path) -> None:
    index, vectors = filled(30)
    index.remove("c7")
    path = tmp_path / "similar.npz"
    index.save(path)
    again = SimilarCases.load(path, "router@1.0.0")
    assert len(again) == 29
    for query in vectors:
        assert [c.id for c in again.nearest(query, 2)] == [c.id for c in index.nearest(query, 2)]
    assert len(SimilarCases.load(path, "router@2.0.0")) == 0
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelError, match=r"similar\.npz"):
        SimilarCases.load(path, "router@1.0.0")
