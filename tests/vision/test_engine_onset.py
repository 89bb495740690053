"""When a situation began: the same at any frame rate, however its label flickers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from vision_support import (
    KINDS,
    Actor,
    Step,
    camera,
    new_engine,
    opened,
    scene,
    seconds,
    standing,
    zone,
)

from xiaozheng.vision.engine import CameraEngine
from xiaozheng.vision.onset import MOST_SPELLS, Spell, began, heard

BIN = (300, 300, 360, 400)
EYE = camera(zone(("bin_overflow",), dwell_s=60))
FULL_S, END_S = 120.0, 230.0


def flickering(seed: int, fps: float) -> list[Step]:
    """Called full in 15 % of spells of 2 s before it is, and empty in 15 % of them after."""
    wrong = np.random.default_rng(seed).random(1000) < 0.15

    def label(s: float) -> str:
        is_full = (s >= FULL_S) != bool(wrong[int(s / 2)])
        return "overflowing_bin" if is_full else "bin"

    return scene([Actor(standing(BIN), label, jitter=1)], END_S, fps)


@pytest.mark.parametrize("seed", range(3))
def test_a_flickering_bin_filled_up_at_the_same_moment_at_any_rate(seed: int) -> None:
    steps = flickering(seed, 10)
    onsets = {}
    for every in (1, 2, 10, 20):
        (incident,) = opened(steps[::every], new_engine(EYE))
        onsets[every / 10] = seconds(incident.onset_at)
    for period_s, onset_s in onsets.items():
        assert onset_s == pytest.approx(onsets[0.1], abs=period_s + 0.01)
        assert onset_s == pytest.approx(FULL_S, abs=4.1 + period_s)


def test_a_checkpoint_of_version_2_is_read_and_goes_on() -> None:
    """Stays of version 2 had no kept evidence and no bystanders, the last three fields."""
    steps = flickering(0, 1)
    engine = new_engine(EYE)
    for step in steps[:90]:
        engine.update(*step)
    saved = json.loads(json.dumps(engine.snapshot()))
    saved |= {"version": 2, "stays": [row[:-3] for row in saved["stays"]]}
    old = CameraEngine.restore(EYE, KINDS, saved, model_ref="test@1.0.0")
    (incident,) = opened(steps[90:], old)
    assert seconds(incident.onset_at) == pytest.approx(FULL_S, abs=5)


def test_a_change_that_nobody_saw_is_dated_from_when_it_first_shows() -> None:
    """One misreading, then hidden for five minutes, then full: it filled up in between."""
    spells: list[Spell] = []
    for t in range(0, 50, 5):
        heard(spells, False, t, 5, 1)
    heard(spells, True, 50, 5, 1)
    heard(spells, False, 55, 5, 1)
    for t in range(360, 400, 5):
        heard(spells, t != 370, t, 305 if t == 360 else 5, 1)
    assert began(spells) == 360


def test_kept_evidence_stays_small_and_a_former_overflow_is_forgotten() -> None:
    spells: list[Spell] = []
    for k in range(2000):
        heard(spells, k % 5 != 4, k * 5.0, 5, 1)
    assert len(spells) <= MOST_SPELLS
    assert len(json.dumps(spells)) <= 1024
    for k in range(2000, 2010):
        heard(spells, False, k * 5.0, 5, 1)
    assert began(spells) is None
    heard(spells, True, 10_050, 5, 1)
    heard(spells, True, 10_055, 5, 1)
    assert began(spells) == 10_050
