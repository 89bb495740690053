"""Linear model and encoder as one, and how the blend is fitted."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from encoder_shelf import encoder_registry, linear_registry

from xiaozheng.config.errors import ModelError
from xiaozheng.models.registry import Registry
from xiaozheng.nlp.blend import Blend
from xiaozheng.nlp.calibrate import Calibration, expected_calibration_error, softmax
from xiaozheng.nlp.router import Router
from xiaozheng.nlp.train.calibration import cross_blended, fit_blend
from xiaozheng.nlp.transcript import Transcript

LAMP = "路灯坏了好几天没有人修路灯一直不亮"
SHAPE = Calibration(3.0, 1.0, 1.0, (0.0, 0.1, -0.2))


def two_views(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Margins and logits that each see the truth through noise of their own."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, n)
    truth = np.eye(5)[labels]
    linear = truth - 0.5 + rng.normal(scale=0.45, size=(n, 5))
    encoder = 4 * truth + rng.normal(scale=1.8, size=(n, 5))
    return linear, encoder, labels


def loss(p: np.ndarray, labels: np.ndarray) -> float:
    return float(-np.log(p[np.arange(len(labels)), labels]).mean())


def test_the_fitted_blend_beats_both_and_means_what_it_says() -> None:
    linear, encoder, labels = two_views(3000, 1)
    fit = fit_blend(linear, encoder, labels)
    test = two_views(4000, 2)
    p = fit.probabilities(test[0], test[1])
    assert p.sum(axis=1) == pytest.approx(np.ones(4000))
    assert 0.2 < fit.blend.encoder_share < 0.8
    alone = fit.linear.probabilities(test[0])
    assert loss(p, test[2]) < 0.85 * loss(alone, test[2])
    assert loss(p, test[2]) < 0.95 * loss(softmax(test[1]), test[2])
    assert expected_calibration_error(p.max(axis=1), p.argmax(axis=1) == test[2]) < 0.03


def test_a_blind_encoder_gets_hardly_a_say() -> None:
    linear, _, labels = two_views(2000, 3)
    noise = np.random.default_rng(4).normal(size=(2000, 5))
    assert fit_blend(linear, noise, labels).blend.encoder_share < 0.15


def test_rows_are_judged_by_blends_that_never_saw_their_group() -> None:
    linear, encoder, labels = two_views(500, 5)
    groups = np.arange(500) // 2
    p = cross_blended(linear, encoder, labels, groups, parts=5)
    outside = groups % 5 != 2
    fit = fit_blend(linear[outside], encoder[outside], labels[outside])
    wanted = fit.probabilities(linear[~outside], encoder[~outside])
    assert p[~outside] == pytest.approx(wanted)


def test_pulls_are_the_slopes_of_the_answer() -> None:
    rng = np.random.default_rng(6)
    blend = Blend(0.4, SHAPE)
    log_odds, logits = rng.normal(size=(1, 3)), rng.normal(size=(1, 3))
    contrast = np.array([[1.0, -0.7, -0.3]])

    def said(linear: np.ndarray, encoder: np.ndarray) -> float:
        p = blend.probabilities(softmax(linear), encoder)
        return float((contrast * np.log(p)).sum())

    by_linear, by_encoder = blend.pulls(softmax(log_odds), logits, contrast)
    step = 1e-5
    for at in range(3):
        nudge = step * np.eye(3)[[at]]
        slope = (said(log_odds + nudge, logits) - said(log_odds - nudge, logits)) / (2 * step)
        assert by_linear[0, at] == pytest.approx(slope, abs=1e-6)
        slope = (said(log_odds, logits + nudge) - said(log_odds, logits - nudge)) / (2 * step)
        assert by_encoder[0, at] == pytest.approx(slope, abs=1e-6)


def test_a_router_with_encoder_hears_it_and_shows_its_words(tmp_path: Path) -> None:
    plain = Router.open(linear_registry(tmp_path / "linear")).route([Transcript("1", LAMP)])[0]
    both = Router.open(encoder_registry(tmp_path / "both"), encoder_backend="onnxruntime")
    longer = "".join("".join(four) for four in permutations(("垃圾", "红绿灯", "停电", "工资")))
    answer, empty, long = both.route(
        [Transcript("1", LAMP), Transcript("2", ""), Transcript("3", longer)]
    )
    p = {d.code: d.probability for d in answer.departments}
    assert answer.departments[0].code == "chengguan"
    assert p["chengguan"] > 0.5
    assert plain.embedding is None
    assert answer.embedding is not None
    assert answer.embedding.shape == (8,)
    assert "embedding" not in answer.to_dict()
    assert any("路灯" in item.text for item in answer.evidence)
    assert [c.probability for c in answer.categories] == sorted(
        (c.probability for c in answer.categories), reverse=True
    )
    assert empty.decision.rule == "no_words"
    assert "编码器未读最后" in long.notes[0]
    assert answer.notes == ()


def test_a_text_that_is_like_nothing_learnt_goes_to_a_person(tmp_path: Path) -> None:
    # log(26) + 0.5 is the energy of a text with none of the encoder's words.
    none = float(np.log(26) + 0.5)
    registry = encoder_registry(tmp_path, scope={"least_energy": none + 0.01})
    router = Router.open(registry, encoder_backend="onnxruntime")
    familiar, strange = router.route(
        [Transcript("1", LAMP), Transcript("2", "今天小区门口很多人一起出去旅游吃饭")]
    )
    assert familiar.decision.rule != "unfamiliar"
    assert (strange.decision.verdict, strange.decision.rule) == ("human", "unfamiliar")


def test_the_assisting_department_is_proposed_from_the_models_threshold(tmp_path: Path) -> None:
    registry = encoder_registry(tmp_path, decision={"assisting_from": 0.0})
    answer, strange = Router.open(registry, encoder_backend="onnxruntime").route(
        [Transcript("1", LAMP), Transcript("2", "😀")]
    )
    assert answer.assisting == answer.departments[1]
    assert strange.assisting is None
    assert Router.open(Registry()).route([Transcript("1", LAMP)])[0].assisting is None


def test_an_encoder_without_blend_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="blend of the department"):
        Router.open(encoder_registry(tmp_path, blend={}), encoder_backend="onnxruntime")
