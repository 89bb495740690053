"""The masking on generated data, through the command's own generator."""

from __future__ import annotations

import random

from xiaozheng.eval.personal_data import score_masking
from xiaozheng.eval.personal_texts import secrets_of
from xiaozheng.nlp.mask import PersonalSpan


def test_recall_and_precision_hold_on_a_new_seed() -> None:
    figures = score_masking(900, secrets_seed := random.SystemRandom().randrange(2**31)).to_dict()
    assert figures["recall"] >= 0.985, secrets_seed
    assert figures["precision"] >= 0.98, secrets_seed


def test_the_scorer_sees_what_is_missed_and_what_is_too_much() -> None:
    nothing = score_masking(90, 1, lambda text: [])
    assert nothing.to_dict()["recall"] == 0.0
    everything = score_masking(90, 1, lambda text: [PersonalSpan("name", 0, len(text))])
    assert everything.to_dict()["precision"] < 0.2
    assert everything.ordinary_touched == everything.ordinary_texts


def test_every_secret_stands_where_the_sample_says() -> None:
    samples = list(secrets_of(450, random.Random(3)))
    assert len({sample.kind for sample in samples}) == 9
    assert all(0 <= sample.start < sample.end <= len(sample.text) for sample in samples)
    again = list(secrets_of(450, random.Random(3)))
    assert samples == again
