"""Calls that are nobody's matter here: silence, a wrong number, idle talk, another city, "I
complain!" and nothing else.

Words decide first, since each of these is said in few ways and a wrong "human" costs one reading.
A rule of words needs that nothing of substance is left of the text without them: somebody who got
the wrong number last week may have a matter today. What the words miss, `energy` may still find: a
text in which the encoder sees little of any department.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .prepare import PreparedText
from .suggestion import Decision

CITIES_FILE = Path(__file__).resolve().parent / "data" / "cities.txt"

# A rule of words holds while at most so many characters remain without them: after "wrong number"
# in plain words many, of mere greetings one.
MOST_LEFT = {"wrong_number": 14, "silence": 1}
MOST_LEFT_ELSE = 4
# Long calls tell where people come from; there another city is no sign.
LONGEST_ELSEWHERE = 150

_PLEASANTRIES = re.compile(
    r"你好|您好|喂+|嗨|哈喽|麻烦|请问|谢谢|不好意思|对不起|抱歉|再见|拜拜|同志|师傅|老师|领导|小姐|先生|女士"
    r"|是不是|是|吗|呢|吧|啊|了|的|我|你们?|您|就|那|这|哦|嗯|呀|呗|哎|唉|算|今天|听"
)
_NOT_WORD = re.compile(r"[^\u3400-\u9fffA-Za-z0-9]+")
_GREETING = re.compile(
    r"[喂你您好]|有(?:没有)?人(?:在)?(?:听|说话)?|(?:能?听(?:得|不)?(?:见|到|清)楚?)|说话|在(?:不在)?|怎么没声音?|没声音|信号不好"
)
_WRONG = re.compile(
    r"(?:打|拨|按|点)错(?:号码?|电话)?|错号|误拨|不小心(?:按|打|拨|碰)(?:到|出去)?"
    r"|(?:小孩|孩子)(?:乱)?(?:按|玩|打)的?"
)
_IDLE = re.compile(
    r"(?:讲|说|听)个?(?:笑话|故事)|唱(?:首|个)?歌|听(?:首)?歌|放(?:一)?首|陪我(?:聊|说)|聊(?:聊|会)?天|逗你玩"
    r"|你(?:是|叫)(?:不是)?(?:机器人|真人|什么名字|谁)|叫什么名字|(?:今天|明天)?天气怎么样|测试(?:一下|测试)?|试一?下"
    r"|彩票|点(?:一)?份|(?:祝|新年|节日)快乐|心情不好|给我|几点(?:上|下)班|能不能打通"
)
_COMPLAINT = re.compile(
    r"(?:我)?(?:要|想|就是要|反正)?(?:投诉|举报|反映|反应|告|曝光)(?:你们|他们|一下|个?(?:问题|情况|事情?|单位|人))?"
    r"|太(?:过分|气人|不像话|差)|(?:你们)?看着办|到底管不管|没人管|必须(?:处理|解决)|给(?:我)?个?(?:说法|答复|交代)"
    r"|(?:赶紧|尽快|马上)(?:处理|解决)|不满意?|气死|反正|就是|上(?:次|回)(?:那个|说的?)?(?:事情?)?|还没(?:解决|处理)"
    r"|要?投诉?|情况|问题|事情?|解决|处理|大家(?:都)?知道|希望(?:改善|重视)"
    r"|没(?:有)?(?:什么|啥|别的)?事(?:情|儿)?|回头再(?:打|说)|再(?:看|想)看?想?|挂了"
)

_RULES = (
    ("wrong_number", _WRONG, "像是打错了电话"),
    ("idle_talk", _IDLE, "像是闲聊或试机，没有诉求"),
    ("no_matter", _COMPLAINT, "没有说是什么事"),
    ("silence", _GREETING, "只有招呼，没有说事"),
)


@lru_cache(maxsize=1)
def city_names() -> frozenset[str]:
    """Names of the country's cities."""
    lines = CITIES_FILE.read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())


@lru_cache(maxsize=1)
def _elsewhere() -> re.Pattern[str]:
    """Where the caller says that he or the matter is; a road or dish of that name is not."""
    names = "|".join(sorted(city_names(), key=lambda name: (-len(name), name)))
    return re.compile(
        r"(?:(?:我们?|俺|人|家)(?:现在|这边|这里|这儿|是)?(?:就)?(?:在|住在?)|(?:我们?)?(?:这里|这边|这儿)是|地址(?:是|在)?|位于"
        r"|事情?(?:发生)?在)(?:[\u4e00-\u9fff]{2,3}省)?"
        rf"(?P<city>{names})(?:市|(?=[\u4e00-\u9fff]{{1,4}}(?:区|县|镇))|(?:这边|这里|这儿|本地|当地))"
    )


def out_of_scope(text: PreparedText, own_city: str) -> Decision | None:
    """The rule of words that sends a call to a person, if one does."""
    said = _NOT_WORD.sub("", f"{text.headline}{text.reading.text}")
    for rule, pattern, reason in _RULES:
        if not pattern.search(said):
            continue
        left = _PLEASANTRIES.sub("", pattern.sub("", said))
        if len(left) <= MOST_LEFT.get(rule, MOST_LEFT_ELSE):
            return Decision("human", rule, reason)
    return _another_city(said, own_city)


def _another_city(said: str, own_city: str) -> Decision | None:
    if not own_city or own_city in said or len(said) > LONGEST_ELSEWHERE:
        return None
    found = _elsewhere().search(said)
    if found is None or found["city"] == own_city:
        return None
    return Decision("human", "another_city", f"说的是外地（{found['city']}）的事")


def energy(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """How much of anything learnt the encoder sees in each text: log-sum-exp of its department
    logits (N, K) → (N,) (Liu et al. 2020, arXiv:2010.03759)."""
    values = logits.astype(np.float64)
    top = values.max(axis=1)
    return np.asarray(top + np.log(np.exp(values - top[:, None]).sum(axis=1)))


def fit_least_energy(logits: NDArray[np.floating], *, refused: float = 0.005) -> float:
    """The energy below which a text is unfamiliar: this share of held-out messages, whose logits
    (N, K) are given, would be called so."""
    return round(float(np.quantile(energy(logits), refused)), 4)
