"""Personal data: found in every form, and nothing else touched."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from personal_data import with_secrets, without_secrets

from xiaozheng.nlp.mask import (
    MASK_PATTERN,
    MASKS,
    find_personal_data,
    mask_personal_data,
    mask_turns,
)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13837123456谢谢", "电话〔手机号〕谢谢"),
        ("电话138 3712 3456谢谢", "电话〔手机号〕谢谢"),
        ("电话１３８３７１２３４５６", "电话〔手机号〕"),
        ("+86 138-3712-3456", "+〔手机号〕"),
        ("我电话是幺三八三七幺二三四五六", "我电话是〔手机号〕"),
        ("一三八，三七一二，三四五六", "〔手机号〕"),
        ("幺三八三个七一二三四五", "〔手机号〕"),
        ("电话是幺五零三七一二三零零零八", "电话是〔手机号〕"),
        ("0371-67891234", "〔固定电话〕"),
        ("（0371）6789 1234 没人接", "〔固定电话〕 没人接"),
        ("打电话 67891234 没人接", "打电话 〔固定电话〕 没人接"),
        ("身份证410105199003072237", "身份证〔身份证号〕"),
        ("身份证号是11010519491231002X", "身份证号是〔身份证号〕"),
        ("老身份证130503670401001", "老身份证〔身份证号〕"),
        ("卡号6222 0212 3456 7890 128", "卡号〔银行卡号〕"),
        ("豫A12345的车", "〔车牌号〕的车"),
        ("豫 A D 1 2 3 4 5 的车", "〔车牌号〕 的车"),
        ("豫A幺二三四五", "〔车牌号〕"),
        ("车牌号A3K57F", "车牌号〔车牌号〕"),
        ("邮箱zhang_san@163.com，", "邮箱〔邮箱〕，"),
        ("邮箱zhangsan艾特163点com", "邮箱〔邮箱〕"),
        ("护照E12345678", "护照〔证件号〕"),
        ("我叫王小明电话一会儿给", "我叫〔姓名〕电话一会儿给"),
        ("我姓欧阳", "我姓〔姓名〕"),
        ("联系人李女士", "联系人〔姓名〕女士"),
        ("业主于建勇反映漏水", "业主〔姓名〕反映漏水"),
        ("我叫欧 阳 红", "我叫〔姓名〕"),
        ("幺三八嗯三七幺二那个三四五六", "〔手机号〕"),
        ("打0371-67891234转801", "打〔固定电话〕"),
        ("身份证号幺幺零幺零五幺九四九幺二三幺零零二叉", "身份证号〔身份证号〕"),
        ("护照号是G幺二三四五六七八，10点丢的", "护照号是〔证件号〕，10点丢的"),
        ("邮箱是幺二三四五六艾特qq点com", "邮箱是〔邮箱〕"),
        ("那辆豫A1234警的车", "那辆〔车牌号〕的车"),
        ("一辆使123456的轿车", "一辆〔车牌号〕的轿车"),
        ("WJ豫12345闯红灯", "〔车牌号〕闯红灯"),
        ("豫A三个八六六 5天", "〔车牌号〕 5天"),
        ("我家住3号楼2单元501室", "我家住〔住址〕"),
        ("三号楼二单元五零一漏水", "〔住址〕漏水"),
        ("我是6栋4401的业主", "我是〔住址〕的业主"),
        ("楼上502装修", "楼上〔住址〕装修"),
    ],
)
def test_each_form_is_masked(text: str, masked: str) -> None:
    assert mask_personal_data(text).text == masked


@pytest.mark.parametrize(
    "text",
    [
        "房价13837元一平，一共138371元",
        "2023-05-12 13:45 到 2023-06-01",
        "1001、1002、1003、1004 四户",
        "请打12345或者0371-12345",
        "客服4006001234打不通",
        "本人于2019年购房，本人和家人都住这里",
        "订单DH13812345678",
        "身份证一直办不下来",
        "一二三四五楼都没水",
        "提高女士就业率",
        "面积约1234567平方米",
        "3号楼2单元的电梯坏了",
        "1号楼18层，2号楼34层，一共3栋12户",
        "环球大厦A座1802室的公司欠薪",
        "1971.12-1972.1在粮食局工作",
        "业主张贴通知，业主马上要收房，业主都反对",
        "合同编号ZZ-1999-58394-44",
        "补偿18112525462.26元",
        "使200000人受益",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert mask_personal_data(text).text == text


def test_a_number_over_turns_is_masked_in_each() -> None:
    turns = ["市民：号码是幺三八三七幺", "坐席：嗯", "市民：二三四五六", "坐席：好的，3号楼是吧"]
    masked = mask_turns(turns)
    assert [turn.text for turn in masked] == [
        "市民：号码是〔手机号〕",
        "〔…〕",
        "〔…〕",
        "坐席：好的，3号楼是吧",
    ]
    assert all(
        turn[s.start : s.end].strip()
        for turn, m in zip(turns, masked, strict=True)
        for s in m.spans
    )


def test_recall_on_generated_secrets() -> None:
    samples = with_secrets(2400, seed=20)
    missed = [s for s in samples if s.secret in mask_personal_data(s.text).text]
    assert len(missed) <= 0.005 * len(samples), missed[:10]
    wrong_kind = [
        s for s in samples if s.kind not in {span.kind for span in find_personal_data(s.text)}
    ]
    assert len(wrong_kind) <= 0.01 * len(samples), wrong_kind[:10]


def test_precision_on_ordinary_numbers() -> None:
    texts = without_secrets(2400, seed=21)
    touched = [(t, mask_personal_data(t).text) for t in texts if find_personal_data(t)]
    secrets = with_secrets(2400, seed=22)
    extra = [s for s in secrets if len(find_personal_data(s.text)) > 1]
    assert len(touched) + len(extra) <= 0.02 * 2400, (touched[:10], extra[:10])


def test_real_messages_keep_their_amounts_and_dates(shared_dir: Path) -> None:
    lines = (shared_dir / "data/text/fuzhou12345.dev.jsonl").read_text("utf-8").splitlines()[:300]

    ordinary = re.compile(r"\d+(?:\.\d+)?(?:元|万元|平方米?|米|年|月|日|户|号楼|点)")
    for line in lines:
        masked = mask_personal_data(line).text
        kept = ordinary.findall(masked)
        broken = [found for found in ordinary.findall(line) if found not in kept]
        assert broken == []


@given(st.text(max_size=300))
def test_spans_are_ordered_and_inside(text: str) -> None:
    spans = find_personal_data(text)
    ends = [0, *(span.end for span in spans)]
    assert all(
        before <= span.start < span.end <= len(text)
        for before, span in zip(ends, spans, strict=False)
    )
    assert set(span.kind for span in spans) <= set(MASKS)


@given(st.text(alphabet="0123456789一二三幺 -.，个两Xx豫A〔〕我叫王", max_size=120))
def test_masking_twice_changes_nothing_that_was_masked(text: str) -> None:
    once = mask_personal_data(text).text
    assert len(MASK_PATTERN.findall(mask_personal_data(once).text)) >= len(
        MASK_PATTERN.findall(once)
    )


@pytest.mark.parametrize(
    "unit",
    [
        "1",
        "1 ",
        "幺",
        "三个七",
        "豫A",
        "a@",
        "我叫王",
        "（",
        "0371-",
        "嗯",
        "1嗯对",
        "1点",
        "3号楼",
    ],
)
def test_long_repetitive_text_is_masked_in_linear_time(unit: str) -> None:
    text = unit * (5_000 // len(unit))
    started = time.process_time()
    mask_personal_data(text)
    assert time.process_time() - started < 10
