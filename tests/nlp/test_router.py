"""The shipped router, end to end."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xiaozheng.config.errors import ConfigError, ModelError, TranscriptError
from xiaozheng.models.registry import Registry, default_shelf
from xiaozheng.nlp.departments import Departments, load_departments
from xiaozheng.nlp.router import Router
from xiaozheng.nlp.transcript import Transcript

GARBAGE = "喂你好我们小区门口的垃圾桶满出来好几天了味道很大麻烦派环卫的人来清一下"


@pytest.fixture(scope="module")
def router() -> Router:
    return Router.open(Registry())


@pytest.fixture(scope="module")
def samples(repo_dir: Path) -> list[dict[str, str]]:
    path = repo_dir / "datasets/samples/transcripts.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def ask(router: Router, text: str, title: str = "") -> dict[str, object]:
    return router.route([Transcript("1", text, title)])[0].to_dict()


def test_danger_to_life_is_never_sent_on_without_a_person(router: Router) -> None:
    gas = "你好我们单元楼道里煤气味特别大感觉是燃气漏了赶紧派人来看看"
    first = router.route([Transcript("1", gas)])[0]
    assert first.urgency is not None
    assert first.urgency.level == "critical"
    assert (first.decision.verdict, first.decision.rule) == ("human", "critical")
    assert first.departments[0].probability > 0, "the ranking is still shown"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (GARBAGE, "chengguan"),
        ("我们单位拖欠了三个月的工资一直不发老板也不露面", "renshe"),
        ("医保异地就医报销要准备什么材料多久能到账", "yibao"),
        ("公积金提取申请提交一个月了没有到账", "gongjijin"),
        ("公交车半个小时都不来一辆司机还甩站", "jiaotong"),
        ("化工厂半夜偷偷排废气刺鼻的味道呛得睡不着", "shengtai"),
        ("幼儿园乱收费不交兴趣班的钱就不让孩子上学", "jiaoyu"),
        ("医院做手术乱收费医生态度恶劣不给病历", "weijian"),
    ],
)
def test_plain_matters_reach_their_desk(router: Router, text: str, code: str) -> None:
    suggestion = router.route([Transcript("1", text)])[0]
    assert suggestion.departments[0].code == code
    assert suggestion.departments[0].probability > 0.5


def test_own_spoken_samples_are_ranked_as_the_card_says(
    router: Router, samples: list[dict[str, str]]
) -> None:
    answers = router.route([Transcript(row["id"], row["text"]) for row in samples])
    pairs = list(zip(samples, answers, strict=True))
    first = sum(a.departments[0].code == row["department"] for row, a in pairs)
    third = sum(row["department"] in {d.code for d in a.departments[:3]} for row, a in pairs)
    assert first >= 0.65 * len(samples)
    assert third >= 0.82 * len(samples)
    automatic = [(row, a) for row, a in pairs if a.decision.verdict == "auto"]
    wrong = [row["id"] for row, a in automatic if a.departments[0].code != row["department"]]
    assert len(wrong) <= 1, wrong


def test_a_suggestion_is_complete_and_json(router: Router) -> None:
    answer = ask(router, GARBAGE + "我姓王电话13837123456")
    assert json.loads(json.dumps(answer, ensure_ascii=False)) == answer
    departments = answer["departments"]
    assert isinstance(departments, list)
    assert len(departments) == 26
    probabilities = [d["probability"] for d in departments]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) == pytest.approx(1, abs=0.01)
    assert answer["category"] in ("环境保护", "城乡建设")
    assert answer["duty"] == "垃圾清运、垃圾桶、环卫保洁和公厕"
    assert answer["intent"]["code"] in ("help", "complaint")  # type: ignore[index]
    leak = router.route([Transcript("1", "楼下煤气漏气了味道很大快派人来")])[0].urgency
    assert leak is not None
    assert leak.level == "critical"
    assert str(answer["model"]).startswith("router@")
    assert len(router.route([Transcript("1", GARBAGE)])[0].to_dict(top=3)["departments"]) == 3


def test_nothing_personal_leaves_the_router(router: Router) -> None:
    answer = ask(
        router,
        GARBAGE + "我叫李建国电话幺三八三七幺二三四五六车牌豫A12345",
        title="13837123456反映",
    )
    shown = json.dumps(answer, ensure_ascii=False)
    for secret in ("李建国", "幺三八", "豫A12345", "13837123456"):
        assert secret not in shown
    assert answer["personal_data"] == ["name", "mobile", "plate"]


def test_evidence_stands_in_the_masked_text_and_names_the_matter(
    router: Router, samples: list[dict[str, str]]
) -> None:
    for answer in router.route([Transcript(row["id"], row["text"]) for row in samples]):
        for item in answer.evidence:
            assert answer.masked_text[item.start : item.end] == item.text
            assert 0 < item.weight <= 1
        weights = [item.weight for item in answer.evidence]
        assert weights == sorted(weights, reverse=True)
        assert len(weights) <= 6
    words = [item.text for item in router.route([Transcript("1", GARBAGE)])[0].evidence]
    assert any("垃圾" in word for word in words)


def test_deleting_the_evidence_lowers_the_probability_more_than_deleting_other_words(
    router: Router, samples: list[dict[str, str]]
) -> None:
    drops, other_drops = [], []
    for row in samples:
        before = router.route([Transcript("1", row["text"])])[0]
        if len(before.evidence) < 2 or before.departments[0].probability < 0.3:
            continue
        top = before.departments[0]
        spans = [(e.start, e.end) for e in before.evidence[:3]]
        shifted = [(s + 7, e + 7) for s, e in spans if e + 7 < len(before.masked_text)]
        for holes, into in ((spans, drops), (shifted, other_drops)):
            kept = "".join(
                c for i, c in enumerate(before.masked_text) if not any(s <= i < e for s, e in holes)
            )
            after = router.route([Transcript("1", kept)])[0]
            into.append(
                top.probability
                - next(d.probability for d in after.departments if d.code == top.code)
            )
    assert len(drops) > 30
    assert sum(drops) / len(drops) > 3 * abs(sum(other_drops) / len(other_drops))


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", {"no_words"}),
        (" \n", {"no_words"}),
        ("😀😀😀", {"no_words"}),
        ("\ud800\ud800", {"no_words"}),
        ("\x00\x07\x1b", {"no_words"}),
        ("Hello, I would like to complain about the noise next door.", {"not_chinese"}),
        ("停水", {"too_short"}),
        ("讲个笑话给我听听呗今天心情不好", {"idle_talk"}),
        ("打错了打错了我找我二姨呢不好意思", {"wrong_number"}),
        ("我要投诉我就是要投诉你们看着办", {"no_matter"}),
        ("喂喂喂你好请问有人吗听得见吗", {"silence"}),
        ("我在洛阳市涧西区这边路灯坏了三天了", {"another_city"}),
        ("龘靐齉爩麤龗灪龖厵癵驫麣纞虋讟钃", {"unknown_words"}),
    ],
)
def test_what_no_desk_can_act_on_goes_to_a_person(
    router: Router, text: str, rules: set[str]
) -> None:
    decision = router.route([Transcript("1", text)])[0].decision
    assert decision.verdict == "human"
    assert decision.rule in rules
    assert decision.reason


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>垃圾没人清运满地都是",
        "請問垃圾車幾點來收垃圾沒有人清理",
        "垃圾" * 100_000,
        "a",
    ],
)
def test_odd_text_gets_a_defined_answer(router: Router, text: str) -> None:
    assert router.route([Transcript("1", text)])[0].decision.verdict in {"auto", "suggest", "human"}


def test_a_batch_gives_what_single_calls_give(
    router: Router, samples: list[dict[str, str]]
) -> None:
    calls = [Transcript(row["id"], row["text"]) for row in samples] + [Transcript("e", "😀")]
    assert router.route([]) == []
    together = router.route(calls)
    assert [answer.id for answer in together] == [call.id for call in calls]
    for call, answer in zip(calls, together, strict=True):
        alone = router.route([call])[0]
        assert [d.code for d in alone.departments[:3]] == [d.code for d in answer.departments[:3]]
        assert alone.departments[0].probability == pytest.approx(
            answer.departments[0].probability, abs=2e-4
        )
        assert alone.decision.verdict == answer.decision.verdict


def test_threads_share_one_router(router: Router, samples: list[dict[str, str]]) -> None:
    calls = [Transcript(row["id"], row["text"]) for row in samples]
    wanted = router.route(calls)
    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(lambda _: router.route(calls), range(8)):
            assert answers == wanted


def test_what_was_cut_or_repaired_is_said(router: Router) -> None:
    long, garbled = router.route(
        [
            Transcript("1", GARBAGE + "垃圾没人管" * 40_000),
            Transcript("2", GARBAGE.encode().decode("latin-1")),
        ]
    )
    assert (long.decision.verdict, long.decision.rule) == ("human", "too_long")
    assert "200035 字，只读了前 20000 字" in long.notes[0]
    assert garbled.masked_text == GARBAGE
    assert "UTF-8" in garbled.notes[0]
    with pytest.raises(TranscriptError, match="limit is 128"):
        router.route([Transcript("x" * 129, GARBAGE)])


def test_a_city_can_rename_and_merge_departments(router: Router) -> None:
    data = load_departments().model_dump()
    merged = [d for d in data["departments"] if d["code"] not in ("chengguan", "shengtai")]
    merged.append(
        {
            "code": "zonghe",
            "name": "综合执法局",
            "duties": ["市容", "垃圾"],
            "labels": ["chengguan", "shengtai"],
        }
    )
    city = Departments.model_validate({"departments": merged})
    answer = Router.open(Registry(), departments=city).route([Transcript("1", GARBAGE)])[0]
    plain = {d.code: d.probability for d in router.route([Transcript("1", GARBAGE)])[0].departments}
    assert (answer.departments[0].code, answer.departments[0].name) == ("zonghe", "综合执法局")
    assert answer.departments[0].probability == pytest.approx(
        plain["chengguan"] + plain["shengtai"], abs=1e-3
    )
    assert len(answer.departments) == 25


def test_a_city_file_that_forgets_a_label_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "departments.yaml"
    path.write_text("departments:\n  - {code: a1, name: 甲, duties: [一切], labels: [gongan]}\n")
    with pytest.raises(ConfigError, match=r"departments\.yaml: no department takes .*chengguan"):
        Router.open(Registry(), departments=path)


def test_an_altered_vocabulary_is_refused(tmp_path: Path) -> None:
    shutil.copytree(default_shelf() / "router", tmp_path / "router")
    shutil.copy(default_shelf() / "aliases.json", tmp_path / "aliases.json")
    version = Registry(tmp_path).resolve("router").folder
    with (version / "vocabulary.npz").open("ab") as stream:
        stream.write(b"x")
    with pytest.raises(ModelError, match="sha256"):
        Router.open(Registry(tmp_path))
