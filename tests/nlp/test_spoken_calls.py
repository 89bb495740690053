"""Calls of our own writing in spoken style, through the shelf's champion.

Each answer was read one by one; what was found stands in `docs/evaluation-router.md`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from xiaozheng.models.registry import Registry
from xiaozheng.nlp.prepare import prepare
from xiaozheng.nlp.router import Router
from xiaozheng.nlp.suggestion import Suggestion
from xiaozheng.nlp.transcript import Transcript
from xiaozheng.nlp.urgency import urgency_of

Answered = list[tuple[dict[str, Any], Suggestion]]


@pytest.fixture(scope="module")
def answered() -> Answered:
    path = Path(__file__).with_name("spoken_calls.jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    router = Router.open(Registry())
    calls = [Transcript(row["id"], row["text"]) for row in rows]
    return list(zip(rows, router.route(calls), strict=True))


def test_the_right_desk_comes_first_or_among_three(answered: Answered) -> None:
    first = sum(a.departments[0].code in row["departments"] for row, a in answered)
    three = sum(
        bool({d.code for d in a.departments[:3]} & set(row["departments"])) for row, a in answered
    )
    assert len(answered) >= 50
    assert first >= 0.75 * len(answered)
    assert three >= 0.88 * len(answered)


def test_nothing_goes_out_wrongly_and_no_request_reaches_a_person(answered: Answered) -> None:
    for row, answer in answered:
        if answer.decision.verdict == "auto":
            assert answer.departments[0].code in row["departments"], row["id"]
        if row["handling"] == "human":
            assert answer.decision.verdict == "human", row["id"]


def test_urgent_calls_are_seen(answered: Answered) -> None:
    levels = [(row, urgency_of(prepare(Transcript("1", row["text"]))).level) for row, _ in answered]
    missed = [row["id"] for row, level in levels if row["urgency"] != level]
    assert not missed
