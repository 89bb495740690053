"""What telephone and recogniser do to a sentence, simulated with a seed.

Used to stress the router (`xiaozheng eval router --noise …`) and, by whoever trains, to teach it.
The order is that of life: the caller speaks numbers, stumbles, restarts and fills pauses; the
recogniser loses and mishears characters and knows no punctuation; the agent's turns stand between.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from ..config.errors import DatasetError, InputError

FILLERS = ("嗯", "那个", "就是说", "然后", "就是", "呃", "这个", "怎么说呢", "你知道吧", "完了")
RESTARTS = ("不对", "不是", "哦不", "说错了", "啊不")
AGENT_OPENINGS = (
    "您好，12345，请问有什么可以帮您",
    "您好，话务员为您服务，请讲",
    "您好，市民热线，请问您要反映什么",
)
AGENT_TURNS = (
    "您说一下具体位置",
    "好的，您继续说",
    "请问您贵姓",
    "这个情况持续多长时间了",
    "您之前有没有跟有关部门反映过",
    "我这边帮您登记一下",
    "您别着急慢慢说",
    "请问您的诉求是什么",
)
AGENT_TAGS = ("坐席", "话务员", "客服")
CALLER_TAGS = ("市民", "来电人", "群众")
# Same tone three times out of four: recognisers take tone for less than sound.
SAME_TONE_SHARE = 0.75
TURN_CHARS = 40

_HAN = re.compile("[\u4e00-\u9fff]")
_CLAUSE = re.compile(r"(?<=[，。；！？,;!?\n])")
_PUNCTUATION = re.compile(r"[，。；：！？、…“”‘’（）《》【】,;:!?()\"'—\s]+")
_DIGITS = re.compile(r"(?P<year>\d{4}(?=年))|\d+")
_SPOKEN = "零一二三四五六七八九"
_IDENTIFIER_DIGITS = 5
"""A run of so many digits is a number that names something: spoken digit by digit."""


@dataclass(frozen=True, slots=True)
class SpeechNoise:
    """How much of each; all between 0 and 1.

    `homophone` and `drop` are shares of the ideographs; `filler` and `repair` the chance of one
    at each clause; `digits` the chance that a run of digits is spoken; `punctuation` the chance
    that a call has none; `speaker` the chance that it is told in turns with an agent.
    """

    homophone: float = 0.0
    filler: float = 0.0
    repair: float = 0.0
    drop: float = 0.0
    digits: float = 0.0
    punctuation: float = 0.0
    speaker: float = 0.0

    @property
    def any(self) -> bool:
        """Whether anything is changed at all."""
        return any(getattr(self, field.name) > 0 for field in fields(self))


Homophones = Mapping[str, tuple[str, str]]
"""Characters of the same tone and of other tones, for each character."""


def parse_noise(text: str) -> SpeechNoise:
    """`homophone=0.3,filler=0.2` → `SpeechNoise`.

    Raises:
        InputError: an unknown name, a repeated one, or a value that is no number from 0 to 1.
    """
    known = [field.name for field in fields(SpeechNoise)]
    given: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if name not in known or name in given:
            problem, problem_zh = ("twice", "重复") if name in given else ("unknown", "未知")
            raise InputError(
                f"noise {part!r}: {name!r} is {problem}; known: {', '.join(known)}",
                message_zh=f"噪声参数 {part!r}：{name} {problem_zh}；可用：{'、'.join(known)}",
            )
        given[name] = _share(part, value)
    return SpeechNoise(**given)


def load_homophones(path: Path) -> dict[str, tuple[str, str]]:
    """Read a table of homophones: tab-separated character, same tone, other tones.

    Raises:
        DatasetError: unreadable, not UTF-8, or without a single usable row.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(
            f"{path}: cannot be read: {error}", message_zh=f"{path}：无法读取同音字表"
        ) from None
    table: dict[str, tuple[str, str]] = {}
    for line in lines:
        char, *others = line.split("\t")
        if len(char) == 1 and any(others):
            same, other = [*others, ""][:2]
            table[char] = (same, other)
    if not table:
        raise DatasetError(
            f"{path}: no row `character<TAB>homophones`",
            message_zh=f"{path}：没有“字<TAB>同音字”的行",
        )
    return table


def add_noise(text: str, noise: SpeechNoise, homophones: Homophones, rng: random.Random) -> str:
    """`text` as a recogniser might have written it; the same `rng` state gives the same text."""
    clauses = [clause for clause in _CLAUSE.split(text) if clause]
    spoken = [_spoken_clause(clause, noise, homophones, rng) for clause in clauses]
    bare = rng.random() < noise.punctuation
    if bare:
        spoken = [_PUNCTUATION.sub("", clause) for clause in spoken]
    if rng.random() < noise.speaker:
        return _in_turns(spoken, rng)
    return "".join(spoken)


def mishear(text: str, share: float, homophones: Homophones, rng: random.Random) -> str:
    """Each ideograph becomes, with this chance, another one of the same sound."""
    if share <= 0:
        return text
    return "".join(
        _other(char, homophones, rng) if char in homophones and rng.random() < share else char
        for char in text
    )


def speak_digits(digits: str) -> str:
    """A run of ASCII digits as it is spoken: 12345 一二三四五, 3500 三千五百, 138… 幺三八…."""
    if len(digits) >= _IDENTIFIER_DIGITS or digits.startswith("0"):
        reading = "".join(_SPOKEN[int(digit)] for digit in digits)
        return reading.replace("一", "幺") if len(digits) >= 7 else reading
    return _quantity(int(digits))


def _share(part: str, value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InputError(
            f"noise {part!r}: {value!r} is not a number from 0 to 1",
            message_zh=f"噪声参数 {part!r}：{value or '空'} 不是 0 到 1 之间的数",
        )
    return share


def _spoken_clause(
    clause: str, noise: SpeechNoise, homophones: Homophones, rng: random.Random
) -> str:
    if noise.digits:
        clause = _DIGITS.sub(
            lambda run: _spoken_number(run) if rng.random() < noise.digits else run.group(),
            clause,
        )
    start = ""
    if rng.random() < noise.repair and len(clause) > 4 and _HAN.match(clause):
        start = f"{clause[: rng.randint(2, 3)]}，{rng.choice(RESTARTS)}，"
    if noise.drop:
        clause = "".join(c for c in clause if not (_HAN.match(c) and rng.random() < noise.drop))
    clause = mishear(start + clause, noise.homophone, homophones, rng)
    return rng.choice(FILLERS) + "，" + clause if rng.random() < noise.filler else clause


def _spoken_number(run: re.Match[str]) -> str:
    if run["year"]:
        return "".join(_SPOKEN[int(digit)] for digit in run["year"])
    return speak_digits(run.group())


def _other(char: str, homophones: Homophones, rng: random.Random) -> str:
    same, other = homophones[char]
    return rng.choice(same if same and (not other or rng.random() < SAME_TONE_SHARE) else other)


def _in_turns(clauses: list[str], rng: random.Random) -> str:
    agent, caller = rng.choice(AGENT_TAGS), rng.choice(CALLER_TAGS)
    turns = [f"{agent}：{rng.choice(AGENT_OPENINGS)}。{caller}："]
    said = 0
    for clause in clauses:
        if said >= TURN_CHARS:
            turns.append(f"{agent}：{rng.choice(AGENT_TURNS)}。{caller}：")
            said = 0
        turns.append(clause)
        said += len(clause)
    return "".join(turns)


def _quantity(value: int) -> str:
    """0–9999 in words."""
    if value == 0:
        return "零"
    parts: list[str] = []
    for power, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // power % 10
        if digit:
            parts.append(_SPOKEN[digit] + unit)
        elif parts and parts[-1] != "零" and value % power:
            parts.append("零")
    spoken = "".join(parts)
    return spoken.removeprefix("一") if 10 <= value < 20 else spoken
