"""Urgency: what is said now counts; what is denied, past or feared is shown and does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from xiaozheng.config.errors import ConfigError
from xiaozheng.nlp.prepare import prepare
from xiaozheng.nlp.transcript import Transcript
from xiaozheng.nlp.urgency import Urgency, load_urgency, urgency_of


def judge(text: str, title: str = "") -> Urgency:
    return urgency_of(prepare(Transcript("1", text, title)))


@pytest.mark.parametrize(
    ("text", "level", "kind"),
    [
        ("厨房里一股煤气味儿我都不敢开灯", "critical", "gas_leak"),
        ("俺楼下着火了你们快来", "critical", "fire"),
        ("再不给钱我就从楼上跳下去", "critical", "suicide"),
        ("电梯里困了三个人", "critical", "life_danger"),
        ("俺妈走丢了八十多了有老年痴呆", "critical", "missing_person"),
        ("楼道里电线耷拉着冒火花", "critical", "electric_shock"),
        ("小区停电了我爸在家用呼吸机呢", "critical", "medical_power"),
        ("之前天然气漏过现在又漏了一屋子味", "critical", "gas_leak"),
        ("井盖不见了昨天晚上有个骑电动车的差点进去", "urgent", "manhole"),
        ("工地欠了俺们四十多个人的工资现在都在门口堵着门", "urgent", "wage_crowd"),
        ("老师拿戒尺打孩子手心都肿了", "urgent", "minors"),
        ("那面墙都歪了随时会塌", "urgent", "collapse_risk"),
        ("有只大狗咬了小孩", "urgent", "injury"),
    ],
)
def test_what_is_urgent_says_so_with_its_words(text: str, level: str, kind: str) -> None:
    found = judge(text)
    assert found.level == level
    counted = [reason for reason in found.reasons if reason.state == "now"]
    assert kind in {reason.kind for reason in counted}
    assert all(text[reason.start : reason.end] == reason.words for reason in counted)


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("没有人受伤就是车蹭了一下", "negated"),
        ("没着火就是有点糊味", "negated"),
        ("去年着过火今年消防通道还是堵着", "past"),
        ("2019年这个楼塌过一次", "past"),
        ("万一着火了咋办楼道里全是电动车", "hypothetical"),
        ("我怕孩子掉进河里能不能装个护栏", "hypothetical"),
        ("堆这么多纸箱有火灾隐患", "hypothetical"),
    ],
)
def test_denied_past_and_feared_raise_nothing(text: str, state: str) -> None:
    found = judge(text)
    assert found.level == "normal"
    assert {reason.state for reason in found.reasons} == {state}


@pytest.mark.parametrize(
    "text",
    [
        "公园鱼死了好多臭死了",
        "路灯不亮了",
        "火车站那边有黑车",
        "渣土车轰油门冒黑烟",
        "要一起火锅店的发票",
    ],
)
def test_everyday_words_are_not_urgent(text: str) -> None:
    assert judge(text) == Urgency("normal", "一般", ())


def test_the_agents_questions_are_not_the_callers_words_and_titles_count() -> None:
    assert judge("坐席：有人受伤吗？着火了没有？市民：路灯不亮。").level == "normal"
    titled = judge("请尽快处理", "小区燃气泄漏")
    assert titled.level == "critical"
    assert titled.reasons[0].start == -1


def test_a_citys_own_file_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "urgency.yaml"
    path.write_text("kinds:\n  - {kind: fire, zh: 火, level: critical, patterns: ['(']}\n")
    with pytest.raises(ConfigError, match=r"urgency.yaml:2: kinds.0.patterns.0: .*regular"):
        load_urgency(path)
