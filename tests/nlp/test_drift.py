"""PSI against its own noise: alarms that mean something, silence where nothing can be said."""

from __future__ import annotations

import numpy as np
import pytest

from xiaozheng.nlp.drift import Seen, drift, psi, wilson, words_of

WORDS = [
    words_of(text)
    for text in ("垃圾桶满了没人清运", "红绿灯时间太短", "路灯坏了很久", "工地半夜施工吵")
]
CODES = ("chengguan", "jiaojing", "zhujian", "huanbao")


def seen(
    rng: np.random.Generator, n: int, shares: tuple[float, ...], auto: float = 0.4
) -> list[Seen]:
    chosen = rng.choice(len(CODES), n, p=shares)
    return [
        Seen(
            CODES[at],
            float(rng.beta(6, 2)),
            "auto" if rng.random() < auto else "suggest",
            WORDS[at],
            "accept" if rng.random() < 0.9 else "override",
        )
        for at in chosen
    ]


def test_psi_is_the_sum_it_is_defined_as() -> None:
    shift = psi("labels", {"a": 5_000, "b": 5_000}, {"a": 8_000, "b": 2_000})
    assert shift.value == pytest.approx(0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5), abs=1e-3)
    assert shift.status == "alarm"
    assert psi("labels", {"a": 10}, {"a": 7}).value == 0.0


def test_noise_is_what_chance_exceeds_once_in_twenty() -> None:
    rng = np.random.default_rng(5)
    shares = np.full(25, 1 / 25)
    values = []
    for _ in range(300):
        old, new = rng.multinomial(800, shares), rng.multinomial(400, shares)
        found = psi("labels", dict(enumerate(old.tolist())), dict(enumerate(new.tolist())))
        values.append((found.value, found.noise, found.bias))
    passed = np.mean([value > noise for value, noise, _ in values])
    assert 0.01 < passed < 0.12
    assert np.mean([value for value, _, _ in values]) == pytest.approx(values[0][2], rel=0.15)


def test_few_calls_are_said_to_be_too_few_and_many_raise_the_alarm() -> None:
    rng = np.random.default_rng(7)
    even, tilted = (0.25,) * 4, (0.7, 0.1, 0.1, 0.1)
    few = drift(seen(rng, 20, even), seen(rng, 12, even))
    assert {s.status for s in few.shifts if s.measure in ("labels", "vocabulary")} == {"too_few"}
    same = drift(seen(rng, 4_000, even), seen(rng, 1_000, even))
    assert same.status == "ok"
    changed = drift(seen(rng, 4_000, even), seen(rng, 1_000, tilted, auto=0.1))
    by_name = {shift.measure: shift.status for shift in changed.shifts}
    assert (by_name["labels"], by_name["decisions"]) == ("alarm", "alarm")
    assert by_name["vocabulary"] in ("watch", "alarm")
    assert by_name["feedback"] == by_name["confidence"] == "ok"
    assert changed.departments[0].department == "chengguan"
    assert changed.recent.auto.value == pytest.approx(0.1, abs=0.03)


def test_a_strong_change_is_told_even_of_few_calls() -> None:
    assert psi("labels", {"a": 20}, {"b": 20}).status == "alarm"
    assert psi("labels", {"a": 2, "b": 1}, {"a": 1, "b": 2}).status == "too_few"


def test_empty_windows_have_no_value() -> None:
    report = drift([], [])
    assert report.status == "too_few"
    assert all(shift.value is None for shift in report.shifts)
    assert wilson(0, 0).value is None
    assert wilson(5, 10).low == pytest.approx(0.2366, abs=1e-3)
