"""Calls of one matter: pairs, groups, titles, hot issues."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from xiaozheng.nlp.matter.groups import group, pair_of
from xiaozheng.nlp.matter.hot import heat, hot_issues
from xiaozheng.nlp.matter.index import CallIndex, Weighed
from xiaozheng.nlp.matter.likeness import places_agree
from xiaozheng.nlp.matter.profile import Call, Place, profile
from xiaozheng.nlp.matter.score import judge, propose
from xiaozheng.nlp.matter.title import title_of

NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)
MIXER = (
    "丽景新城小区旁边建了个搅拌站，噪音大灰尘多，晚上没法睡觉，请环保部门来管一管",
    "我们丽景新城的，小区边上那个搅拌站灰尘太大了，噪音也吵，晚上睡不着，请环保查处",
    "丽景新城业主，反映搅拌站半夜施工噪音扰民，灰尘飘到家里，孩子咳嗽，请查处",
)
OTHERS = (
    "东风渠边上的路灯坏了三天了，晚上黑得很，请派人来修一下路灯",
    "金桂花园旁边的工地噪音大灰尘多，晚上没法睡觉，请环保部门来管一管",
    "公交六十三路等了四十分钟都不来，早高峰上班天天迟到",
)


def calls(*texts: str, prefix: str = "c") -> list[Call]:
    """Calls an hour apart, with the estate they name as their place."""
    return [
        Call(
            f"{prefix}{n}",
            text,
            NOON + timedelta(hours=n),
            place=Place(tuple(name for name in ("丽景新城", "金桂花园") if name in text)),
        )
        for n, text in enumerate(texts)
    ]


def indexed(found: list[Call]) -> tuple[CallIndex, dict[str, Weighed]]:
    index = CallIndex()
    weighed = {}
    for call in found:
        weighed[call.id] = index.weigh(profile(call))
        index.add(weighed[call.id])
    return index, weighed


def test_one_matter_is_proposed_with_reasons_and_a_like_complaint_elsewhere_is_not() -> None:
    index, weighed = indexed(calls(*MIXER, *OTHERS))
    found = propose(index, weighed["c1"])
    assert {pair.other_id for pair in found} == {"c0", "c2"}
    assert "同一地点：丽景新城" in found[0].reasons
    assert "相隔 1 小时" in found[0].reasons
    assert propose(index, weighed["c3"]) == ()
    # The same words about another estate: said to be elsewhere, and not grouped.
    assert "地点名称不同" in judge(weighed["c4"], weighed["c0"]).reasons


def test_a_repetition_is_told_even_with_a_word_changed() -> None:
    again = MIXER[0].replace("管一管", "处理一下")
    index, weighed = indexed(calls(MIXER[0], again))
    (pair,) = propose(index, weighed["c1"])
    assert pair.kind == "repeat"
    assert pair.score >= 0.97


def test_places_speak_for_and_against() -> None:
    first, second = calls(*MIXER[:2])
    near = Place(("丽景新城小区",), "金水区")
    _, weighed = indexed([replace(first, place=Place()), replace(second, place=Place())])
    plain = judge(weighed["c1"], weighed["c0"]).score

    def scored(a: Place, b: Place) -> float:
        _, placed = indexed([replace(first, place=a), replace(second, place=b)])
        return judge(placed["c1"], placed["c0"]).score

    assert scored(near, Place(("丽景新城",), "金水区")) > plain
    assert scored(near, Place(("丽景新城",), "中原区")) < 0.5
    assert places_agree(near, Place()) == (0, "")
    assert places_agree(near, Place(("丽景新城",))) == (1, "丽景新城")


def test_what_is_masked_makes_no_two_calls_alike() -> None:
    texts = (
        "我叫〔姓名〕电话〔手机号〕身份证号〔身份证号〕",
        "他叫〔姓名〕电话〔手机号〕身份证号〔身份证号〕",
    )
    index, weighed = indexed(calls(*texts))
    assert "〔" not in weighed["c0"].profile.read
    assert all(
        "手机号" not in reason for pair in propose(index, weighed["c1"]) for reason in pair.reasons
    )


@pytest.mark.parametrize("text", ["", "嗯", "🙂🙂🙂", "hello", "a\x00b", "路" * 20_000])
def test_any_text_can_be_compared(text: str) -> None:
    index, weighed = indexed(calls(text, text, MIXER[0]))
    assert judge(weighed["c0"], weighed["c2"]).score < 0.5
    assert len(group(list(weighed.values()), index)) >= 2


def test_removed_calls_are_not_found_and_the_index_shrinks() -> None:
    index, weighed = indexed(calls(*MIXER))
    index.remove("c0")
    index.remove("c0")
    assert {pair.other_id for pair in propose(index, weighed["c1"])} == {"c2"}
    many = CallIndex()
    for call in calls(*(f"第{n}号院的水管漏水" for n in range(1_010))):
        many.add(many.weigh(profile(call)))
    for number in range(600):
        many.remove(f"c{number}")
    assert (len(many), len(many.all())) == (410, 410)
    first = many.first()
    assert first is not None
    assert first.call.id == "c600"


def test_groups_follow_staff_before_scores() -> None:
    index, weighed = indexed(calls(*MIXER, *OTHERS))
    every = list(weighed.values())

    def sizes(**judged: list[tuple[str, str]]) -> list[list[str]]:
        found = group(every, index, **judged)
        return [[w.call.id for w in members] for members in found if len(members) > 1]

    assert sizes() == [["c0", "c1", "c2"]]
    assert sizes(together=[pair_of("c3", "c5")]) == [["c0", "c1", "c2"], ["c3", "c5"]]
    rejected = [pair_of("c0", "c1"), pair_of("c1", "c2")]
    assert sizes(apart=rejected) == [["c0", "c2"]]


def test_a_title_names_place_and_matter_in_the_members_words() -> None:
    _, weighed = indexed(calls(*MIXER))
    title = title_of(list(weighed.values()))
    assert "丽景新城" in title
    assert "搅拌站" in title
    assert any(title in text for text in MIXER)
    placed = [replace(call, place=Place(("文昌巷",))) for call in calls(OTHERS[0], OTHERS[0])]
    _, named = indexed(placed)
    assert title_of(list(named.values())).startswith("文昌巷：")
    _, masked = indexed(calls("〔姓名〕〔手机号〕", "〔姓名〕"))
    assert "〔" not in title_of(list(masked.values()))


def test_hot_issues_of_a_day_are_ranked_by_heat_with_their_trend() -> None:
    end = datetime(2026, 3, 10, 16, tzinfo=UTC)
    old = [
        replace(call, at=end - timedelta(days=2, hours=n))
        for n, call in enumerate(calls(*MIXER, prefix="old"))
    ]
    fresh = [replace(calls(MIXER[0], prefix="new")[0], at=end - timedelta(hours=1))]
    lamps = [
        replace(call, at=end - timedelta(hours=2 + n))
        for n, call in enumerate(calls(*[OTHERS[0]] * 4, prefix="lamp"))
    ]
    gone = [replace(call, at=end - timedelta(days=20)) for call in calls(*MIXER, prefix="gone")]
    index, weighed = indexed([*gone, *old, *lamps, *fresh])
    first, second = hot_issues(list(weighed.values()), index, end)
    assert first.members == ("lamp3", "lamp2", "lamp1", "lamp0")
    assert (first.on_day, first.trend, first.daily) == (4, "new", (0,) * 7 + (4,))
    assert (second.size, second.on_day) == (4, 1)
    assert second.heat == pytest.approx(heat([1, 48, 49, 50]), abs=0.01)
    assert second.heat == pytest.approx(
        2 ** (-1 / 48) + 0.5 * (1 + 2 ** (-1 / 48) + 2 ** (-2 / 48)), abs=0.01
    )
