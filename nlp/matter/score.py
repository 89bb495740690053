"""From a likeness to a score between 0 and 1, with its reasons in Chinese.

The score is a logistic sum. Its weights were fitted on pairs of messages that competing teams of a
public contest put into one matter or did not (none may be negative but that of the time between,
since a fit of ten matters would otherwise punish twins for their likeness); what
the teams' data cannot tell, the place, was set by hand. It ranks well and is no probability.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .index import CallIndex, Weighed
from .likeness import Likeness, compare

PROPOSE = 0.5
"""Score from which two calls are proposed as one matter."""
NEARLY_SAME = 0.6
"""Share of common three-character runs from which a text is called a repetition."""
NEARLY_SAME_SCORE = 0.97
MAX_NAME_WEIGHT = 1.5

PLACE_AGREES = 1.5
NAMES_DIFFER = -2.0
DISTRICTS_DIFFER = -3.0
OF_PLACE = {1: PLACE_AGREES, 0: 0.0, -1: NAMES_DIFFER, -2: DISTRICTS_DIFFER}


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the logistic sum; `days` counts ln(1 + days apart)."""

    words: float
    titles: float
    names: float
    days: float
    bias: float


WITH_TITLES = Weights(words=3.0, titles=7.2, names=2.15, days=-0.18, bias=-2.25)
WITHOUT_TITLES = Weights(words=5.0, titles=0.0, names=3.2, days=-0.25, bias=-1.95)


@dataclass(frozen=True, slots=True)
class SameMatter:
    """Two calls that may be one matter: the new one first. `kind` is `repeat` for nearly the same
    text, else `same`."""

    call_id: str
    other_id: str
    kind: str
    score: float
    reasons: tuple[str, ...]


def score(likeness: Likeness, *, titled: bool) -> float:
    """0–1; `titled` says that both calls have a headline."""
    weights = WITH_TITLES if titled else WITHOUT_TITLES
    # Where the places' names differ, shared runs are turns of phrase.
    named = 0.0 if likeness.place == -1 else min(likeness.name_weight, MAX_NAME_WEIGHT)
    total = (
        weights.words * likeness.words
        + weights.titles * likeness.titles
        + weights.names * named
        + weights.days * math.log1p(likeness.days_apart)
        + weights.bias
        + OF_PLACE[likeness.place]
    )
    value = 1 / (1 + math.exp(-total))
    if likeness.same_text >= NEARLY_SAME and likeness.place >= 0:
        value = max(value, NEARLY_SAME_SCORE)
    return value


def judge(a: Weighed, b: Weighed) -> SameMatter:
    """Score and reasons for two calls of one index."""
    likeness = compare(a, b)
    repeat = likeness.same_text >= NEARLY_SAME and likeness.place >= 0
    return SameMatter(
        a.call.id,
        b.call.id,
        "repeat" if repeat else "same",
        round(score(likeness, titled=_titled(a, b)), 4),
        reasons(likeness),
    )


def pair_score(a: Weighed, b: Weighed) -> float:
    """The score alone."""
    return score(compare(a, b), titled=_titled(a, b))


def propose(index: CallIndex, call: Weighed, *, limit: int = 3) -> tuple[SameMatter, ...]:
    """The open calls that `call` should be merged with, best first; nothing is merged here."""
    found = [judge(call, other) for other in index.candidates(call)]
    good = [pair for pair in found if pair.score >= PROPOSE]
    return tuple(sorted(good, key=lambda pair: (-pair.score, pair.other_id))[:limit])


def reasons(likeness: Likeness) -> tuple[str, ...]:
    """What speaks for and against, for the clerk."""
    said = []
    if likeness.same_text >= NEARLY_SAME:
        said.append(f"文字几乎相同（{likeness.same_text:.0%}）")
    if likeness.shared_place:
        said.append(f"同一地点：{likeness.shared_place}")
    elif likeness.place < 0:
        said.append("地点名称不同" if likeness.place == -1 else "所在区县不同")
    named = [name for name in likeness.names if name not in likeness.shared_place]
    if named:
        said.append("都提到" + "、".join(f"“{name}”" for name in named))
    if likeness.titles >= 0.1:
        said.append(f"标题相似 {likeness.titles:.0%}")
    said.append(f"用词相似 {likeness.words:.0%}")
    said.append(_apart(likeness.days_apart))
    if likeness.same_department:
        said.append("承办部门相同")
    return tuple(said)


def _apart(days: float) -> str:
    if days < 1 / 24:
        return f"相隔 {max(round(days * 1440), 1)} 分钟"
    return f"相隔 {days * 24:.0f} 小时" if days < 2 else f"相隔 {days:.0f} 天"


def _titled(a: Weighed, b: Weighed) -> bool:
    return bool(len(a.profile.title_keys) and len(b.profile.title_keys))
