"""Legal rules: which apply, which wins, and what a mistake in the file says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from xiaozheng.config.errors import ConfigError
from xiaozheng.nlp.departments import load_departments
from xiaozheng.nlp.matter.profile import Place
from xiaozheng.nlp.overrides import Facts, OverrideRules, apply_rules, load_rules

CALL = Facts(
    text="小区暖气不热",
    title="",
    place=Place(("科学大道",), "高新区"),
    category="城乡建设",
    department="chengguan",
    channel="电话",
    at=datetime(2026, 1, 5, 15, 30, tzinfo=UTC),  # 23:30 in the city
)


def rules(*entries: dict[str, Any]) -> OverrideRules:
    full = [
        {"id": f"r{n}", "title": "规则", "law": "某条例", "then": {"department": "gongyong"}}
        | entry
        for n, entry in enumerate(entries)
    ]
    return OverrideRules.model_validate({"rules": full})


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        ({"district": ["高新区"]}, True),
        ({"district": ["金水区"], "words": ["暖气"]}, False),
        ({"place": ["科学大道"]}, True),
        ({"place": ["花园路"]}, False),
        ({"words": ["供暖", "暖气"]}, True),
        ({"all_words": ["暖气", "不热"]}, True),
        ({"all_words": ["暖气", "漏水"]}, False),
        ({"words": ["暖气"], "not_words": ["不热"]}, False),
        ({"category": ["城乡建设"], "department": ["chengguan"], "channel": ["电话"]}, True),
        ({"category": ["交通运输"]}, False),
        ({"hours": ["22:00-06:00"]}, True),
        ({"hours": ["06:00-22:00"]}, False),
    ],
)
def test_every_condition_must_hold(when: dict[str, Any], fits: bool) -> None:
    found = apply_rules(rules({"when": when}), CALL)
    assert (found is not None) == fits
    if found is not None:
        assert (found.department, found.replaced, found.changed) == ("gongyong", "chengguan", True)
        assert len(found.matched) == len(when)


def test_words_stand_in_for_a_place_that_was_not_found() -> None:
    asked = rules({"when": {"district": ["高新区"]}})
    assert apply_rules(asked, replace(CALL, place=Place())) is None
    said = replace(CALL, place=Place(), text="高新区这边暖气不热")
    assert apply_rules(asked, said) is not None
    # A district that was found is not outvoted by one that is only mentioned.
    elsewhere = replace(said, place=Place((), "金水区"))
    assert apply_rules(asked, elsewhere) is None


def test_priority_then_order_and_the_others_are_named() -> None:
    when = {"words": ["暖气"]}
    found = apply_rules(rules({"when": when}, {"when": when, "priority": 3}, {"when": when}), CALL)
    assert found is not None
    assert (found.rule, found.also_fitting) == ("r1", ("r0", "r2"))
    tied = apply_rules(rules({"when": when}, {"when": when}), CALL)
    assert tied is not None
    assert tied.rule == "r0"


def test_a_rule_is_valid_by_the_citys_days() -> None:
    when = {"words": ["暖气"]}
    asked = rules({"when": when, "valid_from": "2026-01-05", "valid_until": "2026-01-05"})
    assert apply_rules(asked, CALL) is not None
    next_day = datetime(2026, 1, 5, 16, tzinfo=UTC)  # midnight in the city
    assert apply_rules(asked, replace(CALL, at=next_day)) is None
    assert apply_rules(asked, replace(CALL, at=datetime(2026, 1, 4, 15, tzinfo=UTC))) is None


GOOD = """rules:
  - id: a
    title: 规则
    law: 某条例
    when: {words: [暖气]}
    then: {department: gongyong}
"""


@pytest.mark.parametrize(
    ("change", "line", "named"),
    [
        (("gongyong", "nowhere"), 6, "no department 'nowhere'"),
        (("{words: [暖气]}", "{}"), 5, "no condition"),
        (("{words: [暖气]}", "{words: ['']}"), 5, "empty text"),
        (("{words: [暖气]}", "{hours: ['25:00-26:00']}"), 5, "HH:MM"),
        (("{words: [暖气]}", "{department: [nowhere]}"), 5, "no department"),
        (("    law: 某条例\n", ""), 2, "law"),
        (("title: 规则", "titel: 规则"), 2, "rules.yaml:3: rules.0.titel"),
        (("rules:", "timezone: Mars/Base\nrules:"), 1, "Mars/Base"),
        (
            ("    law", "    valid_from: 2026-02-01\n    valid_until: 2026-01-01\n    law"),
            2,
            "before",
        ),
    ],
)
def test_mistakes_are_told_by_line(
    tmp_path: Path, change: tuple[str, str], line: int, named: str
) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(GOOD, encoding="utf-8")
    departments = load_departments()
    assert len(load_rules(path, departments).rules) == 1
    path.write_text(GOOD.replace(*change), encoding="utf-8")
    with pytest.raises(ConfigError, match=named) as caught:
        load_rules(path, departments)
    assert str(caught.value).startswith(f"{path}:{line}:")
