"""What the place tagger learns from: bare addresses, and the same addresses inside speech.

The labelled addresses stand alone, as on parcels; callers say them in the middle of a sentence.
So every epoch also sets addresses into carrier phrases of the project and into clauses of real
messages, says their numbers aloud, masks their cities as the messages do (A市, K6县), swaps their
parts, and shows clauses without any place.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...datasets.conll import TaggedText
from ..place.elements import Element, elements_of, tags_of

# Parts of speech around a place; each was written for this project.
BEFORE = (
    "", "", "我住在", "我家在", "我们住", "你好我是", "您好我是", "喂你好我这边是", "就是", "那个",
    "嗯就是", "在", "在", "位于", "地址是", "地址在", "地点是", "我在", "我们这个", "反映一下",
    "我要投诉",
    "我想反映", "想问一下", "麻烦你们看看", "帮我看一下", "就在", "就是在", "从", "离", "靠近",
    "咱们",
    "你们能不能管管", "请问", "我是", "是", "对就是", "昨天晚上在", "今天早上路过", "每天经过",
    "到",
    "我们单位在", "孩子在", "我妈住在", "租的房子在", "事发地点", "具体位置是", "家住", "本人家住",
)  # fmt: skip
AFTER = (
    "", "", "这里", "这边", "这块", "那边", "那一块", "附近", "门口", "旁边", "对面", "路边",
    "后面", "前面",
    "的业主", "的居民", "的住户", "的", "里面", "楼下", "楼上", "有", "一直", "现在", "最近",
    "的路灯", "的垃圾桶",
    "的物业", "的红绿灯", "的井盖", "停水了", "停电了", "没人管", "到现在", "这一段", "这条路",
    "往", "啊", "呢",
    "那个", "然后", "，", "。", "一带", "周边", "沿线", "路段",
)  # fmt: skip
MATTERS = (
    "路灯坏了好几天晚上黑得很", "垃圾没人清理臭得不行", "有人占道摆摊路都走不通",
    "半夜施工吵得睡不着",
    "水管爆了水流了一地", "井盖没了太危险了", "暖气不热家里才十五度", "车乱停把消防通道堵了",
    "物业乱收费也不给开票", "烧烤店油烟直接往楼上飘", "路面塌了一个大坑", "下水道堵了往外冒",
    "红绿灯不亮车乱成一团", "广场舞声音太大孩子没法写作业", "什么时候能修好", "你们派个人来看看吧",
    "电梯坏了老人下不来", "狗叫了一夜", "共享单车堆满了人行道", "开发商一直不给办证",
    "河水发黑发臭",
)  # fmt: skip
# Waters, which bare addresses hardly name, and how citizens call them.
WATER_ENDS = ("河", "河", "河", "江", "溪", "渠", "湖", "水库", "支河", "内河", "运河", "港")
WATER_HEADS = "东西南北中大小新老上下白黑清龙凤金银石沙柳杨桃梅竹林山桥洋浦潘陈黄洪安福泰宁平兴化"
_PLACE_WORDS = re.compile(
    "[路街道巷弄区县市省镇乡村屯寨庄园苑城桥站站厂店馆院校局所公司厦场湖河江渠溪山岛湾港楼栋幢号段]|小学|中学|大学|社区"
)
_CLAUSE = re.compile(r"[^，。！？、；：,.!?;:\s“”\"（）()《》\n]+")
_DIGITS_SAID = ("零一二三四五六七八九", "零幺二三四五六七八九")
_FILLERS = ("嗯", "呃", "那个", "啊", "就是", "，", " ")
_MASKED = {"prov": ("", "A省", "B省"), "city": "ABCDEFGHIJKLM", "district": "ABCDEFGHIJKLM"}
_MIN_CLAUSE, _MAX_CLAUSE = 3, 24


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an example: its text and kind; no kind for words around a place."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Sources:
    """Labelled addresses as parts, elements of each kind to swap in, and clauses without place."""

    addresses: tuple[tuple[Part, ...], ...]
    elements: dict[str, tuple[str, ...]]
    clauses: tuple[str, ...]

    @classmethod
    def of(cls, tagged: Sequence[TaggedText], messages: Sequence[str]) -> Sources:
        addresses = tuple(tuple(_parts(text)) for text in tagged)
        elements: dict[str, list[str]] = {}
        for address in addresses:
            for part in address:
                elements.setdefault(part.kind, []).append(part.text)
        clauses = {
            clause
            for message in messages
            for clause in _CLAUSE.findall(message)
            if _MIN_CLAUSE <= len(clause) <= _MAX_CLAUSE and not _PLACE_WORDS.search(clause)
        }
        return cls(
            addresses,
            {kind: tuple(texts) for kind, texts in elements.items()},
            tuple(sorted(clauses)),
        )


def epoch(sources: Sources, rng: random.Random) -> Iterator[TaggedText]:
    """Every address bare (some varied), half of them spoken, and some clauses alone."""
    for address in sources.addresses:
        yield _tagged(_varied(address, sources, rng) if rng.random() < 0.4 else address)
        if rng.random() < 0.5:
            yield _tagged(_spoken(_varied(address, sources, rng), sources, rng))
    for _ in range(len(sources.addresses) // 8):
        yield _tagged(_water_sentence(sources, rng))
        yield _tagged([Part("，".join(rng.choices(sources.clauses, k=rng.randint(1, 3))))])


def _parts(tagged: TaggedText) -> Iterator[Part]:
    at = 0
    for element in elements_of(tagged.text, tagged.tags):
        if element.start > at:
            yield Part(tagged.text[at : element.start])
        yield Part(element.text, element.kind)
        at = element.end
    if at < len(tagged.text):
        yield Part(tagged.text[at:])


def _varied(address: Sequence[Part], sources: Sources, rng: random.Random) -> list[Part]:
    """Some parts swapped for others of their kind."""
    return [
        Part(rng.choice(sources.elements[part.kind]), part.kind)
        if part.kind and rng.random() < 0.25
        else part
        for part in address
    ]


def _spoken(address: list[Part], sources: Sources, rng: random.Random) -> list[Part]:
    """The address as a caller names it, with words before and after."""
    kept = list(address)
    if rng.random() < 0.6:
        # Callers leave out what the hotline's own city is.
        kept = [part for part in kept if part.kind not in ("prov", "city")] or kept
    if rng.random() < 0.3 and len(kept) > 1:
        kept = kept[: rng.randint(1, len(kept) - 1)]
    if rng.random() < 0.25:
        kept = [_masked(part, rng) for part in kept]
    if rng.random() < 0.4:
        kept = [_said_aloud(part, rng) for part in kept]
    if rng.random() < 0.2 and len(kept) > 1:
        kept.insert(rng.randint(1, len(kept) - 1), Part(rng.choice(_FILLERS)))
    after = rng.choice(AFTER)
    tail = rng.choice(MATTERS) if rng.random() < 0.5 else _clauses(sources, rng)
    lead = _clauses(sources, rng) + rng.choice(("", "，")) if rng.random() < 0.35 else ""
    return [Part(lead + rng.choice(BEFORE)), *kept, Part(after + tail)]


def _clauses(sources: Sources, rng: random.Random) -> str:
    glue = rng.choice(("，", "", "，"))
    return glue.join(rng.choices(sources.clauses, k=rng.randint(1, 2)))


def _water_sentence(sources: Sources, rng: random.Random) -> list[Part]:
    """A river or lake of an invented name, alone or beside a town."""
    name = "".join(rng.choices(WATER_HEADS, k=rng.choice((1, 1, 2)))) + rng.choice(WATER_ENDS)
    if rng.random() < 0.3:
        name = rng.choice(sources.elements["town"]).rstrip("街道镇乡") + rng.choice(WATER_ENDS)
    place = [Part(name, "poi")]
    if rng.random() < 0.5:
        kind = rng.choice(("district", "town", "road", "poi", "community"))
        joint = Part(rng.choice(("", "的", "旁边的", "附近的", "旁", "边上")))
        place = [Part(rng.choice(sources.elements[kind]), kind), joint, *place]
    before, after = rng.choice(BEFORE), rng.choice(("", "的", "边", "旁边", "里", "两岸", "附近"))
    return [Part(before), *place, Part(after + rng.choice((*MATTERS, _clauses(sources, rng))))]


def _masked(part: Part, rng: random.Random) -> Part:
    if part.kind == "city":
        return Part(rng.choice(_MASKED["city"]) + "市", part.kind)
    if part.kind == "district":
        number = rng.choice(("", "1", "3", "7", "12"))
        return Part(rng.choice(_MASKED["district"]) + number + rng.choice("区县市"), part.kind)
    return part


def _said_aloud(part: Part, rng: random.Random) -> Part:
    """Digits as words, one by one; a 0 stands for any digit and becomes one."""
    said = rng.choice(_DIGITS_SAID)
    return Part("".join(rng.choice(said) if c.isdigit() else c for c in part.text), part.kind)


def _tagged(parts: Sequence[Part]) -> TaggedText:
    text, elements = "", []
    for part in parts:
        if part.kind and part.text:
            end = len(text) + len(part.text)
            elements.append(Element(part.kind, len(text), end, part.text))
        text += part.text
    return TaggedText(text, tuple(tags_of(len(text), elements)))
