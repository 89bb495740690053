"""Intent: on the written examples that were kept apart, and its words."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from xiaozheng.nlp.intent import Intent, intent_of
from xiaozheng.nlp.prepare import prepare
from xiaozheng.nlp.transcript import Transcript

KEPT_APART_PERCENT = 35


def judge(text: str, title: str = "") -> Intent:
    return intent_of(prepare(Transcript("1", text, title)))


def test_the_examples_kept_apart_are_told_as_the_docs_say(repo_dir: Path) -> None:
    lines = (repo_dir / "nlp/train/intent_examples.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    apart = [
        row
        for row in rows
        if int(hashlib.sha256(row["id"].encode()).hexdigest(), 16) % 100 < KEPT_APART_PERCENT
    ]
    right = sum(judge(row["text"]).code == row["intent"] for row in apart)
    assert len(rows) == 252
    assert len(apart) == 83
    assert right >= 0.88 * len(apart)


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("我要举报一个黑作坊用工业石膏做豆腐", "report", "举报"),
        ("我想表扬一下305路的司机师傅", "praise", "表扬"),
        ("建议在路口加装一个红绿灯", "suggestion", "建议"),
        ("请问公积金怎么申请提取", "question", "请问"),
        ("老人摔倒了起不来求求你们赶紧派人来", "help", "求求"),
        ("我要投诉物业态度太差没人管", "complaint", "我要投诉"),
    ],
)
def test_each_intent_shows_the_words_behind_it(text: str, code: str, word: str) -> None:
    found = judge(text)
    assert found.code == code
    assert word in found.words
    assert found.probability > 0.6


def test_a_matter_merely_told_is_a_weak_complaint() -> None:
    found = judge("路灯一个星期不亮了")
    assert (found.code, found.words) == ("complaint", ())
    assert found.probability < 0.5


def test_unreadable_text_has_an_answer() -> None:
    assert judge("😀😀").probability < 0.5
