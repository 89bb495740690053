"""The card's claim, measured again: messages kept out of training, through the public door."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from xiaozheng.models.registry import Registry
from xiaozheng.nlp.calibrate import expected_calibration_error
from xiaozheng.nlp.router import Router
from xiaozheng.nlp.suggestion import Suggestion
from xiaozheng.nlp.train.rows import (
    MessageRow,
    duplicate_groups,
    held_out_mask,
    load_categories,
    load_messages,
)
from xiaozheng.nlp.transcript import Transcript

Answers = list[tuple[MessageRow, Suggestion]]


@pytest.fixture(scope="module")
def answers(shared_dir: Path) -> Answers:
    messages = load_messages(shared_dir / "data/text")
    rows = [*messages, *load_categories(shared_dir / "data/text")]
    groups = duplicate_groups([row.title + row.text for row in rows])[: len(messages)]
    held = held_out_mask([row.id for row in messages], groups)
    kept = [row for row, out in zip(messages, held, strict=True) if out]
    router = Router.open(Registry())
    calls = [Transcript(row.id, row.text, row.title) for row in kept]
    return list(zip(kept, router.route(calls), strict=True))


def test_the_ranking_is_as_good_as_the_card_says(answers: Answers) -> None:
    stated = Registry().resolve("router").manifest.metrics["departments_held_out"]
    assert len(answers) == stated["n"]
    first = np.mean([a.departments[0].code == row.department for row, a in answers])
    third = np.mean([row.department in {d.code for d in a.departments[:3]} for row, a in answers])
    # 8-bit weights may turn a near tie
    assert first == pytest.approx(stated["top1"], abs=0.006)
    assert third == pytest.approx(stated["top3"], abs=0.006)


def test_probabilities_mean_what_they_say(answers: Answers) -> None:
    confidence = np.array([a.departments[0].probability for _, a in answers])
    correct = np.array([a.departments[0].code == row.department for row, a in answers])
    perfect = [
        expected_calibration_error(confidence, rng.random(len(confidence)) < confidence)
        for rng in map(np.random.default_rng, range(200))
    ]
    assert expected_calibration_error(confidence, correct) < np.quantile(perfect, 0.99)


def test_what_goes_out_without_a_clerk_is_right(answers: Answers) -> None:
    automatic = [(row, a) for row, a in answers if a.decision.verdict == "auto"]
    right = sum(a.departments[0].code == row.department for row, a in automatic)
    assert len(automatic) > 0.25 * len(answers)
    assert right >= 0.95 * len(automatic)
