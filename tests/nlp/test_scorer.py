"""The model's answers and what each character adds to them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xiaozheng.models.registry import Artifact, Registry
from xiaozheng.nlp.features import FeatureText, feature_text
from xiaozheng.nlp.scorer import LinearScorer
from xiaozheng.nlp.train.speech import OPENINGS

CALLS = [
    "小区门口的垃圾桶满了三天没人清",
    "公交车半个小时都不来一辆",
    "单位拖欠工资三个月了老板不露面",
    "😀",
    "",
    "停",
    "暖气不热" * 400,
]


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    return Registry().resolve("router")


@pytest.fixture(scope="module")
def scorer(artifact: Artifact) -> LinearScorer:
    return LinearScorer(artifact)


def texts() -> list[FeatureText]:
    return [feature_text(call) for call in CALLS] + [feature_text(CALLS[0], title="垃圾没人清")]


def test_shapes_follow_the_manifest(scorer: LinearScorer, artifact: Artifact) -> None:
    scored = scorer.score(texts())
    n = len(texts())
    assert scored.department.shape == (n, len(artifact.manifest.labels))
    assert scored.category.shape == (n, len(artifact.manifest.extra["categories"]))
    assert scored.known_share.shape == (n,)
    for text, rarity in zip(texts(), scored.rarity, strict=True):
        assert rarity.shape == (4, len(text.chars))


def test_an_unreadable_text_gets_the_biases_and_knows_nothing(scorer: LinearScorer) -> None:
    scored = scorer.score([feature_text("😀"), feature_text("")])
    assert np.array_equal(scored.department[0], scored.department[1])
    assert scored.known_share.tolist() == [0.0, 0.0]
    assert [len(s) for s in scored.support(np.ones((2, scored.department.shape[1])))] == [0, 0]


def test_support_adds_up_to_the_margins_less_the_biases(scorer: LinearScorer) -> None:
    scored = scorer.score(texts())
    biases = scorer.score([feature_text("")]).department[0].astype(np.float64)
    rng = np.random.default_rng(2)
    contrasts = rng.normal(size=scored.department.shape)
    for at, support in enumerate(scored.support(contrasts)):
        wanted = ((scored.department[at] - biases) * contrasts[at]).sum()
        assert support.sum() == pytest.approx(wanted, abs=1e-4)


def test_support_is_linear_in_the_contrast(scorer: LinearScorer) -> None:
    scored = scorer.score(texts()[:3])
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, *scored.department.shape))
    for x, y, both in zip(
        scored.support(a), scored.support(b), scored.support(2 * a - b), strict=True
    ):
        assert both == pytest.approx(2 * x - y, abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(len(CALLS))))
def test_neighbours_in_a_batch_change_nothing(order: list[int]) -> None:
    scorer = LinearScorer(Registry().resolve("router"))
    plain = scorer.score([feature_text(call) for call in CALLS])
    shuffled = scorer.score([feature_text(CALLS[at]) for at in order])
    contrast = np.zeros_like(plain.department, dtype=np.float64)
    contrast[:, 0] = 1.0
    supports, moved = plain.support(contrast), shuffled.support(contrast)
    for position, at in enumerate(order):
        assert shuffled.department[position] == pytest.approx(plain.department[at], abs=1e-5)
        assert moved[position] == pytest.approx(supports[at], abs=1e-6)


def test_common_words_are_less_rare_than_odd_ones(scorer: LinearScorer) -> None:
    (rarity,) = scorer.score([feature_text("垃圾囧")]).rarity
    assert rarity[1, 0] < 8
    assert np.isinf(rarity[1, 1])
    assert rarity[0, 0] < rarity[1, 0] + 1e-6


def test_small_talk_of_the_training_calls_decides_little(scorer: LinearScorer) -> None:
    call = "小区门口的垃圾桶满了三天没人清"
    plain = scorer.score([feature_text(call)]).department[0]
    best = int(plain.argmax())
    for opening in OPENINGS:
        assert int(scorer.score([feature_text(opening + call)]).department[0].argmax()) == best
