"""Written messages retold as calls, so that the way people talk speaks for no department.

Only the written examples sound like speech by nature. Without this, a model learns that 俺 and
那个 mean the few departments they were written for.
"""

from __future__ import annotations

import random
import re

OPENINGS = (
    *("你好", "您好我想反映一下", "喂你好", "同志你好", "我想问一下", "我问个事", "是这么回事"),
    *("就是我想咨询一下", "我要投诉", "哎你好是这样的", "麻烦问一下", "我跟你说个事", "", "", ""),
)
CLOSINGS = (
    *("你们管不管", "这个咋办啊", "能不能给解决一下", "找谁呢", "你给我记一下", "麻烦你们来看看"),
    *("我都打了好几遍了", "谢谢啊", "到底归谁管", "希望快点处理", "都好几个月了", "没人管", "", ""),
)
MIDDLES = (
    *(
        "就是",
        "然后",
        "你知道吧",
        "的话",
        "说是",
        "反正",
        "现在",
        "天天",
        "都",
        "一直",
        "他说",
        "结果",
    ),
    *("人家说", "我家", "俺们", "俺家", "咱们这", "还", "也", "我妈", "老人", "孩子", "两三个"),
    *("一个月", "前两天", "昨天"),
)
SWAPS = (
    *(
        ("我们", ("俺们", "咱们", "我们这")),
        ("我", ("俺", "我", "我这边")),
        ("怎么", ("咋", "咋着")),
    ),
    *(("什么", ("啥", "啥样")), ("没有", ("没", "没得")), ("非常", ("特别", "老", "可"))),
    *(("请问", ("问一下",)), ("无法", ("没法", "弄不成")), ("进行", ("",)), ("相关", ("",))),
    *(("有关部门", ("你们", "上面")), ("十分", ("可", "特别")), ("目前", ("现在",))),
    *(("是否", ("是不是",)), ("如何", ("咋", "怎么")), ("尊敬的领导", ("",)), ("严重", ("厉害",))),
    *(("何时", ("啥时候",)), ("可以", ("能", "中")), ("不能", ("不中",))),
)
MIN_CHARS = 40
MAX_CHARS = 160

_CLAUSE = re.compile(r"[,，。；;！!？?、：:\s]+")


def as_call(title: str, text: str, rng: random.Random) -> str:
    """A call of 40 to 160 characters about the same matter: no title, no punctuation.

    The headline is told first or somewhere among the first clauses; words of written style turn
    into spoken ones now and then, and small talk stands before, between and after.
    """
    clauses = [clause for clause in _CLAUSE.split(text) if clause]
    wanted = rng.randint(MIN_CHARS, MAX_CHARS)
    told: list[str] = [title] if title and rng.random() < 0.8 else []
    length = len("".join(told))
    for clause in clauses:
        if length >= wanted:
            break
        told.append(clause)
        length += len(clause)
    spoken = [rng.choice(OPENINGS)]
    for clause in told:
        if rng.random() < 0.4:
            spoken.append(rng.choice(MIDDLES))
        spoken.append(_reword(clause, rng))
    return "".join([*spoken, rng.choice(CLOSINGS)])[: 2 * MAX_CHARS]


def _reword(clause: str, rng: random.Random) -> str:
    for written, spoken in SWAPS:
        if written in clause and rng.random() < 0.4:
            clause = clause.replace(written, rng.choice(spoken))
    return clause
