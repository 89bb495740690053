"""Which rule decides."""

from __future__ import annotations

import pytest

from xiaozheng.nlp.decision import Signs, auto_threshold, decide
from xiaozheng.nlp.departments import Departments
from xiaozheng.nlp.prepare import prepare
from xiaozheng.nlp.suggestion import RankedDepartment
from xiaozheng.nlp.transcript import Transcript

CITY = Departments.model_validate(
    {
        "departments": [
            {"code": "chengguan", "name": "城管局", "duties": ["垃圾"]},
            {
                "code": "zonghe",
                "name": "综合局",
                "duties": ["其余"],
                "labels": ["fagai", "jinrong"],
            },
            {"code": "own", "name": "自定", "duties": ["自定"], "auto_threshold": 0.6},
            {"code": "never", "name": "人工", "duties": ["人工"], "never_auto": True},
            {"code": "eager", "name": "宽松", "duties": ["宽松"], "suggest_threshold": 0.1},
            {"code": "other", "name": "其他", "duties": ["无"]},
        ]
    }
)
MODEL = {"chengguan": 0.9, "fagai": 0.8, "jinrong": 0.95, "never": 0.5, "other": 0.5}
CALL = prepare(Transcript("1", "小区门口垃圾桶满了三天没人清"))


def verdict(
    first: str, p: float, second: float = 0.0, signs: Signs | None = None
) -> tuple[str, str]:
    other = next(d.code for d in CITY.departments if d.code != first)
    ranked = [
        RankedDepartment(first, CITY.by_code[first].name, p),
        RankedDepartment(other, CITY.by_code[other].name, second),
    ]
    decision = decide(CALL, signs or Signs(1.0), ranked, CITY, MODEL)
    assert decision.reason
    return decision.verdict, decision.rule


@pytest.mark.parametrize(
    ("first", "p", "second", "expected"),
    [
        ("chengguan", 0.90, 0.02, ("auto", "above_auto_threshold")),
        ("chengguan", 0.8999, 0.02, ("suggest", "below_auto_threshold")),
        ("chengguan", 0.55, 0.40, ("suggest", "top_two_close")),
        ("chengguan", 0.29, 0.02, ("human", "below_suggest_threshold")),
        ("own", 0.61, 0.02, ("auto", "above_auto_threshold")),
        ("own", 0.61, 0.38, ("suggest", "top_two_close")),
        ("never", 0.999, 0.0, ("suggest", "never_auto")),
        ("eager", 0.2, 0.1, ("suggest", "top_two_close")),
        ("eager", 0.99, 0.0, ("suggest", "never_auto")),
        ("other", 0.99, 0.0, ("human", "out_of_scope")),
    ],
)
def test_each_rule(first: str, p: float, second: float, expected: tuple[str, str]) -> None:
    assert verdict(first, p, second) == expected


def test_merged_departments_take_the_strictest_threshold_of_their_labels() -> None:
    assert auto_threshold(CITY.by_code["zonghe"], MODEL) == 0.95
    assert auto_threshold(CITY.by_code["zonghe"], {"fagai": 0.8}) > 1


def test_unknown_words_go_to_a_person_however_sure_the_model_is() -> None:
    assert verdict("chengguan", 0.99, signs=Signs(0.2)) == ("human", "unknown_words")


def test_what_the_model_says_of_the_text_comes_before_its_probabilities() -> None:
    assert verdict("chengguan", 0.99, signs=Signs(1.0, familiar=False)) == ("human", "unfamiliar")
    assert verdict("chengguan", 0.99, signs=Signs(1.0, cut=True)) == ("human", "too_long")


def test_the_gap_is_the_citys_or_else_the_models() -> None:
    wide = Signs(1.0, min_gap=0.5)
    assert verdict("own", 0.65, 0.3, wide) == ("suggest", "top_two_close")
    assert verdict("own", 0.65, 0.3) == ("auto", "above_auto_threshold")
    strict = CITY.model_copy(update={"decision": CITY.decision.model_copy(update={"min_gap": 0.4})})
    ranked = [RankedDepartment("own", "自定", 0.65), RankedDepartment("never", "人工", 0.3)]
    assert decide(CALL, Signs(1.0), ranked, strict, MODEL).rule == "top_two_close"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("😀😀😀", "no_words"),
        ("。。。！", "no_words"),
        ("please send somebody to fix it", "not_chinese"),
        ("12345678901234567", "not_chinese"),
        ("停水", "too_short"),
        ("嗯啊那个", "no_words"),
        ("垃圾\ufffd\ufffd\ufffd没人清", "garbled"),
    ],
)
def test_text_that_says_nothing_goes_to_a_person(text: str, rule: str) -> None:
    ranked = [RankedDepartment("chengguan", "城管局", 0.99)]
    decision = decide(prepare(Transcript("1", text)), Signs(1.0), ranked, CITY, MODEL)
    assert (decision.verdict, decision.rule) == ("human", rule)
