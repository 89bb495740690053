"""A readable title of a group, from its members' own words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from .grams import all_keys, reading
from .index import Weighed

MIN_CHARS = 6
MAX_CHARS = 30
MAX_MEMBERS = 40
FULL_KEYS = 36
"""N-grams of a clause of fourteen characters; a shorter one rarely names both place and matter."""
TITLE_BONUS = 2.5
"""A headline was written to be read; a clause of speech was not."""

_CUT = re.compile(r"[，。！？；,!?;…\n\r\t\u3000]+")
_OPENING = re.compile(
    r"^(?:喂|你好|您好|尊敬的[^，：:]{0,8}|(?:我们?|本人)?(?:想|要|来)?(?:请问|咨询|反映|投诉|举报|反应|建议|求助|关于)(?:一下|下|个事儿?)?"
    r"|我是|我们?(?:这儿|这里|这边)?(?:是|住在?)|强烈|再次|就是|那个|请求?)[，,：:\s]*"
)
_ENDING = re.compile(
    r"(?:的?(?:一些|几个|有关|相关)*(?:问题|情况|咨询|投诉|建议))?[？?！!。：:\s]*$"
)
_MASK = re.compile("〔[^〕]*〕")


def title_of(members: Sequence[Weighed]) -> str:
    """Place and matter: the clause that says most of what the members have in common, with the
    commonest place in front where the clause does not name it."""
    some = members[:: max(len(members) // MAX_MEMBERS, 1)]
    common = _common_worth(some)
    best, best_worth = "", -1.0
    for member in some:
        for clause, bonus in _clauses(member):
            worth = bonus * _worth(clause, common)
            if worth > best_worth:
                best, best_worth = clause, worth
    place = _place(members)
    if place and place not in best:
        best = f"{place}：{best}" if best else place
    return best or "未能概括的事项"


def _clauses(member: Weighed) -> list[tuple[str, float]]:
    """Cleaned clauses of bearable length, each with its bonus."""
    found: list[tuple[str, float]] = []
    title = _clean(member.call.title)
    if MIN_CHARS <= len(title) <= MAX_CHARS + 10:
        found.append((title, TITLE_BONUS))
    for raw in _CUT.split(member.call.text):
        clause = _clean(raw)
        if MIN_CHARS <= len(clause) <= MAX_CHARS and "〔" not in raw:
            found.append((clause, 1.0))
    return found


def _clean(text: str) -> str:
    shown = _MASK.sub("", " ".join(text.split()))
    for _ in range(3):
        shorter = _OPENING.sub("", shown)
        if shorter == shown:
            break
        shown = shorter
    shorter = _ENDING.sub("", shown)
    return shorter if len(shorter) >= MIN_CHARS else shown


def _common_worth(members: Sequence[Weighed]) -> dict[int, float]:
    """Each shared n-gram's rarity times the share of members that hold it."""
    held: Counter[int] = Counter()
    rarity: dict[int, float] = {}
    for member in members:
        keys = member.profile.keys.tolist()
        held.update(keys)
        rarity.update(zip(keys, member.rarity.tolist(), strict=True))
    least = 1 if len(members) == 1 else 2
    return {
        key: rarity[key] * (count / len(members)) ** 1.5
        for key, count in held.items()
        if count >= least
    }


def _worth(clause: str, common: dict[int, float]) -> float:
    keys, _ = all_keys(reading(clause))
    total = sum(common.get(key, 0.0) for key in keys.tolist())
    return total / float(np.sqrt(max(len(keys), FULL_KEYS)))


def _place(members: Sequence[Weighed]) -> str:
    """The place name that at least half of those members that name one agree on."""
    named = [set(member.call.place.names) for member in members if member.call.place.names]
    counts = Counter(name for names in named for name in names)
    if not counts:
        return ""
    name, count = max(counts.items(), key=lambda item: (item[1], len(item[0]), item[0]))
    return name if 2 * count >= len(named) else ""
