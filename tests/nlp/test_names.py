"""Names after the words that announce them."""

from __future__ import annotations

import pytest

from xiaozheng.nlp.names import find_names


def names(text: str) -> set[str]:
    return {text[start:end] for start, end in find_names(text)}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("我叫王小明，住在金水区", "王小明"),
        ("我叫王伟电话一会儿给", "王伟"),
        ("我叫欧阳娜娜", "欧阳娜娜"),
        ("我叫张 三 丰", "张 三 丰"),
        ("联系人：李桂兰", "李桂兰"),
        ("投诉人刘强反映停水", "刘强"),
        ("免贵姓诸葛", "诸葛"),
        ("你好，赵女士家停水了", "赵"),
        ("我是陈先生", "陈"),
        ("老板叫孙磊的那家店", "孙磊"),
    ],
)
def test_a_name_is_found(text: str, name: str) -> None:
    assert name in names(text)


@pytest.mark.parametrize(
    "text",
    [
        "本人于去年购房",
        "本人申请低保",
        "本人和家人都在",
        "患者钱花了没效果",
        "负责人说下周解决",
        "我叫了三次没人来",
        "联系人一直不在",
        "提高女士就业率",
        "王府井那条路堵车",
        "我是业主",
        "姓名不对",
    ],
)
def test_other_words_are_not_names(text: str) -> None:
    assert names(text) == set()
